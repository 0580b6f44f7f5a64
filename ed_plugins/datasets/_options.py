"""Checks of options shared by several data sets."""

from ed_core import EdkitError, FilePath, RunPath

NO_FILE = FilePath("")
NO_RUN = RunPath("")


def check_least(least: int, **options: int) -> None:
    """Raise EdkitError for the first option below its minimum."""
    for name, value in options.items():
        if value < least:
            raise EdkitError(f"option {name!r} is at least {least}, received {value}.")
