"""What is asked: problem files and what they say."""
