"""Requests for frames, and the choice of the answers to draw."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Qt, QTimer, Signal

from ed_viewer.event_loop import Task
from ed_viewer.reading.messages import (
    Frame,
    FrameRequest,
    HistoryRequest,
    Lookback,
    RunInfo,
    strips,
)
from ed_viewer.reading.reader import Reader

DRAW_EVERY = 20  # milliseconds between two drawings at least

Columns = Callable[[int], Sequence[int]]
"""Tells which frames stand beside the one on show, for a number of them at most."""


class Requests(QObject):
    """Numbered requests: an answer is drawn if it is newer than the last one drawn.

    At most one answer is drawn per 20 ms; the latest answer is always drawn.

    Attributes:
        opening: the number of the run that is open; answers of an earlier one are dropped.

    Signals:
        drawn: draw this Frame now.
    """

    drawn = Signal(object)

    def __init__(self, reader: Reader, parent: QObject) -> None:
        super().__init__(parent)
        self.opening = 0
        self._reader = reader
        self._known: frozenset[str] | None = None
        self._probes: tuple[str, ...] = ()
        self._lookbacks: Mapping[str, Lookback] = {}
        self._strips: Mapping[str, HistoryRequest] = {}
        self._number = self._shown = 0
        self._waiting: Frame | None = None
        self._ahead: Frame | None = None
        self._drawn_at = 0.0
        self._draw = QTimer(self)
        self._draw.setSingleShot(True)
        self._drawing = Task(self._draw_waiting, self, urgent=True)
        self._draw.timeout.connect(self._drawing.ask)
        reader.answered.connect(self._on_answered, Qt.ConnectionType.QueuedConnection)

    @property
    def settled(self) -> bool:
        """Whether all that was asked for is drawn."""
        return self._shown == self._number

    def begin(self) -> int:
        """Drop what is of the run before; returns the number of the next one."""
        self.opening += 1
        self.describe(None)
        return self.opening

    def describe(self, run: RunInfo | None) -> None:
        """Ask for probes of this run from now on, and for none while it is None."""
        self._known = frozenset(probe.name for probe in run.header.probes) if run else None
        self._waiting = self._ahead = None

    def watch(self, probes: tuple[str, ...], lookbacks: Mapping[str, Lookback]) -> None:
        """Say which probes are visible, and what is wanted of earlier frames of them."""
        self._probes, self._lookbacks = probes, lookbacks

    def expect(self, ahead: Frame | None) -> None:
        """Have a frame at hand that was read before it is asked for."""
        self._ahead = ahead

    def ask(self, frame: int, columns: Columns, follow: bool = False) -> None:
        """Ask for a frame of those visible probes that the run has.

        Of a run that has none of them a frame without arrays is drawn: it stands there as well.

        Args:
            frame: its number; below 0 there is none.
            columns: as above.
            follow: whether the newest frame is wanted whenever one comes.
        """
        if frame < 0 or self._known is None or not self._probes:
            return
        probes = tuple(name for name in self._probes if name in self._known)
        self._number += 1
        self._strips = strips(self._lookbacks, columns)
        request = FrameRequest(self.opening, self._number, frame, probes, self._strips, follow)
        ahead, self._ahead = self._ahead, None
        if ahead is not None and _answers(ahead.request, request):
            self._on_answered(replace(ahead, request=request))
        else:
            self._reader.ask(request)

    def outdated(self, columns: Columns) -> bool:
        """Tell whether other frames stand beside the one on show than were asked for."""
        return self._strips != strips(self._lookbacks, columns)

    def _on_answered(self, frame: Frame) -> None:
        request = frame.request
        newest = self._waiting.request.number if self._waiting else self._shown
        if request.opening != self.opening or request.number <= newest:
            return
        self._waiting = frame
        early = DRAW_EVERY - (time.monotonic() - self._drawn_at) * 1000
        if early <= 0:
            self._drawing.ask()
        elif not self._draw.isActive():
            self._draw.start(int(early) + 1)

    def _draw_waiting(self) -> None:
        frame, self._waiting = self._waiting, None
        if frame is None or frame.request.opening != self.opening:
            return
        self._shown = frame.request.number
        self.drawn.emit(frame)
        self._drawn_at = time.monotonic()


def _answers(read: FrameRequest, asked: FrameRequest) -> bool:
    """Return whether the answer to one request also answers another."""
    same = (read.opening, read.frame, read.probes) == (asked.opening, asked.frame, asked.probes)
    return same and asked.follow and not asked.strips  # else the reader has to hear of it
