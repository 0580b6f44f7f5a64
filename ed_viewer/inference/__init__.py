"""A run put to work on a user's own files, in a process of its own."""
