"""Buttons at the right of the tabs: what is often wanted, for who knows no key of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QWidget

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
