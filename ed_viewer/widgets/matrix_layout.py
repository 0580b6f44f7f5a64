"""Where the cells and the names of a matrix go. Plain geometry."""

from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QFontMetrics

Cell = tuple[int, int]

SPACE = 6  # pixels between cells, names and titles
_BESIDE, _BELOW = 0.25, 0.24  # of the width and of the height that names may take at the most
_LEAST = 0.8  # of the side that there would be without names below: a smaller one has none
_BOLD = 1.15  # times as wide as other type


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """What is drawn.

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
    """A layout that has been made.

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


def lay_out(shown: Counts, size: QSize, metrics: QFontMetrics) -> MatrixLayout:
    """Return the layout with the largest square that leaves room for names and titles.

    Where the names below would take too much of the height they are left out: the classes stand
    in the same order as at the left.
    """
    whole = _lay_out(shown, size, metrics, below=True)
    bare = _lay_out(shown, size, metrics, below=False)
    return whole if whole.box.width() >= _LEAST * bare.box.width() else bare


def _lay_out(shown: Counts, size: QSize, metrics: QFontMetrics, below: bool) -> MatrixLayout:
    count, line = len(shown.counts), metrics.height()
    wide = max((metrics.horizontalAdvance(name) + 2 for name in shown.names), default=0)
    bold = max((metrics.horizontalAdvance(name) for name in shown.groups), default=0)
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
