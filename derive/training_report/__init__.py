"""The report of a training: curves, confusion matrix, worst mistakes, first-layer weights; as Markdown and as HTML."""
