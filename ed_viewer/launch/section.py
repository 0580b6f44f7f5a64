"""A part of the form: a heading, and a row for every field with its name and what it means."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from ed_viewer.launch.fields import Field
from ed_viewer.theme import Theme
from ed_viewer.widgets.text import muted, plain, tip, titled

_LABEL, _FIELD = 130, 210  # pixels; the same in every section, so that all stand in columns
_HEIGHT = 28


class Section(QWidget):
    """Rows of fields; the name of what differs from the default is set in bold type."""

    def __init__(self, heading: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._labels: dict[Field, QLabel] = {}
        self._words: dict[Field, QLabel] = {}
        self._about: dict[Field, str] = {}
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
    def fields(self) -> list[Field]:
        """The fields, from top to bottom."""
        return list(self._labels)

    def field(self, name: str) -> Field:
        """Return the field of an option."""
        return next(field for field in self._labels if field.option.name == name)

    def add_fields(self, fields: Sequence[Field]) -> None:
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
        self._add_row(plain(QLabel(titled(name))), muted(plain(QLabel(words))))

    def explain(self, field: Field, about: str) -> None:
        """Say what a field means."""
        self._about[field] = about[:1].upper() + about[1:]
        tip(self._labels[field], about)
        self._mark()

    def _add_row(self, label: QLabel, widget: QWidget) -> QLabel:
        row, height = self._grid.rowCount(), max(widget.sizeHint().height(), _HEIGHT)
        top = Qt.AlignmentFlag.AlignTop
        label.setFixedHeight(height)
        widget.setFixedHeight(height)
        words = muted(plain(QLabel()))
        words.setWordWrap(True)
        words.setMinimumHeight(height)
        words.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._grid.addWidget(label, row, 0, top)
        self._grid.addWidget(widget, row, 1, top)
        self._grid.addWidget(words, row, 2)
        return words

    def _mark(self) -> None:
        for field, label in self._labels.items():
            label.setFont(self._theme.font(bold=not field.is_default))
            words, refused = self._words.get(field), field.refused
            if words is not None:
                words.setText(refused or self._about.get(field, ""))
                palette = words.palette()
                palette.setColor(QPalette.ColorRole.WindowText, self._theme.colour("failed"))
                words.setPalette(palette)
                role = QPalette.ColorRole
                words.setForegroundRole(role.WindowText if refused else role.PlaceholderText)

    def _restyle(self) -> None:
        self._heading.setFont(self._theme.font(1.15, bold=True))
        self._mark()
