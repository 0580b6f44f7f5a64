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
    Command("loop_from", ("I",), "Set loop start"),
    Command("loop_to", ("O",), "Set loop end"),
    Command("loop_off", ("U",), "Clear loop"),
    Command("zoom_in", ("+", "="), "Timeline: zoom in"),
    Command("zoom_out", ("-",), "Timeline: zoom out"),
    Command("zoom_all", ("0",), "Timeline: show the whole run"),
    Command("tab", tuple(str(n) for n in range(1, 10)), "Show tab 1 to 9"),
    Command("logarithmic", ("L",), "Logarithmic scale of the curves"),
    Command("compare", ("C",), "Compare with the selected run (on/off)"),
    Command("swap", ("B",), "Swap runs A and B"),
    Command("difference", ("D",), "Show B \N{MINUS SIGN} A instead of B"),
    Command("scale", ("Y",), "Shared scale / own scale"),
    Command("alignment", ("X",), "Align runs by step, epoch or share of training"),
    Command("full", ("F",), "Lecture mode: full stage, larger text"),
    Command("leave", ("Esc",), "Leave lecture mode"),
    Command("screen", ("F11",), "Full screen"),
    Command("export", ("Ctrl+E",), "Export an image, an animation or the arrays"),
    Command("steer", ("S",), "Show or hide Steer, the controls of the training"),
    Command("pause", ("Shift+Space",), "Pause or resume the training"),
    Command("stop", ("Ctrl+Shift+E",), "Stop the training after this epoch"),
    Command("save", ("Ctrl+S",), "Save a checkpoint now"),
    Command("theme", ("T",), "Light or dark theme"),
    Command("reset", ("Ctrl+0",), "Reset the layout"),
    Command("undo", ("Ctrl+Z",), "Undo a change of the view"),
    Command("redo", ("Ctrl+Shift+Z", "Ctrl+Y"), "Redo"),
    Command("palette", ("Ctrl+K",), "Search commands, tabs and runs"),
    Command("open", ("Ctrl+O",), "Open a run"),
    Command("options", ("Ctrl+I",), "Show all options of the open run"),
    Command("new", ("Ctrl+N",), "New run: train a model"),
    Command("log", ("Ctrl+L",), "Training log: show or hide"),
    Command("help", ("F1",), "Keyboard shortcuts"),
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
