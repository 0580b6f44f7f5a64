"""The desktop window: it reads recordings and nothing else."""
