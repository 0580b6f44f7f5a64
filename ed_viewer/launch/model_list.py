"""The models to choose from, each with a line about it."""

from collections.abc import Iterable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QListWidget,
    QListWidgetItem,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from ed_viewer.launch.catalogue import Model
from ed_viewer.theme import Theme
from ed_viewer.widgets.selection import paint_selected

_SUMMARY = Qt.ItemDataRole.UserRole


class ModelList(QListWidget):
    """A list of names, one of which is chosen.

    Signals:
        chosen: the name of a model.
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Models")
        self.setItemDelegate(_Delegate(theme, self))
        self.setFrameShape(QListWidget.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.viewport().setAutoFillBackground(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.currentTextChanged.connect(self.chosen)

    def show_models(self, models: Iterable[Model]) -> None:
        """Show these models, and choose the first."""
        for model in models:
            item = QListWidgetItem(model.name)
            item.setData(_SUMMARY, model.summary)
            item.setData(Qt.ItemDataRole.AccessibleDescriptionRole, model.summary)
            self.addItem(item)
        self.setCurrentRow(0)

    def choose(self, name: str) -> None:
        """Choose a model by its name."""
        for item in self.findItems(name, Qt.MatchFlag.MatchExactly):
            self.setCurrentItem(item)
            self.scrollToItem(item)


class _Delegate(QStyledItemDelegate):
    """Draws the name and the line about it, as they are: never as rich text."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(  # noqa: N802
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        return QSize(120, 2 * option.fontMetrics.height() + 16)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        theme, rect = self._theme, QRect(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if option.state & QStyle.StateFlag.State_Selected:
            paint_selected(painter, rect, theme)
        line = option.fontMetrics.height()
        first = QRect(rect.left() + 20, rect.top() + 8, rect.width() - 28, line)
        second = first.translated(0, line)
        right = Qt.TextElideMode.ElideRight
        elide = option.fontMetrics.elidedText
        painter.setPen(theme.colour("text"))
        painter.drawText(first, 0, elide(index.data(), right, first.width()))
        painter.setPen(theme.colour("muted"))
        painter.drawText(second, 0, elide(index.data(_SUMMARY), right, second.width()))
        painter.restore()
