"""The checker: answers are read, held against a worked example, and judged."""
