"""The timeline in the window: fed by the session, moved by mouse and keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ed_viewer.messages import Growth
from ed_viewer.part import Part

if TYPE_CHECKING:
    from ed_viewer.window import Window

_ZOOM = 1.5  # a key


class TimelinePart(Part):
    """Frames, events and the loop of the run on show."""

    name = "timeline_keys"

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        session, timeline = window.session, window.timeline
        session.opened.connect(self._on_opened)
        session.grew.connect(self._on_grew)
        session.moved.connect(self._on_moved)
        timeline.scrubbed.connect(session.scrub)
        timeline.looped.connect(session.set_loop)
        timeline.hovered.connect(window.status.show_value)

    def actions(self) -> Mapping[str, Callable[[int], None]]:
        """Return what the keys of the cursor, of the loop and of the zoom do."""
        session, timeline = self.window.session, self.window.timeline
        return {
            "toggle": lambda _: session.toggle(),
            "previous": lambda _: session.step(-1),
            "next": lambda _: session.step(1),
            "back": lambda _: session.step(-10),
            "forward": lambda _: session.step(10),
            "first": lambda _: session.scrub(0),
            "follow": lambda _: session.follow(),
            "loop_from": lambda _: self._loop(end=False),
            "loop_to": lambda _: self._loop(end=True),
            "loop_off": lambda _: session.set_loop(0, 0),
            "zoom_in": lambda _: timeline.zoom(_ZOOM),
            "zoom_out": lambda _: timeline.zoom(1 / _ZOOM),
            "zoom_all": lambda _: timeline.zoom(0),
        }

    def _loop(self, end: bool) -> None:
        if not self.window.session.loop_here(end):
            side = "end at the first" if end else "begin at the newest"
            self.window.status.show_message(f"A loop cannot {side} frame: go to another first")

    def _on_opened(self, _: object) -> None:
        self.window.timeline.set_frames(np.empty(0), np.empty(0), False)
        self.window.timeline.set_events(())

    def _on_grew(self, growth: Growth) -> None:
        self.window.timeline.set_frames(growth.steps, growth.epochs, growth.live)
        self.window.timeline.set_events(growth.marks)

    def _on_moved(self) -> None:
        cursor = self.window.session.cursor
        following = cursor.following
        self.window.timeline.set_frame(cursor.frame, following)
        self.window.timeline.set_loop(cursor.loop)
