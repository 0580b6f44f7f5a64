"""Plots of rows of a table: a line for each column, input and output as points on it."""

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ed_viewer.style.palette import class_colour
from ed_viewer.style.pixels import Levels, finite_range
from ed_viewer.style.text import counted, number, tell_value
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.plots.signals import SignalCaption

_LEAST = 104  # pixels of a plot across: fewer samples are drawn rather than narrower ones
_MOST = 12  # samples
_NAMES = 0.3  # of the width, at most
_GAP, _EDGE = 12.0, 6.0  # pixels between two plots, and between the points and their borders
_INPUT, _OUTPUT = 4.5, 3.0  # radius of the points
_TICKS = 30  # pixels between two numbers at least


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the plots stand: their boxes, and every how many columns have a name."""

    boxes: tuple[QRectF, ...]
    names: float
    every: int


class RowPlots(QWidget):
    """The first rows (samples, columns), side by side on one scale.

    Args:
        theme: colours and type.
        words: what the mouse reads out; its moments are the names of the columns.
    """

    tells_values = True

    def __init__(
        self,
        theme: Theme,
        words: SignalCaption,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._words, self._columns = theme, words, words.moments
        self._names: tuple[str, ...] = ()
        self.inputs: np.ndarray | None = None
        self.outputs = np.empty((0, 0), np.float32)
        self.levels: Levels = (0.0, 1.0)
        self.setMouseTracking(True)
        self.setMinimumSize(QSize(64, 48))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_signals(
        self,
        inputs: np.ndarray | None,
        outputs: np.ndarray,
        levels: Levels | None = None,
        names: tuple[str, ...] = (),
    ) -> None:
        """Draw rows, as `SignalPlots` draws curves.

        Args:
            inputs: (samples, columns), or None; what is NaN is not drawn.
            outputs: of the same shape.
            levels: the range of the axis; by default that of the inputs.
            names: of the samples.
        """
        self.inputs, self.outputs, self._names = inputs, outputs, names
        self.levels = levels or finite_range(outputs if inputs is None else inputs)
        self.update()

    @property
    def cut(self) -> list[str]:
        """How many samples are drawn, in words; [] where all are."""
        shown = len(self._layout().boxes)
        return [f"{counted(shown, 'sample')} shown"] if shown < len(self.outputs) else []

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        self.update()

    def shown_names(self) -> list[str]:
        """Return the names of the columns that have room."""
        return list(self._columns[:: self._layout().every])

    def _layout(self) -> _Layout:
        line = QFontMetricsF(self._font()).height()
        count = min(len(self.outputs), _MOST)
        wide = max(map(QFontMetricsF(self._font()).horizontalAdvance, self._columns), default=0.0)
        names = min(wide, _NAMES * self.width()) + 8
        room = self.width() - names
        count = max(min(count, int((room + _GAP) // (_LEAST + _GAP))), min(count, 1))
        each = (room - _GAP * (count - 1)) / max(count, 1)
        high = max(self.height() - 2 * line - 6, 1.0)
        boxes = (QRectF(names + n * (each + _GAP), line + 2, each, high) for n in range(count))
        every = math.ceil(line * len(self._columns) / high)
        return _Layout(tuple(boxes), names, max(every, 1))

    def _font(self) -> QFont:
        return self._theme.font(0.9)

    def _place(self, box: QRectF, column: int, value: float) -> QPointF:
        """Return where a value of a column is drawn."""
        low, high = self.levels
        share = (value - low) / ((high - low) or 1.0)
        each = box.height() / len(self._columns)
        x = box.left() + _EDGE + share * (box.width() - 2 * _EDGE)
        return QPointF(x, box.top() + (column + 0.5) * each)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint names, plots and numbers (called by Qt)."""
        if not len(self.outputs):
            return
        layout, painter = self._layout(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._font())
        self._paint_names(painter, layout)
        for sample, box in enumerate(layout.boxes):
            self._paint_frame(painter, box, sample, layout.every)
            painter.save()
            painter.setClipRect(box)
            self._paint_points(painter, box, sample)
            painter.restore()
        painter.end()

    def _paint_names(self, painter: QPainter, layout: _Layout) -> None:
        metrics, right = painter.fontMetrics(), Qt.AlignmentFlag.AlignRight
        painter.setPen(self._theme.colour("muted"))
        for column in range(0, len(self._columns), layout.every):
            middle = self._place(layout.boxes[0], column, self.levels[0]).y()
            room = QRectF(0, middle - metrics.height() / 2, layout.names - 8, metrics.height())
            dots = Qt.TextElideMode.ElideMiddle
            text = metrics.elidedText(self._columns[column], dots, math.ceil(room.width()) + 1)
            painter.drawText(room, int(right | Qt.AlignmentFlag.AlignVCenter), text)

    def _paint_frame(self, painter: QPainter, box: QRectF, sample: int, every: int) -> None:
        """Paint the name of a sample, a line for each named column, zero, and the numbers."""
        metrics, centre = painter.fontMetrics(), int(Qt.AlignmentFlag.AlignCenter)
        painter.setPen(self._theme.colour("text"))
        name = self._names[sample] if sample < len(self._names) else ""
        head = QRectF(box.left(), 0, box.width(), metrics.height())
        name = name or f"{self._words.one} {sample + 1}"
        dots = Qt.TextElideMode.ElideRight
        painter.drawText(head, centre, metrics.elidedText(name, dots, int(box.width())))
        painter.setPen(QPen(self._theme.colour("line"), 1, Qt.PenStyle.DotLine))
        for column in range(0, len(self._columns), every):
            y = round(self._place(box, column, 0.0).y()) + 0.5
            painter.drawLine(QPointF(box.left(), y), QPointF(box.right(), y))
        for value in ticks(self.levels, box.width()):
            x = round(self._place(box, 0, value).x()) + 0.5
            painter.setPen(QPen(self._theme.colour("line"), 1))
            painter.drawLine(QPointF(x, box.top()), QPointF(x, box.bottom()))
            painter.setPen(self._theme.colour("muted"))
            room = QRectF(x - _TICKS / 2, box.bottom() + 2, _TICKS, metrics.height())
            painter.drawText(room, centre, number(value))

    def _paint_points(self, painter: QPainter, box: QRectF, sample: int) -> None:
        grey = self._theme.colour("done")
        colour = QColor(class_colour(self._theme.palette, 0))
        for column in range(self.outputs.shape[1]):
            value, before = float(self.outputs[sample, column]), 0.0
            if self.inputs is not None:
                before = float(self.inputs[sample, column])
            end, start = (self._place(box, column, v) for v in (value, before))
            if math.isfinite(value) and math.isfinite(before):
                painter.setPen(QPen(colour, 1.5))
                painter.drawLine(start, end)
            painter.setPen(Qt.PenStyle.NoPen)
            if self.inputs is not None and math.isfinite(before):
                painter.setBrush(grey)
                painter.drawEllipse(start, _INPUT, _INPUT)
            if math.isfinite(value):
                painter.setBrush(colour)
                painter.drawEllipse(end, _OUTPUT, _OUTPUT)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Tell the values of the column under the mouse (called by Qt)."""
        tell_value(self, self.describe(event.position()))

    def leaveEvent(self, event: object) -> None:  # noqa: N802, D102
        tell_value(self, "")

    def describe(self, point: QPointF) -> str:
        """Return the values of the sample and the column at a point, "" beside the plots."""
        for sample, box in enumerate(self._layout().boxes):
            if not box.contains(point):
                continue
            share = (point.y() - box.top()) / box.height()
            column = min(int(share * len(self._columns)), len(self._columns) - 1)
            before = None if self.inputs is None else self.inputs[sample]
            at = np.array([column, 0.0])
            text = self._words.describe(before, self.outputs[sample], at, before is not None)
            name = self._names[sample] if sample < len(self._names) else ""
            whose = (f"{self._words.one} {sample + 1}", name, text)
            return " · ".join(word for word in whose if word)
        return ""


def ticks(levels: Levels, width: float) -> list[float]:
    """Return round numbers within levels, so few that they do not touch on an axis of a width."""
    low, high = levels
    if not high > low:
        return [low]
    rough = (high - low) / max(width / _TICKS, 1.0)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [n * step for n in range(first, math.floor(high / step + 1e-9) + 1)]
