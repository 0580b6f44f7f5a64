"""Work that is cut into pieces, so that the event loop is never held up for long."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QObject, QTimer
from shiboken6 import isValid

_PAUSE = 5  # milliseconds from piece to piece: in between, what one has changed is painted


class Turn(QObject):
    """Does a piece of its owner's work in a turn of the event loop that no other piece has.

    Args:
        act: the piece; it may ask for the next one.
        owner: its parent, with which it ends.
    """

    def __init__(self, act: Callable[[], None], owner: QObject) -> None:
        super().__init__(owner)
        self._act = act

    @property
    def waiting(self) -> bool:
        """Whether the piece is still to be done."""
        return self in _queue().turns

    def ask(self, first: bool = False) -> None:
        """Have the piece done once, after those that wait already, or before them."""
        _queue().add(self, first)

    def drop(self) -> None:
        """Leave the piece undone."""
        if self.waiting:
            _queue().turns.remove(self)

    def take(self) -> None:
        """Do the piece now."""
        self._act()


class _Queue(QObject):
    """The turns of all windows: they share one event loop."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.turns: list[Turn] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._next)

    def add(self, turn: Turn, first: bool) -> None:
        if turn not in self.turns:
            self.turns.insert(0 if first else len(self.turns), turn)
        if not self._timer.isActive():  # nothing was done just now
            self._timer.start(0)

    def _next(self) -> None:
        self.turns = [turn for turn in self.turns if isValid(turn)]  # whose owner is still there
        if self.turns:
            turn = self.turns.pop(0)
            self._timer.start(_PAUSE)  # before the piece, which may raise
            turn.take()


def _queue() -> _Queue:
    app = QCoreApplication.instance()
    assert app is not None
    return app.findChild(_Queue) or _Queue(app)
