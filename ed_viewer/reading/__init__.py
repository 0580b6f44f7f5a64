"""Work off the GUI thread: reading of recordings and background jobs."""
