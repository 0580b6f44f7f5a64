"""Confusion matrix widget: a row a true class, right and wrong cells in two colours.

The strength of a cell is its share of the row, for errors its square root, so that rare ones show.
In a change, decreases have one colour and increases the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
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

from ed_core.confusion import shares
from ed_viewer.style.palette import blend, ink_on
from ed_viewer.style.text import elided, signed, tell_value
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.cell_picking import KEYS, after, takes_key
from ed_viewer.widgets.controls import point_at

Cell = tuple[int, int]
SPACE = 6  # pixels between cells, names and titles
_BESIDE, _BELOW = 0.25, 0.24  # of the width and of the height that names may take at the most
_LEAST = 0.8  # of the side that there would be without names below: a smaller one has none
_BOLD = 1.15  # times as wide as other type
_CENTRE = int(Qt.AlignmentFlag.AlignCenter)
_LEFT = int(Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
_SCALES = (1.0, 0.8, 0.7)  # of type: a small name or number is more than none
_LINED = 7  # pixels: between narrower cells lines would be most of the picture


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Content of the matrix.

    Attributes:
        counts: (classes, classes), a row a true class.
        names: of the classes, in this order.
        starts: the first class of each group; () where there are no groups.
        groups: the name of each group.
        numbers: whether cells hold counts instead of percents.
        before: counts of another run; what is drawn is then the change from them.
    """

    counts: np.ndarray
    names: tuple[str, ...] = ()
    starts: tuple[int, ...] = ()
    groups: tuple[str, ...] = ()
    numbers: bool = False
    before: np.ndarray | None = None

    def spans(self) -> list[tuple[int, int, str]]:
        """Return the first class of each group, that of the next one, and the group's name."""
        ends = (*self.starts[1:], len(self.counts))
        return list(zip(self.starts, ends, self.groups, strict=False))


@dataclass(frozen=True, slots=True)
class MatrixLayout:
    """Layout of the matrix.

    Attributes:
        count: classes.
        box: the square that the cells share.
        names, below, groups: the room for the names of rows, columns and groups, in pixels; 0
            below for no names of columns.
        line: of type, in pixels.
        upright: whether the names below stand on end, since they are wider than a cell.
    """

    count: int = 0
    box: QRect = field(default_factory=QRect)
    names: int = 0
    below: int = 0
    groups: int = 0
    line: int = 0
    upright: bool = False

    def edge(self, number: int) -> int:
        """Return how far a cell's near edge is from that of the box."""
        return number * self.box.width() // max(self.count, 1)

    def cell(self, row: int, column: int) -> QRect:
        """Return where a cell is drawn."""
        left, top = self.edge(column), self.edge(row)
        wide, high = self.edge(column + 1) - left, self.edge(row + 1) - top
        return QRect(self.box.left() + left, self.box.top() + top, wide, high)

    def find(self, point: QPoint) -> Cell | None:
        """Return (row, column) of the cell at a point, None beside them."""
        if not self.count or not self.box.contains(point):
            return None
        inside, side = point - self.box.topLeft(), self.box.width()
        row, column = inside.y() * self.count // side, inside.x() * self.count // side
        return min(row, self.count - 1), min(column, self.count - 1)


def lay_out(content: Counts, size: QSize, metrics: QFontMetrics) -> MatrixLayout:
    """Return the layout with the largest square that leaves room for names and titles.

    Names below that would take too much of the height are left out: the order of the classes is
    that at the left.
    """
    whole = _lay_out(content, size, metrics, below=True)
    bare = _lay_out(content, size, metrics, below=False)
    return whole if whole.box.width() >= _LEAST * bare.box.width() else bare


def _lay_out(content: Counts, size: QSize, metrics: QFontMetrics, below: bool) -> MatrixLayout:
    count, line = len(content.counts), metrics.height()
    wide = max((metrics.horizontalAdvance(name) + 2 for name in content.names), default=0)
    bold = max((metrics.horizontalAdvance(name) for name in content.groups), default=0)
    names = min(wide, int(_BESIDE * size.width()))
    groups = min(round(bold * _BOLD), int(_BESIDE * size.width()))
    deepest = min(wide, int(_BELOW * size.height()))

    left = names + line + 3 * SPACE
    right = groups + 2 * SPACE if groups else SPACE
    across = size.width() - left - right
    above = line // 2  # the name of a row may be higher than the row
    titles = line + 2 * SPACE + above
    upright = wide > min(across, size.height() - line - titles) // max(count, 1)
    under = (deepest if upright else line) if below else 0
    side = max(min(across, size.height() - under - titles), 1)
    x = left + max((size.width() - left - right - side) // 2, 0)
    y = above + max((size.height() - under - titles - side) // 2, 0)
    return MatrixLayout(count, QRect(x, y, side, side), names, under, groups, line, upright)


def paint_names(
    painter: QPainter, content: Counts, layout: MatrixLayout, theme: Theme, scale: float
) -> None:
    """Paint the names of classes, of groups, and of the two axes, in a size of type."""
    box = layout.box
    painter.setFont(theme.font(scale))
    painter.setPen(theme.colour("text"))
    every = -(-layout.line // max(layout.edge(1), 1))  # where cells are narrow, not every name
    for number in range(0, layout.count, every):
        middle, name = layout.cell(number, number).center(), content.names[number]
        top = middle.y() - layout.line // 2
        beside = QRect(box.left() - SPACE - layout.names, top, layout.names, layout.line)
        _write(painter, beside, name, _RIGHT)
        if layout.below:
            _write_below(painter, layout, middle.x(), name)
    painter.setFont(theme.font(scale, bold=True))
    _paint_groups(painter, content, layout)
    painter.setFont(theme.font(scale))
    painter.setPen(theme.colour("muted"))
    _paint_titles(painter, layout)


def _paint_groups(painter: QPainter, content: Counts, layout: MatrixLayout) -> None:
    box, free = layout.box, 0
    for start, end, name in content.spans():
        middle = box.top() + (layout.edge(start) + layout.edge(end)) // 2
        # A name may be higher than its group, but none stands on the one above it.
        top = max(middle - layout.line // 2, free)
        free = top + layout.line
        where = QRect(box.right() + 2 * SPACE, top, layout.groups, layout.line)
        _write(painter, where, name, _LEFT)


def _write_below(painter: QPainter, layout: MatrixLayout, middle: int, name: str) -> None:
    top = layout.box.bottom() + SPACE
    if not layout.upright:
        painter.drawText(QRect(middle - 100, top, 200, layout.line), _CENTRE, name)
        return
    painter.save()
    painter.translate(middle - layout.line // 2, top + layout.below)
    painter.rotate(-90)
    _write(painter, QRect(0, 0, layout.below, layout.line), name, _RIGHT)
    painter.restore()


def _paint_titles(painter: QPainter, layout: MatrixLayout) -> None:
    box = layout.box
    top = box.bottom() + layout.below + SPACE + (SPACE if layout.below else 0)
    painter.drawText(QRect(box.center().x() - 100, top, 200, layout.line), _CENTRE, "predicted")
    painter.save()
    painter.translate(box.left() - layout.names - 2 * SPACE - layout.line, box.center().y())
    painter.rotate(-90)
    painter.drawText(QRect(-100, 0, 200, layout.line), _CENTRE, "true")
    painter.restore()


def _write(painter: QPainter, where: QRect, words: str, flags: int) -> None:
    dots = Qt.TextElideMode.ElideMiddle  # the ends tell long names apart
    painter.drawText(where, flags, elided(words, where.width(), painter.fontMetrics(), dots))


class ConfusionMatrix(QWidget):
    """Draws `Counts` as large as there is room, with square cells.

    Signals:
        picked: another cell, or none, is `pick`.

    Attributes:
        shown: what is drawn.
        grid: where each cell is drawn.
    """

    tells_values = True
    picked = Signal()
    keys = KEYS
    pick: Cell | None = None

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.shown = Counts(np.zeros((0, 0), np.int64))
        self._shares = np.zeros((0, 0))
        self.grid = MatrixLayout()
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
        text = f"{counts[row, column]} of {counts[row].sum()}"
        share = 100 * self._shares[row, column]
        if self.shown.before is None:
            text += f" ({share:.1f} %)"
        else:
            text += signed(f", in A {self.shown.before[row, column]} ({share:+.1f} points)")
        return f"true {names[row]} · predicted {names[column]} · {text}"

    def text(self, row: int, column: int) -> str:
        """Return the text in a cell, "" for a share too small to show."""
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
        cell = self.grid.find(event.position().toPoint())
        point_at(self, cell is not None)
        tell_value(self, self.describe(*cell) if cell else "")

    def leaveEvent(self, event: object) -> None:  # noqa: N802, D102
        tell_value(self, "")

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        cell = self.grid.find(event.position().toPoint())
        if cell is not None:
            self.choose(None if cell == self.pick else cell)

    def event(self, event: QEvent) -> bool:  # noqa: D102
        return takes_key(event, self.pick) or super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802, D102
        key = Qt.Key(event.key())
        if key in self.keys:
            self.choose(after(key, self.pick))
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        if not self.grid.count:
            return
        painter = QPainter(self)
        self._paint_cells(painter)
        _paint_lines(painter, self.grid, self.shown.starts, self._theme)
        paint_names(painter, self.shown, self.grid, self._theme, self._names)
        if self.pick is not None:
            painter.setPen(QPen(self._theme.colour("accent"), 3))
            painter.drawRect(self.grid.cell(*self.pick))
        painter.end()

    def _arrange(self) -> None:
        for scale in _SCALES:
            metrics = QFontMetrics(self._theme.font(scale))
            self._names = scale
            self.grid = lay_out(self.shown, self.size(), metrics)
            if self.grid.edge(1) >= metrics.height():
                return

    def _paint_cells(self, painter: QPainter) -> None:
        scale = self._scale()
        fonts = [self._theme.font(scale or 1.0, bold) for bold in (False, True)]
        for row, column in np.ndindex(*self._shares.shape):
            where, colour = self.grid.cell(row, column), self.colour(row, column)
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
            if self.grid.edge(1) >= max(wide, metrics.height()):
                return scale
        return 0.0


def _paint_lines(
    painter: QPainter, layout: MatrixLayout, starts: Sequence[int], theme: Theme
) -> None:
    """Paint the lines between cells, those around groups thick."""
    left, top, side = layout.box.left(), layout.box.top(), layout.box.width()
    strong = {0, layout.count, *starts}
    lines = range(layout.count + 1) if layout.edge(1) >= _LINED else sorted(strong)
    # The thick ones last, so that no thin one runs over them.
    for line in sorted(lines, key=lambda line: line in strong):
        thick = line in strong and bool(starts)
        painter.setPen(QPen(theme.colour("muted" if thick else "line"), 2 if thick else 1))
        at = layout.edge(line)
        painter.drawLine(left, top + at, left + side, top + at)
        painter.drawLine(left + at, top, left + at, top + side)
