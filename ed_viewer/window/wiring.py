"""The timeline in the window: fed by the session, moved by mouse and keys."""

import time
from collections import deque
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from PySide6.QtCore import QProcess, Qt

from ed_viewer.decoding.client import DecoderClient
from ed_viewer.decoding.process import FAREWELL
from ed_viewer.event_loop import later
from ed_viewer.reading.messages import Frame, RunProgress
from ed_viewer.session.cursor import Playback
from ed_viewer.window.feature import Feature
from ed_viewer.window.workbench import Aspect, Workbench

_ZOOM = 1.5  # a key
_REPEATED = ("previous", "next", "back", "forward")
_LIVE = "live"
_WHOLE = "whole"
_FRAMES = 9  # whose median is shown: single ones jump about
_ABSURD = 60.0  # seconds: the clocks of the trainer's disk and of this machine differ


class TimelineFeature(Feature):
    """Frames, events and the loop of the run on show."""

    name = "timeline_keys"

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        session, timeline = bench.session, bench.timeline
        session.opened.connect(self._on_opened)
        session.grew.connect(self._on_grew)
        session.moved.connect(self._on_moved)
        timeline.scrubbed.connect(session.scrub)
        timeline.looped.connect(session.set_loop)
        moved = session.moved
        bench.aspects += [
            Aspect("jump of the cursor", self._place, self._go, moved, of_run=True, merges=True),
            Aspect("loop", self._range, lambda loop: session.set_loop(*loop), moved, of_run=True),
            Aspect("zoom", self._view, self._show_view, timeline.viewed, of_run=True, merges=True),
        ]
        self._make_commands()

    def _make_commands(self) -> None:
        session, timeline, transport = self.bench.session, self.bench.timeline, self.bench.transport
        buttons = {**transport.buttons, "follow": transport.live}
        for name, words, keys, act in (
            ("play", "Play or pause", "Space", session.toggle),
            ("previous", "Previous frame", "Left", partial(session.step, -1)),
            ("next", "Next frame", "Right", partial(session.step, 1)),
            ("back", "Ten frames back", "Shift+Left", partial(session.step, -10)),
            ("forward", "Ten frames forward", "Shift+Right", partial(session.step, 10)),
            ("first", "First frame", "Home", partial(session.scrub, 0)),
            ("follow", "Newest frame; follow a live run", "End", session.follow),
            ("loop_from", "Set loop start", "I", partial(self._loop, end=False)),
            ("loop_to", "Set loop end", "O", partial(self._loop, end=True)),
            ("loop_off", "Clear loop", "U", partial(session.set_loop, 0, 0)),
            ("zoom_in", "Timeline: zoom in", "+; =", partial(timeline.zoom, _ZOOM)),
            ("zoom_out", "Timeline: zoom out", "-", partial(timeline.zoom, 1 / _ZOOM)),
            ("zoom_all", "Timeline: show the whole run", "0", partial(timeline.zoom, 0)),
        ):
            same = [buttons[name]] if name in buttons else []
            self.command(
                name, words, keys, act, menu="Play", buttons=same, repeats=name in _REPEATED
            )

    def _loop(self, end: bool) -> None:
        if not self.bench.session.loop_here(end):
            side = "end at the first" if end else "begin at the newest"
            self.bench.status.show_message(f"A loop cannot {side} frame: go to another first")

    def _place(self) -> int | str | None:
        """Return the frame of the cursor; None while it plays: it is noted where it stops."""
        cursor = self.bench.session.cursor
        if cursor.playback is Playback.PLAYING or not cursor.count:
            return None
        return _LIVE if cursor.following else cursor.frame

    def _go(self, place: int | str) -> None:
        if isinstance(place, int):
            self.bench.session.scrub(place)
        else:
            self.bench.session.follow()

    def _range(self) -> tuple[int, int] | None:
        cursor = self.bench.session.cursor
        return (cursor.loop or (0, 0)) if cursor.count else None

    def _view(self) -> tuple[float, float] | str:
        return self.bench.timeline.view if self.bench.timeline.zoomed else _WHOLE

    def _show_view(self, view: tuple[float, float] | str) -> None:
        if isinstance(view, tuple):
            self.bench.timeline.show_view(view)
        else:
            self.bench.timeline.zoom(0)

    def _on_opened(self, _: object) -> None:
        self.bench.timeline.set_frames(np.empty(0), np.empty(0), False)
        self.bench.timeline.set_events(())

    def _on_grew(self, growth: RunProgress) -> None:
        self.bench.timeline.set_frames(growth.steps, growth.epochs, growth.live)
        self.bench.timeline.set_events(growth.marks)

    def _on_moved(self) -> None:
        cursor = self.bench.session.cursor
        following = cursor.following
        self.bench.timeline.set_frame(cursor.frame, following)
        self.bench.timeline.set_loop(cursor.loop)


class CurvesFeature(Feature):
    """Draws the curves in turns of their own: together with the stage's, one could take 100 ms."""

    name = "curves_keys"

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        session, curves = bench.session, bench.curves
        queued = Qt.ConnectionType.QueuedConnection  # all of them, so that they keep their order
        session.opened.connect(curves.clear_run, queued)
        session.described.connect(curves.show_run, queued)
        session.grew.connect(curves.show_growth, queued)
        session.drawn.connect(curves.show_frame, queued)
        curves.scrubbed.connect(session.scrub)
        log = curves.log
        bench.aspects.append(
            Aspect("logarithmic curves", log.isChecked, log.setChecked, log.toggled)
        )
        words = "Logarithmic scale of the curves"
        self.command("logarithmic", words, "L", log.toggle, menu="View", buttons=[log], check=log)


class DecoderFeature(Feature):
    """Hands the stage the decoder of the open run, and tells it where the cursor is."""

    name = "by_hand"

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        bench.session.opened.connect(self._open)
        bench.session.drawn.connect(self._move)

    def end(self) -> None:
        """End the decoder's process, and wait for those of runs that were left just now."""
        if self.bench.stage.decoder is not None:
            self.bench.stage.decoder.stop(wait=True)
        for process in self.findChildren(QProcess):
            process.waitForFinished(FAREWELL)

    def _open(self, path: Path) -> None:
        before = self.bench.stage.decoder
        if before is not None:
            before.stop()
            before.deleteLater()
        self.bench.stage.decoder = DecoderClient(path, self)

    def _move(self, frame: Frame) -> None:
        """Note the step before the panels draw, and so ask."""
        decoder, growth = self.bench.stage.decoder, self.bench.session.growth
        if decoder is not None and growth is not None and frame.request.frame < len(growth.steps):
            decoder.step = int(growth.steps[frame.request.frame])


class DisplayLatency(Feature):
    """Measures from when the newest frame was written until after it has been painted."""

    name = "lag"

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self._lags: deque[float] = deque(maxlen=_FRAMES)
        self._measured = -1
        bench.session.opened.connect(self._on_opened)
        bench.session.drawn.connect(self._on_drawn)

    def _on_opened(self, _: object) -> None:
        self._lags.clear()
        self._measured = -1
        self.bench.status.lag = None

    def _on_drawn(self, frame: Frame) -> None:
        growth, number = self.bench.session.growth, frame.request.frame
        newest = growth is not None and number == len(growth.steps) - 1
        if growth is None or not growth.live or not newest or number <= self._measured:
            return
        if self._measured >= 0:  # the first one was written before the window looked
            written = growth.newest
            # After the paint events, which what is drawn has posted.
            later(self, lambda: self._measure(written))
        self._measured = number

    def _measure(self, written: float) -> None:
        lag = time.time() - written
        if 0 <= lag < _ABSURD:
            self._lags.append(lag)
            self.bench.status.lag = median(self._lags)
