"""What people read about answers: a page for each student, a report for the teacher."""
