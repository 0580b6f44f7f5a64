"""The one table of what the window can be told: keys, the sheet of keys and menus come from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from ed_viewer.theme import Theme
from ed_viewer.widgets.text import muted, plain


@dataclass(frozen=True, slots=True)
class Command:
    """Something the user can do.

    Attributes:
        name: what code calls it.
        keys: as Qt writes them; the first is shown.
        words: what it does, for people.
    """

    name: str
    keys: tuple[str, ...]
    words: str


COMMANDS = (
    Command("toggle", ("Space",), "Play or pause"),
    Command("previous", ("Left",), "Previous frame"),
    Command("next", ("Right",), "Next frame"),
    Command("back", ("Shift+Left",), "Ten frames back"),
    Command("forward", ("Shift+Right",), "Ten frames forward"),
    Command("first", ("Home",), "First frame"),
    Command("follow", ("End",), "Newest frame; follow a live run"),
    Command("tab", tuple(str(n) for n in range(1, 10)), "Tab 1 to 9"),
    Command("logarithmic", ("L",), "Logarithmic curves"),
    Command("full", ("F",), "Full stage with larger type, for a lecture"),
    Command("steer", ("S",), "Steer the training: show or hide"),
    Command("pause", ("Shift+Space",), "Pause the training, or let it go on"),
    Command("stop", ("Ctrl+Shift+E",), "Stop the training after this epoch"),
    Command("save", ("Ctrl+S",), "Save a checkpoint now"),
    Command("theme", ("T",), "Light or dark"),
    Command("reset", ("Ctrl+0",), "Reset the layout"),
    Command("open", ("Ctrl+O",), "Open a run"),
    Command("help", ("F1",), "This sheet"),
    Command("quit", ("Ctrl+Q",), "Close the window"),
)


def bind(window: QWidget, actions: Mapping[str, Callable[[int], None]]) -> None:
    """Make a shortcut of every key; an action gets the place of its key in `Command.keys`.

    Raises:
        KeyError: a command has no action.
    """
    for command in COMMANDS:
        for place, key in enumerate(command.keys):
            shortcut = QShortcut(QKeySequence(key), window)
            shortcut.setAutoRepeat(command.name in ("previous", "next", "back", "forward"))
            shortcut.activated.connect(_Call(actions[command.name], place))


class _Call:
    """A call with its argument; a lambda in a loop would see the last one."""

    def __init__(self, action: Callable[[int], None], place: int) -> None:
        self._action = action
        self._place = place

    def __call__(self) -> None:
        self._action(self._place)


class KeySheet(QDialog):
    """All keys and what they do."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keys")
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(8)
        for row, command in enumerate(COMMANDS):
            few = len(command.keys) > 1
            keys = f"{command.keys[0]} … {command.keys[-1]}" if few else command.keys[0]
            label = plain(QLabel(QKeySequence(keys).toString() or keys))
            label.setFont(theme.font(bold=True))
            label.setAlignment(Qt.AlignmentFlag.AlignRight)
            grid.addWidget(label, row, 0)
            grid.addWidget(muted(plain(QLabel(command.words))), row, 1)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 16)
        layout.setSpacing(24)
        layout.addLayout(grid)
        layout.addWidget(buttons)
