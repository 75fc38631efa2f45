"""The tables of the field: one row makes one activation, loss or optimizer."""
