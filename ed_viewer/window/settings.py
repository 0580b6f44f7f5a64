"""Settings kept between starts of the window, in one small JSON file."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from PySide6.QtCore import QStandardPaths

from ed_core.recording import written_whole

_VERSION = 1
_MOST = 4 * 2**20  # bytes of a file that is read at all


def settings_file() -> Path:
    """Return where the user's settings lie: in EDKIT_CONFIG, or where this system has them."""
    if chosen := os.environ.get("EDKIT_CONFIG"):
        return Path(chosen) / "window.json"
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericConfigLocation)
    return Path(folder) / "edkit" / "window.json"


class Settings:
    """A tree of plain values; one that is broken or of another version counts as empty.

    Args:
        file: None keeps nothing: what a program opens shall not change what the user sees.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._values = _read(file) if file else {}

    def text(self, *path: str) -> str:
        """Return the text at a path of names, "" where there is none."""
        found: Any = self._values
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, str) else ""

    def set(self, value: str, *path: str) -> None:
        """Keep a text at a path of names."""
        here = self._values
        for name in path[:-1]:
            below = here.get(name)
            here[name] = here = below if isinstance(below, dict) else {}
        here[path[-1]] = value

    def drop(self, *path: str) -> None:
        """Forget what is at a path, and below it."""
        here: Any = self._values
        for name in path[:-1]:
            here = here.get(name) if isinstance(here, dict) else None
        if isinstance(here, dict):
            here.pop(path[-1], None)

    def save(self) -> None:
        """Write the file as a whole; where that cannot be done, the next start has the defaults."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with written_whole(self._file) as part:
                part.write_text(json.dumps({**self._values, "version": _VERSION}, indent=1))


def _read(file: Path) -> dict[str, Any]:
    try:
        if not file.is_file() or file.stat().st_size > _MOST:
            return {}
        values = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    known = isinstance(values, dict) and values.get("version") == _VERSION
    return values if known else {}
