"""Checks of options shared by several data sets."""

from collections.abc import Iterable

from ed_core import EdkitError, FilePath, RunPath

NO_FILE = FilePath("")
NO_RUN = RunPath("")
SPLITS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""What folders, and the cells of a column, call a split."""


def say_splits(cells: Iterable[str]) -> bool:
    """Return whether texts are names of splits, the training and another one among them."""
    splits = {SPLITS.get(cell.lower(), "") for cell in cells}
    return "train" in splits and "" not in splits and len(splits) > 1


def check_least(least: int, **options: int) -> None:
    """Raise EdkitError for the first option below its minimum."""
    for name, value in options.items():
        if value < least:
            raise EdkitError(f"option {name!r} is at least {least}, received {value}.")
