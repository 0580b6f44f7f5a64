"""The run beside the one on show: a reader and a session of its own, led by another's cursor."""

from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject

from ed_viewer.alignment import Alignment, Times, aligned, placed, times_of
from ed_viewer.reader import Reader
from ed_viewer.session import Session
from ed_viewer.timeline_picture import CHECKPOINT


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

    def follow(self, here: Times, frame: int, how: Alignment) -> int:
        """Go to where a frame of the other run lies; return the frame there, -1 for none."""
        there = self.times()
        found = -1 if there is None else aligned(here, frame, there, how)
        if found >= 0 and found != self.session.cursor.frame:
            self.session.scrub(found)
        return found

    def times(self) -> Times | None:
        """Return when its frames were taken, None while nothing is known."""
        return session_times(self.session)

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


def marks(ours: Session, theirs: Session, how: Alignment) -> tuple[np.ndarray, np.ndarray]:
    """Return the steps of run A beside which the frames and the checkpoints of run B lie."""
    here, there, growth = session_times(ours), session_times(theirs), theirs.growth
    if here is None or there is None or growth is None or not len(there.steps):
        return np.empty(0), np.empty(0)
    steps = np.array([event.step for event in growth.events if event.kind == CHECKPOINT], float)
    saved = Times(steps, np.interp(steps, there.steps, there.epochs), there.end)
    frames, kept = (placed(here, rows, how) for rows in (there, saved))
    return frames, kept


def session_times(session: Session) -> Times | None:
    """Return when the frames of a session's run were taken, None while nothing is known."""
    if session.run is None or session.growth is None:
        return None
    return times_of(session.run, session.growth)
