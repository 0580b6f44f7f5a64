"""Exceptions for errors that a user can cause."""

from collections.abc import Iterable
from difflib import get_close_matches


class EdkitError(Exception):
    """Something the user can put right: one line with what was expected, what came and what to do.

    The command prints the line and exits with `status`; a traceback shows only with `--debug`.
    """

    status = 2


class FieldError(EdkitError):
    """A data set lacks a field that a model needs, or has another one; training names the data.

    Args:
        message: the line.
        missing: the name of the field that is not there, "" where it is another one.
    """

    def __init__(self, message: str, missing: str = "") -> None:
        super().__init__(message)
        self.missing = missing


def one_line(error: BaseException) -> str:
    """Return what a foreign error says, with its kind, in one line of bounded length."""
    text = " ".join(str(error).split()) or "no message"
    return f"{type(error).__name__}: {text[:200]}"


def unknown(kind: str, name: str, names: Iterable[str]) -> EdkitError:
    """Return the error for an unregistered name, with the most similar names."""
    choices = sorted(names)
    near = get_close_matches(name, choices, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(repr(n) for n in near)}? " if near else ""
    return EdkitError(f"unknown {kind} {name!r}. {hint}Known: {', '.join(choices) or 'none'}.")
