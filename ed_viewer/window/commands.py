"""Commands: one `QAction` each; keys, menus, tool tips, palette and key sheet follow from them."""

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

MENUS = ("File", "Edit", "View", "Play", "Compare", "Training", "Help")
"""In the order of the menu bar, of the palette and of the key sheet."""


def shown_keys(*actions: QAction) -> str:
    """Return the keys of actions as the system writes them: one, two, or first … last."""
    native = QKeySequence.SequenceFormat.NativeText
    names = [keys.toString(native) for action in actions for keys in action.shortcuts()]
    return ", ".join(names) if len(names) < 3 else f"{names[0]} … {names[-1]}"


def explain(widget: QWidget, action: QAction) -> None:
    """Add the key of an action to the tool tip of a widget that does the same."""
    words = widget.toolTip()
    tip = f"{words} ({shown_keys(action)})"
    widget.setToolTip(tip)
    widget.setProperty("keys", shown_keys(action))
    if widget.accessibleName() == words:
        widget.setAccessibleName(tip)
