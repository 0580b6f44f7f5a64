"""A trained run at work on files: inputs, streams, outputs; and paths through the latent space."""
