"""The fields of options that name a file, a folder or a run, and of those given many times."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QMenu, QToolButton, QWidget

from ed_viewer.launch.catalogue import Head, Option
from ed_viewer.launch.command import given
from ed_viewer.launch.fields import CheckField, ChoiceField, Chooser, Field, LineField
from ed_viewer.messages import RunEntry
from ed_viewer.runs_list import name_and_time

_NO_RUN = "none"


class PathField(LineField):
    """A path, typed or chosen."""

    def __init__(self, option: Option, parent: QWidget | None = None) -> None:
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

    def _ask_for_file(self) -> None:
        self._take(QFileDialog.getOpenFileName(self, "Choose a file", self.text())[0])

    def _ask_for_folder(self) -> None:
        self._take(QFileDialog.getExistingDirectory(self, "Choose a folder", self.text()))

    def _take(self, chosen: str) -> None:
        if chosen:
            self.set_text(chosen)


class RunField(Field):
    """A run, chosen from those of the window or from elsewhere."""

    def __init__(self, option: Option, parent: QWidget | None = None) -> None:
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
        return [part for pair in pairs for part in given(self.option.flag, pair)]


class WeightField(LineField):
    """The weight of a head."""

    def __init__(self, head: Head, flag: str, parent: QWidget | None = None) -> None:
        super().__init__(Option(head.name, "float", head.weight, flag=flag), parent)

    def _arguments(self) -> list[str]:
        return given(self.option.flag, f"{self.option.name}={self.text()}")


_FIELDS: dict[str, type[Field]] = {
    "bool": CheckField,
    "flag": CheckField,
    "choice": ChoiceField,
    "path": PathField,
    "run": RunField,
    "pairs": PairsField,
}


def field_for(option: Option) -> Field:
    """Return a field for an option; of a type that nobody knows it is a text."""
    return _FIELDS.get(option.type, LineField)(option)
