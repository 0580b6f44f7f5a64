"""The sheet of a run: its options, its data, what was found in them, and the versions."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QLabel,
    QWidget,
)

from ed_core.recording.run_description import run_options, worded
from ed_viewer.reading.messages import RunEntry
from ed_viewer.style.text import muted, plain, plain_state, titled
from ed_viewer.style.theme import Theme
from ed_viewer.window.feature import Feature
from ed_viewer.window.key_sheet import fill_dialog
from ed_viewer.window.workbench import Workbench

_OF_THE_RUN = ("problem", "created", "ended", "epochs_done", "stopped_early", "host")
_OF_THE_DATA = ("samples", "fields", "fingerprint", "input")
_VERSIONS = ("keras", "versions", "plugins", "precision", "optimizer", "format")
_SIZE = (640, 640)  # pixels at most

Rows = list[tuple[str, str]]


class RunSheetFeature(Feature):
    """Opens the sheet of the open run, or of one in the list."""

    name = "sheet"

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        bench.runs.asked.connect(self.show_run)
        self.command(
            "options",
            "Show all options of the open run",
            "Ctrl+I",
            lambda: self.show_run(bench.session.path),
            menu="File",
        )

    def show_run(self, path: Path | None) -> None:
        """Show the sheet of a run."""
        entry = self.bench.runs.entry(path)
        if entry is None:
            self.bench.status.show_message("No run is open: its options would stand here.")
        else:
            RunSheet(entry, self.bench.theme, self.bench).open()


class RunSheet(QDialog):
    """All that `run.json` says, in sections; its words can be selected and copied."""

    def __init__(self, entry: RunEntry, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(entry.path.name)
        sheet = QWidget()
        grid = QGridLayout(sheet)
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(1, 1)
        for title, rows in sections(entry):
            head = plain(QLabel(title))
            head.setFont(theme.font(bold=True))
            head.setContentsMargins(0, 12 if grid.rowCount() > 1 else 0, 0, 0)
            grid.addWidget(head, grid.rowCount(), 0, 1, 2)
            for name, words in rows:
                self._add(grid, name, words)
        grid.setRowStretch(grid.rowCount(), 1)
        fill_dialog(self, sheet)
        room = min(_SIZE[0], parent.width() - 40), min(_SIZE[1], parent.height() - 40)
        self.resize(room[0], min(room[1], sheet.sizeHint().height() + 120))

    def _add(self, grid: QGridLayout, name: str, words: str) -> None:
        row, top = grid.rowCount(), Qt.AlignmentFlag.AlignTop
        grid.addWidget(muted(plain(QLabel(name))), row, 0, top)
        said = plain(QLabel(words))
        said.setWordWrap(True)
        said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid.addWidget(said, row, 1, top)


def sections(entry: RunEntry) -> list[tuple[str, Rows]]:
    """Return what is known of a run, in sections of rows; what nobody knows stands in the last."""
    info = entry.info
    params = info.get("params")
    own = dict(params) if isinstance(params, Mapping) else {}
    training = {name: value for name, value in run_options(info).items() if name not in own}
    state = plain_state(entry.state)
    known = {"folder": str(entry.path), "state": state, "model": entry.model}
    used = {"status", "model", "params", *training, *_OF_THE_RUN, *_OF_THE_DATA, *_VERSIONS}
    found = [
        ("Run", _rows({**known, **_named(info, _OF_THE_RUN)})),
        ("Options of the model", _rows(own)),
        ("Training", _rows(training)),
        ("Data", list(_data(info))),
        ("Findings", list(_findings(info))),
        ("Versions", _rows(_named(info, _VERSIONS))),
        ("Others", _rows({k: v for k, v in info.items() if k not in used and v is not None})),
    ]
    return [(title, rows) for title, rows in found if rows]


def _named(info: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: info[name] for name in names if info.get(name) is not None}


def _rows(values: Mapping[str, Any]) -> Rows:
    return [(titled(str(name)), worded(value) or "none") for name, value in values.items()]


def _data(info: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the samples of each split, and of each field what it is."""
    yield from _rows(_named(info, ("samples",)))
    for split, facts in _mapping(info, "fingerprint").items():
        yield titled(f"samples_{split}"), worded(facts.get("samples", "unknown"))
    for name, facts in _mapping(info, "fields").items():
        shape = " × ".join(map(str, facts["shape"])) or "one number"
        classes = f", {len(facts['classes'])} classes" if facts["classes"] else ""
        yield titled(name), f"{facts['kind']}, {shape}{classes}"


def _findings(info: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what was found in the files, and what was fitted to them."""
    for finding in _mapping(info, "input").get("findings", ()):
        left_out = f" ({finding['left_out']} left out)" if finding.get("left_out") else ""
        yield str(finding["about"]), f"{finding['text']}{left_out}"
    fitted = _mapping(info, "input").get("fitted")
    if isinstance(fitted, Mapping) and fitted:
        yield "Fitted", worded(fitted)


def _mapping(info: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = info.get(name)
    return found if isinstance(found, Mapping) else {}
