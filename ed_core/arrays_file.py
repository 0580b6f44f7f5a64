"""Arrays in an HDF5 file, written whole and read with suspicion: weights and checkpoints."""

import contextlib
import io
import json
from collections.abc import Iterator, Sequence
from math import prod
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from ed_core.errors import EdkitError
from ed_core.recording.folder import written_whole
from ed_core.recording.layout import checksum, one_line

_MAX_VALUES = 2 * 10**9  # of one file: a model of two thousand million parameters
_MAX_FACTS = 64 * 2**20  # bytes of JSON


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
        text = json.dumps({**facts, "checksums": sums}, allow_nan=False)
        file.create_dataset("facts", data=np.frombuffer(text.encode(), np.uint8))
    with written_whole(path) as part:
        part.write_bytes(buffer.getbuffer())


def _storable(array: np.ndarray) -> np.ndarray:
    """Return an array of numbers that HDF5 knows: bfloat16 as float32, which holds each exactly."""
    return array.astype("float32") if array.dtype.name == "bfloat16" else array


def read_arrays(path: Path) -> tuple[list[np.ndarray], dict[str, Any]]:
    """Return what `write_arrays` wrote; raises EdkitError if the file is damaged or foreign."""
    with _opened(path) as file:
        facts = _facts(file)
        sums = facts.pop("checksums")
        sets = [_plain(file, f"{number:05d}") for number in range(len(sums))]
        if sum(prod(dataset.shape) for dataset in sets) > _MAX_VALUES:
            raise ValueError(f"it holds more than {_MAX_VALUES} numbers")
        arrays = [dataset[()] for dataset in sets]
    if [checksum(array) for array in arrays] != sums:
        raise EdkitError(f"{str(path)!r} is damaged: its checksums do not fit.")
    return arrays, facts


def read_facts(path: Path) -> dict[str, Any]:
    """Return the facts alone, unchecked; raises EdkitError as `read_arrays` does."""
    with _opened(path) as file:
        return _facts(file)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """Open a file, and let whatever is wrong with it be an EdkitError."""
    try:
        if path.exists() and not path.is_file():
            raise ValueError("it is not a regular file")
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise EdkitError(f"{str(path)!r} cannot be read: {one_line(error)}.") from error


def _facts(file: h5py.File) -> dict[str, Any]:
    text = _plain(file, "facts")
    if text.nbytes > _MAX_FACTS:
        raise ValueError(f"its facts have {text.nbytes} bytes")
    facts = json.loads(text[()].tobytes())
    if not isinstance(facts, dict):
        raise ValueError("its facts are no object")
    return facts


def check_fit(arrays: Sequence[np.ndarray], variables: Sequence[Any], path: Path) -> None:
    """Raise EdkitError unless every array fits its variable and holds only finite numbers."""
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
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise EdkitError(f"{str(path)!r}: {variable.path} holds numbers that are not finite.")


def _plain(file: h5py.File, name: str) -> h5py.Dataset:
    if not isinstance(file.get(name, getlink=True), h5py.HardLink):
        raise ValueError(f"{name} is missing or is a link")
    dataset = file[name]
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "fiub":
        raise ValueError(f"{name} is not an array of numbers")
    filters = dataset.id.get_create_plist().get_nfilters()
    if dataset.is_virtual or dataset.external or filters or dataset.chunks:
        raise ValueError(f"{name} points outside the file or is compressed")
    if dataset.id.get_storage_size() != dataset.nbytes:
        raise ValueError(f"{name} says {dataset.shape}, but less is stored")
    return dataset
