"""Plugins: specifications, options, registries and decorators; no Keras."""
