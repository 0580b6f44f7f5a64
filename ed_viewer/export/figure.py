"""Widgets that are exported together, and what stands in the file about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from math import isfinite

from PySide6.QtCore import QMargins, QPoint, QSize
from PySide6.QtWidgets import QWidget

from ed_viewer.known import Known
from ed_viewer.messages import Frame
from ed_viewer.widgets.text import moment

_GAP = 12  # pixels between two columns
_BELOW = 8  # and between what stands in one


@dataclass(frozen=True, slots=True, eq=False)
class Figure:
    """Columns of widgets, side by side.

    Attributes:
        columns: what stands in each, from the top; laid out, it need not be visible.
        margins: around all of them, in pixels of the screen.
        about: which run and step it shows; kept in the file.
        line: what stands above all of them, such as the step of a frame of a movie.
    """

    columns: tuple[tuple[QWidget, ...], ...]
    margins: QMargins = field(default_factory=QMargins)
    about: str = ""
    line: str = ""

    @classmethod
    def of(cls, widget: QWidget, margins: QMargins | None = None, about: str = "") -> Figure:
        """Return the figure of one widget."""
        return cls(((widget,),), margins or QMargins(), about)

    @property
    def widgets(self) -> list[QWidget]:
        """All of them."""
        return [widget for column in self.columns for widget in column]

    @property
    def name(self) -> str:
        """What a screen reader would call it."""
        return next((w.accessibleName() for w in self.widgets if w.accessibleName()), "edkit")

    @property
    def size(self) -> QSize:
        """Of the picture, in pixels of the screen."""
        rects = [(at, widget.size()) for at, widget in self.places()]
        right = max((at.x() + size.width() for at, size in rects), default=0)
        bottom = max((at.y() + size.height() for at, size in rects), default=0)
        return QSize(right + self.margins.right(), bottom + self.margins.bottom())

    @property
    def head(self) -> int:
        """How high the line above the widgets is, in pixels of the screen."""
        return head_of(self.widgets[0]) if self.line else 0

    def places(self) -> Iterator[tuple[QPoint, QWidget]]:
        """Return the upper left corner of each widget in the picture."""
        x = self.margins.left()
        for column in self.columns:
            y = self.margins.top() + self.head
            for widget in column:
                yield QPoint(x, y), widget
                y += widget.height() + _BELOW
            x += max((widget.width() for widget in column), default=0) + _GAP


def head_of(widget: QWidget) -> int:
    """Return how high a line of a widget's type is, with space around it."""
    return widget.fontMetrics().height() + 2 * _BELOW


def stand(known: Known, frame: Frame | None) -> str:
    """Return which frame of a run is shown, in words."""
    if frame is None or known.growth is None:
        return f"{name_of(known)}, no frame"
    number, growth = frame.request.frame, known.growth
    step, epoch = int(growth.steps[number]), float(growth.epochs[number])
    return f"{name_of(known)}, step {step}" + (f", epoch {epoch:.2f}" if isfinite(epoch) else "")


def where(known: Known, frame: Frame | None) -> str:
    """Return which step of a run is shown, "" for none."""
    if frame is None or known.growth is None:
        return ""
    number, growth = frame.request.frame, known.growth
    return moment(int(growth.steps[number]), float(growth.epochs[number]))


def name_of(known: Known) -> str:
    """Return what the folder of a run is called, "" while there is none."""
    return known.path.name if known.path else ""


def about(ours: str, theirs: str = "", signed: bool = False) -> str:
    """Return what a file says of the run that it shows, or of the two side by side."""
    if not theirs:
        return ours
    difference = "; B - A is shown instead of B" if signed else ""
    return f"A: {ours}; B: {theirs}{difference}"
