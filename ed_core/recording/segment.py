"""Segment of a recording, opened with checks: nothing is read before its size is known."""

import os
import threading
import weakref
from pathlib import Path

import h5py
import numpy as np

from ed_core.recording.checked_file import (
    DamagedError,
    attribute,
    check_chunk,
    check_links,
    constant,
    damage,
    numbers,
    open_file,
    table,
)
from ed_core.recording.layout import (
    LARGEST_EXACT,
    MAX_BYTES,
    SCHEMA,
    TIME_COLUMNS,
    ArrayInfo,
    Event,
    Header,
    array_path,
    checksum,
    curve_row,
    one_line,
)
from ed_core.recording.tables import EventTables, GrowingTable

_CACHE = 2**20  # bytes of unpacked chunks, of each array
_MAX_ARRAYS = 256
_MAX_HEADER = 4 * 2**20  # bytes of JSON


_OPENING = threading.Lock()
# By device and inode; of a recording that is dropped without being closed none is left here.
_OPEN: "weakref.WeakValueDictionary[tuple[int, int], Segment]" = weakref.WeakValueDictionary()


def open_segment(path: Path, growing: bool) -> "Segment":
    """Return a segment, the one that is open in this process already where there is one.

    Args:
        path: of the file.
        growing: whether somebody may be writing to it.

    Raises:
        DamagedError: it cannot be read.
    """
    with _OPENING:
        status = os.stat(path)
        opened = _OPEN.get((status.st_dev, status.st_ino))
        if opened is None:
            opened = _OPEN[status.st_dev, status.st_ino] = Segment(path, growing)
        else:
            opened.users += 1
        return opened


def is_open_here(path: Path) -> bool:
    """Tell whether a reader of this process holds a segment open."""
    status = os.stat(path)
    with _OPENING:
        return (status.st_dev, status.st_ino) in _OPEN


class Segment:
    """A segment file, open for reading; closed by `close`.

    Opening raises DamagedError, with what is wrong in one line. Shapes are checked against the
    header before anything is allocated. HDF5 gives two openings of a file in one process one view
    of it, of which the second is stale: `open_segment` shares what is open. Threads may share one.

    Args:
        path: of the file.
        growing: whether somebody may be writing to it.

    Attributes:
        index: (frames, columns) the committed rows; `refresh` makes them grow.
        summed: whether all of it is under checksums, as since version 2 of the layout.
    """

    def __init__(self, path: Path, growing: bool = True) -> None:
        self.path = path
        status = os.stat(path)
        self.inode = status.st_ino
        self._key = status.st_dev, status.st_ino
        self.users = 1
        self._lock = threading.RLock()
        self._size = 0
        self._wrong_step = self._wrong_events = ""
        with damage(path):
            self._file = open_file(path, cache=_CACHE)
        try:
            with damage(path):
                self._read_header()
                self._open_tables()
                self._check_reference()
            self.refresh(growing)
        except DamagedError:
            self._file.close()
            raise

    def _read_header(self) -> None:
        schema = attribute(self._file, "schema")
        if schema > SCHEMA:
            raise ValueError(
                f"it was written by a newer version of edkit (layout {schema:g}, this one reads up "
                f"to {SCHEMA}): update edkit to read it"
            )
        self.summed = schema >= 2
        size = numbers(self._file, "header").size
        if size > _MAX_HEADER:
            raise ValueError(f"its header has {size} bytes")
        header = constant(self._file, "header", self.summed)
        self.header = Header.from_json(header.astype("u1").tobytes())
        columns = list(self.header.arrays())
        if len(columns) > _MAX_ARRAYS:
            raise ValueError(f"{len(columns)} arrays are more than {_MAX_ARRAYS}")
        self._arrays = {
            (probe, name): self._frames(array_path(probe, name), info)
            for probe, name, info in columns
        }
        self._column = {key: TIME_COLUMNS + i for i, key in enumerate(self._arrays)}

    def _open_tables(self) -> None:
        width, sums = TIME_COLUMNS + len(self._arrays), int(self.summed)
        self._index = GrowingTable(
            table(self._file, "index", width + sums), whole=0 if sums else width
        )
        self.index = self._index.rows
        self._scalars = GrowingTable(
            table(self._file, "scalars", TIME_COLUMNS + len(self.header.scalars) + sums),
            whole=0 if sums else TIME_COLUMNS,
        )
        self._curves = None
        if self.summed:
            size = curve_row(len(self.header.curves)).itemsize
            self._curves = GrowingTable(table(self._file, "curves", size, "u1"))
        self._events = self._open_events()

    @property
    def scalars(self) -> np.ndarray:
        """(rows, 3 + scalars) the committed rows of the table."""
        return self._scalars.rows[:, : TIME_COLUMNS + len(self.header.scalars)]

    @property
    def curves(self) -> np.ndarray:
        """(rows,) what was committed of the curves; see `curve_row`."""
        row = curve_row(len(self.header.curves))
        rows = self._curves.rows if self._curves else np.empty((0, row.itemsize), np.uint8)
        return np.ascontiguousarray(rows).view(row)[:, 0]

    @property
    def events(self) -> tuple[Event, ...]:
        """The committed events."""
        return self._events.events if self._events else ()

    @property
    def problem(self) -> str:
        """What of the file is not shown, and why, in one line, or ""."""
        tables = (
            ("index of frames", self._index),
            ("scalars", self._scalars),
            ("curves", self._curves),
            ("events", self._events),
        )
        counts = [
            f"{one.damaged} damaged row{'s' * (one.damaged > 1)} of the {what} left out"
            for what, one in tables
            if one and one.damaged
        ]
        fields = ", ".join(repr(field) for field in self._wrong_fields)
        reference = [f"the reference batch is damaged in {fields} (wrong CRC)"] if fields else []
        wrong = [self._wrong_step, *counts, *reference, self._wrong_events]
        message = "; ".join(one for one in wrong if one)
        return f"{self.path.name}: {one_line(message)}" if message else ""

    def stamp(self) -> tuple[float, int]:
        """Return when the file was last written to, in seconds since 1970, and its bytes."""
        status = os.fstat(self._file.id.get_vfd_handle())
        return status.st_mtime, status.st_size

    def refresh(self, growing: bool = True) -> None:
        """See what has been committed since: `index`, `scalars` and `events` grow.

        Args:
            growing: whether somebody may be writing to it, so that its last row may be half there.
        """
        with self._lock, damage(self.path):
            self._check_size()
            for one in (self._index, self._scalars, self._curves):
                if one:
                    one.refresh(growing)
            index = self._index.rows
            checked = max(min(len(self.index), len(index)) - 1, 0)
            good = checked + _increasing(index[checked:, 0])
            self.index = index[:good]
            if good < len(index):
                self._wrong_step = f"frame {good} is at step {index[good, 0]:g}"
        with self._lock:
            self._refresh_events(growing)

    def _refresh_events(self, growing: bool) -> None:
        try:
            with damage(self.path):
                if self._events:
                    self._events.refresh(growing)
        except DamagedError as error:  # which hides no frame
            self._wrong_events = self._without_events(error)

    def read(self, probe: str, array: str, frame: int) -> np.ndarray:
        """Return one array of one frame; raises DamagedError if its CRC is not the one written."""
        dataset = self._arrays[probe, array]
        with self._lock, damage(self.path):
            self._check_size()
            number = int(self._index.numbers[frame])
            if number >= len(dataset):
                dataset.refresh()
            check_chunk(self._file, dataset, number)
            values = np.asarray(dataset[number], dataset.dtype)  # a number, where a frame is one
            written = self.index[frame, self._column[probe, array]]
        if checksum(values) != written:
            raise DamagedError(
                f"{self.path.name}: frame {frame} of {probe}/{array} is damaged (wrong CRC)"
            )
        return values

    def reference(self) -> dict[str, np.ndarray]:
        """Return the reference batch, field to (samples, ...).

        A field that is not what was written is all NaN, or left out where its type has none.
        """
        arrays: dict[str, np.ndarray] = {}
        with self._lock, damage(self.path):
            for field in self._fields:
                if field not in self._wrong_fields:
                    arrays[field] = constant(self._file, f"reference/{field}", self.summed)
                elif (wrong := numbers(self._file, f"reference/{field}")).dtype.kind == "f":
                    arrays[field] = np.full(wrong.shape, np.nan, wrong.dtype)
        return arrays

    def walk(self) -> None:
        """Look at all that leads to a frame, since HDF5 may hang on it when it is damaged."""
        with damage(self.path):
            for dataset in self._arrays.values():
                dataset.id.chunk_iter(lambda chunk: None)

    def close(self) -> None:
        """Close the file once no other reader of this process uses it."""
        with _OPENING:
            self.users -= 1
            if self.users == 0:
                _OPEN.pop(self._key, None)
                self._file.close()

    def _check_size(self) -> None:
        """A segment only grows; in one that was cut short HDF5 would look for its end for ever."""
        size = os.stat(self._file.id.get_vfd_handle()).st_size
        if size < self._size:
            raise ValueError(f"it was cut from {self._size} to {size} bytes while it was open")
        self._size = size

    def _frames(self, name: str, info: ArrayInfo) -> h5py.Dataset:
        dataset = numbers(self._file, name)
        if dataset.shape[1:] != info.shape or dataset.dtype.str != np.dtype(info.dtype).str:
            raise ValueError(f"{name} is not what the header says")
        return dataset

    def _open_events(self) -> EventTables | None:
        """Return the events; damaged ones hide no frame, and the oldest segments have none."""
        if not self.summed and "events" not in self._file:
            return None
        try:
            with damage(self.path):
                return EventTables(
                    table(self._file, "events", TIME_COLUMNS + 1),
                    numbers(self._file, "event_words"),
                )
        except DamagedError as error:
            self._wrong_events = self._without_events(error)
            return None

    def _without_events(self, error: DamagedError) -> str:
        return f"no events: {str(error).removeprefix(f'{self.path.name}: ')}"

    def _check_reference(self) -> None:
        """Find the fields of the reference batch, and those that are not what was written."""
        self._fields: list[str] = []
        self._wrong_fields: list[str] = []
        if self._file.get("reference", getlink=True) is None:
            return
        check_links(self._file, "reference")
        self._fields = sorted(self._file["reference"])
        sizes = [numbers(self._file, f"reference/{field}").nbytes for field in self._fields]
        if sum(sizes) > MAX_BYTES:
            raise ValueError(f"the reference batch is larger than {MAX_BYTES} bytes")
        for field in self._fields:
            try:
                with damage(self.path):
                    constant(self._file, f"reference/{field}", self.summed)
            except DamagedError:
                self._wrong_fields.append(field)


def _increasing(steps: np.ndarray) -> int:
    """Return how many steps there are before the first that cannot be one."""
    bad = ~(steps >= 0) | (steps > LARGEST_EXACT) | (np.diff(steps, prepend=0) < 0)
    return int(np.argmax(bad)) if bad.any() else len(steps)
