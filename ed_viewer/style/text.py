"""Texts of numbers, counts and units, and plain labels for text from files."""

import html
from math import isfinite
from typing import TypeVar

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QFontMetrics, QPalette, QStatusTipEvent
from PySide6.QtWidgets import QLabel, QWidget

from ed_core.labels import with_unit

_LETTERS = 4  # of a name that is cut, with its dots, which say little
_SHORT = {"auc", "iou", "kl", "mae", "mse", "rgb"}
_HUGE = 1e7  # from here on a power of ten says more

L = TypeVar("L", bound=QLabel)


def plain(label: L) -> L:
    """Make a label show its text as it is: a name in a recording could be HTML."""
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label


def muted(label: L) -> L:
    """Make a label's type quieter than body type."""
    label.setForegroundRole(QPalette.ColorRole.PlaceholderText)
    return label


def elided(name: str, width: int, metrics: QFontMetrics, dots: Qt.TextElideMode) -> str:
    """Return what of a name has room in so many pixels, with dots for the rest.

    Dots take the room of three letters: where few letters would stand beside them, the name is cut,
    a numbered one to its number.
    """
    short = metrics.elidedText(name, dots, width)
    middle = Qt.TextElideMode.ElideMiddle
    if short == name or len(short) > (_LETTERS + 2 if dots == middle else _LETTERS):
        return short
    last = name.rpartition(" ")[2]
    if last.isdigit() and metrics.horizontalAdvance(last) <= width:
        return last
    while name and metrics.horizontalAdvance(name) > width:
        name = name[:-1]
    return name


def titled(name: str) -> str:
    """Return a probe's or scalar's name as a heading: `image_loss` becomes `Image loss`."""
    words = name.replace("_", " ").split()
    text = " ".join(word.upper() if word in _SHORT else word for word in words)
    return text[:1].upper() + text[1:]


def number(value: float, digits: int = 3) -> str:
    """Return a value in so many significant digits; large ones whole, in groups of thousands."""
    if value != value:
        return "–"
    whole = 10**digits - 0.5 <= abs(value) < _HUGE
    return signed(grouped(round(value)) if whole else f"{value:.{digits}g}")


def spelled(value: float) -> str:
    """Return a value as it is: NaN and infinities by name, all else as `number` has it."""
    if value != value:
        return "NaN"
    return number(value) if isfinite(value) else signed(f"{value:.0f}".replace("inf", "∞"))


def measured(value: float, unit: str) -> str:
    """Return a value with its unit, "" for none."""
    return with_unit(number(value), unit)


def span(reach: float) -> str:
    """Return the ends of signed values, as far below zero as above it."""
    return f"from \N{MINUS SIGN}{number(reach)} to +{number(reach)}"


def signed(text: str) -> str:
    """Return a number with the minus sign that is as wide as a plus, not a hyphen."""
    return text.replace("-", "\N{MINUS SIGN}")


def counted(count: int, noun: str) -> str:
    """Return "1 row" or "1 200 rows"."""
    return f"{grouped(count)} {noun}" + ("" if count == 1 else "s")


def grouped(count: int) -> str:
    """Return a whole number with narrow spaces between thousands, at which no line is broken."""
    return f"{count:,}".replace(",", "\u202f")


def moment(step: int, epoch: float) -> str:
    """Return where a training stands, in words; a recording may not know the epoch."""
    return f"step {grouped(step)}" + (f" · epoch {epoch:.2f}" if isfinite(epoch) else "")


def ordinal(count: int) -> str:
    """Return "2nd", "3rd", "4th" ..."""
    teens = count % 100 in (11, 12, 13)
    return f"{count}" + ("th" if teens else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th"))


def plain_state(state: str) -> str:
    """Return a run's state in a word that a reader expects."""
    return {"unknown": "cannot be read", "training": "crashed"}.get(state, state)


class ValueTip(QStatusTipEvent):
    """What is under the mouse; the other status tips say what the mouse can do there."""


def tell_value(widget: QWidget, text: str) -> None:
    """Have the window say what is under the mouse, "" for nothing: Qt hands it up the parents."""
    QCoreApplication.sendEvent(widget, ValueTip(text))


def tip(widget: QWidget, text: str) -> None:
    """Give a widget a tool tip out of a file: Qt would show what looks like HTML as HTML."""
    widget.setToolTip(f"<span>{html.escape(text)}</span>" if text else "")
