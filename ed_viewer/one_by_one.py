"""Widgets that all change are changed and painted one a turn."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from ed_viewer.turn import Turn


class OneByOne:
    """Changes widgets, one a turn of the event loop; until its turn, each is covered.

    Else a window whose widgets all change would paint all of them in one turn, which takes
    longer than the changes.

    Args:
        owner: with which the work ends.
    """

    def __init__(self, owner: QObject) -> None:
        self._changes: dict[Cover, Callable[[], None]] = {}
        self._turn = Turn(self._change_next, owner)

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
