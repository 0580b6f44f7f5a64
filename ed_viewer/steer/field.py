"""A field for a positive number of any size: steps are in proportion, Enter applies."""

from math import isfinite, nan

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QValidator, QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox, QWidget

_STEPS = 10  # from a number to ten times it
_SMALLEST = 1e-6  # below it a step down leads to 0, and the first step up from 0 to 0.001
_FIRST = 1e-3
_ANY, _DECIMALS = 1e300, 60  # any number that a trainer may hold
_LETTERS = set("0123456789.,eE+-")
_LONGEST, _BUTTONS = "0.0001234", 36  # a number, and pixels beside it


class NumberField(QDoubleSpinBox):
    """Shows a number that somebody else holds; what is typed is a wish until Enter is pressed.

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
        self.setRange(-_ANY, _ANY)  # what is held is shown as it is, also where nobody may ask it
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
            self.setValue(number)
            self.lineEdit().setText(self.textFromValue(self.value()))

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
        known = self.edited or isfinite(self._held)
        return f"{value:.4g}" if known else "–"

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
