"""The built-in models and data sets: every module of this package is one plugin."""
