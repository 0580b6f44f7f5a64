"""Pages of the form: options of one model, and options shared by all trainings."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPalette, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from ed_core.plugins.options import quoted
from ed_viewer.new_run.catalogue import Catalogue, HeadFacts, ModelFacts, OptionFacts
from ed_viewer.new_run.command import option_words
from ed_viewer.new_run.data_look import DataLook
from ed_viewer.new_run.fields import OptionField, RunField, WeightField, field_for, written
from ed_viewer.reading.messages import RunEntry
from ed_viewer.style.text import muted, plain, tip, titled
from ed_viewer.style.theme import Theme

_LABEL, _FIELD = 130, 210  # pixels; the same in every section, so that all stand in columns
_HEIGHT = 28
_ROOMY = 560  # pixels: a narrower section has the words about a field below it
_FIRST = ("epochs", "batch_size", "learning_rate", "seed")  # the others are rarely wanted
_ON_MODEL_PAGE = ("data", "weight")
_WEIGHT = "--weight"
_BY_MODEL = "automatic"


class Section(QWidget):
    """Rows of fields, each with the words about it beside or, where it is narrow, below it.

    The name of what differs from the default is set in bold type.
    """

    def __init__(self, heading: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._labels: dict[OptionField, QLabel] = {}
        self._words: dict[OptionField, QLabel] = {}
        self._about: dict[OptionField, str] = {}
        self._unused: set[OptionField] = set()
        self._rows: list[tuple[QLabel, int]] = []  # words, and the height of what they are about
        self._roomy = True
        self._heading = plain(QLabel(heading, self))
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 8)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnMinimumWidth(0, _LABEL)
        self._grid.setColumnMinimumWidth(1, _FIELD)
        self._grid.setColumnStretch(2, 1)
        self._grid.addWidget(self._heading, 0, 0, 1, 3)
        self._heading.setVisible(bool(heading))
        theme.changed.connect(self._restyle)
        self._restyle()

    @property
    def fields(self) -> list[OptionField]:
        """The fields, from top to bottom."""
        return list(self._labels)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802, D102
        roomy = self.width() >= _ROOMY
        if roomy != self._roomy:
            self._roomy = roomy
            for number in range(len(self._rows)):
                self._place(number)

    def field(self, name: str) -> OptionField:
        """Return the field of an option."""
        return next(field for field in self._labels if field.option.name == name)

    @property
    def applying(self) -> list[OptionField]:
        """The fields that are of any use with the data that are chosen."""
        return [field for field in self._labels if field not in self._unused]

    def set_applying(self, field: OptionField, on: bool) -> None:
        """Show a field, or leave it out for as long as it is of no use."""
        (self._unused.discard if on else self._unused.add)(field)
        self._labels[field].setVisible(on)
        field.setVisible(on)
        self._mark()

    def add_fields(self, fields: Sequence[OptionField]) -> None:
        """Add a row for each field."""
        for field in fields:
            label = plain(QLabel(titled(field.option.name)))
            label.setBuddy(field)
            field.setFixedWidth(_FIELD)
            self._labels[field] = label
            self._words[field] = self._add_row(label, field)
            self.explain(field, field.option.help)
            field.changed.connect(self._mark)
        self._mark()

    def add_words(self, name: str, words: str) -> None:
        """Add a row with nothing to choose."""
        self._add_row(plain(QLabel(titled(name))), muted(plain(QLabel(words)))).hide()

    def explain(self, field: OptionField, about: str) -> None:
        """Say what a field means, without the marks of code that a terminal needs."""
        about = about.replace("`", "")
        self._about[field] = about[:1].upper() + about[1:]
        tip(self._labels[field], about)
        self._mark()

    def _add_row(self, label: QLabel, widget: QWidget) -> QLabel:
        row, height = 1 + 2 * len(self._rows), max(widget.sizeHint().height(), _HEIGHT)
        top = Qt.AlignmentFlag.AlignTop
        label.setFixedHeight(height)
        widget.setFixedHeight(height)
        words = muted(plain(QLabel()))
        words.setWordWrap(True)
        words.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._grid.addWidget(label, row, 0, top)
        self._grid.addWidget(widget, row, 1, top)
        self._rows.append((words, height))
        self._place(len(self._rows) - 1)
        return words

    def _place(self, number: int) -> None:
        """Put the words of a row, counted from 0, where they have room."""
        words, height = self._rows[number]
        self._grid.removeWidget(words)
        words.setMinimumHeight(height if self._roomy else 0)
        place = (0, 2, 1, 1) if self._roomy else (1, 1, 1, 2)
        self._grid.addWidget(words, 1 + 2 * number + place[0], *place[1:])

    def _mark(self) -> None:
        for field, label in self._labels.items():
            label.setFont(self._theme.font(bold=not field.is_default))
            words, refused = self._words.get(field), field.refused
            if words is not None:
                words.setText(refused or self._about.get(field, ""))
                words.setVisible(bool(words.text()) and field not in self._unused)
                palette = words.palette()
                palette.setColor(QPalette.ColorRole.WindowText, self._theme.colour("failed"))
                words.setPalette(palette)
                role = QPalette.ColorRole
                words.setForegroundRole(role.WindowText if refused else role.PlaceholderText)

    def _restyle(self) -> None:
        self._heading.setFont(self._theme.font(1.15, bold=True))
        self._mark()


class FormPage(QWidget):
    """Sections below each other.

    Signals:
        changed: a field holds another value.
    """

    changed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.sections: list[Section] = []
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(8)

    def add_section(self, heading: str, fields: Sequence[OptionField]) -> Section:
        """Add a section with these fields."""
        section = Section(heading, self.theme)
        section.add_fields(fields)
        for field in fields:
            field.changed.connect(self.changed)
        self.sections.append(section)
        self.column.addWidget(section)
        return section

    def arguments(self) -> list[str]:
        """Return what stands on the command line."""
        fields = [field for section in self.sections for field in section.applying]
        return [part for field in fields for part in field.arguments()]

    @property
    def refused(self) -> str:
        """Why the first field that cannot be meant is refused, or ""."""
        fields = (field for section in self.sections for field in section.applying)
        return next((field.refused for field in fields if field.refused), "")

    def reset(self) -> None:
        """Bring every field back to its default."""
        for section in self.sections:
            for field in section.fields:
                field.reset()

    def show_runs(self, entries: Sequence[RunEntry]) -> None:
        """Offer these runs where one can be chosen."""
        for section in self.sections:
            for field in section.fields:
                if isinstance(field, RunField):
                    field.show_runs(entries)


class DataPage(FormPage):
    """The options of one data set."""

    def __init__(
        self,
        name: str,
        options: Sequence[OptionFacts],
        own: Mapping[str, Any],
        theme: Theme,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, parent)
        self._name = name
        self._own = own
        self.add_section("", [field_for(option) for option in options])
        self.reset()

    @property
    def text(self) -> str:
        """The data set with its options, as `--data` takes it."""
        fields = [field for field in self.sections[0].fields if not field.is_default]
        options = ",".join(f"{field.option.name}={quoted(field.text())}" for field in fields)
        return f"{self._name}:{options}" if options else self._name

    @property
    def reads_files(self) -> bool:
        """Whether a file or a folder is named, of which only its loader knows what is in it."""
        fields = self.sections[0].fields
        return any(field.option.type == "path" and field.text() for field in fields)

    def reset(self) -> None:
        """Bring every option back to its default, or to what the model has for it."""
        super().reset()
        for name, value in self._own.items():
            self.sections[0].field(name).set_text(written(value))


class ModelPage(FormPage):
    """Data, options and weights of one model; it keeps what was typed while another is shown."""

    def __init__(
        self, model: ModelFacts, catalogue: Catalogue, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, parent)
        self.model = model
        self._catalogue = catalogue
        self._pages: dict[str, DataPage] = {}
        names = tuple(dict.fromkeys([*catalogue.data, model.data]))
        self.data = field_for(OptionFacts("data_set", "choice", model.data, names))
        self._data = self.add_section("Data", [self.data])
        self._place = QVBoxLayout()
        self.column.addLayout(self._place)
        self.look = DataLook(theme)
        self.look.looked.connect(self._show_weights)
        self._weights: dict[HeadFacts, WeightField] = {}
        self.column.addWidget(self.look)
        if model.options:
            self.add_section("Model", [field_for(option) for option in model.options])
        self._add_weights(model.heads)
        self.data.changed.connect(self._show_data)
        self._show_data()
        self._own_data = self.data_page.text

    @property
    def data_page(self) -> DataPage:
        """The options of the data set that is chosen, made when they are first asked for."""
        name = self.data.text()
        if name not in self._pages:
            data_set = self._catalogue.data.get(name)
            own = self.model.data_options if name == self.model.data else {}
            page = DataPage(name, data_set.options if data_set else (), own, self.theme)
            page.changed.connect(self.changed)
            page.changed.connect(self._look)
            self._pages[name] = page
            self._place.addWidget(page)
            fields = [self.data, *page.sections[0].fields]
            boxes = (box for field in fields if (box := field.focusProxy()) is not None)
            for one, other in pairwise(boxes):
                self.setTabOrder(one, other)  # as it is read, though it was made last
        return self._pages[name]

    def arguments(self) -> list[str]:
        """Return what stands on the command line after `train`."""
        data = self.data_page.text
        parts = [] if data == self._own_data else option_words("--data", data)
        return [self.model.name, *parts, *super().arguments()]

    def reset(self) -> None:
        """Bring every field back to its default, those of all data sets as well."""
        super().reset()
        for page in self._pages.values():
            page.reset()

    @property
    def refused(self) -> str:
        """Why the first field that cannot be meant is refused, or ""."""
        return super().refused or self.data_page.refused

    def show_runs(self, entries: Sequence[RunEntry]) -> None:
        """Offer these runs where one can be chosen."""
        super().show_runs(entries)
        for page in self._pages.values():
            page.show_runs(entries)

    def _show_data(self) -> None:
        """Show the options of the data set that is chosen."""
        name, chosen = self.data.text(), self.data_page
        data_set = self._catalogue.data.get(name)
        for page in self._pages.values():
            page.setVisible(page is chosen and bool(page.sections[0].fields))
        self._data.explain(self.data, data_set.summary if data_set else "")
        self._look()

    def _look(self) -> None:
        """Look at the files that are named, if any."""
        page = self.data_page
        self.look.look(page.text if page.reads_files else "")
        self._show_weights()

    def _show_weights(self) -> None:
        """Show the weights of the heads that count with the data that are chosen."""
        for head, field in self._weights.items():
            self._weight_section.set_applying(field, self._counts(head))
        self.changed.emit()

    def _counts(self, head: HeadFacts) -> bool:
        """Tell whether a head counts with the data, as far as their fields are known.

        A model names what it takes in the order of its choice: of data that are read from no file
        it is the first.
        """
        if self.look.fields or not head.optional:
            return not head.optional or head.target in self.look.fields
        reads = any(field.option.type == "path" for field in self.data_page.sections[0].fields)
        return reads or head == next(one for one in self.model.heads if one.optional)

    def _add_weights(self, heads: Sequence[HeadFacts]) -> None:
        """Add a field for the weight of every head, unless an option of the model holds it."""
        section = self._weight_section = self.add_section("Weights of the heads", [])
        for head in heads:
            if isinstance(head.weight, str):
                section.add_words(head.name, f"set by {titled(head.weight)}")
                continue
            field = WeightField(head, _WEIGHT)
            section.add_fields([field])
            self._weights[head] = field
            field.changed.connect(self.changed)


class TrainingPage(FormPage):
    """Page of the options that all trainings share; it stays when the model changes."""

    def __init__(
        self, catalogue: Catalogue, root: str, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(theme, parent)
        options = {option.name: option for option in catalogue.training}
        about = (
            f"the library that computes; {_BY_MODEL} takes the one that suits the model, unless "
            "KERAS_BACKEND or keras.json names one. A run is resumed on the one it began with."
        )
        names = (_BY_MODEL, *catalogue.backends)
        backend = OptionFacts("backend", "choice", _BY_MODEL, names, about, "--backend")
        first = [options.pop(name) for name in _FIRST if name in options]
        self.add_section("Training", [field_for(option) for option in (*first, backend)])
        rest = [option for name, option in options.items() if name not in _ON_MODEL_PAGE]
        self.more = self.add_section("More", [field_for(option) for option in rest])
        self._root = root
        self.reset()

    @property
    def out(self) -> Path:
        """The folder in which the run's folder is made."""
        field = self.more.field("out")
        return Path(field.text() or written(field.option.default))

    def reset(self) -> None:
        """Bring every field back to its default; the folder is that of the window."""
        super().reset()
        self.more.field("out").set_text(self._root)
