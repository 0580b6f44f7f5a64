"""Data set of the rows of a table."""

from ed_plugins.datasets.table.loader import table as table
