"""One segment of a recording, opened with suspicion: nothing is read before its size is known."""

import contextlib
import os
import stat
from pathlib import Path

import h5py
import numpy as np

from ed_core.recording.checked_file import (
    DamagedError,
    check_chunk,
    check_links,
    damage,
    numbers,
    open_file,
    table,
)
from ed_core.recording.events import EventTables
from ed_core.recording.growing_table import GrowingTable
from ed_core.recording.layout import (
    MAX_BYTES,
    SCHEMA,
    TIME_COLUMNS,
    ArrayInfo,
    Event,
    Header,
    array_path,
    checksum,
)

_MAX_ARRAYS = 256
_MAX_HEADER = 4 * 2**20  # bytes of JSON
_MAX_STEP = 2**53  # above it, not every whole number is a float64


class Segment:
    """A segment file, open for reading; closed by `close`.

    Opening raises DamagedError, with what is wrong in one line. Shapes are checked against the
    header before anything is allocated.

    Attributes:
        index: the committed rows, (frames, columns); `refresh` makes them grow.
        problem: why rows at the end of the index are not shown, or "".
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        status = os.stat(path)
        self.inode = status.st_ino
        self.problem = ""
        self._size = 0
        with damage(path):
            if not stat.S_ISREG(status.st_mode):
                raise ValueError("it is not a regular file")
            self._file = open_file(path)
        try:
            with damage(path):
                self._read_header()
        except DamagedError:
            self._file.close()
            raise

    def _read_header(self) -> None:
        schema = int(self._file.attrs["schema"])
        if schema != SCHEMA:
            raise ValueError(f"its layout is version {schema}, this edkit reads {SCHEMA}")
        header = numbers(self._file, "header")
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
        width = TIME_COLUMNS + len(columns)
        self._index = GrowingTable(table(self._file, "index", width), whole=width)
        self.index = self._index.rows
        width = TIME_COLUMNS + len(self.header.scalars)
        self._scalars = GrowingTable(table(self._file, "scalars", width), whole=TIME_COLUMNS)
        self._events = self._open_events()
        self.refresh()

    @property
    def scalars(self) -> np.ndarray:
        """The committed rows of the table, (rows, columns)."""
        return self._scalars.rows

    @property
    def events(self) -> tuple[Event, ...]:
        """The committed events."""
        return self._events.events if self._events else ()

    def stamp(self) -> tuple[float, int]:
        """Return when the file was last written to, in seconds since 1970, and its bytes."""
        status = os.fstat(self._file.id.get_vfd_handle())
        return status.st_mtime, status.st_size

    def refresh(self) -> None:
        """See what has been committed since: `index`, `scalars` and `events` grow."""
        with damage(self.path):
            self._check_size()
            self._index.refresh()
            self._scalars.refresh()
            index = self._index.rows
            known = max(min(len(self.index), len(index)) - 1, 0)
            good = known + _increasing(index[known:, 0])
            self.index = index[:good]
            if good < len(index):
                self.problem = f"{self.path.name}: frame {good} is at step {index[good, 0]:g}"
        with contextlib.suppress(DamagedError), damage(self.path):
            if self._events:
                self._events.refresh()

    def read(self, probe: str, array: str, frame: int) -> np.ndarray:
        """Return one array of one frame; raises DamagedError if its CRC is not the one written."""
        dataset = self._arrays[probe, array]
        with damage(self.path):
            self._check_size()
            if frame >= len(dataset):
                dataset.refresh()
            check_chunk(self._file, dataset, frame)
            values = np.asarray(dataset[frame], dataset.dtype)  # a number, where a frame is one
            written = self.index[frame, self._column[probe, array]]
        if checksum(values) != written:
            raise DamagedError(
                f"{self.path.name}: frame {frame} of {probe}/{array} is damaged (wrong CRC)"
            )
        return values

    def reference(self, field: str) -> np.ndarray:
        """Return a field of the reference batch, (samples, ...)."""
        with damage(self.path):
            return numbers(self._file, f"reference/{field}")[()]

    def reference_fields(self) -> list[str]:
        """Return the names of the fields of the reference batch."""
        with damage(self.path):
            if self._file.get("reference", getlink=True) is None:
                return []
            check_links(self._file, "reference")
            names = sorted(self._file["reference"])
            if sum(numbers(self._file, f"reference/{name}").nbytes for name in names) > MAX_BYTES:
                raise ValueError(f"the reference batch is larger than {MAX_BYTES} bytes")
            return names

    def walk(self) -> None:
        """Look at all that leads to a frame, since HDF5 may hang on it when it is damaged."""
        for field in self.reference_fields():
            self.reference(field)
        with damage(self.path):
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

    def _frames(self, name: str, info: ArrayInfo) -> h5py.Dataset:
        dataset = numbers(self._file, name)
        if dataset.shape[1:] != info.shape or dataset.dtype.str != np.dtype(info.dtype).str:
            raise ValueError(f"{name} is not what the header says")
        return dataset

    def _open_events(self) -> EventTables | None:
        """Return the events; damaged ones are as good as none, and hide no frame."""
        with contextlib.suppress(DamagedError), damage(self.path):
            return EventTables(
                table(self._file, "events", TIME_COLUMNS + 1), numbers(self._file, "event_words")
            )
        return None


def _increasing(steps: np.ndarray) -> int:
    """Return how many steps there are before the first that cannot be one."""
    bad = (steps < 0) | (steps > _MAX_STEP) | (np.diff(steps, prepend=0) < 0)
    return int(np.argmax(bad)) if bad.any() else len(steps)
