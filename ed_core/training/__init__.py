"""Training and resuming: options, job and callbacks."""
