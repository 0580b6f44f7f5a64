"""Data set of the rows of a table."""
