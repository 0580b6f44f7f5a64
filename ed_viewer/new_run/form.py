"""Form of a new run: models at the left, the fields of one at the right."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from ed_viewer.new_run.catalogue import Catalogue, ModelFacts
from ed_viewer.new_run.command import plugins
from ed_viewer.new_run.pages import ModelPage, TrainingPage
from ed_viewer.reading.messages import RunEntry
from ed_viewer.style.text import muted, plain
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.list_rows import Index, RowDelegate

_SUMMARY = Qt.ItemDataRole.UserRole
_LIST = 270  # pixels


class ModelList(QListWidget):
    """A list of names, one of which is chosen.

    Signals:
        chosen: the name of a model.
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Models")
        self.setItemDelegate(_ModelDelegate(theme, self))
        self.setFrameShape(QListWidget.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.viewport().setAutoFillBackground(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.currentTextChanged.connect(self.chosen)

    def show_models(self, models: Iterable[ModelFacts]) -> None:
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


class _ModelDelegate(RowDelegate):
    """Draws the name and the line about it."""

    def lines(self, index: Index) -> Sequence[str]:
        return index.data(), index.data(_SUMMARY)


class Form(QWidget):
    """Form with all options of a new run.

    Args:
        catalogue: what can be trained.
        root: the folder in which the run's folder is made, unless another is chosen.
        theme: colours and type.

    Signals:
        changed: the command is another.
    """

    changed = Signal()

    def __init__(
        self, catalogue: Catalogue, root: str, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._catalogue = catalogue
        self._theme = theme
        self._runs: Sequence[RunEntry] = ()
        self._pages: dict[str, ModelPage] = {}
        self.models = ModelList(theme)
        self.models.setFixedWidth(_LIST)
        self._name = plain(QLabel())
        self._summary = muted(plain(QLabel()))
        self._summary.setWordWrap(True)
        self._place = QVBoxLayout()
        self.training = TrainingPage(catalogue, root, theme)
        self.training.changed.connect(self.changed)
        self._scroll = self._scrolled()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        row.addWidget(self.models)
        row.addWidget(self._scroll, 1)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.models.chosen.connect(self._show)
        self.models.show_models(catalogue.models.values())

    @property
    def page(self) -> ModelPage:
        """The page of the model that is chosen."""
        return self._pages[self.models.currentItem().text()]

    @property
    def out(self) -> Path:
        """The folder in which the run's folder is made."""
        return self.training.out

    def arguments(self) -> list[str]:
        """Return the command from `train` on; what is at its default is left out."""
        return ["train", *self.page.arguments(), *self.training.arguments(), *plugins()]

    @property
    def refused(self) -> str:
        """Why the first field that cannot be meant is refused, in one line, or ""."""
        return self.page.refused or self.training.refused

    def reset(self) -> None:
        """Bring every field that is shown back to its default."""
        self.page.reset()
        self.training.reset()

    def end(self) -> None:
        """Look at no data any more."""
        for page in self._pages.values():
            page.look.end()

    def show_runs(self, entries: Sequence[RunEntry]) -> None:
        """Offer these runs where one can be chosen."""
        if list(entries) != list(self._runs):
            self._runs = list(entries)
            for page in self._pages.values():
                page.show_runs(self._runs)

    def sizeHint(self) -> QSize:  # noqa: N802, D102
        return QSize(960, 600)

    def _show(self, name: str) -> None:
        model = self._catalogue.models[name]
        if name not in self._pages:
            page = ModelPage(model, self._catalogue, self._theme)
            page.show_runs(self._runs)
            page.changed.connect(self.changed)
            self._pages[name] = page
            self._place.addWidget(page)
        for other, page in self._pages.items():
            page.setVisible(other == name)
        self._name.setText(name)
        self._summary.setText(model.summary)
        self._scroll.verticalScrollBar().setValue(0)
        self.changed.emit()

    def _scrolled(self) -> QScrollArea:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 4, 12, 0)
        column.setSpacing(8)
        column.addWidget(self._name)
        column.addWidget(self._summary)
        column.addSpacing(4)
        column.addLayout(self._place)
        column.addWidget(self.training)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return scroll

    def _restyle(self) -> None:
        self._name.setFont(self._theme.font(1.4, bold=True))
