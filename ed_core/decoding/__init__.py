"""The process that decodes for the window, and the protocol between the two."""
