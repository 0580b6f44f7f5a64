"""A trained run at work: predictions and walks through the code."""
