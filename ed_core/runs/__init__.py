"""A run opened again: its model, its weights and its checkpoints."""
