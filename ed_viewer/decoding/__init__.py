"""The client of the process that decodes."""
