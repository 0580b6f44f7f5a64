"""Time that a test gives to what another process or thread does, on a machine that may be busy."""

SECONDS = 240.0
MILLISECONDS = round(1000 * SECONDS)
OF_A_TEST = 900.0
"""Seconds until a test that waits is given up, instead of those in pyproject.toml."""
