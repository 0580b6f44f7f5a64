"""Facts that a plugin states, its options, the registries and the decorators; no Keras."""
