"""A row a number that can be set: its name, a field, and a mark of what it waits for."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from ed_core.recording.control import RANGES, Request
from ed_viewer.steer.field import NumberField
from ed_viewer.steer.trainer import Trainer, Waiting
from ed_viewer.theme import BODY_POINTS, Theme
from ed_viewer.widgets.text import muted, plain, tip, titled

_NAME = 108  # pixels
_MARK = 18
_HINTS = {
    "↵": "Enter: apply, Esc: cancel",
    "…": "Waiting for the trainer to finish its step",
    "": "↑ ↓ change by 25 %; press Enter to apply",
}


@dataclass(slots=True)
class Row:
    """The widgets of a number, and what it is about: `learning_rate` or `weight NAME`."""

    about: str
    name: QLabel
    field: NumberField
    mark: QLabel


class Numbers(QWidget):
    """The learning rate, and the weight lambda of every head.

    Signals:
        asked: a Request.
        refused: why a number that was typed cannot be asked for.
    """

    asked = Signal(object)
    refused = Signal(str)
    _tips: ClassVar[dict[str, str]] = {
        "": "",
        "…": "Waiting for the trainer to finish its step",
        "↵": "Enter: apply, Esc: cancel",
    }

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._heads: tuple[str, ...] | None = None
        self._waiting = Waiting()
        self._usable = False
        self._hint = muted(plain(QLabel()))
        self.rows: dict[str, Row] = {}
        self._titles: list[QLabel] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(2, 1)
        self._grid.setColumnMinimumWidth(1, _MARK)
        theme.changed.connect(self._restyle)

    def show_trainer(self, trainer: Trainer, waiting: Waiting) -> None:
        """Show the present numbers; a run with other heads gets other fields."""
        self._waiting = waiting
        if tuple(trainer.weights) != self._heads:
            self._make(tuple(trainer.weights))
        held = {f"weight {name}": weight for name, weight in trainer.weights.items()}
        held["learning_rate"] = trainer.rate
        for about, row in self.rows.items():
            asked = waiting.get(about)
            wish = asked.value if asked else None
            row.field.show_number(held[about] if wish is None else wish)
            row.field.setEnabled(not trainer.reason and held[about] == held[about])
            if trainer.reason and row.field.edited:
                row.field.take_back()
        self._usable = not trainer.reason
        self._mark()

    def _make(self, heads: tuple[str, ...]) -> None:
        for widget in self.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            self._grid.removeWidget(widget)
            widget.hide()  # until it is deleted
            widget.deleteLater()
        self._heads, self.rows, self._titles = heads, {}, []
        self._add("learning_rate", "Learning rate", "learning_rate", "")
        if heads:
            self._titles.append(plain(QLabel("Weights λ of the heads")))
            self._titles[0].setContentsMargins(0, 6, 0, 0)
            self._grid.addWidget(self._titles[0], self._grid.rowCount(), 0, 1, 3)
        for head in heads:
            self._add(f"weight {head}", titled(head), "weight", head)
        self._hint = muted(plain(QLabel()))
        self._hint.setWordWrap(True)
        self._grid.addWidget(self._hint, self._grid.rowCount(), 0, 1, 3)
        self._restyle()

    def _add(self, about: str, words: str, kind: str, head: str) -> None:
        row = self._grid.rowCount()
        name, mark = plain(QLabel()), plain(QLabel())
        name.setAccessibleName(words)
        field = NumberField(*RANGES[kind])
        field.setAccessibleName(f"Weight of {head}" if head else words)
        tip(name, head or words)
        name.setBuddy(field)
        field.changed.connect(self._mark)
        field.applied.connect(_Wish(self, kind, head))
        field.refused.connect(partial(self._refuse, f"Weight of {head}" if head else words, kind))
        self._grid.addWidget(name, row, 0)
        self._grid.addWidget(mark, row, 1)
        self._grid.addWidget(field, row, 2)
        self.rows[about] = Row(about, name, field, mark)

    def _refuse(self, name: str, kind: str, text: str) -> None:
        least, most = RANGES[kind]
        said = f"you entered {text.strip()}" if text.strip() else "the field is empty"
        self.refused.emit(f"{name} must be from {least:g} to {most:g} ({said}).")

    def _mark(self) -> None:
        for row in self.rows.values():
            mark = "↵" if row.field.edited else "…" if self._waiting.get(row.about) else ""
            row.mark.setText(mark)
            row.mark.setToolTip(self._tips[mark])
            row.field.setAccessibleDescription(self._tips[mark])
        marks = {row.mark.text() for row in self.rows.values()}
        self._hint.setText(next(text for mark, text in _HINTS.items() if mark in (*marks, "")))
        self._hint.setVisible(self._usable)

    def _restyle(self) -> None:
        for title in self._titles:
            title.setFont(self._theme.font(bold=True))
        scale = self._theme.points / BODY_POINTS
        for row in self.rows.values():
            row.mark.setFont(self._theme.font(bold=True))
            row.mark.setFixedWidth(round(_MARK * scale))
            wide, metrics = round(_NAME * scale), QFontMetrics(self._theme.font())
            words = row.name.accessibleName()
            row.name.setText(metrics.elidedText(words, Qt.TextElideMode.ElideRight, wide))
            row.name.setFixedWidth(wide)
        self._grid.setColumnMinimumWidth(1, round(_MARK * scale))


class _Wish:
    """A request for the number that a field emits; a lambda in a loop would see the last head."""

    def __init__(self, numbers: Numbers, kind: str, head: str) -> None:
        self._numbers, self._kind, self._head = numbers, kind, head or None

    def __call__(self, value: float) -> None:
        self._numbers.asked.emit(Request(self._kind, value, self._head))
