"""Colours, icons, and numbers and arrays as they are shown."""
