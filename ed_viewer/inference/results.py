"""Results of a task: pictures beside their inputs, and the rows of a table."""

import csv
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QObject, QSize, Qt, QThread, Signal
from PySide6.QtGui import QIcon, QImage, QPixmap
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from ed_viewer.inference.task import MAPS, InferenceTask
from ed_viewer.style.pixels import finite, finite_range
from ed_viewer.style.text import number

SHOWN = 200  # rows
_SEEN = 20_000  # files that are looked at
_SIDE = 112  # pixels of a picture
_ENDINGS = {".png", ".tif", ".tiff", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".pgm", ".ppm"}
_MADE = {"reconstruct": "output", "segment": "prediction", "predict": "prediction"}  # as in panels
_OVERLAY = "_overlay"
_NAME = "name"


@dataclass(frozen=True, slots=True)
class ResultRow:
    """What was made of one sample.

    Attributes:
        name: of the sample.
        pictures: the columns of pictures to their files.
        words: the columns of a table to what stands there.
    """

    name: str
    pictures: Mapping[str, Path] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InferenceResults:
    """The first rows, and how many there are."""

    rows: Sequence[ResultRow]
    count: int


def read_results(task: InferenceTask) -> InferenceResults:
    """Return what a task has written; raise OSError or ValueError if it cannot be read."""
    inputs = _stems(task.input)
    table = task.folder / task.verb.file
    if task.verb.file and table.suffix == ".csv":
        maps = _stems(task.folder / MAPS)
        rows, count = [], 0
        with open(table, newline="", encoding="utf-8", errors="surrogateescape") as file:
            for count, entry in enumerate(csv.DictReader(file), 1):
                if count <= SHOWN:
                    rows.append(_row(entry, inputs, maps))
        return InferenceResults(rows, count)
    made = _stems(task.folder)
    overlays = {stem for stem in made if stem.endswith(_OVERLAY)}
    covered = {stem.removesuffix(_OVERLAY) for stem in overlays}
    stems = [stem for stem in made if stem not in covered]
    by_input: dict[str, dict[str, Path]] = {}
    for stem in stems:
        source = _source(stem, inputs)
        name = stem.removeprefix(source).strip("_") or _MADE.get(task.verb.name, task.verb.name)
        by_input.setdefault(source or stem, {})[name] = made[stem]
    rows = [ResultRow(stem, _beside(stem, inputs, files)) for stem, files in by_input.items()]
    return InferenceResults(rows[:SHOWN], len(rows))


def _row(
    entry: Mapping[str, str], inputs: Mapping[str, Path], maps: Mapping[str, Path]
) -> ResultRow:
    name = entry.get(_NAME, "")
    stem = str(Path(name).with_suffix("")) if Path(name).suffix.lower() in _ENDINGS else name
    words = {key: _short(value) for key, value in entry.items() if key and key != _NAME}
    heat = {"heat map": maps[stem]} if stem in maps else {}
    return ResultRow(name, _beside(stem, inputs, heat), words)


def _beside(stem: str, inputs: Mapping[str, Path], files: Mapping[str, Path]) -> dict[str, Path]:
    """Return the input, where it is a picture, and the pictures that were made of it."""
    return {**({"input": inputs[stem]} if stem in inputs else {}), **files}


def _source(stem: str, inputs: Mapping[str, Path]) -> str:
    """Return the input of a picture: of its name, or of a name that it begins with; or ""."""
    parts = stem.split("_")
    begins = ("_".join(parts[:end]) for end in range(len(parts), 0, -1))
    return next((begin for begin in begins if begin in inputs), "")


def _stems(path: Path) -> dict[str, Path]:
    """Return the pictures of a folder or the one of a file, by their names without an ending."""
    if path.is_file():
        return {path.stem: path} if path.suffix.lower() in _ENDINGS else {}
    files = islice(sorted(_visible(path)), _SEEN)
    return {str(file.relative_to(path).with_suffix("")): file for file in files}


def _visible(folder: Path) -> Iterator[Path]:
    for file in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if not hidden and file.suffix.lower() in _ENDINGS:
            yield file


def _short(text: str) -> str:
    try:
        return number(float(text))
    except ValueError:
        return text


def thumbnail(file: Path, side: int = _SIDE) -> QImage:
    """Return a picture as it is shown: large ones averaged, small ones in whole pixels.

    What has more than 8 bits is shown from its lowest to its highest value.
    """
    with Image.open(file) as opened:
        picture: Image.Image = opened
        if picture.mode[0] in "IF":
            values = np.asarray(picture, np.float32)
            low, high = finite_range(values)
            share = (finite(values).clip(low, high) - low) / ((high - low) or 1.0)
            picture = Image.fromarray(np.where(np.isfinite(values), 255 * share, 0).astype("u1"))
        picture = picture.convert("RGB")
        picture.thumbnail((side, side))
        times = max(side // max(picture.size), 1)
        size = picture.width * times, picture.height * times
        picture = picture.resize(size, Image.Resampling.NEAREST)
        data = picture.tobytes()
    return QImage(data, *size, 3 * size[0], QImage.Format.Format_RGB888).copy()


class ResultReader(QThread):
    """Thread that reads the results of a task, the table first, then its pictures.

    Signals:
        read: the InferenceResults.
        painted: the InferenceResults, row, column of pictures, QImage.
        failed: why there is nothing to show.
    """

    read = Signal(object)
    painted = Signal(object, int, str, object)
    failed = Signal(str)

    def __init__(self, task: InferenceTask, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._task = task
        self._leave = threading.Event()

    def leave(self) -> None:
        """End the thread soon."""
        self._leave.set()

    def run(self) -> None:
        """Read (called by Qt, in the thread)."""
        try:
            results = read_results(self._task)
        except (OSError, ValueError, csv.Error) as error:
            self.failed.emit(f"{self._task.folder} cannot be shown: {error}")
            return
        self.read.emit(results)
        for place, row in enumerate(results.rows):
            for column, file in row.pictures.items():
                if self._leave.is_set():
                    return
                with suppress(
                    OSError, ValueError, SyntaxError
                ):  # a picture that Pillow cannot read
                    self.painted.emit(results, place, column, thumbnail(file))


class ResultTable(QTableWidget):
    """Rows of samples: their names, their pictures, and the columns of a table."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Results")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setIconSize(QSize(_SIDE, _SIDE))
        self.setShowGrid(False)
        self.verticalHeader().hide()
        self._pictures: list[str] = []
        self._results: InferenceResults | None = None

    def show_results(self, results: InferenceResults) -> None:
        """Show the rows; `paint` puts their pictures in."""
        self._results, rows = results, results.rows
        self._pictures = list(dict.fromkeys(name for row in rows for name in row.pictures))
        words = list(dict.fromkeys(name for row in rows for name in row.words))
        self.clear()
        self.setRowCount(len(rows))
        self.setColumnCount(1 + len(self._pictures) + len(words))
        self.setHorizontalHeaderLabels([_NAME, *self._pictures, *words])
        for place, row in enumerate(rows):
            cells = [row.name, *[""] * len(self._pictures), *(row.words.get(w, "") for w in words)]
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(str(row.pictures.get(self._header(column), "")))
                if column > len(self._pictures):
                    item.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                self.setItem(place, column, item)
            if row.pictures:
                self.setRowHeight(place, _SIDE + 8)
        header = self.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        for column in range(1, 1 + len(self._pictures)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            self.setColumnWidth(column, _SIDE + 16)

    def paint(self, results: InferenceResults, row: int, name: str, image: QImage) -> None:
        """Put a picture in, unless it is of results that are no longer shown."""
        if results is not self._results:
            return
        item = self.item(row, 1 + self._pictures.index(name))
        if item is not None:
            item.setIcon(QIcon(QPixmap.fromImage(image)))

    def _header(self, column: int) -> str:
        item = self.horizontalHeaderItem(column)
        return item.text() if item is not None else ""
