"""Export dialog: target, format and file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from ed_viewer.export.movie import missing_dependency
from ed_viewer.export.targets import Target
from ed_viewer.style.text import muted, plain
from ed_viewer.widgets.controls import PathLine, folder_at, without_icons

FORMATS = {
    "png": "PNG (bitmap)",
    "svg": "SVG (vector)",
    "pdf": "PDF (vector)",
    "gif": "GIF (animation)",
    "mp4": "MP4 (video)",
    "npz": "NPZ (arrays)",
}


@dataclass(frozen=True, slots=True)
class ExportChoice:
    """Choice of the user.

    Attributes:
        target: the name of the thing.
        kind: a key of `FORMATS`.
        file: where to.
    """

    target: str
    kind: str
    file: Path


class ExportDialog(QDialog):
    """Dialog with a small form; `choice` is its result once it has been accepted.

    Args:
        targets: what can be taken.
        folder: that is offered.
        name: of the file, without its ending.
        parent: the window.
    """

    def __init__(self, targets: Sequence[Target], folder: Path, name: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Export")
        self._kinds = {target.name: target.kinds for target in targets}
        self.what, self.kind = QComboBox(), QComboBox()
        for target in targets:
            self.what.addItem(target.words, target.name)
        self.file = PathLine(str(folder / name))
        self.file.setMinimumWidth(520)
        self._note = muted(plain(QLabel()))
        browse = QPushButton("Browse …")
        browse.setAutoDefault(False)
        browse.clicked.connect(self._browse)
        where = QHBoxLayout()
        where.addWidget(self.file, 1)
        where.addWidget(browse)
        form = QFormLayout()
        form.setVerticalSpacing(12)
        form.addRow("&What", self.what)
        form.addRow("&As", self.kind)
        label = QLabel("&File")
        label.setBuddy(self.file)
        form.addRow(label, where)
        form.addRow("", self._note)
        standard = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(standard.Save | standard.Cancel)
        without_icons(self.buttons)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 16)
        layout.setSpacing(16)
        layout.addLayout(form)
        layout.addWidget(self.buttons)
        self.what.currentIndexChanged.connect(self._offer_kinds)
        self.kind.currentIndexChanged.connect(self._check)
        self.file.textChanged.connect(self._check)
        self.file.dropped.connect(self._take_place)
        for box, words in ((self.what, "What to export"), (self.kind, "Format")):
            box.setAccessibleName(words)
        self.file.setAccessibleName("File")
        self._offer_kinds()

    @property
    def choice(self) -> ExportChoice:
        """What is asked for now; the file ends in its kind."""
        kind = str(self.kind.currentData())
        file = Path(self.file.text().strip()).expanduser()
        if file.suffix.lower().removeprefix(".") in FORMATS:
            file = file.with_suffix("")
        named = file.with_name(f"{file.name}.{kind}")
        return ExportChoice(str(self.what.currentData()), kind, named)

    def choose(self, target: str, kind: str) -> None:
        """Set what (its name) and as what."""
        self.what.setCurrentIndex(max(self.what.findData(target), 0))
        self.kind.setCurrentIndex(max(self.kind.findData(kind), 0))

    def _offer_kinds(self) -> None:
        before = self.kind.currentData()
        self.kind.blockSignals(True)
        self.kind.clear()
        for kind in self._kinds[str(self.what.currentData())]:
            self.kind.addItem(FORMATS[kind], kind)
        self.kind.setCurrentIndex(max(self.kind.findData(before), 0))
        self.kind.blockSignals(False)
        self._check()

    def _check(self) -> None:
        text = self.file.text().strip()
        named = bool(text) and not text.endswith("/")
        why = missing_dependency(str(self.kind.currentData())) if named else "Enter a file name."
        self._note.setText(why or "Existing files are not overwritten; a number is appended.")
        self.buttons.button(QDialogButtonBox.StandardButton.Save).setEnabled(not why)

    def _browse(self) -> None:
        folder = QFileDialog.getExistingDirectory(
            self, "Folder", str(Path(self.file.text()).parent)
        )
        if folder:
            self._take_place(folder)

    def _take_place(self, place: str) -> None:
        """Write the file there, under the name that it has."""
        self.file.replace(str(folder_at(Path(place)) / Path(self.file.text()).name))
