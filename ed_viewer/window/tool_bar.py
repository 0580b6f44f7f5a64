"""Buttons at the right of the tabs: what is often wanted, for who knows no key of it.

Where the tabs need the room, a menu holds them, and where that is not enough others as well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu

from ed_viewer.widgets.controls import IconButton
from ed_viewer.widgets.tool_row import ToolRow
from ed_viewer.window.feature import Feature
from ed_viewer.window.key_sheet import KeySheet

if TYPE_CHECKING:
    from ed_viewer.window.window import Window

_BUTTONS = (
    ("search", "palette", "Search commands (Ctrl+K)"),
    ("full", "full", "Lecture mode: full stage, larger text (F)"),
    ("theme", "theme", "Light or dark theme (T)"),
    ("layout", "reset", "Reset the layout (Ctrl+0)"),
    ("help", "help", "Keyboard shortcuts (F1)"),
)
_SPACE = 48  # pixels between the tools together, and beside them


class ViewToolsFeature(Feature):
    """A row of icons, each with words; each does what a key does."""

    name = "tools"

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self.tool = self._row = ToolRow()
        self.buttons: dict[str, IconButton] = {}
        for icon, command, words in _BUTTONS:
            button = self.buttons[command] = IconButton(icon, words, window.theme)
            button.clicked.connect(_Act(window, command))
            self._row.add(button, words)
        self.more = self._make_more()
        self._row.add(self.more)
        self._row.use([self.more], False)

    def actions(self) -> Mapping[str, Callable[[int], None]]:
        """Return what the keys of the view do."""
        window = self.window
        return {
            "full": lambda _: window.set_full(not window.full),
            "leave": lambda _: window.set_full(False),
            "screen": lambda _: self._toggle_screen(),
            "theme": lambda _: window.theme.toggle(),
            "open": lambda _: self._ask_for_run(),
            "quit": self._quit,
            "help": lambda _: KeySheet(window.theme, window).open(),
        }

    def ready(self) -> None:
        """Make room from now on, whenever tools come or go."""
        corner = self.window.stage.cornerWidget()
        assert corner is not None
        corner.installEventFilter(self)
        self.window.stage.resized.connect(self.fit)
        self.fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Make room for what has come (called by Qt)."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.fit()
        return False

    def fit(self) -> None:
        """Show the tools, or the menu in the place of those that take room that the tabs need."""
        stage, tabs = self.window.stage, self.window.stage.tabs
        tools = [part.tool for part in self.window.parts if part.tool]
        others = [tool for tool in tools if isinstance(tool, ToolRow) and tool is not self._row]
        fixed = sum(tool.sizeHint().width() for tool in tools if not isinstance(tool, ToolRow))
        room = stage.width() - fixed - sum(row.wide for row in others) - _SPACE
        short = tabs.wanted + sum(button.width() for button in self.buttons.values()) > room
        folding: list[ToolRow] = []
        for row in sorted(others, key=lambda row: -row.spare):
            if tabs.needed + self.more.width() > room:
                folding.append(row)
                room += row.spare
        self._fold(short, folding, others)
        corner = stage.cornerWidget()
        if corner is not None:
            tabs.set_room(stage.width() - corner.sizeHint().width())

    def _fold(self, short: bool, folding: Sequence[ToolRow], others: Sequence[ToolRow]) -> None:
        """Let the menu hold the view's tools, and those of other parts."""
        held = QApplication.focusWidget()
        for row in others:
            row.fold(row in folding)
        self._row.use([self.more], short)
        self._row.fold(short)
        in_menu = [tool for row in (*others, self._row) for tool in row.in_menu]
        if held in in_menu:  # the keys stay here
            self.more.setFocus()
        elif held is self.more and not short:
            self.buttons["palette"].setFocus()

    def _make_more(self) -> IconButton:
        more = IconButton("more", "More", self.window.theme)
        more.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(more)
        menu.aboutToShow.connect(self._fill)
        more.setMenu(menu)
        return more

    def _fill(self) -> None:
        """Put into the menu what has no room beside it now."""
        menu = self.more.menu()
        menu.clear()
        for old in menu.findChildren(QMenu):
            old.deleteLater()
        for part in self.window.parts:
            if isinstance(part.tool, ToolRow):
                part.tool.fill(menu)
                menu.addSeparator()

    def _ask_for_run(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self.window, "Open a run")
        if chosen:
            self.window.open(Path(chosen))

    def _quit(self, _: int) -> None:
        self.window.close()

    def _toggle_screen(self) -> None:
        window = self.window
        (window.showNormal if window.isFullScreen() else window.showFullScreen)()


class _Act:
    """A command by its name; a lambda in a loop would see the last one."""

    def __init__(self, window: Window, name: str) -> None:
        self._window, self._name = window, name

    def __call__(self) -> None:
        self._window.act(self._name)
