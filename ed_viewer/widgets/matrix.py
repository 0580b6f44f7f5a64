"""A confusion matrix: a row a true class, what is right in one colour and what is wrong in another.

The strength of a cell is its share of the row, of what is wrong its square root: rare errors show.
Of a change, what became less is in one colour and what became more in the other.
"""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetrics,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from ed_viewer.palette import blend, ink_on
from ed_viewer.tally import shares
from ed_viewer.theme import Theme
from ed_viewer.widgets.matrix_layout import Cell, Counts, MatrixLayout, lay_out
from ed_viewer.widgets.matrix_names import paint_names
from ed_viewer.widgets.pick_keys import KEYS, after, taken
from ed_viewer.widgets.pointing import point_at
from ed_viewer.widgets.text import signed

_CENTRE = int(Qt.AlignmentFlag.AlignCenter)

_SCALES = (1.0, 0.8, 0.7)  # of type: a small name or number is more than none
_LINED = 7  # pixels: between narrower cells lines would be most of the picture


class Matrix(QWidget):
    """Draws `Counts` as large as there is room, with square cells.

    Signals:
        hovered: a cell in words, or "".
        picked: another cell, or none, is `pick`.
    """

    hovered = Signal(str)
    picked = Signal()
    keys = KEYS
    pick: Cell | None = None

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.shown = Counts(np.zeros((0, 0), np.int64))
        self._shares = np.zeros((0, 0))
        self._layout = MatrixLayout()
        self._names = 1.0  # the size of the names around it
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Confusion matrix")
        self.setMinimumSize(QSize(120, 100))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_counts(self, counts: Counts) -> None:
        """Draw another matrix."""
        self.shown = counts
        if self.pick is not None and not self.has(self.pick):
            self.pick = None
        self._shares = shares(counts.counts)
        if counts.before is not None:
            self._shares -= shares(counts.before)
        self._arrange()
        self.update()

    def choose(self, pick: Cell | None) -> None:
        """Pick the nearest cell (row, column) that there is, or none."""
        last = len(self.shown.counts) - 1
        if pick is not None:
            row, column = (min(max(place, 0), last) for place in pick)
            pick = (row, column) if last >= 0 else None
        if pick != self.pick:
            self.pick = pick
            self.update()
            self.picked.emit()

    def has(self, pick: Cell) -> bool:
        """Return whether there is such a cell."""
        return max(pick) < len(self.shown.counts)

    def colour(self, row: int, column: int) -> str:
        """Return the colour of a cell."""
        share, palette = float(self._shares[row, column]), self._theme.palette
        if self.shown.before is not None:
            return blend(
                palette.card, palette.above if share > 0 else palette.below, abs(share) ** 0.5
            )
        if row == column:
            return blend(palette.card, palette.below, share)
        return blend(palette.card, palette.above, share**0.5)

    def describe(self, row: int, column: int) -> str:
        """Return a cell in words."""
        names, counts = self.shown.names, self.shown.counts
        said = f"{counts[row, column]} of {counts[row].sum()}"
        share = 100 * self._shares[row, column]
        if self.shown.before is None:
            said += f" ({share:.1f} %)"
        else:
            said += signed(f", in A {self.shown.before[row, column]} ({share:+.1f} points)")
        return f"true {names[row]} · predicted {names[column]} · {said}"

    def text(self, row: int, column: int) -> str:
        """Return what stands in a cell, "" for nothing worth a number."""
        before = 0 if self.shown.before is None else self.shown.before[row, column]
        number = self.shown.counts[row, column] - before
        value = int(number) if self.shown.numbers else round(100 * self._shares[row, column])
        sign = "" if self.shown.before is None else "+"
        return signed(f"{value:{sign}d}") if value else ""

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        self._arrange()

    def changeEvent(self, event: object) -> None:  # noqa: N802, D102
        self._arrange()
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        found = self._layout.find(event.position().toPoint())
        point_at(self, found is not None)
        self.hovered.emit(self.describe(*found) if found else "")

    def leaveEvent(self, event: object) -> None:  # noqa: N802, D102
        self.hovered.emit("")

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        found = self._layout.find(event.position().toPoint())
        if found is not None:
            self.choose(None if found == self.pick else found)

    def event(self, event: QEvent) -> bool:  # noqa: D102
        return taken(event, self.pick) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802, D102
        key = Qt.Key(event.key())
        if key in self.keys:
            self.choose(after(key, self.pick))
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        if not self._layout.count:
            return
        painter = QPainter(self)
        self._paint_cells(painter)
        _paint_lines(painter, self._layout, self.shown.starts, self._theme)
        paint_names(painter, self.shown, self._layout, self._theme, self._names)
        if self.pick is not None:
            painter.setPen(QPen(self._theme.colour("accent"), 3))
            painter.drawRect(self._layout.cell(*self.pick))
        painter.end()

    def _arrange(self) -> None:
        for scale in _SCALES:
            metrics = QFontMetrics(self._theme.font(scale))
            self._names = scale
            self._layout = lay_out(self.shown, self.size(), metrics)
            if self._layout.edge(1) >= metrics.height():
                return

    def _paint_cells(self, painter: QPainter) -> None:
        scale = self._scale()
        fonts = [self._theme.font(scale or 1.0, bold) for bold in (False, True)]
        for row, column in np.ndindex(*self._shares.shape):
            where, colour = self._layout.cell(row, column), self.colour(row, column)
            painter.fillRect(where, QColor(colour))
            if scale:
                painter.setFont(fonts[row == column])
                painter.setPen(ink_on(colour))
                painter.drawText(where, _CENTRE, self.text(row, column))

    def _scale(self) -> float:
        """Return the size of type that cells have room for, 0 for none."""
        cells = np.ndindex(*self._shares.shape)
        longest = max((self.text(*cell) for cell in cells), key=len, default="")
        for scale in _SCALES:
            metrics = QFontMetrics(self._theme.font(scale, bold=True))
            wide = metrics.horizontalAdvance(longest) + 2
            if self._layout.edge(1) >= max(wide, metrics.height()):
                return scale
        return 0.0


def _paint_lines(
    painter: QPainter, made: MatrixLayout, starts: Sequence[int], theme: Theme
) -> None:
    """Paint the lines between cells, those around groups thick."""
    left, top, side = made.box.left(), made.box.top(), made.box.width()
    strong = {0, made.count, *starts}
    lines = range(made.count + 1) if made.edge(1) >= _LINED else sorted(strong)
    # The thick ones last, so that no thin one runs over them.
    for line in sorted(lines, key=lambda line: line in strong):
        thick = line in strong and bool(starts)
        painter.setPen(QPen(theme.colour("muted" if thick else "line"), 2 if thick else 1))
        at = made.edge(line)
        painter.drawLine(left, top + at, left + side, top + at)
        painter.drawLine(left + at, top, left + at, top + side)
