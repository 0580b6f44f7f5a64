"""Undo and redo of what was looked at: the cursor, the loop, the tab, the zoom, the layout ..."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QTimer
from PySide6.QtGui import QUndoCommand, QUndoStack

from ed_viewer.session.cursor import Playback
from ed_viewer.window.feature import Feature

if TYPE_CHECKING:
    from ed_viewer.window.window import Window

_MOST = 200  # changes that are kept
_TOGETHER = 1.0  # seconds: moves closer than this are one change
_LIVE = "live"
_WHOLE = "whole"
_MERGED = ("cursor", "zoom")  # what is changed in many small moves
_WORDS = {
    "cursor": "jump of the cursor",
    "loop": "loop",
    "tab": "tab",
    "theme": "theme",
    "full": "lecture mode",
    "layout": "layout",
    "zoom": "zoom",
    "log": "logarithmic curves",
}


class ViewHistory(Feature):
    """Notes each aspect of the view when it changes; data is never changed, so that is all."""

    name = "history"

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self.stack = QUndoStack(self)
        self.stack.setUndoLimit(_MOST)
        self._known: dict[str, Any] = {}
        self._applying = False
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(lambda: self._note("layout"))
        window.session.opened.connect(self._on_opened)
        window.session.moved.connect(self._on_moved)
        window.stage.currentChanged.connect(lambda _: self._note("tab"))
        window.theme.changed.connect(self._on_theme)
        window.timeline.viewed.connect(lambda: self._note("zoom"))
        window.curves.log.toggled.connect(lambda _: self._note("log"))
        self._note("theme")
        self._note("full")
        self._note("log")

    def ready(self) -> None:
        """Note from now on where the docks are."""
        for dock in self.window.docks:
            dock.visibilityChanged.connect(self._on_docks)
            dock.dockLocationChanged.connect(self._on_docks)
        self._note("layout")

    def actions(self) -> Mapping[str, Callable[[int], None]]:
        """Return what the keys do."""
        return {"undo": lambda _: self._step(back=True), "redo": lambda _: self._step(back=False)}

    def end(self) -> None:
        """Forget everything: a change holds on to this."""
        self._later.stop()
        self.stack.clear()

    def apply(self, aspect: str, value: Any) -> None:
        """Bring an aspect of the view back."""
        with self.unnoted(aspect):
            self._set(aspect, value)

    @contextmanager
    def unnoted(self, aspect: str) -> Iterator[None]:
        """Change an aspect of the view within, as nobody's doing: it is not to be undone."""
        self._applying = True
        try:
            yield
        finally:
            self._known[aspect] = self._get(aspect) or self._known.get(aspect)
            self._applying = False

    def _step(self, back: bool) -> None:
        stack = self.stack
        if not (stack.canUndo() if back else stack.canRedo()):
            self.window.status.show_message(f"Nothing to {'undo' if back else 'redo'}")
            return
        words = stack.undoText() if back else stack.redoText()
        (stack.undo if back else stack.redo)()
        self.window.status.show_message(f"{'Undone' if back else 'Redone'}: {words}")

    def _on_opened(self, _: object) -> None:
        self.stack.clear()  # frames and tabs of another run
        for aspect in ("cursor", "tab", "loop", "zoom"):
            self._known.pop(aspect, None)

    def _on_moved(self) -> None:
        if self.window.session.cursor.count:
            self._note("cursor")
            self._note("loop")
            # While it is followed, the view moves by itself: that is no change of anybody's.
            self._known["zoom"] = self._get("zoom") or (_WHOLE, _WHOLE)
            self._note("tab")

    def _on_theme(self) -> None:
        self._note("theme")
        self._note("full")

    def _on_docks(self, _: object) -> None:
        if not self._applying and not self.window.full:
            self._later.start(0)

    def _note(self, aspect: str) -> None:
        """Put a change on the stack, if there was one."""
        now = self._get(aspect)
        if now is None:
            return
        before, self._known[aspect] = self._known.get(aspect), now
        if before is not None and not self._applying and before[0] != now[0]:
            self.stack.push(_Change(self, aspect, before, now))

    def _get(self, aspect: str) -> tuple[Any, Any] | None:
        """Return what is compared, and what brings it back; None for what is not noted now."""
        window, cursor = self.window, self.window.session.cursor
        if aspect == "cursor":
            if cursor.playback is Playback.PLAYING:
                return None  # noted where it stops
            where = _LIVE if cursor.following else cursor.frame
            return where, where
        if aspect == "layout":
            state = window.saveState()
            return window.docks.arrangement(), state
        value = {
            "loop": cursor.loop or (0, 0),
            "tab": window.stage.tabText(window.stage.currentIndex()),
            "theme": window.theme.palette.name,
            "full": window.full,
            "zoom": window.timeline.view if window.timeline.zoomed else _WHOLE,
            "log": window.curves.log.isChecked(),
        }[aspect]
        return value, value

    def _set(self, aspect: str, value: Any) -> None:
        window, session = self.window, self.window.session
        if aspect == "cursor" and value == _LIVE:
            session.follow()
        elif aspect == "cursor":
            session.scrub(value)
        elif aspect == "loop":
            session.set_loop(*value)
        elif aspect == "tab":
            titles = [window.stage.tabText(i) for i in range(window.stage.count())]
            if value in titles:
                window.stage.setCurrentIndex(titles.index(value))
        elif aspect == "theme" and window.theme.palette.name != value:
            window.theme.toggle()
        elif aspect == "full":
            window.set_full(value)
        elif aspect == "layout":
            window.restoreState(value)
        elif aspect == "log":
            window.curves.log.setChecked(value)
        elif aspect == "zoom" and value == _WHOLE:
            window.timeline.zoom(0)
        elif aspect == "zoom":
            window.timeline.show_view(value)


class _Change(QUndoCommand):
    """One aspect of the view, before and after."""

    def __init__(self, history: ViewHistory, aspect: str, before: Any, after: Any) -> None:
        super().__init__(_WORDS[aspect])
        # Not owned: Qt keeps a change for longer than the window that it is about.
        self._history, self._aspect = weakref.proxy(history), aspect
        self.before, self.after = before, after
        self.made = time.monotonic()
        self._fresh = True  # Qt calls `redo` when it is put on the stack

    def id(self) -> int:
        return _MERGED.index(self._aspect) + 1 if self._aspect in _MERGED else -1

    def mergeWith(self, other: QUndoCommand) -> bool:  # noqa: N802
        if not isinstance(other, _Change) or other.made - self.made > _TOGETHER:
            return False
        self.after, self.made = other.after, other.made
        return True

    def undo(self) -> None:
        self._history.apply(self._aspect, self.before[1])

    def redo(self) -> None:
        if not self._fresh:
            self._history.apply(self._aspect, self.after[1])
        self._fresh = False
