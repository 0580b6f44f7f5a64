"""One segment of a recording, opened with suspicion: nothing is read before its size is known."""

import contextlib
import os
import stat
from collections.abc import Iterator
from math import prod
from pathlib import Path

import h5py
import numpy as np

from ed_core.recording.events import EventTables
from ed_core.recording.layout import (
    MAX_BYTES,
    SCHEMA,
    TIME_COLUMNS,
    ArrayInfo,
    Event,
    Header,
    array_path,
    checksum,
    one_line,
)

_MAX_ROWS = 2**31 - 1  # what a Qt slider can address
_MAX_ARRAYS = 256
_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE}
_MAX_HEADER = 4 * 2**20  # bytes of JSON
_MAX_STEP = 2**53  # above it, not every whole number is a float64
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_FLAGS_BYTE = 11  # of the superblock, version 3; 5 = open for SWMR writing


class DamagedError(Exception):
    """A segment that is not, or no longer, what this version writes."""


class Segment:
    """A segment file, open for reading; closed by `close`.

    Opening raises DamagedError, with what is wrong in one line. Nothing in the file is trusted:
    only hard links are followed, only plain numbers are read, and shapes are checked against the
    header before anything is allocated.

    Attributes:
        index, scalars: the committed rows; `refresh` makes them grow.
        problem: why rows at the end of the index are not shown, or "".
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        status = os.stat(path)
        self.inode = status.st_ino
        self.problem = ""
        self._size = 0
        with _damage(path):
            if not stat.S_ISREG(status.st_mode):
                raise ValueError("it is not a regular file")
            self._file = _open(path)
        try:
            with _damage(path):
                self._read_header()
        except DamagedError:
            self._file.close()
            raise

    def _read_header(self) -> None:
        schema = int(self._file.attrs["schema"])
        if schema != SCHEMA:
            raise ValueError(f"its layout is version {schema}, this edkit reads {SCHEMA}")
        header = self._dataset("header")
        if header.size > _MAX_HEADER:
            raise ValueError(f"its header has {header.size} bytes")
        self.header = Header.from_json(header.astype("u1")[()].tobytes())
        columns = list(self.header.arrays())
        if len(columns) > _MAX_ARRAYS:
            raise ValueError(f"{len(columns)} arrays are more than {_MAX_ARRAYS}")
        self._arrays = {
            (probe, name): self._frames(array_path(probe, name), info)
            for probe, name, info in columns
        }
        self._column = {key: TIME_COLUMNS + i for i, key in enumerate(self._arrays)}
        self._index = self._table("index", TIME_COLUMNS + len(columns))
        self._scalars = self._table("scalars", TIME_COLUMNS + len(self.header.scalars))
        self._events = self._open_events()
        self.index = np.empty((0, TIME_COLUMNS + len(columns)))
        self.refresh()

    @property
    def events(self) -> tuple[Event, ...]:
        """The committed events."""
        return self._events.events if self._events else ()

    def refresh(self) -> None:
        """See what has been committed since: `index`, `scalars` and `events` grow."""
        with _damage(self.path):
            self._check_size()
            index, self.scalars = _rows(self._index, self._index.shape[1]), _rows(self._scalars)
            good = _increasing(index[:, 0])
            self.index = index[:good]
            if good < len(index):
                self.problem = f"{self.path.name}: frame {good} is at step {index[good, 0]:g}"
        with contextlib.suppress(DamagedError), _damage(self.path):
            if self._events:
                self._events.refresh()

    def read(self, probe: str, array: str, frame: int) -> np.ndarray:
        """Return one array of one frame; raises DamagedError if its CRC is not the one written."""
        dataset = self._arrays[probe, array]
        with _damage(self.path):
            self._check_size()
            if frame >= len(dataset):
                dataset.refresh()
            self._check_chunk(dataset, frame)
            values = np.asarray(dataset[frame], dataset.dtype)  # a number, where a frame is one
            written = self.index[frame, self._column[probe, array]]
        if checksum(values) != written:
            raise DamagedError(
                f"{self.path.name}: frame {frame} of {probe}/{array} is damaged (wrong CRC)"
            )
        return values

    def reference(self, field: str) -> np.ndarray:
        """Return a field of the reference batch, (samples, ...)."""
        with _damage(self.path):
            return self._dataset(f"reference/{field}")[()]

    def reference_fields(self) -> list[str]:
        """Return the names of the fields of the reference batch."""
        with _damage(self.path):
            if self._file.get("reference", getlink=True) is None:
                return []
            _hard(self._file, "reference")
            names = sorted(self._file["reference"])
            if sum(self._dataset(f"reference/{name}").nbytes for name in names) > MAX_BYTES:
                raise ValueError(f"the reference batch is larger than {MAX_BYTES} bytes")
            return names

    def walk(self) -> None:
        """Look at all that leads to a frame, since HDF5 may hang on it when it is damaged."""
        for field in self.reference_fields():
            self.reference(field)
        with _damage(self.path):
            for dataset in self._arrays.values():
                dataset.id.chunk_iter(lambda chunk: None)

    def close(self) -> None:
        """Let the file go."""
        self._file.close()

    def _check_size(self) -> None:
        """A segment only grows; in one that was cut short HDF5 would look for its end for ever."""
        size = os.stat(self._file.id.get_vfd_handle()).st_size
        if size < self._size:
            raise ValueError(f"it was cut from {self._size} to {size} bytes while it was open")
        self._size = size

    def _check_chunk(self, dataset: h5py.Dataset, frame: int) -> None:
        """Refuse a chunk that is larger packed than a frame is: unpacked it may fill the memory."""
        where = (frame, *(0 for _ in dataset.shape[1:]))
        packed = dataset.id.get_chunk_info_by_coord(where).size
        if packed > 2 * prod(dataset.chunks) * dataset.dtype.itemsize + 1024:
            raise ValueError(f"frame {frame} has {packed} bytes packed")

    def _dataset(self, name: str) -> h5py.Dataset:
        _hard(self._file, name)
        dataset = self._file[name]
        if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiub":
            raise ValueError(f"{name} is not an array of numbers")
        plist = dataset.id.get_create_plist()
        filters = {plist.get_filter(i)[0] for i in range(plist.get_nfilters())}
        if dataset.is_virtual or dataset.external or not filters <= _FILTERS:
            raise ValueError(f"{name} points outside the file or needs a foreign filter")
        chunk = prod(dataset.chunks or dataset.shape)
        whole = dataset.shape if dataset.maxshape[:1] != (None,) else dataset.shape[1:]
        if max(prod(whole), chunk) * dataset.dtype.itemsize > MAX_BYTES:
            raise ValueError(f"{name} is larger than {MAX_BYTES} bytes")
        if dataset.shape and dataset.shape[0] > _MAX_ROWS:
            raise ValueError(f"{name} has {dataset.shape[0]} rows")
        return dataset

    def _frames(self, name: str, info: ArrayInfo) -> h5py.Dataset:
        dataset = self._dataset(name)
        if dataset.shape[1:] != info.shape or dataset.dtype.str != np.dtype(info.dtype).str:
            raise ValueError(f"{name} is not what the header says")
        return dataset

    def _open_events(self) -> EventTables | None:
        """Return the events; damaged ones are as good as none, and hide no frame."""
        with contextlib.suppress(DamagedError), _damage(self.path):
            return EventTables(
                self._table("events", TIME_COLUMNS + 1), self._dataset("event_words")
            )
        return None

    def _table(self, name: str, columns: int) -> h5py.Dataset:
        dataset = self._dataset(name)
        packed = dataset.id.get_create_plist().get_nfilters()  # it might unpack to any size
        if dataset.shape[1:] != (columns,) or dataset.dtype != np.float64 or packed:
            raise ValueError(f"{name} is not a table of {columns} columns")
        return dataset


def _open(path: Path) -> h5py.File:
    while h5py.h5pl.size():  # never load a filter from a folder of shared objects
        h5py.h5pl.remove(0)
    with open(path, "rb") as file:
        start = file.read(_FLAGS_BYTE + 1)
    if len(start) <= _FLAGS_BYTE or not start.startswith(_SIGNATURE):
        raise ValueError("it is not an HDF5 file")
    # locking=False: a reader's lock would keep the trainer from its own file.
    return h5py.File(path, "r", swmr=start[_FLAGS_BYTE] == 5, locking=False, rdcc_nbytes=2**20)


def _hard(file: h5py.File, name: str) -> None:
    parts = name.split("/")
    for depth in range(1, len(parts) + 1):
        link = file.get("/".join(parts[:depth]), getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise ValueError(f"{name} is missing or is a link")


def _rows(table: h5py.Dataset, whole: int = TIME_COLUMNS) -> np.ndarray:
    """Return the rows before the first of which the first `whole` columns are not all written."""
    table.refresh()
    if table.size * 8 > 4 * MAX_BYTES:
        raise ValueError(f"{table.name} has {len(table)} rows")
    rows = table[()]
    bad = ~np.isfinite(rows[:, :whole]).all(axis=1)
    return rows[: int(np.argmax(bad))] if bad.any() else rows


def _increasing(steps: np.ndarray) -> int:
    """Return how many steps there are before the first that cannot be one."""
    bad = (steps < 0) | (steps > _MAX_STEP) | (np.diff(steps, prepend=0) < 0)
    return int(np.argmax(bad)) if bad.any() else len(steps)


@contextlib.contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Turn whatever a damaged file raises into one DamagedError of bounded length."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        text = f"no {error}" if isinstance(error, KeyError) else error
        raise DamagedError(f"{path.name}: {one_line(text)}") from error
