"""Style: colours, icons, and the display of numbers and arrays."""
