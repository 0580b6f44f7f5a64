"""Preview of the findings in a user's files, before a training."""

import json
from typing import Any

from PySide6.QtCore import QProcess, Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from ed_viewer.new_run.command import plugins, program
from ed_viewer.stage.central_area import Banner
from ed_viewer.style.text import muted, plain
from ed_viewer.style.theme import Theme

_PAUSE = 700  # milliseconds without another key
_PATIENCE = 2000  # milliseconds that a killed process gets to go
_ABOUT = 130  # pixels: as wide as the names of the fields above
_LOOKING = "Reading the data …"


class DataLook(QWidget):
    """Findings of `edkit data`: a line for each, with the option that changes it.

    Signals:
        looked: `fields` are known.

    Attributes:
        fields: the names of those in the data, () while they are not known.
    """

    looked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._data = ""
        self.fields: tuple[str, ...] = ()
        self._lines: list[tuple[QLabel, QLabel]] = []
        self._heading = plain(QLabel("Found in the data"))
        self._words = muted(plain(QLabel()))
        self._words.setWordWrap(True)
        self._problem = Banner(theme)
        self._rows = QWidget()
        self._grid = QGridLayout(self._rows)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnMinimumWidth(0, _ABOUT)
        self._grid.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 8)
        layout.setSpacing(6)
        for widget in (self._heading, self._words, self._problem, self._rows):
            layout.addWidget(widget)
        self._process = QProcess(self)
        self._process.finished.connect(self._finish)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE)
        self._pause.timeout.connect(self._ask)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.hide()

    @property
    def text(self) -> str:
        """All that it says, line by line."""
        labels = [self._words.text(), self._problem.text]
        labels += [f"{about.text()}  {words.text()}" for about, words in self._lines]
        return "\n".join(filter(None, labels))

    def look(self, data: str) -> None:
        """Look at a data set in a moment.

        Args:
            data: with its options, as `--data` takes it; "" where there is no file to look at.
        """
        if data == self._data:
            return
        self._data, self.fields = data, ()
        self._stop()
        self.setVisible(bool(data))
        self._say(_LOOKING if data else "")
        if data:
            self._pause.start()

    def end(self) -> None:
        """Look no more."""
        self.look("")

    def _ask(self) -> None:
        command = [*program(), "data", self._data, "--json", *plugins()]
        self._process.start(command[0], command[1:])

    def _stop(self) -> None:
        self._pause.stop()
        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.blockSignals(True)
            self._process.kill()
            self._process.waitForFinished(_PATIENCE)
            self._process.blockSignals(False)

    def _finish(self, status: int, how: QProcess.ExitStatus) -> None:
        errors = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
        output = bytes(self._process.readAllStandardOutput().data()).decode(errors="replace")
        if how != QProcess.ExitStatus.NormalExit or status:
            lines = errors.strip().splitlines() or [f"edkit data ended with status {status}."]
            self._say("", lines[-1].removeprefix("edkit: "))
            return
        self._show(json.loads(output))

    def _show(self, facts: dict[str, Any]) -> None:
        shapes = (f"{name} {_shape(field)}" for name, field in facts["fields"].items())
        counts = (f"{split} {samples:,}" for split, samples in facts["splits"].items())
        self._say(f"{', '.join(shapes)}. Samples: {', '.join(counts)}.")
        self.fields = tuple(facts["fields"])
        self.looked.emit()
        before = ""
        for row, finding in enumerate(facts["findings"]):
            about = plain(QLabel(finding["about"] if finding["about"] != before else ""))
            before = finding["about"]
            count, option = finding["left_out"], finding["option"]
            left_out = f"{count:,} left out: " if count else ""
            otherwise = f" ({option})" if option else ""
            words = plain(QLabel(f"{left_out}{finding['text']}{otherwise}"))
            words.setWordWrap(True)
            words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._grid.addWidget(about, row, 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(words, row, 1)
            self._lines.append((about, words))

    def _say(self, words: str, problem: str = "") -> None:
        self._words.setText(words)
        self._words.setVisible(bool(words))
        self._problem.say(problem)
        for label in (label for line in self._lines for label in line):
            self._grid.removeWidget(label)
            label.deleteLater()
        self._lines.clear()

    def _restyle(self) -> None:
        self._heading.setFont(self._theme.font(1.15, bold=True))


def _shape(field: dict[str, Any]) -> str:
    """Return a field's kind and shape, as the command says them."""
    size = " x ".join(map(str, field["shape"]))
    return f"({field['kind']}{f', {size}' if size else ''})"
