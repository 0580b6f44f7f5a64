"""Work that is cut into pieces, so that the event loop is never held up for long."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakKeyDictionary

from PySide6.QtCore import QCoreApplication, QEvent, QObject, QTimer
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

_PAUSE = 5  # milliseconds after a piece: what it has changed is painted, and a key is heard


class Task(QObject):
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
        _queue().turns.pop(self, None)

    def take(self) -> None:
        """Do the piece now."""
        self._act()


def later(owner: QObject, act: Callable[[], object], wait: int = 0) -> None:
    """Act after so many milliseconds, in a later turn of the loop, unless the owner has ended.

    `QTimer.singleShot` would hold `act`, and all that it refers to, for good if the owner ended
    first (PySide6 6.10).
    """
    timer = QTimer(owner, singleShot=True, interval=wait)
    timer.timeout.connect(act)
    timer.timeout.connect(timer.deleteLater)
    timer.start()


def is_idle() -> bool:
    """Return whether no piece waits."""
    return not _queue().waiting()


def flush() -> None:
    """Do all pieces that wait, but for urgent ones, now: for a picture of what is on show.

    Pieces that those ask for are done as well, and what waits to be laid out is.
    """
    queue = _queue()
    _lay_out()
    while waiting := [turn for turn in queue.waiting() if not turn.urgent]:
        waiting[0].drop()
        waiting[0].take()
        _lay_out()


def _lay_out() -> None:
    """Have all widgets laid out whose contents have another size."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest)


class _Queue(QObject):
    """The turns of all windows: they share one event loop."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        # In their order; not held, for a turn holds its owner, and that all that it shows.
        self.turns: WeakKeyDictionary[Task, None] = WeakKeyDictionary()
        self._hurried = False  # whether the last piece was an urgent one
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._next)

    def add(self, turn: Task) -> None:
        self.turns.setdefault(turn)
        hurries = turn.urgent and not self._hurried  # what waits to be painted still goes first
        if hurries or not self._timer.isActive():  # or nothing was done just now
            self._timer.start(0)

    def waiting(self) -> list[Task]:
        """Return those whose owner is still there."""
        return [turn for turn in self.turns if isValid(turn)]

    def _next(self) -> None:
        waiting = self.waiting()
        if not waiting:
            return
        urgent = [turn for turn in waiting if turn.urgent]
        others = [turn for turn in waiting if not turn.urgent]
        turn = (others + urgent if self._hurried else urgent + others)[0]
        self.turns.pop(turn)
        self._hurried = turn.urgent
        try:
            turn.take()
        finally:
            self._timer.start(_PAUSE)


def _queue() -> _Queue:
    app = QCoreApplication.instance()
    assert app is not None
    return app.findChild(_Queue) or _Queue(app)


class StaggeredRestyle:
    """Changes widgets, one a turn of the event loop; until its turn, each is covered.

    Else a window whose widgets all change would paint all of them in one turn, which takes
    longer than the changes.

    Args:
        owner: with which the work ends.
    """

    def __init__(self, owner: QObject) -> None:
        self._changes: dict[Cover, Callable[[], None]] = {}
        self._turn = Task(self._change_next, owner)

    def ask(self, widget: QWidget, change: Callable[[], None]) -> None:
        """Have a widget changed, after those that wait already; its newest change holds."""
        waiting = {cover.parent(): cover for cover in self._changes if isValid(cover)}
        self._changes[waiting.get(widget) or Cover(widget)] = change
        self._turn.ask()

    def finish(self) -> None:
        """Change all that wait now."""
        while self._changes:
            self._change_next()

    def _change_next(self) -> None:
        if not self._changes:
            return
        cover = next(iter(self._changes))
        change = self._changes.pop(cover)
        if self._changes:
            self._turn.ask()
        if isValid(cover):  # else its widget has gone
            try:
                change()
            finally:
                cover.hide()
                cover.deleteLater()


class Cover(QWidget):
    """A piece of background: Qt paints nothing that lies below it."""

    def __init__(self, covered: QWidget) -> None:
        super().__init__(covered)
        self.setBackgroundRole(QPalette.ColorRole.Window)
        self.setAutoFillBackground(True)
        self.resize(covered.size())
        covered.installEventFilter(self)
        self.show()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Be as large as what it covers (called by Qt)."""
        if event.type() == QEvent.Type.Resize and isinstance(watched, QWidget):
            self.resize(watched.size())
        return False
