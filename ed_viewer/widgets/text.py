"""Labels for text that comes out of a file: always plain, never rich."""

import html
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel, QWidget

_SHORT = {"auc", "iou", "kl", "mae", "mse", "rgb"}

L = TypeVar("L", bound=QLabel)


def plain(label: L) -> L:
    """Make a label show its text as it is: a name in a recording could be HTML."""
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def muted(label: L) -> L:
    """Make a label's type quieter than body type."""
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label


def titled(name: str) -> str:
    """Return a probe's or scalar's name as a heading: `image_loss` becomes `Image loss`."""
    words = name.replace("_", " ").split()
    text = " ".join(word.upper() if word in _SHORT else word for word in words)
    return text[:1].upper() + text[1:]


def number(value: float, digits: int = 4) -> str:
    """Return a value in at most so many significant digits."""
    return "–" if value != value else f"{value:.{digits}g}"


def grouped(count: int) -> str:
    """Return a whole number with thin spaces between thousands."""
    return f"{count:,}".replace(",", "\u2009")


def plain_state(state: str) -> str:
    """Return a run's state in a word that a reader expects."""
    return {"unknown": "cannot be read", "training": "crashed"}.get(state, state)


def tip(widget: QWidget, text: str) -> None:
    """Give a widget a tool tip out of a file: Qt would show what looks like HTML as HTML."""
    widget.setToolTip(f"<span>{html.escape(text)}</span>" if text else "")
