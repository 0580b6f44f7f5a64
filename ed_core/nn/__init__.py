"""Layers, losses, metrics, optimizers, the objective and the parts of a model."""
