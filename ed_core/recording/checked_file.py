"""An HDF5 file that nobody vouches for, opened with suspicion: recordings, weights, users' arrays.

Of every kind of file: nothing is read from outside it and no plugin of HDF5 is loaded; links other
than hard ones, virtual and external arrays and foreign filters are refused; nothing is read before
its size is known. How large an array may be, and which filters it may have, is for its reader to
say.
"""

import contextlib
import os
import stat
from collections.abc import Collection, Iterator
from math import prod
from pathlib import Path

import h5py
import numpy as np
from h5py._objects import phil

from ed_core.recording.layout import MAX_BYTES, checksum, one_line

_MAX_ROWS = 2**31 - 1  # what a Qt slider can address
_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE}  # of a recording
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_FLAGS_BYTE = 11  # of the superblock, version 3; 5 = open for SWMR writing


class DamagedError(Exception):
    """A segment that is not, or no longer, what this version writes."""


@contextlib.contextmanager
def damage(path: Path) -> Iterator[None]:
    """Turn whatever a damaged file raises into one DamagedError of bounded length."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:
        text = f"no {error}" if isinstance(error, KeyError) else error
        raise DamagedError(f"{path.name}: {one_line(text)}") from error


def forbid_plugins() -> None:
    """Let HDF5 never load a filter from a folder of shared objects, in this process."""
    with phil:  # h5py's lock: of all that is called here it leaves these two without it
        while h5py.h5pl.size():
            h5py.h5pl.remove(0)


def open_file(path: Path, *, cache: int | None = None, user_block: bool = False) -> h5py.File:
    """Open a file for reading, as it grows or at its end.

    Args:
        path: of the file.
        cache: bytes of unpacked chunks that are kept of an array; by default as many as of HDF5.
        user_block: whether something else may stand before the HDF5 file, as in one of MATLAB.

    Raises:
        ValueError: it is not an HDF5 file, or no file at all: a pipe would hang whoever opens it.
        OSError: it cannot be read.
    """
    forbid_plugins()
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise ValueError("it is not a regular file")
    with open(path, "rb") as file:
        start = file.read(_FLAGS_BYTE + 1)
    signed = len(start) > _FLAGS_BYTE and start.startswith(_SIGNATURE)
    if not signed and not user_block:
        raise ValueError("it is not an HDF5 file")
    grows = signed and start[_FLAGS_BYTE] == 5
    # locking=False: a reader's lock would keep the trainer from its own file.
    return h5py.File(path, "r", swmr=grows, locking=False, rdcc_nbytes=cache)


def is_hard_link(group: h5py.Group, name: str) -> bool:
    """Tell whether a hard link, which leads nowhere outside the file, has a name in a group."""
    return isinstance(group.get(name, getlink=True), h5py.HardLink)


def is_elsewhere(dataset: h5py.Dataset) -> bool:
    """Tell whether the numbers of an array stand outside the file, wholly or in part."""
    return bool(dataset.is_virtual or dataset.external)


def foreign_filter(dataset: h5py.Dataset, allowed: Collection[int]) -> str:
    """Return the name of a filter of an array that is not allowed or not there, "" if none is."""
    plist = dataset.id.get_create_plist()
    for number, _, _, title in map(plist.get_filter, range(plist.get_nfilters())):
        if number not in allowed or not h5py.h5z.filter_avail(number):
            return title.decode("utf-8", "replace")[:40] or f"number {number}"
    return ""


def check_links(file: h5py.File, name: str) -> None:
    """Raise ValueError unless hard links alone lead to an object."""
    parts = name.split("/")
    for depth in range(1, len(parts) + 1):
        if not is_hard_link(file, "/".join(parts[:depth])):
            raise ValueError(f"{name} is missing or is a link")


def plain(file: h5py.File, name: str, filters: Collection[int]) -> h5py.Dataset:
    """Return an array of numbers, of any size; raises ValueError if it is none that may be read.

    Args:
        file: that was opened by `open_file`.
        name: of the array.
        filters: the numbers of those that it may have.
    """
    check_links(file, name)
    dataset = file[name]
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiub":
        raise ValueError(f"{name} is not an array of numbers")
    if is_elsewhere(dataset):
        raise ValueError(f"{name} points outside the file")
    if foreign := foreign_filter(dataset, filters):
        raise ValueError(f"{name} is packed by a foreign filter, {foreign}")
    return dataset


def numbers(file: h5py.File, name: str) -> h5py.Dataset:
    """Return an array of a recording; raises ValueError if it is none, or too large to be read."""
    dataset = plain(file, name, _FILTERS)
    chunk = prod(dataset.chunks or dataset.shape)
    whole = dataset.shape if dataset.maxshape[:1] != (None,) else dataset.shape[1:]
    if max(prod(whole), chunk) * dataset.dtype.itemsize > MAX_BYTES:
        raise ValueError(f"{name} is larger than {MAX_BYTES} bytes")
    if dataset.shape and dataset.shape[0] > _MAX_ROWS:
        raise ValueError(f"{name} has {dataset.shape[0]} rows")
    return dataset


def constant(file: h5py.File, name: str, summed: bool) -> np.ndarray:
    """Return an array that never changes.

    Args:
        file: a segment.
        name: of the array.
        summed: whether its CRC stands beside it.

    Raises:
        ValueError: it is none, too large, or not what was written.
    """
    dataset = numbers(file, name)
    values: np.ndarray = dataset[()]
    if summed and checksum(values) != attribute(dataset, "sum"):
        raise ValueError(f"{name} is damaged (wrong CRC)")
    return values


def attribute(holder: h5py.File | h5py.Dataset, name: str) -> float:
    """Return a number that stands in an attribute; raises ValueError if it is none."""
    found = holder.attrs.get_id(name)
    if found.shape != () or found.dtype.kind not in "iuf":
        raise ValueError(f"attribute {name} is not a number")
    return float(holder.attrs[name])


def table(file: h5py.File, name: str, columns: int, dtype: str = "<f8") -> h5py.Dataset:
    """Return a table, (rows, columns); raises ValueError if it is none."""
    dataset = numbers(file, name)
    packed = dataset.id.get_create_plist().get_nfilters()  # it might unpack to any size
    if dataset.shape[1:] != (columns,) or dataset.dtype != np.dtype(dtype) or packed:
        raise ValueError(f"{name} is not a table of {columns} columns")
    return dataset


def check_chunk(file: h5py.File, dataset: h5py.Dataset, frame: int) -> None:
    """Refuse a frame that is larger packed than it should be: unpacked it may fill the memory.

    Raises:
        ValueError: it has too many bytes.
    """
    where = (frame, *(0 for _ in dataset.shape[1:]))
    chunk = dataset.id.get_chunk_info_by_coord(where)
    if chunk.size > 2 * prod(dataset.chunks) * dataset.dtype.itemsize + 1024:
        raise ValueError(f"frame {frame} has {chunk.size} bytes packed")
    if chunk.size and hasattr(os, "pread"):  # Windows has none
        # Into the system's cache: a disk that hangs shall hold this thread up here, and not
        # in HDF5, which has one lock for all threads and files.
        os.pread(file.id.get_vfd_handle(), chunk.size, chunk.byte_offset)
