"""The command in a process of its own: how it is called, and what it is given."""

import os
import shlex
import sys
from collections.abc import Sequence

from ed_core.engine.threads import share_processors
from ed_core.plugins.registry import PLUGIN_FILES

_TERMINALS = ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE")  # would paint a bar into the log


def program() -> list[str]:
    """Return what runs `edkit`, wherever this Python is installed."""
    return [sys.executable, "-m", "ed_core.cli"]


def plugins() -> list[str]:
    """Return the options that name the plugin files which this window was given."""
    return [part for path in PLUGIN_FILES for part in ("--plugin", path)]


def environment() -> dict[str, str]:
    """Return the environment of a command beside this window, whose output goes into a file."""
    kept = {name: value for name, value in os.environ.items() if name not in _TERMINALS}
    share_processors(kept)
    return {**kept, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}


def shown(arguments: Sequence[str]) -> str:
    """Return a command as one would type it."""
    return shlex.join(["edkit", *arguments])


def given(flag: str, value: str) -> list[str]:
    """Return an option with its value; one that looks like an option itself is tied to it."""
    return [f"{flag}={value}"] if value.startswith("-") else [flag, value]
