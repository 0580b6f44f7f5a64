"""Session: one run on show, its progress and its cursor."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PySide6.QtCore import QObject, Qt, QTimer, Signal

from ed_viewer.reading.messages import Frame, Lookback, RunInfo, RunProgress, spread
from ed_viewer.reading.reader import Reader
from ed_viewer.session.cursor import Cursor, Playback
from ed_viewer.session.frame_requests import DRAW_EVERY, Columns, Requests

SPEEDS = (1, 2, 5, 10, 30, 60)  # frames a second


class Session(QObject):
    """Model of the window. Panels do not pull: they receive the newest frame.

    Attributes:
        frame: what was drawn last; None for nothing, or since the run became another.
        columns: tells which frames stand beside the one on show, for a number of them at most.

    Signals:
        opened: another run is being opened (its path).
        described: its header came (RunInfo).
        grew: frames, scalars or its state changed (Growth).
        moved: the cursor or its playback changed.
        drawn: draw this Frame now.
    """

    opened = Signal(object)
    described = Signal(object)
    grew = Signal(object)
    moved = Signal()
    drawn = Signal(object)

    def __init__(self, reader: Reader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.cursor = Cursor()
        self.path: Path | None = None
        self.run: RunInfo | None = None
        self.growth: RunProgress | None = None
        self.frame: Frame | None = None
        self.speed = 10
        self.columns: Columns = self.spread
        self._reader = reader
        self._requests = Requests(reader, self)
        self._requests.drawn.connect(self._on_drawn)
        self._play = QTimer(self)
        self._play.timeout.connect(self._advance)
        self._grown: RunProgress | None = None
        self._grow = QTimer(self)
        self._grow.setSingleShot(True)
        self._grow.timeout.connect(self._show_growth)
        queued = Qt.ConnectionType.QueuedConnection
        reader.described.connect(self._on_described, queued)
        reader.grew.connect(self._on_grew, queued)

    @property
    def settled(self) -> bool:
        """Whether all that was asked for is drawn."""
        return self._requests.settled

    def open(self, path: Path) -> None:
        """Show another run."""
        self.path, self.run, self.growth, self.frame = path, None, None, None
        self.cursor = Cursor()
        self._reader.open(path, self._requests.begin())
        self.opened.emit(path)
        self._changed()

    def watch(self, probes: tuple[str, ...], lookbacks: Mapping[str, Lookback]) -> None:
        """Say which probes are visible, and what is wanted of earlier frames of them.

        Those of them that the run has are read.
        """
        self._requests.watch(probes, lookbacks)
        self._ask()

    def spread(self, columns: int) -> tuple[int, ...]:
        """Return so many frames, at most, from the first to the one on show."""
        steps = self.growth.steps if self.growth else np.empty(0)
        return spread(steps, self.cursor.frame, columns)

    def look_back(self) -> None:
        """Ask again if other frames stand beside the one on show now."""
        if self._requests.outdated(self.columns):
            self._ask()

    def scrub(self, frame: int) -> None:
        """Go to a frame."""
        self.cursor.scrub(frame)
        self._changed()

    def step(self, frames: int) -> None:
        """Move by some frames and stay there."""
        self.cursor.step(frames)
        self._changed()

    def follow(self) -> None:
        """Go to the newest frame and stay with it while the run is live."""
        self.cursor.follow()
        self._changed()

    def toggle(self) -> None:
        """Play or pause."""
        self.cursor.toggle()
        self._changed()

    def set_loop(self, one: int, other: int) -> None:
        """Repeat between two frames; the same one twice ends the loop."""
        self.cursor.set_loop(one, other)
        self._changed()

    def loop_here(self, end: bool) -> bool:
        """Begin, or end, the loop at the frame on show; returns whether it can."""
        able = self.cursor.loop_to() if end else self.cursor.loop_from()
        self._changed()
        return able

    def set_speed(self, frames_per_second: int) -> None:
        """Play faster or slower."""
        self.speed = frames_per_second
        self._changed()

    def _changed(self) -> None:
        if self.cursor.playback is Playback.PLAYING:
            interval = max(1000 // self.speed, DRAW_EVERY)
            if not self._play.isActive() or self._play.interval() != interval:
                self._play.start(interval)
        else:
            self._play.stop()
        self.moved.emit()
        self._ask()

    def _advance(self) -> None:
        # Faster than the screen is drawn, frames are left out.
        self.cursor.advance(max(round(self.speed * self._play.interval() / 1000), 1))
        self._changed()

    def _ask(self) -> None:
        self._requests.ask(self.cursor.frame, self.columns, self.cursor.following)

    def _on_described(self, run: RunInfo) -> None:
        if run.opening == self._requests.opening:
            self.run, self.frame = run, None
            self._requests.describe(run)
            self.described.emit(run)

    def _on_drawn(self, frame: Frame) -> None:
        self.frame = frame
        self.drawn.emit(frame)

    def _on_grew(self, growth: RunProgress) -> None:
        # Where this thread has lagged, many wait in its queue; the newest tells all of them.
        self._grown = growth
        self._grow.start(0)

    def _show_growth(self) -> None:
        growth, self._grown = self._grown, None
        if growth is None or growth.opening != self._requests.opening:
            return
        first = self.growth is None
        self.growth = growth
        self._requests.expect(growth.ahead)
        changed = self.cursor.grow(len(growth.steps), growth.live)
        if first and growth.live:
            self.cursor.follow()
        self.grew.emit(growth)
        if changed or (first and growth.live):
            self._changed()
