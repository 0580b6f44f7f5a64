"""Rows of small pictures."""
