"""A feature of the window in one file: its dock, its tools, its keys, and how it ends."""

from collections.abc import Callable, Mapping

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

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

    def actions(self) -> Mapping[str, Callable[[int], None]]:
        """Return what its rows of `ed_viewer.window.commands.COMMANDS` do, by their name."""
        return {}

    def ready(self) -> None:
        """Do what needs the docks and the other features: the window is whole now."""

    def may_close(self) -> bool:
        """Return whether the window may close now; may ask the user."""
        return True

    def end(self) -> None:
        """Stop threads and processes: the window closes."""
