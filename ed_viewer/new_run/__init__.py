"""New runs from the window: catalogue, form, training process and log."""
