"""Training and resuming: plan, job and callbacks."""
