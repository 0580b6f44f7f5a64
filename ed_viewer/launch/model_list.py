"""The models to choose from, each with a line about it."""

from collections.abc import Iterable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QWidget

from ed_viewer.launch.catalogue import Model
from ed_viewer.theme import Theme
from ed_viewer.widgets.row_delegate import Index, RowDelegate

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


class _Delegate(RowDelegate):
    """Draws the name and the line about it."""

    def lines(self, index: Index) -> Sequence[str]:
        return index.data(), index.data(_SUMMARY)
