"""The built-in data sets: every module or package without an underscore is one plugin."""

import ed_core  # noqa: F401  # it names a backend before a plugin imports Keras
