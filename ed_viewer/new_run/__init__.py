"""A training that the window starts: what can be trained, the form, the process and its log."""
