"""Training and its resumption: plan, job and callbacks."""
