"""Undo and redo of what was looked at: the cursor, the loop, the tab, the zoom, the layout ..."""

import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from PySide6.QtGui import QUndoCommand, QUndoStack

from ed_viewer.window.feature import Feature
from ed_viewer.window.workbench import Aspect, Workbench

_MOST = 200  # changes that are kept
_TOGETHER = 1.0  # seconds: moves closer than this are one change


class ViewHistory(Feature):
    """Notes each aspect of the view when it changes; data is never changed, so that is all."""

    name = "history"

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.stack = QUndoStack(self)
        self.stack.setUndoLimit(_MOST)
        self._aspects: dict[str, Aspect] = {}
        self._known: dict[str, Any] = {}
        self._applying = False
        self.command("undo", "Undo a change of the view", "Ctrl+Z", self.undo, menu="Edit")
        self.command("redo", "Redo", "Ctrl+Shift+Z; Ctrl+Y", self.redo, menu="Edit")

    def ready(self) -> None:
        """Note from now on what the features have registered."""
        session = self.bench.session
        for aspect in self.bench.aspects:
            self._aspects[aspect.name] = aspect
            aspect.changed.connect(partial(self._note, aspect))
            if not aspect.of_run:
                self._note(aspect)
        session.opened.connect(self._on_opened)
        session.moved.connect(self._on_moved)

    def end(self) -> None:
        """Forget everything: a change holds on to this."""
        self.stack.clear()

    def apply(self, name: str, value: Any) -> None:
        """Bring an aspect of the view back."""
        with self.unnoted(name):
            self._aspects[name].set(value)

    @contextmanager
    def unnoted(self, name: str) -> Iterator[None]:
        """Change an aspect of the view within, as nobody's doing: it is not to be undone."""
        self._applying = True
        try:
            yield
        finally:
            self._take(self._aspects[name])
            self._applying = False

    def undo(self) -> None:
        """Take the last change back, and say which."""
        words = self.stack.undoText()
        self.stack.undo()
        self.bench.status.show_message(f"Undone: {words}" if words else "Nothing to undo")

    def redo(self) -> None:
        """Make the change again that was taken back last, and say which."""
        words = self.stack.redoText()
        self.stack.redo()
        self.bench.status.show_message(f"Redone: {words}" if words else "Nothing to redo")

    def _on_opened(self, _: object) -> None:
        self.stack.clear()  # frames and tabs of another run
        for aspect in self._of_run():
            self._known.pop(aspect.name, None)

    def _on_moved(self) -> None:
        """Know how a run is looked at when it is opened, and where it is followed to.

        While it is followed, the view moves by itself: that is no change of anybody's.
        """
        if self.bench.session.cursor.count:
            for aspect in self._of_run():
                self._take(aspect)

    def _of_run(self) -> list[Aspect]:
        return [aspect for aspect in self._aspects.values() if aspect.of_run]

    def _take(self, aspect: Aspect) -> None:
        """Know an aspect as it is now; that is no change."""
        value = aspect.get()
        if value is not None:
            self._known[aspect.name] = value

    def _note(self, aspect: Aspect, *_: object) -> None:
        """Put a change on the stack, if there was one."""
        before, now = self._known.get(aspect.name), aspect.get()
        if now is None:
            return
        self._known[aspect.name] = now
        if before is not None and not self._applying and not aspect.same(before, now):
            self.stack.push(_Change(self, aspect, before, now))


class _Change(QUndoCommand):
    """One aspect of the view, before and after."""

    def __init__(self, history: ViewHistory, aspect: Aspect, before: Any, after: Any) -> None:
        super().__init__(aspect.name)
        # Not owned: Qt keeps a change for longer than the window that it is about.
        self._history, self._name = weakref.proxy(history), aspect.name
        self._merges = aspect.merges
        self.before, self.after = before, after
        self.made = time.monotonic()
        self._fresh = True  # Qt calls `redo` when it is put on the stack

    def id(self) -> int:
        return 1 if self._merges else -1

    def mergeWith(self, other: QUndoCommand) -> bool:  # noqa: N802
        if not isinstance(other, _Change) or other._name != self._name:
            return False
        if other.made - self.made > _TOGETHER:
            return False
        self.after, self.made = other.after, other.made
        return True

    def undo(self) -> None:
        self._history.apply(self._name, self.before)

    def redo(self) -> None:
        if not self._fresh:
            self._history.apply(self._name, self.after)
        self._fresh = False
