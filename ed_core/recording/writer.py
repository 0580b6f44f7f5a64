"""Writer of a recording: one HDF5 segment, one writer, readable while it grows (SWMR)."""

import os
import re
import shutil
import tempfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from math import prod
from pathlib import Path

import h5py
import numpy as np

from ed_core.errors import EdkitError
from ed_core.recording.layout import (
    MAX_BYTES,
    SCHEMA,
    TIME_COLUMNS,
    Event,
    Header,
    array_path,
    checksum,
    curve_row,
)
from ed_core.recording.segment import is_open_here
from ed_core.recording.system import largest_file
from ed_core.recording.tables import make_event_tables, pack_event, summed

Arrays = Mapping[str, Mapping[str, np.ndarray]]

_FLOOR = 16 * 2**20  # bytes that must stay free on the disk, and below a limit of the file's size
_COMPRESS_FROM = 16 * 1024  # bytes: below this a chunk is not worth compressing


class RecordingWriter:
    """Writes one segment into a recording folder; closed by `close` or as a context manager.

    The file is made as `.part` and renamed once a reader can open it. A frame is committed by its
    row in the index, flushed after the frame; a kill at any moment loses at most the frame that
    was being written.

    Args:
        folder: the recording folder; the segment becomes `NNNN.h5`, the next free number.
        header: all that is fixed before the first frame.
        reference: the fixed batch, field name to array (samples, ...).

    Attributes:
        newest: the step of the newest frame, -1 while there is none.
    """

    def __init__(self, folder: Path, header: Header, reference: Mapping[str, np.ndarray]) -> None:
        self.header = header
        self.reference = reference
        self.newest = -1
        self.path = _next_segment(folder)
        _check_sizes(header, reference)
        self._file: h5py.File | None = None
        if lack := disk_problem(self.path):
            raise EdkitError(f"cannot record to {str(self.path)!r}: {lack}.")
        part = self.path.with_suffix(".part")
        try:
            self._create(part, reference)
            os.rename(part, self.path)
        except (OSError, RuntimeError) as error:
            self.abandon()
            part.unlink(missing_ok=True)
            raise EdkitError(f"cannot record to {str(self.path)!r}: {reason(error)}.") from error

    def _create(self, part: Path, reference: Mapping[str, np.ndarray]) -> None:
        # The folder has a lock of its own; with HDF5's, a reader in this process is refused.
        file = self._file = h5py.File(part, "x", libver=("v110", "v110"), locking=False)
        file.attrs["schema"] = SCHEMA
        _constant(file, "header", np.frombuffer(self.header.to_json(), np.uint8))
        for name, array in reference.items():
            _constant(file, f"reference/{name}", array)
        columns = [(probe, array, info) for probe, array, info in self.header.arrays()]
        self._arrays = {
            (probe, array): _frames(file, array_path(probe, array), info.shape, info.dtype)
            for probe, array, info in columns
        }
        self._index = _table(file, "index", TIME_COLUMNS + len(columns) + 1)
        self._scalars = _table(file, "scalars", TIME_COLUMNS + len(self.header.scalars) + 1)
        self._curves = _bytes(file, "curves", curve_row(len(self.header.curves)).itemsize)
        self._events, self._event_words = make_event_tables(file)
        file.swmr_mode = True
        file.flush()

    def append(self, step: int, epoch: float, seconds: float, arrays: Arrays) -> None:
        """Write one frame: every array of every probe, then its row of the index."""
        row = [float(step), float(epoch), float(seconds)]
        frame = len(self._index)
        for (probe, name), dataset in self._arrays.items():
            array = np.asarray(arrays[probe][name], dtype=dataset.dtype)
            if array.shape != dataset.shape[1:]:
                raise ValueError(
                    f"probe {probe!r}, array {name!r}: a frame is {dataset.shape[1:]}, "
                    f"received {array.shape}"
                )
            dataset.resize(frame + 1, axis=0)
            dataset[frame] = array
            dataset.flush()
            row.append(checksum(array))
        _append_row(self._index, summed(np.array(row)))
        self.newest = step

    def append_scalars(
        self, step: int, epoch: float, seconds: float, values: Mapping[str, float]
    ) -> None:
        """Write one row of the table; a scalar that is not given is NaN."""
        numbers = [float(values.get(name, np.nan)) for name in self.header.scalars]
        row = np.array([float(step), float(epoch), float(seconds), *numbers])
        _append_row(self._scalars, summed(row))

    def append_curves(
        self, steps: np.ndarray, epochs: np.ndarray, seconds: np.ndarray, values: np.ndarray
    ) -> None:
        """Write rows of the curves, in one go.

        Args:
            steps: (rows,), the last of those that a row is the mean of.
            epochs: (rows,), in parts of an epoch.
            seconds: (rows,), since the training began.
            values: (rows, curves), in the order of the header.
        """
        rows = np.zeros(len(steps), curve_row(len(self.header.curves)))
        rows["step"], rows["epoch"], rows["seconds"] = steps, epochs, seconds
        rows["values"] = values
        rows["sum"] = [zlib.crc32(row.tobytes()[:-4]) for row in rows]
        start = len(self._curves)
        self._curves.resize(start + len(rows), axis=0)
        self._curves[start:] = rows.view(np.uint8).reshape(len(rows), -1)
        self._curves.flush()

    def append_event(self, event: Event) -> None:
        """Write one event: its words, then its row of the table; a long text is cut."""
        when, words = pack_event(event)
        row = len(self._events)
        self._event_words.resize(row + 1, axis=0)
        self._event_words[row] = words
        self._event_words.flush()
        _append_row(self._events, when)

    def successor(self, step: int) -> "RecordingWriter":
        """Return the writer of a new segment that goes on from a step."""
        header = replace(self.header, run={**self.header.run, "start_step": step})
        return RecordingWriter(self.path.parent, header, self.reference)

    def abandon(self) -> None:
        """End after a failed write (disk full), and leave the file as a kill would: readable.

        What HDF5 still wants to write as it closes the file goes to a temporary one. On the full
        disk it would clear the mark by which a reader knows that the end is torn, and then crash
        the process at its exit.
        """
        if self._file:
            with tempfile.TemporaryFile(dir=_memory()) as sink:
                if is_open_here(self.path):  # HDF5 gives a reader of this process the same file
                    with open(self.path, "rb") as file:
                        shutil.copyfileobj(file, sink)
                    sink.flush()
                os.dup2(sink.fileno(), self._file.id.get_vfd_handle())
                self._file.close()

    def close(self) -> None:
        """End the segment."""
        if self._file:
            self._file.close()

    def __enter__(self) -> "RecordingWriter":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _next_segment(folder: Path) -> Path:
    taken = [int(file.stem) for file in folder.glob("[0-9][0-9][0-9][0-9].*")]
    number = max(taken, default=-1) + 1
    if number > 9999:
        raise EdkitError(f"{str(folder)!r} holds 10,000 segments; start a new run.")
    return folder / f"{number:04d}.h5"


def _check_sizes(header: Header, reference: Mapping[str, np.ndarray]) -> None:
    """Raise EdkitError for what no reader would open: it takes nothing so large from a file."""
    sizes = {
        f"a frame of probe {probe!r}, array {name!r},": prod(info.shape)
        * np.dtype(info.dtype).itemsize
        for probe, name, info in header.arrays()
    }
    sizes["the reference batch"] = sum(array.nbytes for array in reference.values())
    for what, size in sizes.items():
        if size > MAX_BYTES:
            raise EdkitError(
                f"{what} has {size // 2**20} MiB, a recording holds at most {MAX_BYTES // 2**20}: "
                "record fewer samples, or nothing (--no-record)."
            )


def disk_problem(path: Path) -> str:
    """Return why nothing more should be written, or ""."""
    try:
        free = shutil.disk_usage(path.parent).free
    except OSError as error:  # the folder was removed
        return error.strerror or str(error)
    if free < _FLOOR:
        return f"only {free // 2**20} MiB are free on the disk"
    limit = largest_file()
    size = path.stat().st_size if path.exists() else 0
    if size + _FLOOR > limit:
        return f"a file may not be larger than {limit // 2**20} MiB here (ulimit -f)"
    return ""


def reason(error: Exception) -> str:
    """Return why a write failed, in a few words: HDF5 says it in a paragraph."""
    text = " ".join(str(error).split())
    number = re.search(r"errno = (\d+)", text)
    return os.strerror(int(number[1])) if number else text[:200]


def _memory() -> str | None:
    """Return a folder that no full disk reaches, where the system has one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _constant(file: h5py.File, name: str, array: np.ndarray) -> None:
    # Chunked, since some HDF5 versions cannot read a contiguous data set while the file grows.
    dataset = file.create_dataset(name, data=array, chunks=array.shape)
    dataset.attrs["sum"] = checksum(dataset[()])  # of the bytes as they are read


def _frames(file: h5py.File, name: str, shape: tuple[int, ...], dtype: str) -> h5py.Dataset:
    large = np.dtype(dtype).itemsize * int(np.prod(shape)) >= _COMPRESS_FROM
    return file.create_dataset(
        name,
        shape=(0, *shape),
        maxshape=(None, *shape),
        chunks=(1, *shape),
        dtype=dtype,
        compression="gzip" if large else None,
        compression_opts=1 if large else None,
        shuffle=large,
    )


def _table(file: h5py.File, name: str, columns: int) -> h5py.Dataset:
    return file.create_dataset(
        name,
        shape=(0, columns),
        maxshape=(None, columns),
        chunks=(256, columns),
        dtype="f8",
        fillvalue=np.nan,
    )


def _bytes(file: h5py.File, name: str, width: int) -> h5py.Dataset:
    return file.create_dataset(
        name, shape=(0, width), maxshape=(None, width), chunks=(256, width), dtype="u1"
    )


def _append_row(table: h5py.Dataset, row: np.ndarray) -> None:
    table.resize(len(table) + 1, axis=0)
    table[-1] = row
    table.flush()
