"""Time that a test gives to what another process or thread does, on a machine that may be busy."""

SECONDS = 240.0
MILLISECONDS = round(1000 * SECONDS)
OF_A_PROCESS = 840.0
"""Seconds for a process that computes: it is ended before the test is, see pyproject.toml."""
