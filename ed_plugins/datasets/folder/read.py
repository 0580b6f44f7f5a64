"""Files of one field as one array, decoded when it is sliced."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np

from ed_core import EdkitError, Findings
from ed_core.data.lazy import Sliced
from ed_plugins.datasets.folder.check import FieldFiles
from ed_plugins.datasets.folder.images import Images
from ed_plugins.datasets.folder.maps import ClassMaps, ValueMaps
from ed_plugins.datasets.folder.walk import in_threads

_WHOLE = 32 * 2**20  # bytes of a field of which all files are looked at before the first step
_LOOKED = 256  # files that are looked at of a larger one
_PIECE = 64  # files that are looked at together
_NEXT = 8  # files whose first tiles are read with the last ones of those before

READERS: dict[str, type[Images | ClassMaps | ValueMaps]] = {
    "image": Images,
    "class": ClassMaps,
    "value": ValueMaps,
}


class FileArray(Sliced):
    """Files of a field as one array, (samples, ...): whole numbers or floats as they are stored.

    A sample is a file, or a tile of one. Files are decoded in several threads when rows of them are
    asked for; of those that are cut into tiles the last ones stay, lest each tile decode its file
    again. An error names the file.

    Args:
        field: the files and their reading options.
        reader: of its files.
        keep: whether numbers stay in memory once they are read.
        measure: whether mean and deviation of each whole image are noted, for its tiles.
    """

    __slots__ = (
        *("_field", "_kept", "_last", "_lock", "_reader", "_there"),
        *("_scales", "_turn", "dtype", "most", "shape"),
    )

    def __init__(
        self,
        field: FieldFiles,
        reader: Images | ClassMaps | ValueMaps,
        keep: bool,
        measure: bool = False,
    ) -> None:
        self._field = field
        self._reader = reader
        shape = field.shape if field.plan.kind != "class" else field.shape[:2]
        self.shape: tuple[int, ...] = (count_of(field), *shape)
        self.dtype = field.dtype
        self.most: int | None = None  # numbers beyond are refused
        self._kept = np.empty(self.shape, self.dtype) if keep else None
        self._there = np.zeros(len(self), bool)
        self._lock = threading.Lock()
        self._last: OrderedDict[int, np.ndarray] = OrderedDict()
        self._turn = threading.Lock()  # of the images that stay
        self._scales = np.full((len(field.paths), 2), np.nan) if measure else None

    @property
    def whole(self) -> Any:
        """All numbers where they are in memory, else this array."""
        return self if self._kept is None or self.is_slow else self._kept

    @property
    def parts(self) -> tuple[np.ndarray, int] | None:
        """The file of each tile, and of how many files the tiles may be mixed; None of files."""
        grid = self._field.grid
        return None if grid is None else (grid.files, grid.at_once)

    @property
    def is_slow(self) -> bool:
        """Whether rows are decoded when they are asked for, so that it pays to ask ahead."""
        return self._kept is None or not self._there.all()

    def __getitem__(self, key: Any) -> np.ndarray:
        rows = np.arange(len(self))[key]
        if self._kept is None:
            whole = np.empty((rows.size, *self.shape[1:]), self.dtype)
            self._decode(rows.reshape(-1), whole, np.arange(rows.size))
            return whole.reshape(*rows.shape, *self.shape[1:])
        with self._lock:
            lacking = np.unique(rows[~self._there[rows]])
            if len(lacking):
                if self._field.grid is not None:  # all tiles of a file that is decoded
                    lacking = self._field.grid.rows_of(self._field.grid.files[lacking])
                self._decode(lacking, self._kept, lacking)
                self._there[lacking] = True
        return self._kept[key]

    def scales(self, rows: np.ndarray) -> np.ndarray:
        """Return mean and deviation of the image that each tile is cut from, (rows, 2)."""
        assert self._scales is not None
        assert self._field.grid is not None
        files = self._field.grid.files[rows]
        lacking = np.unique(files[np.isnan(self._scales[files, 0])])
        in_threads(self._image, [*map(int, lacking)])
        return self._scales[files]

    def _decode(self, rows: np.ndarray, into: np.ndarray, places: np.ndarray) -> None:
        """Write the arrays of some samples to their places in an array, (samples, ...)."""
        grid = self._field.grid
        files, of = np.unique(rows if grid is None else grid.files[rows], return_inverse=True)

        def read(number: int) -> None:
            image = self._image(int(files[number]))
            for one in np.flatnonzero(of == number):
                into[places[one]] = image if grid is None else grid.cut(image, rows[one])

        in_threads(read, range(len(files)))

    def _image(self, file: int) -> np.ndarray:
        """Return a whole image, one of the last where tiles of them are not kept."""
        grid = self._field.grid
        if grid is None or self._kept is not None:
            return self._read(file)
        with self._turn:
            if file in self._last:
                self._last.move_to_end(file)
                return self._last[file]
        image = self._read(file)
        with self._turn:
            self._last[file] = image
            while len(self._last) > grid.at_once + _NEXT:
                self._last.popitem(last=False)
        return image

    def _read(self, file: int) -> np.ndarray:
        path, header = self._field.paths[file], self._field.headers[file]
        array = self._reader.read(path, header)
        size = self._field.frame.size or header.size(self._field.plan.upright)
        shape = (*size, *self.shape[3:])
        if array.shape != shape:  # header and pixels disagree
            raise EdkitError(f"{path!r}: expected an array {shape}, found {array.shape}.")
        if self.most is not None and array.max(initial=0) > self.most:
            raise EdkitError(
                f"{path!r}: expected numbers up to {self.most:,}, as in the files that "
                f"were looked at, found {array.max():,}: say range = [0, {array.max()}] in "
                f"{self._field.where}."
            )
        if self._scales is not None:
            self._scales[file] = array.mean(dtype="f8"), array.std(dtype="f8")
        return array


@dataclass(frozen=True, slots=True)
class FieldArray:
    """Files of a field as one array, in their order.

    Args:
        array: of an image (samples, height, width, channels), whole numbers or floats; of classes
            (samples, height, width), -1 for no class; of values (samples, height, width, 1),
            float32, NaN for no value.
        white: the whole number that stands for 1.0 in an image; 0 if the array is not scaled.
        inferred: whether white was inferred from the largest number in all files.
        partial: whether pixels lack a target.
        classless: of classes, whether no pixel of a sample has one, (samples,); else empty.
    """

    array: FileArray
    white: int
    inferred: bool
    partial: bool
    classless: np.ndarray


def count_of(field: FieldFiles) -> int:
    """Return the number of samples of a field: files, or tiles of them."""
    return len(field.paths) if field.grid is None else len(field.grid)


def size_of(field: FieldFiles) -> int:
    """Return the bytes of all numbers of a field."""
    return count_of(field) * int(np.prod(field.shape, dtype="int64")) * field.dtype.itemsize


def read_field(
    field: FieldFiles, keep: bool, findings: Findings, measure: bool = False
) -> FieldArray:
    """Return the files of a field as one array, in their order.

    All files of maps, of images whose white follows from the largest number of all, and of small
    fields are looked at; of others some, evenly spaced.

    Args:
        field: the files and their reading options.
        keep: whether its numbers stay in memory.
        findings: receives what was inferred.
        measure: whether mean and deviation of each whole image are noted.

    Raises:
        EdkitError: a file that is looked at cannot be read, or contradicts the plan.
    """
    reader = READERS[field.plan.kind](field)
    array = FileArray(field, reader, keep, measure)
    count = len(array)
    rows = np.arange(count)
    sampled = isinstance(reader, Images) and reader.high > 0 and size_of(field) > _WHOLE
    if sampled:
        rows = np.unique(np.linspace(0, count - 1, min(_LOOKED, count)).astype(int))
    most, classless = _look(array, rows, field.plan.kind)
    if sampled and reader.is_open(most):
        rows = np.arange(count)
        most, classless = _look(array, rows, field.plan.kind)
    _say_headers(field, findings)
    white = reader.finish(most, findings)
    if len(rows) < count:
        findings.infer(
            field.name,
            f"{len(rows):,} of {count:,} {'files' if field.grid is None else 'tiles'} were looked "
            "at, the others when needed",
        )
    if white and white < np.iinfo(array.dtype).max:
        array.most = white
    return FieldArray(array, white, reader.inferred, reader.partial, classless)


def _look(array: FileArray, rows: np.ndarray, kind: str) -> tuple[float, np.ndarray]:
    """Read files; return the largest number, and of classes whether a sample has none."""
    most = 0.0
    classless: list[np.ndarray] = [np.zeros(0, bool)]
    for first in range(0, len(rows), _PIECE):
        part = array[rows[first : first + _PIECE]]
        if kind == "class":
            classless.append(np.all(part < 0, axis=(1, 2)))
        elif part.dtype.kind != "f":
            most = max(most, float(part.max(initial=0)))
    return most, np.concatenate(classless)


def _say_headers(field: FieldFiles, findings: Findings) -> None:
    """Report what the headers changed about the files."""
    headers, name, toml = field.headers, field.name, field.toml
    turned = sum(header.orientation > 1 for header in headers)
    if turned and field.plan.upright:
        findings.infer(
            name,
            f"{turned:,} of {len(headers):,} files turned as their orientation says",
            f"upright = false in {toml}",
        )
    previews = sum(header.previews for header in headers)
    findings.leave_out(name, previews, "previews and masks inside of the files")
    if field.plan.page and field.plan.page != "all":
        pages = sum(header.pages - 1 for header in headers)
        every = f'page = "all" in {toml}' if field.plan.kind == "image" else f"page in {toml}"
        findings.leave_out(name, pages, f"pages other than page {field.plan.page}", every)
    if field.plan.bands and field.plan.bands != "all":
        bands = max(h.bands + h.alpha for h in headers) - len(set(field.plan.bands))
        every = f'bands = "all" in {toml}' if field.plan.kind == "image" else f"bands in {toml}"
        findings.leave_out(name, max(0, bands), "bands of each file", every)
    if field.plan.kind == "image" and (inverted := sum(header.inverted for header in headers)):
        findings.infer(name, f"0 is white in {inverted:,} files, as they say")
    converted = {header.converted for header in headers if header.converted}
    if converted:
        count = sum(bool(header.converted) for header in headers)
        findings.infer(
            name, f"{count:,} files of {', '.join(sorted(converted))} read as RGB of 8 bits"
        )
