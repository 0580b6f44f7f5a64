"""Work that is cut into pieces, so that the event loop is never held up for long."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QObject, QTimer
from shiboken6 import isValid

_PAUSE = 5  # milliseconds after a piece: what it has changed is painted, and a key is heard


class Turn(QObject):
    """Does a piece of its owner's work in a turn of the event loop that no other piece has.

    Args:
        act: the piece; it may ask for the next one.
        owner: its parent, with which it ends.
        urgent: whether it goes before the others, though never twice in a row while some wait.
    """

    def __init__(self, act: Callable[[], None], owner: QObject, urgent: bool = False) -> None:
        super().__init__(owner)
        self.urgent = urgent
        self._act = act

    @property
    def waiting(self) -> bool:
        """Whether the piece is still to be done."""
        return self in _queue().turns

    def ask(self) -> None:
        """Have the piece done once, after those that wait already."""
        _queue().add(self)

    def drop(self) -> None:
        """Leave the piece undone."""
        if self.waiting:
            _queue().turns.remove(self)

    def take(self) -> None:
        """Do the piece now."""
        self._act()


def flush() -> None:
    """Do all pieces that wait, but for urgent ones, now: for a picture of what is on show."""
    queue = _queue()
    for turn in [turn for turn in queue.turns if not turn.urgent]:
        queue.turns.remove(turn)
        if isValid(turn):
            turn.take()


class _Queue(QObject):
    """The turns of all windows: they share one event loop."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.turns: list[Turn] = []
        self._hurried = False  # whether the last piece was an urgent one
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._next)

    def add(self, turn: Turn) -> None:
        if turn not in self.turns:
            self.turns.append(turn)
        if not self._timer.isActive():  # nothing was done just now
            self._timer.start(0)

    def _next(self) -> None:
        self.turns = [turn for turn in self.turns if isValid(turn)]  # whose owner is still there
        if not self.turns:
            return
        urgent = [turn for turn in self.turns if turn.urgent]
        others = [turn for turn in self.turns if not turn.urgent]
        turn = (others + urgent if self._hurried else urgent + others)[0]
        self.turns.remove(turn)
        self._hurried = turn.urgent
        try:
            turn.take()
        finally:
            self._timer.start(_PAUSE)


def _queue() -> _Queue:
    app = QCoreApplication.instance()
    assert app is not None
    return app.findChild(_Queue) or _Queue(app)
