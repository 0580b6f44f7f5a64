"""Data: loading, checks, selection, preparation, augmentation and batches."""
