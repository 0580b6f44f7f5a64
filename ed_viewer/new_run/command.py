"""Command lines and environment of `edkit` in a process of its own."""

import os
import shlex
import sys
from collections.abc import Sequence

from ed_core.engine.threads import share_processors
from ed_core.plugins.registry import PLUGIN_FILES

_TERMINALS = ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")  # would paint a bar into the log


def program() -> list[str]:
    """Return the program and arguments that run `edkit` with this Python."""
    return [sys.executable, "-m", "ed_core.cli"]


def plugins() -> list[str]:
    """Return the options that name the plugin files which this window was given."""
    return [part for path in PLUGIN_FILES for part in ("--plugin", path)]


def environment() -> dict[str, str]:
    """Return the environment of a command beside this window, whose output goes into a file."""
    variables = {name: value for name, value in os.environ.items() if name not in _TERMINALS}
    share_processors(variables)
    return {**variables, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}


def as_typed(arguments: Sequence[str]) -> str:
    """Return a command as typed in a shell."""
    return shlex.join(["edkit", *arguments])


def option_words(flag: str, value: str) -> list[str]:
    """Return an option with its value, joined by = if the value looks like an option."""
    return [f"{flag}={value}"] if value.startswith("-") else [flag, value]
