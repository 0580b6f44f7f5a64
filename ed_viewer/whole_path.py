"""One path for one run, however it was called."""

import os
from pathlib import Path


def whole(path: str | Path) -> Path:
    """Return the absolute path without `..`; links stay: a disk that hangs cannot be asked."""
    return Path(os.path.abspath(path))
