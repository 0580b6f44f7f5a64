"""A feature of the window in one file: its dock, its tools, its keys, and how it ends."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QWidget

from ed_viewer.window.commands import explain
from ed_viewer.window.workbench import Workbench


class Feature(QObject):
    """Base of the features that the window is made of; a subclass connects to the session.

    Args:
        bench: what it works with.

    Attributes:
        name: of its dock, in code and in a saved layout.
        title: of its dock, for people.
        dock: what stands in a dock, hidden until it is asked for, or None.
        area: where the dock stands: at the right, or at the bottom beside the curves.
        tool: what stands at the right of the stage's tabs, such as a button, or None.
        runs_tool: what stands in the head of the list of runs, or None.
    """

    name = ""
    title = ""
    area = Qt.DockWidgetArea.RightDockWidgetArea

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.bench = bench
        self.dock: QWidget | None = None
        self.tool: QWidget | None = None
        self.runs_tool: QWidget | None = None

    def command(
        self,
        name: str,
        words: str,
        keys: str,
        act: Callable[[], object],
        *,
        menu: str,
        buttons: Sequence[QWidget] = (),
        check: QAbstractButton | None = None,
        repeats: bool = False,
    ) -> QAction:
        """Add a command to the window.

        Args:
            name: in code.
            words: what it does, for people.
            keys: as Qt writes them, with "; " between several; the first is shown in the menu.
            act: what it does.
            menu: one of `MENUS`.
            buttons: that do the same; their tool tips tell its key.
            check: what is checked while it is on.
            repeats: whether it is done again and again while its key is held.
        """

        def run() -> None:
            act()
            if check is not None:  # it may have been of no use just now
                action.setChecked(check.isChecked())

        action = QAction(words, self.bench)
        action.setObjectName(name)
        action.setShortcuts(QKeySequence.listFromString(keys))
        action.setAutoRepeat(repeats)
        action.setMenuRole(QAction.MenuRole.NoRole)  # macOS would guess one from the words
        action.triggered.connect(run)
        for button in buttons:
            explain(button, action)
        if check is not None:
            action.setCheckable(True)
            action.setChecked(check.isChecked())
            check.toggled.connect(action.setChecked)
        self.bench.add_command(action, menu)
        return action

    def ready(self) -> None:
        """Do what needs the docks and the other features: the window is whole now."""

    def may_close(self) -> bool:
        """Return whether the window may close now; may ask the user."""
        return True

    def end(self) -> None:
        """Stop threads and processes: the window closes."""
