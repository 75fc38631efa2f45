"""Formulas as they are written: the tree, its reader, its printer."""
