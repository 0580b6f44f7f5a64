"""Rows of a list: lines of text, the first in the text colour, the others muted."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPen
from PySide6.QtWidgets import QListWidget, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from ed_viewer.style.theme import Theme

Index = QModelIndex | QPersistentModelIndex
_ABOVE = 8  # pixels, over the first line and under the last


def paint_selected(painter: QPainter, rect: QRect, theme: Theme) -> None:
    """Paint below the text of a line that fills `rect`."""
    painter.setBrush(theme.colour("card"))
    paint_framed(painter, rect, theme)
    bar = QRect(rect.left() + 9, rect.top() + 9, 3, rect.height() - 18)
    painter.fillRect(bar, theme.colour("accent"))


def paint_framed(painter: QPainter, rect: QRect, theme: Theme) -> None:
    """Paint the frame of a line that the keys have reached, and that is not the selected one."""
    painter.setPen(QPen(theme.colour("line"), 1))
    painter.drawRoundedRect(QRectF(rect).adjusted(8.5, 2.5, -0.5, -2.5), 6, 6)


class RowDelegate(QStyledItemDelegate):
    """Delegate that paints plain, never rich text, and elides it.

    A subclass provides the lines of an item, and the painting beside the first line.

    Args:
        theme: colours.
        parent: the list.
    """

    left, right = 20, 8  # pixels beside the lines
    cut = Qt.TextElideMode.ElideRight  # of the first two lines; others are cut at their right

    def __init__(self, theme: Theme, parent: QListWidget) -> None:
        super().__init__(parent)
        self.theme = theme

    def lines(self, index: Index) -> Sequence[str]:
        """Return the lines of an item."""
        raise NotImplementedError

    def is_marked(self, index: Index, selected: bool) -> bool:
        """Return whether an item is highlighted; one that is only selected gets a frame."""
        return selected

    def paint_beside(self, painter: QPainter, line: QRect, index: Index) -> int:
        """Draw what stands beside the first line; return the pixels that it takes of it."""
        return 0

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: N802, D102
        return QSize(120, len(self.lines(index)) * option.fontMetrics.height() + 2 * _ABOVE)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw an item (called by Qt)."""
        metrics, rect = option.fontMetrics, QRect(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if self.is_marked(index, selected):
            paint_selected(painter, rect, self.theme)
        elif selected:
            paint_framed(painter, rect, self.theme)
        width = rect.width() - self.left - self.right
        line = QRect(rect.left() + self.left, rect.top() + _ABOVE, width, metrics.height())
        taken = self.paint_beside(painter, line, index)
        for number, words in enumerate(self.lines(index)):
            painter.setPen(self.theme.colour("muted" if number else "text"))
            room = line.translated(0, number * line.height())
            if not number:
                room.setWidth(width - taken)
            cut = self.cut if number < 2 else Qt.TextElideMode.ElideRight
            painter.drawText(room, 0, metrics.elidedText(words, cut, room.width()))
        painter.restore()
