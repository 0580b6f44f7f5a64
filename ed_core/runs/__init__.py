"""Runs: model, weights and checkpoints of a run folder."""
