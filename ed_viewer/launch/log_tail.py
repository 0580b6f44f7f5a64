"""Reads a log while it grows, off the window's thread."""

import re
import threading
from pathlib import Path

from PySide6.QtCore import QObject, QThread, Signal

_POLL = 0.25  # seconds
_LIMIT = 256 * 1024  # bytes that are read at once; of a longer log, the end
_LONGEST = 1000  # letters of a line
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[^\n]*\r(?!\n)|[\x00-\x08\x0b-\x1f]")


class LogTail(QThread):
    """Follows one file, which may be missing, cut short or replaced.

    Signals:
        began: what was read before is of another file (the path, None for none).
        said: more text.
    """

    began = Signal(object)
    said = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bell = threading.Event()
        self._stopping = False
        self._path: Path | None = None

    def follow(self, path: Path | None) -> None:
        """Read another file, from its end."""
        if not self.isRunning():
            self.start()
        self._path = path
        self._bell.set()

    def stop(self) -> bool:
        """End the thread; returns whether it ended within two seconds."""
        self._stopping = True
        self._bell.set()
        return self.wait(2000)

    def run(self) -> None:
        """Read until stopped (called by Qt, in the thread)."""
        path: Path | None = None
        at = 0
        while not self._stopping:
            self._bell.clear()
            if path != self._path or at < 0:
                path, at = self._path, 0
                self.began.emit(path)
            try:
                at = self._read(path, at) if path else 0
            except OSError:  # it is not there yet, or not any more
                at = 0
            self._bell.wait(_POLL if path else None)

    def _read(self, path: Path, at: int) -> int:
        """Say what stands behind `at`; return where it ends, or -1 if the file has shrunk."""
        if not path.is_file():
            return 0  # opening a pipe could last for ever
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            if size < at:
                return -1
            start = max(at, size - _LIMIT)
            file.seek(start)
            data = file.read(_LIMIT)
        whole = data[: data.rfind(b"\n") + 1]  # a line, or a letter, may be half written
        if whole:
            self.said.emit(cleaned(whole.decode(errors="replace")))
        return start + len(whole)


def cleaned(text: str) -> str:
    """Return text without what moves a terminal's cursor, or was overwritten; lines are cut."""
    lines = _CONTROL.sub("", text.replace("\r\n", "\n")).split("\n")
    return "\n".join(line[:_LONGEST] for line in lines)
