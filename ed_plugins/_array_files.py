"""The arrays of an npz or HDF5 file, and what the file says they are."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile, is_zipfile

import h5py
import numpy as np

from ed_core import EdkitError
from ed_plugins._hdf5 import open_hdf5, try_hdf5

_LARGEST = 64 * 2**30  # bytes that a compressed npz may unpack to


@dataclass(frozen=True, slots=True)
class Stored:
    """An array of a file.

    Args:
        array: (samples, ...), of numpy or of h5py, which reads when sliced.
        where: file and name, for messages.
        kind: that the file states, or "".
        classes: the names of the classes that the file states, or ().
    """

    array: Any
    where: str
    kind: str = ""
    classes: tuple[str, ...] = ()


def read_file(path: Path) -> dict[str, Stored]:
    """Return the arrays of numbers in a file, by name; raises EdkitError with what is wrong.

    Kind and classes are stated by the attributes `kind` and `classes` of an HDF5 data set, or by
    npz arrays of text called NAME.kind and NAME.classes. Nothing is unpickled.
    """
    if not path.is_file():
        raise EdkitError(f"{str(path)!r}: expected an npz or HDF5 file, found none.")
    try:
        if is_zipfile(path):
            arrays, facts = _read_npz(path)
        elif h5py.is_hdf5(path):
            try_hdf5(path)
            arrays = open_hdf5(path)
            facts = {name: dict(array.attrs) for name, array in arrays.items()}
        else:
            raise ValueError("it is neither npz nor HDF5")
    except Exception as error:  # a damaged file breaks the readers in many ways
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise EdkitError(f"{str(path)!r} cannot be read: {text}.") from error
    found = {}
    for name, array in arrays.items():
        where = f"{str(path)!r}, array {name!r}"
        if array.dtype.kind not in "biuf":
            raise EdkitError(f"{where}: expected numbers, found {array.dtype}.")
        if not array.ndim:
            raise EdkitError(f"{where}: expected (samples, ...), found a single number.")
        kind = "".join(_texts(facts[name].get("kind", "")))
        found[name] = Stored(array, where, kind, _texts(facts[name].get("classes", ())))
    if not found:
        raise EdkitError(f"{str(path)!r}: expected arrays SPLIT/FIELD or FIELD, found none.")
    return found


def _read_npz(path: Path) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the arrays by name, and for each what arrays called NAME.FACT say."""
    with ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
        others = [name for name in archive.namelist() if not name.endswith(".npy")]
    if unpacked > _LARGEST:
        raise ValueError(f"it unpacks to {unpacked:,} bytes")
    with np.load(path, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    others += [f"{name}.npy" for name, array in arrays.items() if isinstance(array, bytes)]
    if others:
        raise ValueError(f"it holds {others[0]!r}, which is no array of numpy")
    facts: dict[str, dict[str, Any]] = {name: {} for name in arrays}
    for name in list(arrays):
        owner, dot, fact = name.rpartition(".")
        if dot and owner in facts and fact in ("kind", "classes"):
            facts[owner][fact] = arrays.pop(name)
    return arrays, facts


def _texts(fact: Any) -> tuple[str, ...]:
    """Return the texts of an attribute or an array, of bytes or of characters."""
    items = np.asarray(fact).ravel().tolist()
    return tuple(i.decode("utf-8", "replace") if isinstance(i, bytes) else str(i) for i in items)
