"""Buttons at the right of the tabs: what is often wanted, for who knows no key of it.

Where the tabs need the room, a menu holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QWidget

from ed_viewer.key_sheet import KeySheet
from ed_viewer.part import Part
from ed_viewer.widgets.icon_button import IconButton

if TYPE_CHECKING:
    from ed_viewer.window import Window

_BUTTONS = (
    ("search", "palette", "Search all commands (Ctrl+K)"),
    ("full", "full", "Lecture mode: full stage, larger type (F)"),
    ("theme", "theme", "Light or dark (T)"),
    ("layout", "reset", "Reset the layout (Ctrl+0)"),
    ("help", "help", "Keys (F1)"),
)
_SPACE = 48  # pixels between the tools together, and beside them


class ViewTools(Part):
    """A row of icons, each with words; each does what a key does."""

    name = "tools"

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self.tool = QWidget()
        row = QHBoxLayout(self.tool)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        self.buttons: dict[str, IconButton] = {}
        for icon, command, words in _BUTTONS:
            button = self.buttons[command] = IconButton(icon, words, window.theme)
            button.clicked.connect(_Act(window, command))
            row.addWidget(button)
        self.more = self._make_more()
        row.addWidget(self.more)

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
        """Show the buttons, or the menu where they would take room that the tabs need."""
        stage = self.window.stage
        others = [p.tool for p in self.window.parts if p.tool and p.tool is not self.tool]
        wide = sum(tool.sizeHint().width() for tool in others)
        wide += sum(button.width() for button in self.buttons.values())
        tabs = stage.tabs
        short = tabs.wanted + wide + _SPACE > stage.width()
        if short != (not self.more.isHidden()):
            self._fold(short)
        corner = stage.cornerWidget()
        if corner is not None:
            tabs.set_room(stage.width() - corner.sizeHint().width())

    def _fold(self, short: bool) -> None:
        held = any(button.hasFocus() for button in (*self.buttons.values(), self.more))
        for button in self.buttons.values():
            button.setVisible(not short)
        self.more.setVisible(short)
        if held:  # the keys stay here
            (self.more if short else self.buttons["palette"]).setFocus()

    def _make_more(self) -> IconButton:
        more = IconButton("more", "More", self.window.theme)
        more.setPopupMode(IconButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(more)
        for _, command, words in _BUTTONS:
            menu.addAction(words, _Act(self.window, command))
        more.setMenu(menu)
        more.hide()
        return more

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
