"""Fields of the form, one class for each type of option."""

import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QMenu,
    QToolButton,
    QWidget,
)

from ed_viewer.new_run.catalogue import HeadFacts, OptionFacts
from ed_viewer.new_run.command import option_words
from ed_viewer.reading.messages import RunEntry
from ed_viewer.reading.run_names import name_and_time
from ed_viewer.style.text import titled
from ed_viewer.widgets.controls import CheckBox, PathLine

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "ints": "whole numbers such as 512,256",
}
_EMPTY_IS_A_VALUE = ("ints", "str")
_READERS: dict[str, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "ints": lambda text: [int(part) for part in text.split(",") if part.strip()],
}
_NO_RUN = "none"


def written(value: Any) -> str:
    """Return a value as it is typed on the command line; "" for none."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return "" if value is None else str(value)


class OptionField(QWidget):
    """Base of all fields.

    Signals:
        changed: it holds another value.
    """

    changed = Signal()

    def __init__(self, option: OptionFacts, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.option = option
        self.row = QHBoxLayout(self)
        self.row.setContentsMargins(0, 0, 0, 0)
        self.row.setSpacing(4)

    def text(self) -> str:
        """Return what it holds, as it is typed on the command line."""
        return self._text()

    def set_text(self, text: str) -> None:
        """Hold another value."""
        self._set_text(text)

    def reset(self) -> None:
        """Hold the default."""
        self.set_text(written(self.option.default))

    @property
    def is_default(self) -> bool:
        """Whether nothing need be said of it on the command line."""
        text, default = self.text(), written(self.option.default)
        if not text and self.option.type not in _EMPTY_IS_A_VALUE:
            return True
        return self._meaning(text) == self._meaning(default)

    @property
    def refused(self) -> str:
        """Why what it holds cannot be meant, in one line, or ""."""
        text = self.text()
        if not text or not isinstance(self._meaning(text), str):
            return ""
        kind = _KINDS.get(self.option.type, "")
        return f"{titled(self.option.name)} must be {kind} (you entered {text})" if kind else ""

    def arguments(self) -> list[str]:
        """Return what stands on the command line: nothing for the default, or without a flag."""
        return self._arguments() if self.option.flag and not self.is_default else []

    def _text(self) -> str:
        raise NotImplementedError

    def _set_text(self, text: str) -> None:
        raise NotImplementedError

    def _arguments(self) -> list[str]:
        return option_words(self.option.flag, self.text())

    def _hold(self, widget: QWidget) -> None:
        widget.setAccessibleName(self.option.name)
        self.setFocusProxy(widget)
        self.row.addWidget(widget, 1)

    def _meaning(self, text: str) -> Any:
        try:
            return _READERS.get(self.option.type, str)(text)
        except ValueError:
            return text


class LineField(OptionField):
    """A number, a list of whole numbers, or a text."""

    def __init__(self, option: OptionFacts, parent: QWidget | None = None) -> None:
        super().__init__(option, parent)
        self.line = self._new_line()
        self.line.setPlaceholderText(self._unsaid())
        self._hold(self.line)
        self.reset()
        self.line.textChanged.connect(self.changed)

    def _new_line(self) -> QLineEdit:
        return QLineEdit()

    def _unsaid(self) -> str:
        """Return what stands in the field while it is empty; nothing where its help says it."""
        if self.option.default is None:
            return "automatic"
        return "none" if self.option.type == "ints" else written(self.option.default)

    def _text(self) -> str:
        return self.line.text().strip()

    def _set_text(self, text: str) -> None:
        self.line.setText(text)


class CheckField(OptionField):
    """Yes or no."""

    def __init__(self, option: OptionFacts, parent: QWidget | None = None) -> None:
        super().__init__(option, parent)
        self.box = CheckBox()
        self._hold(self.box)
        self.row.addStretch(1)
        self.reset()
        self.box.toggled.connect(self.changed)

    def _text(self) -> str:
        return written(self.box.isChecked())

    def _set_text(self, text: str) -> None:
        self.box.setChecked(text == "yes")

    def _arguments(self) -> list[str]:
        return [self.option.flag] if self.option.type == "flag" else super()._arguments()


class ChoiceField(OptionField):
    """One of a few."""

    def __init__(self, option: OptionFacts, parent: QWidget | None = None) -> None:
        super().__init__(option, parent)
        self.box = Chooser()
        self.box.addItems(option.choices)
        self._hold(self.box)
        self.reset()
        self.box.currentTextChanged.connect(self.changed)

    def _text(self) -> str:
        return self.box.currentText()

    def _set_text(self, text: str) -> None:
        self.box.setCurrentText(text)


class Chooser(QComboBox):
    """A combo box that a wheel does not change while the form is scrolled."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802, D102
        event.ignore()


class PathField(LineField):
    """A path, typed, chosen or dropped."""

    def __init__(self, option: OptionFacts, parent: QWidget | None = None) -> None:
        super().__init__(option, parent)
        self.browse = QToolButton()
        self.browse.setText("…")
        self.browse.setToolTip("Choose a file or a folder")
        self.browse.setAccessibleName(f"Choose {option.name}")
        self.browse.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self.browse)
        menu.addAction("File …", self._ask_for_file)
        menu.addAction("Folder …", self._ask_for_folder)
        self.browse.setMenu(menu)
        self.row.addWidget(self.browse)

    def _new_line(self) -> QLineEdit:
        line = PathLine()
        line.dropped.connect(line.replace)
        return line

    def _ask_for_file(self) -> None:
        self._take(QFileDialog.getOpenFileName(self, "Choose a file", self.text())[0])

    def _ask_for_folder(self) -> None:
        self._take(QFileDialog.getExistingDirectory(self, "Choose a folder", self.text()))

    def _take(self, chosen: str) -> None:
        if chosen:
            self.set_text(chosen)


class RunField(OptionField):
    """A run, chosen from those of the window or from elsewhere."""

    def __init__(self, option: OptionFacts, parent: QWidget | None = None) -> None:
        super().__init__(option, parent)
        self.box = Chooser()
        self.box.addItem(_NO_RUN, "")
        self._hold(self.box)
        browse = QToolButton()
        browse.setText("…")
        browse.setToolTip("Choose the folder of another run")
        browse.setAccessibleName(f"Choose {option.name}")
        browse.clicked.connect(self._ask)
        self.row.addWidget(browse)
        self.box.currentIndexChanged.connect(self.changed)

    def show_runs(self, entries: Sequence[RunEntry]) -> None:
        """Offer these runs; what is chosen stays chosen."""
        chosen = self.text()
        self.box.blockSignals(True)
        self.box.clear()
        self.box.addItem(_NO_RUN, "")
        for entry in entries:
            name, began = name_and_time(entry.path.name)
            self.box.addItem(f"{name}  {began}", str(entry.path))
        self.set_text(chosen)
        self.box.blockSignals(False)

    def _text(self) -> str:
        return str(self.box.currentData() or "")

    def _set_text(self, text: str) -> None:
        if self.box.findData(text) < 0:
            self.box.addItem(Path(text).name, text)
        self.box.setCurrentIndex(self.box.findData(text))

    def _ask(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, "Choose a run")
        if chosen:
            self.set_text(chosen)


class PairsField(LineField):
    """What may be given many times, such as HEAD=X; separated by spaces, quoted as in a shell."""

    def _unsaid(self) -> str:
        return self.option.metavar

    def _arguments(self) -> list[str]:
        try:
            pairs = shlex.split(self.text())
        except ValueError:  # a quote that is not closed
            pairs = [self.text()]
        return [part for pair in pairs for part in option_words(self.option.flag, pair)]


class WeightField(LineField):
    """The weight of a head."""

    def __init__(self, head: HeadFacts, flag: str, parent: QWidget | None = None) -> None:
        super().__init__(OptionFacts(head.name, "float", head.weight, flag=flag), parent)

    def _arguments(self) -> list[str]:
        return option_words(self.option.flag, f"{self.option.name}={self.text()}")


_FIELDS: dict[str, type[OptionField]] = {
    "bool": CheckField,
    "flag": CheckField,
    "choice": ChoiceField,
    "path": PathField,
    "run": RunField,
    "pairs": PairsField,
}


def field_for(option: OptionFacts) -> OptionField:
    """Return a field for an option; a text field for an unknown type."""
    return _FIELDS.get(option.type, LineField)(option)
