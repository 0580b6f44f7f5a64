"""Editor of one latent code: its decoded picture, its class and a slider for each unit."""

import numpy as np
from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QComboBox,
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from ed_viewer.decoding.client import DecoderAnswer, DecoderClient, DecoderState
from ed_viewer.panels.latent.decoded_view import DecodedView
from ed_viewer.style.text import grouped, muted, plain, signed
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.controls import Slider

_MINUS = "\N{MINUS SIGN}"
_ROWS = 16  # rows made at a time: a code may have thousands of numbers
_STEPS = 500  # of a slider, from its middle to its end
_LARGEST, _DECIMALS = 1e30, 12  # of a number
_SMALL, _WIDE = 1e-3, 99.995  # below and from here on a power of ten is shorter
_FEW = 3  # rows that need no scrolling
_UNBOUNDED = 2**24 - 1  # Qt's word for no limit
_TOPIC = "hand"
_WIDTH = 216  # pixels: smallest width of the editor


class _Number(QDoubleSpinBox):
    """Number field that shows a true minus sign and also accepts a hyphen."""

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.fit()

    def fit(self) -> None:
        """Be as wide as two digits before the point need, or a small power of ten."""
        wide = map(self.fontMetrics().horizontalAdvance, ("−00.00", "−0e−00"))
        self.setFixedWidth(max(wide) + 14)

    def textFromValue(self, value: float) -> str:  # noqa: N802
        size = abs(value)  # two or three digits, in as many letters as there is room for
        if value == 0 or _SMALL <= size < _WIDE:
            return signed(f"{value:.{2 if value == 0 or size >= 0.1 else 3}f}")
        digits = 1 if _WIDE <= size < 1e10 else 0
        return signed(
            f"{value:.{digits}e}".replace("e-0", "e-").replace("e+0", "e").replace("+", "")
        )

    def valueFromText(self, text: str) -> float:  # noqa: N802
        try:
            return float(text.replace(_MINUS, "-"))
        except ValueError:  # a point or a comma as the locale has it
            return super().valueFromText(text.replace(_MINUS, "-"))

    def validate(self, text: str, position: int) -> object:
        state = super().validate(text.replace(_MINUS, "-"), position)
        state = state[0] if isinstance(state, tuple) else state
        return state, signed(text), position


class CodeSliders(QScrollArea):
    """Rows of number, slider and value, one a unit; more are made on scrolling down.

    Signals:
        edited: (unit, value) that the user set.
    """

    edited = Signal(int, float)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._order = np.empty(0, np.int64)
        self._low = self._high = np.empty(0)
        self._code = np.empty(0)
        self.rows: list[tuple[QLabel, Slider, QDoubleSpinBox]] = []
        body = QWidget()
        self._grid = QGridLayout()
        self._grid.setContentsMargins(0, 0, 8, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._grid)
        layout.addStretch(1)
        self.setWidget(body)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self.setAccessibleName("Units of the code")
        self.verticalScrollBar().valueChanged.connect(self._on_scroll)
        body.setAutoFillBackground(False)
        self.viewport().setAutoFillBackground(False)

    def sizeHint(self) -> QSize:  # noqa: N802, D102
        rows = min(max(len(self._order), 1), _ROWS)
        return QSize(200, rows * (self.fontMetrics().height() + 12))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the size at which no number is cut (called by Qt)."""
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(self._grid.minimumSize().width() + bar, 0)

    @property
    def order(self) -> np.ndarray:
        """The units, in the order of their rows."""
        return self._order

    def set_ranges(self, order: np.ndarray, low: np.ndarray, high: np.ndarray) -> None:
        """Show units in this order (latent,), each from its low to its high."""
        self._low, self._high = low, np.maximum(high, low + 1e-3)
        if len(order) != len(self._order):
            self._code = np.zeros(len(order))
        self._order = order
        while len(self.rows) < min(_ROWS, len(order)):
            self._add()
        few = len(order) <= _FEW
        self.setMaximumHeight(self.sizeHint().height() if few else _UNBOUNDED)
        self.setMinimumHeight(self.sizeHint().height() if few else 80)
        self.updateGeometry()
        self._refresh()

    def show_code(self, code: np.ndarray) -> None:
        """Show the values of a code (latent,)."""
        self._code = np.array(code)
        self._refresh()

    def _refresh(self) -> None:
        for row, (label, slider, box) in enumerate(self.rows):
            there = row < len(self._order)
            for widget in (label, slider, box):
                widget.setVisible(there)
            if not there:
                continue
            unit = int(self._order[row])
            value = float(self._code[unit])
            label.setText(f"code {unit + 1}")
            for control in (slider, box):
                control.setAccessibleName(f"code {unit + 1}")
                control.blockSignals(True)
            if not slider.isSliderDown():
                slider.setValue(round((self._share(unit, value) - 0.5) * 2 * _STEPS))
            box.setSingleStep((self._high[unit] - self._low[unit]) / 50)
            box.setValue(min(max(value, -_LARGEST), _LARGEST))
            for control in (slider, box):
                control.blockSignals(False)

    def _share(self, unit: int, value: float) -> float:
        low, high = self._low[unit], self._high[unit]
        return float(np.clip((value - low) / (high - low), 0, 1))

    def _add(self) -> None:
        row = len(self.rows)
        label = muted(plain(QLabel()))
        slider = Slider(self._theme)
        slider.setRange(-_STEPS, _STEPS)
        box = _Number()
        box.setRange(-_LARGEST, _LARGEST)
        box.setDecimals(_DECIMALS)
        box.setKeyboardTracking(False)
        box.setButtonSymbols(QAbstractSpinBox.ButtonSymbols.NoButtons)
        box.setAlignment(Qt.AlignmentFlag.AlignRight)
        box.fit()
        slider.valueChanged.connect(lambda at: self._on_slider(row, at))
        box.valueChanged.connect(lambda value: self._on_value(row, value))
        for column, widget in enumerate((label, slider, box)):
            self._grid.addWidget(widget, row, column)
        self.rows.append((label, slider, box))

    def _on_slider(self, row: int, at: int) -> None:
        unit = int(self._order[row])
        low, high = self._low[unit], self._high[unit]
        self._on_value(row, float(low + (high - low) * (at / _STEPS + 1) / 2))

    def _on_value(self, row: int, value: float) -> None:
        unit = int(self._order[row])
        self._code[unit] = value
        self.edited.emit(unit, value)

    def _on_scroll(self, at: int) -> None:
        if at >= self.verticalScrollBar().maximum() - 8 and len(self.rows) < len(self._order):
            for _ in range(min(_ROWS, len(self._order) - len(self.rows))):
                self._add()
            self._refresh()


class CodeEditor(QWidget):
    """Editor of one code, with its decoded output.

    Args:
        decoder: that decodes it.
        theme: colours and type.
        columns: the names of the columns of the table whose rows are decoded, () for none.

    Signals:
        edited: the code (latent,) that the user has set by its numbers.
        relabelled: another class was chosen; `label` says which.
    """

    edited = Signal(object)
    relabelled = Signal()

    def __init__(
        self,
        decoder: DecoderClient,
        theme: Theme,
        columns: tuple[str, ...] = (),
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._decoder = decoder
        self.code = np.empty(0)
        self.picture = DecodedView(theme, columns=columns)
        self.picture.setMinimumSize(64, 64)
        self.weights = muted(plain(QLabel()))
        self.weights.setWordWrap(True)
        self.classes = QComboBox()
        self.classes.setAccessibleName("Class given to the decoder")
        self.classes.setToolTip("Class given to the decoder")
        self.classes.currentIndexChanged.connect(self._relabel)
        self._told = QWidget()
        class_row = QHBoxLayout(self._told)
        class_row.setContentsMargins(0, 0, 0, 0)
        class_row.addWidget(muted(plain(QLabel("class"))))
        class_row.addWidget(self.classes, 1)
        self._told.hide()
        self.units = CodeSliders(theme)
        self.units.edited.connect(self._edit)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.picture, 3)
        layout.addWidget(self.weights)
        layout.addWidget(self._told)
        layout.addWidget(self.units, 2)
        layout.addStretch()
        decoder.changed.connect(self._on_change)
        decoder.answered.connect(self._on_answer)
        self._on_change()

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        # A picture seldom is higher than wide; what stands below it stays close to it.
        self.picture.setMaximumHeight(max(self.width(), _WIDTH))

    def minimumSizeHint(self) -> QSize:  # noqa: N802, D102
        least = super().minimumSizeHint()
        return least.expandedTo(QSize(_WIDTH, 0))

    @property
    def label(self) -> int:
        """The number of the class given to the decoder."""
        return max(self.classes.currentIndex(), 0)

    def show_code(self, code: np.ndarray) -> None:
        """Take a code (latent,) and ask for its picture."""
        self.code = code
        self.units.show_code(code)
        self.ask()

    def ask(self) -> None:
        """Ask for the picture of the code, with the weights of the step where the cursor is."""
        if len(self.code):
            self._decoder.decode(_TOPIC, self.code[None], self.label)

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        self.picture.restyle()

    def _edit(self, unit: int, value: float) -> None:
        self.code = np.array(self.code)
        self.code[unit] = value
        self.edited.emit(self.code)

    def _relabel(self) -> None:
        self.ask()
        self.relabelled.emit()

    def _on_change(self) -> None:
        decoder = self._decoder
        if decoder.state is DecoderState.READY and self.classes.count() != len(decoder.classes):
            self.classes.blockSignals(True)
            self.classes.clear()
            self.classes.addItems(decoder.classes)
            self.classes.blockSignals(False)
            self._told.setVisible(len(decoder.classes) > 0)
        self.picture.say(decoder.words)
        if decoder.words and len(self.picture.outputs):
            self.weights.setText(decoder.words)

    def _on_answer(self, answer: DecoderAnswer) -> None:
        if answer.topic != _TOPIC:
            return
        if answer.why:
            self.picture.say(answer.why)
            self.weights.setText(answer.why if len(self.picture.outputs) else "")
            return
        self.picture.show_outputs(answer.arrays["outputs"])
        self.weights.setText(weights_caption(answer.step, self._decoder.step))


def weights_caption(step: int | None, requested: int) -> str:
    """Return the caption about the weights used."""
    if step is None:
        return "decoded with the final weights"
    caption = f"decoded with checkpoint {grouped(step)}"
    return caption if step == requested else f"{caption} (step {grouped(requested)} not kept)"
