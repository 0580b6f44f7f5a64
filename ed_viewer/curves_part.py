"""The curves in the window: fed by the session, moved by the mouse."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from ed_viewer.part import Part

if TYPE_CHECKING:
    from ed_viewer.window import Window


class CurvesPart(Part):
    """Draws the curves in turns of their own: together with the stage's, one could take 100 ms."""

    name = "curves_keys"

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        session, curves = window.session, window.curves
        queued = Qt.ConnectionType.QueuedConnection  # all of them, so that they keep their order
        session.opened.connect(curves.clear_run, queued)
        session.described.connect(curves.show_run, queued)
        session.grew.connect(curves.show_growth, queued)
        session.drawn.connect(curves.show_frame, queued)
        curves.scrubbed.connect(session.scrub)
        curves.hovered.connect(window.status.show_value)

    def actions(self) -> Mapping[str, Callable[[int], None]]:
        """Return what the key does."""
        return {"logarithmic": lambda _: self.window.curves.log.toggle()}
