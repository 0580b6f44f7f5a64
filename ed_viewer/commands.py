"""The one table of what the window can be told; keys, their sheet and the palette read it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget


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
    Command("loop_from", ("I",), "Repeat from this frame while playing"),
    Command("loop_to", ("O",), "Repeat up to this frame while playing"),
    Command("loop_off", ("U",), "Repeat no more"),
    Command("zoom_in", ("+", "="), "Timeline: a shorter part"),
    Command("zoom_out", ("-",), "Timeline: a longer part"),
    Command("zoom_all", ("0",), "Timeline: all of the run"),
    Command("tab", tuple(str(n) for n in range(1, 10)), "Tab 1 to 9"),
    Command("logarithmic", ("L",), "Logarithmic curves"),
    Command("compare", ("C",), "Compare with the run selected in the list, or no longer"),
    Command("swap", ("B",), "Swap the two runs, A and B"),
    Command("difference", ("D",), "Their difference in the place of B"),
    Command("scale", ("Y",), "One scale for both runs, or its own each"),
    Command("alignment", ("X",), "Compare at the same step, epoch or share"),
    Command("full", ("F",), "Lecture mode: full stage, larger type"),
    Command("leave", ("Esc",), "Leave the lecture mode"),
    Command("screen", ("F11",), "Full screen"),
    Command("export", ("Ctrl+E",), "Export a picture, a movie or the arrays"),
    Command("steer", ("S",), "Steer the training: show or hide"),
    Command("pause", ("Shift+Space",), "Pause the training, or let it go on"),
    Command("stop", ("Ctrl+Shift+E",), "Stop the training after this epoch"),
    Command("save", ("Ctrl+S",), "Save a checkpoint now"),
    Command("theme", ("T",), "Light or dark"),
    Command("reset", ("Ctrl+0",), "Reset the layout"),
    Command("undo", ("Ctrl+Z",), "Undo a change of the view"),
    Command("redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Redo it"),
    Command("palette", ("Ctrl+K",), "Search all commands, tabs and runs"),
    Command("open", ("Ctrl+O",), "Open a run"),
    Command("options", ("Ctrl+I",), "Show all options of the open run"),
    Command("new", ("Ctrl+N",), "Train a model: a new run"),
    Command("log", ("Ctrl+L",), "Training log: show or hide"),
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
