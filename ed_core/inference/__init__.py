"""Inference with a trained run: predictions and paths through the latent space."""
