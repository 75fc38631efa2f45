"""Numbers that are right: exact values and correct rounding."""
