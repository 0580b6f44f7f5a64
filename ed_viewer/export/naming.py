"""A name that nothing has yet: an export never takes the place of a file of the user's."""

from itertools import count
from pathlib import Path


def unused(file: Path) -> Path:
    """Return the path, or `name-2.png`, `name-3.png`, ... where it is taken (may be slow)."""
    if not file.exists():
        return file
    named = (file.with_name(f"{file.stem}-{number}{file.suffix}") for number in count(2))
    return next(path for path in named if not path.exists())
