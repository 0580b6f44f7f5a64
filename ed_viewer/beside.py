"""The run beside the one on show: a reader and a session of its own, led by another's cursor."""

from pathlib import Path

from PySide6.QtCore import QObject

from ed_viewer.reader import Reader
from ed_viewer.session import Session


class Beside(QObject):
    """Run B. Its thread is its own, so that a disk that hangs holds only this run up.

    Attributes:
        session: what is known of the run, and what is drawn.
    """

    def __init__(self, path: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._reader = Reader(None, parent=self)  # found by who asks for the window's threads
        self.session = Session(self._reader, self)
        self._reader.start()
        self.session.open(path)

    @property
    def path(self) -> Path:
        """The run that was asked for."""
        assert self.session.path is not None
        return self.session.path

    def go(self, frame: int) -> None:
        """Go to a frame; others may stand beside it now even where it is the same."""
        if frame != self.session.cursor.frame:
            self.session.scrub(frame)
        self.session.look_back()

    def leave(self) -> None:
        """End its thread, without waiting for it; nothing more is heard of it."""
        self.session.blockSignals(True)
        self._reader.leave()

    def stop(self) -> bool:
        """End its thread; returns whether it ended within two seconds."""
        return self._reader.stop()

    @property
    def ended(self) -> bool:
        """Whether its thread has ended."""
        return self._reader.isFinished()
