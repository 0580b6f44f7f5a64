"""The main window and what belongs to every window."""
