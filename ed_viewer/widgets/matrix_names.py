"""The names around a confusion matrix."""

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter

from ed_viewer.theme import Theme
from ed_viewer.widgets.matrix_layout import SPACE, Counts, MatrixLayout

_CENTRE = int(Qt.AlignmentFlag.AlignCenter)
_LEFT = int(Qt.AlignmentFlag.AlignVCenter)
_RIGHT = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)


def paint_names(
    painter: QPainter, shown: Counts, made: MatrixLayout, theme: Theme, scale: float
) -> None:
    """Paint the names of classes, of groups, and of the two axes, in a size of type."""
    box = made.box
    painter.setFont(theme.font(scale))
    painter.setPen(theme.colour("text"))
    every = -(-made.line // max(made.edge(1), 1))  # where cells are narrow, not every name
    for number in range(0, made.count, every):
        middle, name = made.cell(number, number).center(), shown.names[number]
        top = middle.y() - made.line // 2
        beside = QRect(box.left() - SPACE - made.names, top, made.names, made.line)
        _write(painter, beside, name, _RIGHT)
        if made.below:
            _write_below(painter, made, middle.x(), name)
    painter.setFont(theme.font(scale, bold=True))
    _paint_groups(painter, shown, made)
    painter.setFont(theme.font(scale))
    painter.setPen(theme.colour("muted"))
    _paint_titles(painter, made)


def _paint_groups(painter: QPainter, shown: Counts, made: MatrixLayout) -> None:
    box, free = made.box, 0
    for start, end, name in shown.spans():
        middle = box.top() + (made.edge(start) + made.edge(end)) // 2
        # A name may be higher than its group, but none stands on the one above it.
        top = max(middle - made.line // 2, free)
        free = top + made.line
        where = QRect(box.right() + 2 * SPACE, top, made.groups, made.line)
        _write(painter, where, name, _LEFT)


def _write_below(painter: QPainter, made: MatrixLayout, middle: int, name: str) -> None:
    top = made.box.bottom() + SPACE
    if not made.upright:
        painter.drawText(QRect(middle - 100, top, 200, made.line), _CENTRE, name)
        return
    painter.save()
    painter.translate(middle - made.line // 2, top + made.below)
    painter.rotate(-90)
    _write(painter, QRect(0, 0, made.below, made.line), name, _RIGHT)
    painter.restore()


def _paint_titles(painter: QPainter, made: MatrixLayout) -> None:
    box = made.box
    top = box.bottom() + made.below + SPACE + (SPACE if made.below else 0)
    painter.drawText(QRect(box.center().x() - 100, top, 200, made.line), _CENTRE, "predicted")
    painter.save()
    painter.translate(box.left() - made.names - 2 * SPACE - made.line, box.center().y())
    painter.rotate(-90)
    painter.drawText(QRect(-100, 0, 200, made.line), _CENTRE, "true")
    painter.restore()


def _write(painter: QPainter, where: QRect, words: str, flags: int) -> None:
    dots = Qt.TextElideMode.ElideMiddle  # the ends tell long names apart
    painter.drawText(where, flags, painter.fontMetrics().elidedText(words, dots, where.width()))
