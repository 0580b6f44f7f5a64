"""Arrays in an HDF5 file, written whole and read with suspicion: weights and checkpoints.

Behind the end of the HDF5 file, where HDF5 does not look, stands a sum over all of it, so that
whatever changes in it is noticed before HDF5 reads a word. Files of before format 2 have none.
"""

import contextlib
import io
import json
import struct
import zlib
from collections.abc import Container, Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ed_core.errors import EdkitError
from ed_core.recording.checked_file import open_file, plain
from ed_core.recording.folder import written_whole
from ed_core.recording.layout import checksum, one_line

FORMAT = 2
_MAX_ARRAYS = 10_000  # of one file
_MAX_FACTS = 64 * 2**20  # bytes of JSON
_BLOCK = 2**20  # bytes that are read in one go
_ENOUGH = 64 * 2**20  # bytes: what a file may claim, however little of it is on the disk
_PACKED = 16  # times what is on the disk: a file system may compress, zeros above all
_SUM = struct.Struct("<8sII")  # mark, format, CRC-32 of all before it
_MARK = b"edkitsum"


def write_arrays(path: Path, arrays: Sequence[np.ndarray], facts: dict[str, Any]) -> None:
    """Write arrays and facts to `path`; a kill at any moment leaves the old file or the new one.

    Raises OSError if they cannot be written. HDF5 writes into memory, since on a full disk it
    would crash the process.
    """
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        sums = []
        for number, array in enumerate(map(_storable, arrays)):
            file.create_dataset(f"{number:05d}", data=array)
            sums.append(checksum(array))
        text = json.dumps({"format": FORMAT, **facts, "checksums": sums}, allow_nan=False)
        file.create_dataset("facts", data=np.frombuffer(text.encode(), np.uint8))
    buffer.seek(0, io.SEEK_END)
    head = _SUM.pack(_MARK, FORMAT, 0)[:-4]
    buffer.write(head)
    buffer.write(struct.pack("<I", zlib.crc32(buffer.getbuffer())))
    with written_whole(path) as part:
        part.write_bytes(buffer.getbuffer())


def _storable(array: np.ndarray) -> np.ndarray:
    """Return an array of numbers that HDF5 knows: bfloat16 as float32, which holds each exactly."""
    kind = str(getattr(array, "dtype", ""))
    return array.astype("float32") if kind == "bfloat16" else array


def read_arrays(path: Path) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Return what `write_arrays` wrote; raises EdkitError if the file is damaged or foreign."""
    summed = _summed(path)
    with _opened(path, summed) as (file, facts):
        sums = facts.pop("checksums")
        arrays = [dataset[()] for dataset in _sets(file, len(sums), path)]
        if not summed and [checksum(array) for array in arrays] != sums:
            raise EdkitError(f"{str(path)!r} is damaged: its checksums do not fit.")
    return arrays, facts


def read_facts(path: Path) -> dict[str, Any]:
    """Return the facts alone; raises EdkitError as `read_arrays` does."""
    with _opened(path, _summed(path)) as (_, facts):
        facts.pop("checksums")
    return facts


def read_shapes(path: Path) -> list[tuple[int, ...]]:
    """Return the shapes of the arrays alone; raises EdkitError as `read_arrays` does."""
    with _opened(path, _summed(path)) as (file, facts):
        return [dataset.shape for dataset in _sets(file, len(facts["checksums"]), path)]


@contextlib.contextmanager
def _opened(path: Path, summed: bool) -> Iterator[tuple[h5py.File, dict[str, Any]]]:
    """Open a file and read its facts, and let whatever is wrong with it be an EdkitError.

    Args:
        path: of the file.
        summed: whether it is known by the sum at its end.
    """
    with _readable(path), open_file(path) as file:
        facts = _facts(file)
        known = facts.pop("format", 1)
        if type(known) is not int or known < 1:
            raise ValueError(f"its format is {one_line(known)}")
        _refuse_newer(path, known)
        if not isinstance(facts["checksums"], list) or len(facts["checksums"]) > _MAX_ARRAYS:
            raise ValueError(f"its checksums are no list of up to {_MAX_ARRAYS}")
        yield file, facts
        if known > 1 and not summed:
            raise EdkitError(f"{str(path)!r} is damaged: the sum at its end is missing.")


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Let whatever is wrong with a file be an EdkitError."""
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is not a regular file")
        yield
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EdkitError(f"{str(path)!r} cannot be read: {one_line(error)}.") from error
    except (MemoryError, OverflowError) as error:
        raise EdkitError(f"{str(path)!r} cannot be read: {type(error).__name__}.") from error


def _summed(path: Path) -> bool:
    """Tell whether a file has a sum at its end; raises EdkitError if that is not its own."""
    with _readable(path), open(path, "rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(size - _SUM.size, 0))
        end = file.read(_SUM.size)
        if len(end) < _SUM.size or not end.startswith(_MARK):
            return False
        _, version, expected = _SUM.unpack(end)
        file.seek(0)
        left, found = size - 4, 0
        while left > 0 and (block := file.read(min(left, _BLOCK))):
            found, left = zlib.crc32(block, found), left - len(block)
    if found != expected:
        raise EdkitError(f"{str(path)!r} is damaged: the sum at its end does not fit.")
    _refuse_newer(path, version)
    return True


def _refuse_newer(path: Path, version: int) -> None:
    if version > FORMAT:
        raise EdkitError(
            f"{str(path)!r} was written by a newer version (format {version}, this one knows "
            f"{FORMAT}): pip install --upgrade edkit."
        )


def _facts(file: h5py.File) -> dict[str, Any]:
    text = _plain(file, "facts")
    if text.nbytes > _MAX_FACTS:
        raise ValueError(f"its facts have {text.nbytes} bytes")
    facts = json.loads(text[()].tobytes())
    if not isinstance(facts, dict):
        raise ValueError("its facts are no object")
    return facts


def _sets(file: h5py.File, count: int, path: Path) -> list[h5py.Dataset]:
    """Return the arrays, unread; raises ValueError if they claim more than the file holds."""
    sets, seen = [], set()
    status = path.stat()
    # None on Windows, 0 where a file system counts none.
    blocks = getattr(status, "st_blocks", 0) or status.st_size // 512
    left = min(status.st_size, max(_ENOUGH, _PACKED * 512 * blocks))
    for number in range(count):
        dataset = _plain(file, f"{number:05d}")
        left -= prod(dataset.shape) * dataset.dtype.itemsize
        address = h5py.h5o.get_info(dataset.id).addr
        if left < 0 or address in seen:
            raise ValueError(
                "its arrays claim more than it holds, or one stands there several times"
            )
        seen.add(address)
        sets.append(dataset)
    return sets


def check_fit(
    arrays: Sequence[np.ndarray],
    variables: Sequence[Any],
    path: Path,
    measured: Container[int] = (),
) -> None:
    """Raise EdkitError unless every array fits its variable, its numbers finite, of its type.

    Args:
        arrays: as they were read.
        variables: in the same order.
        path: of the file.
        measured: the identities of variables that hold what was measured, which may be infinite.
    """
    found = [tuple(array.shape) for array in arrays]
    expected = [tuple(variable.shape) for variable in variables]
    if found != expected:
        first = next(
            (i for i, (a, b) in enumerate(zip(found, expected, strict=False)) if a != b), -1
        )
        detail = (
            f": array {first} is {found[first]}, expected {expected[first]}" if first >= 0 else ""
        )
        raise EdkitError(
            f"{str(path)!r} holds {len(found)} arrays, this model has {len(expected)}{detail}. "
            "It was written by another model or with other options."
        )
    for array, variable in zip(arrays, variables, strict=True):
        if (kind := _kind_of(array.dtype.name)) != (wanted := _kind_of(variable.dtype)):
            raise EdkitError(f"{str(path)!r}: {variable.path} holds {kind}, expected {wanted}.")
        if id(variable) in measured or array.dtype.kind != "f":
            continue
        if not np.isfinite(array).all():
            raise EdkitError(f"{str(path)!r}: {variable.path} holds numbers that are not finite.")


def _kind_of(dtype: str) -> str:
    """Return what arrays of a type hold."""
    if "float" in dtype:
        return "numbers"
    return "yes or no" if dtype.startswith("bool") else "whole numbers"


def _plain(file: h5py.File, name: str) -> h5py.Dataset:
    dataset = plain(file, name, filters=())
    if dataset.chunks or dataset.id.get_storage_size() != dataset.nbytes:
        raise ValueError(f"{name} says {dataset.shape}, but less is stored, or in pieces")
    return dataset
