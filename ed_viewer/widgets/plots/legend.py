"""Legend of classes with colours and markers; a click hides or shows a class.

Samples without a class have a row of their own, the last one.
"""

from collections.abc import Sequence
from math import ceil

from pyqtgraph.graphicsItems.ScatterPlotItem import Symbols
from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from ed_core.labels import NO_LABEL
from ed_viewer.style.palette import NO_CLASS, class_colour, class_symbol
from ed_viewer.style.text import elided, grouped
from ed_viewer.style.theme import Theme

_MARK = 10  # pixels
_SPACE = 8
_WIDEST, _LEAST = 186, 72  # pixels of a column
_PLOT = 150  # pixels that a plot with its axis needs
_SHARE = 0.45  # of the width of plot and legend, at most
_COLUMNS = 2  # at most: the rest of the names is cut rather than the plot


class Legend(QWidget):
    """Legend in one column.

    Signals:
        toggled: a class was hidden or shown; `hidden` says which are, `NO_CLASS` for what has none.

    Attributes:
        names: of the classes, a row each.
        hidden: the classes whose samples are not drawn.
    """

    toggled = Signal()
    keys = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Space, Qt.Key.Key_Return)
    """Those that it needs while it has the focus; elsewhere they are shortcuts."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.names: tuple[str, ...] = ()
        self._classes: tuple[int, ...] = ()  # the number of each
        self._colours: tuple[str, ...] = ()
        self.hidden: set[int] = set()
        self._marked = 0
        self._widest = 0  # of the names, in pixels
        self._room = _WIDEST * _COLUMNS  # pixels
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAccessibleName("Classes")
        self.setToolTip("Click a class to hide or show it")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)

    def set_names(
        self, names: Sequence[str], colours: Sequence[str] = (), unlabelled: bool = False
    ) -> None:
        """Show these classes, in the order of their colours: own ones, or those of the palette.

        Args:
            names: of the classes; none for no legend.
            colours: their own ones, where the data have any.
            unlabelled: whether there are samples without a class.
        """
        last = (NO_LABEL,) if unlabelled and names else ()
        self._classes = (*range(len(names)), *[NO_CLASS] * len(last))
        self.names, self._colours = (*names, *last), tuple(colours)
        self._measure()
        # Never shown from here: without a parent yet, it would be a window of its own.
        if not names:
            self.hide()
        self.updateGeometry()
        self.update()

    def set_hidden(self, hidden: set[int]) -> None:
        """Hide these classes and no others."""
        if hidden != self.hidden:
            self.hidden = set(hidden)
            self.update()
            self.toggled.emit()

    def fit(self, width: int) -> None:
        """Leave most of a width in pixels to the plot beside it."""
        self._room = int(min(width * _SHARE, max(width - _PLOT, _LEAST)))
        self.updateGeometry()

    def sizeHint(self) -> QSize:  # noqa: N802, D102
        columns = min(ceil(len(self.names) / self._per_column()), self._columns())
        return QSize(self._width() * max(columns, 1), 0)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802, D102
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._measure()

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        self.updateGeometry()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for index in range(self.shown):
            self._paint_row(painter, index)
        left_out = len(self.names) - self.shown
        if left_out:
            painter.setPen(self._theme.colour("muted"))
            words = self.row(self.shown).adjusted(_MARK + _SPACE, 0, 0, 0)
            more = f"+ {grouped(left_out)}"
            painter.drawText(words, int(Qt.AlignmentFlag.AlignVCenter), more)
        painter.end()

    def _paint_row(self, painter: QPainter, index: int) -> None:
        row, number = self.row(index), self._classes[index]
        off = number in self.hidden
        own = class_colour(self._theme.palette, number, self._colours)
        _paint_mark(painter, row, number, self._theme.colour("line") if off else QColor(own))
        painter.setPen(self._theme.colour("done" if off else "text"))
        words, dots = row.adjusted(_MARK + _SPACE, 0, 0, 0), Qt.TextElideMode.ElideMiddle
        short = elided(self.names[index], words.width(), self.fontMetrics(), dots)
        painter.drawText(words, int(Qt.AlignmentFlag.AlignVCenter), short)
        if index == self._seen_mark() and self.hasFocus():
            painter.setPen(QPen(self._theme.colour("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(row.adjusted(-1, 0, -_SPACE, -1))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        for index in range(self.shown):
            if self.row(index).contains(event.position().toPoint()):
                self.toggle(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802, D102
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        marked = self._seen_mark()
        if event.key() not in self.keys:
            super().keyPressEvent(event)
        elif marked is None:
            return  # no class can be seen that could be toggled
        elif event.key() in steps:
            at = marked + steps[Qt.Key(event.key())]
            self._marked = min(max(at, 0), self.shown - 1)
            self.update()
        else:
            self.toggle(marked)

    def focusInEvent(self, event: object) -> None:  # noqa: N802, D102
        self.update()

    def focusOutEvent(self, event: object) -> None:  # noqa: N802, D102
        self.update()

    def _seen_mark(self) -> int | None:
        """Return the class that the keys act on: one that has room, None if none has."""
        count = self.shown
        return min(self._marked, count - 1) if count else None

    def toggle(self, index: int) -> None:
        """Hide a row's class, or show it again."""
        self._marked = index
        self.hidden ^= {self._classes[index]}
        self.update()
        self.toggled.emit()

    def row(self, index: int) -> QRect:
        """Return where a row is drawn."""
        column, row = divmod(index, self._per_column())
        return QRect(column * self._width(), row * self._line(), self._width(), self._line())

    @property
    def shown(self) -> int:
        """How many classes have room; where that is not all, a line says so."""
        room = self._columns() * self._per_column()
        return len(self.names) if len(self.names) <= room else room - 1

    def _line(self) -> int:
        return self.fontMetrics().height() + 3

    def _per_column(self) -> int:
        return max(self.height() // self._line(), 1)

    def _measure(self) -> None:
        metrics = self.fontMetrics()
        self._widest = max((metrics.horizontalAdvance(name) for name in self.names), default=0)

    def _width(self) -> int:
        return min(self._widest + _MARK + 2 * _SPACE, _WIDEST, max(self._room, _LEAST))

    def _columns(self) -> int:
        return min(max(self._room // max(self._width(), 1), 1), _COLUMNS)


def _paint_mark(painter: QPainter, row: QRect, index: int, colour: QColor) -> None:
    painter.save()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(colour)
    painter.translate(QPointF(row.left() + _MARK / 2, row.center().y() + 0.5))
    painter.scale(_MARK, _MARK)
    painter.drawPath(Symbols[class_symbol(index)])
    painter.restore()
