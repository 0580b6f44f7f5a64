"""Rows of numbers that can be set: name, field, and a mark while a request waits."""

from dataclasses import dataclass
from functools import partial
from math import isfinite, nan
from typing import ClassVar

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFontMetrics, QKeyEvent, QValidator, QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox, QGridLayout, QLabel, QWidget

from ed_core.recording.control import RANGES, Request
from ed_viewer.steering.trainer_state import TrainerState, Waiting
from ed_viewer.style.text import muted, plain, tip, titled
from ed_viewer.style.theme import BODY_POINTS, Theme

_STEPS = 10  # from a number to ten times it
_SMALLEST = 1e-6  # below it a step down leads to 0, and the first step up from 0 to 0.001
_FIRST = 1e-3
_ANY, _DECIMALS = 1e300, 60  # any number that a trainer may hold
_LETTERS = set("0123456789.,eE+-")
_LONGEST, _BUTTONS = "0.0001234", 36  # a number, and pixels beside it
_NAME = 108  # pixels
_MARK = 18
_HINTS = {
    "↵": "Enter: apply, Esc: cancel",
    "…": "Waiting for the trainer to finish its step",
    "": "↑ ↓ change by 25 %; press Enter to apply",
}


class NumberField(QDoubleSpinBox):
    """Field of the trainer's number; typed text is a request only after Enter.

    The arrow keys go a tenth of a decade up or down, Page Up and Page Down a whole one, Escape
    takes an edit back.

    Args:
        least, largest: of the numbers that may be asked for.

    Signals:
        applied: the number that is asked for.
        refused: what was typed instead of such a number; it stays, to be mended.
        changed: whether an edit waits for Enter has changed.
    """

    applied = Signal(float)
    refused = Signal(str)
    changed = Signal()

    def __init__(self, least: float, largest: float, parent: QWidget | None = None) -> None:
        self.edited = False
        self._held = nan  # until it is known
        super().__init__(parent)
        self._asked = (least, largest)
        self.setDecimals(_DECIMALS)
        self.setRange(
            -_ANY, _ANY
        )  # the trainer's number is shown even outside the range of requests
        self.setKeyboardTracking(False)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._make_room()
        self.lineEdit().textEdited.connect(self._edit)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        """Have room for larger type (called by Qt)."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._make_room()

    def _make_room(self) -> None:
        self.setMinimumWidth(self.fontMetrics().horizontalAdvance(_LONGEST) + _BUTTONS)

    def show_number(self, number: float) -> None:
        """Show what is held now, unless an edit is under way."""
        if not isfinite(number):
            return
        first, self._held = not isfinite(self._held), number
        if not self.edited and (first or self.value() != number):
            selected = self.lineEdit().hasSelectedText()
            self.setValue(number)
            self.lineEdit().setText(self.textFromValue(self.value()))
            if selected:  # to be typed over
                self.selectAll()

    def take_back(self) -> None:
        """Forget an edit."""
        self._set_edited(False)
        if isfinite(self._held):
            self.setValue(self._held)
            self.lineEdit().setText(self.textFromValue(self.value()))

    def stepBy(self, steps: int) -> None:  # noqa: N802, D102
        value = self.value() * 10 ** (steps / _STEPS)
        if self.value() == 0.0:
            value = _FIRST if steps > 0 else 0.0
        elif self._asked[0] == 0.0 and value < _SMALLEST:
            value = 0.0
        self.setValue(min(max(float(f"{value:.3g}"), self._asked[0]), self._asked[1]))
        self.selectAll()
        self._edit()

    def textFromValue(self, value: float) -> str:  # noqa: N802, D102
        visible = self.edited or isfinite(self._held)
        return f"{value:.4g}" if visible else "–"

    def valueFromText(self, text: str) -> float:  # noqa: N802, D102
        number = _parsed(text)
        return self.value() if number is None else number

    def validate(self, text: str, position: int) -> tuple[QValidator.State, str, int]:  # noqa: D102
        number = _parsed(text)
        good = number is not None and self._asked[0] <= number <= self._asked[1]
        if good:
            return QValidator.State.Acceptable, text, position
        half = set(text) <= _LETTERS
        return QValidator.State.Intermediate if half else QValidator.State.Invalid, text, position

    def event(self, event: QEvent) -> bool:
        """Keep Escape, a shortcut of the window, for an edit that is under way."""
        escape = isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
        if escape and self.edited and event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802, D102
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._apply()
        elif event.key() == Qt.Key.Key_Escape:
            self.take_back()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:  # noqa: N802
        """Take an edit back that Qt drops, as it is no number that may be asked for."""
        stays = self.hasAcceptableInput()
        super().focusOutEvent(event)
        if self.edited and not stays:
            self.take_back()

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802, D102
        event.ignore()  # scrolling past a field must not change it

    def _apply(self) -> None:
        if not self.hasAcceptableInput():
            self.refused.emit(self.lineEdit().text())
            self.selectAll()
            return
        self.interpretText()
        self._set_edited(False)
        self.selectAll()
        self.applied.emit(self.value())

    def _edit(self, _: str = "") -> None:
        self._set_edited(True)

    def _set_edited(self, on: bool) -> None:
        if on != self.edited:
            self.edited = on
            self.changed.emit()


def _parsed(text: str) -> float | None:
    try:
        number = float(text.strip().replace(",", "."))
    except ValueError:
        return None
    return number if isfinite(number) else None


@dataclass(slots=True)
class NumberRow:
    """The widgets of a number, and what it is about: `learning_rate` or `weight NAME`."""

    about: str
    name: QLabel
    field: NumberField
    mark: QLabel


class Numbers(QWidget):
    """The learning rate, and the weight lambda of every head.

    Signals:
        asked: a Request.
        refused: why a number that was typed cannot be asked for, "" once it is gone.
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
        self.rows: dict[str, NumberRow] = {}
        self._titles: list[QLabel] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(6)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(2, 1)
        self._grid.setColumnMinimumWidth(1, _MARK)
        theme.changed.connect(self._restyle)

    def show_trainer(self, trainer: TrainerState, waiting: Waiting) -> None:
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
        field.changed.connect(partial(self._on_edited, field))
        field.applied.connect(partial(self._ask, kind, head or None))
        field.refused.connect(partial(self._refuse, f"Weight of {head}" if head else words, kind))
        self._grid.addWidget(name, row, 0)
        self._grid.addWidget(mark, row, 1)
        self._grid.addWidget(field, row, 2)
        self.rows[about] = NumberRow(about, name, field, mark)

    def _on_edited(self, field: NumberField) -> None:
        if not field.edited:
            self.refused.emit("")
        self._mark()

    def _ask(self, kind: str, head: str | None, value: float) -> None:
        self.asked.emit(Request(kind, value, head))

    def _refuse(self, name: str, kind: str, text: str) -> None:
        least, most = RANGES[kind]
        received = f"you entered {text.strip()}" if text.strip() else "the field is empty"
        self.refused.emit(f"{name} must be from {least:g} to {most:g} ({received}).")

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
