"""How long a frame takes from the disk to the screen while a run is followed."""

from __future__ import annotations

import time
from collections import deque
from statistics import median
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer

from ed_viewer.messages import Frame
from ed_viewer.part import Part

if TYPE_CHECKING:
    from ed_viewer.window import Window

_FRAMES = 9  # whose median is shown: single ones jump about
_ABSURD = 60.0  # seconds: the clocks of the trainer's disk and of this machine differ


class Lag(Part):
    """Measures from when the newest frame was written until after it has been painted."""

    name = "lag"

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self._lags: deque[float] = deque(maxlen=_FRAMES)
        self._measured = -1
        window.session.opened.connect(self._on_opened)
        window.session.drawn.connect(self._on_drawn)

    def _on_opened(self, _: object) -> None:
        self._lags.clear()
        self._measured = -1
        self.window.status.lag = None

    def _on_drawn(self, frame: Frame) -> None:
        growth, number = self.window.session.growth, frame.request.frame
        newest = growth is not None and number == len(growth.steps) - 1
        if growth is None or not growth.live or not newest or number <= self._measured:
            return
        if self._measured >= 0:  # the first one was written before the window looked
            written = growth.newest
            # After the paint events, which what is drawn has posted.
            QTimer.singleShot(0, self, lambda: self._measure(written))
        self._measured = number

    def _measure(self, written: float) -> None:
        lag = time.time() - written
        if 0 <= lag < _ABSURD:
            self._lags.append(lag)
            self.window.status.lag = median(self._lags)
