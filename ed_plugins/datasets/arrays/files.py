"""Arrays of npz, npy, HDF5 and MATLAB files, with the kind and classes that a file states."""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any
from zipfile import ZipFile, ZipInfo, is_zipfile

import h5py
import numpy as np
from numpy.lib import format as npy

from ed_core import EdkitError
from ed_core.data.lazy import Sliced
from ed_core.data.memory import check_memory
from ed_plugins.datasets._lazy import LazyView, read_rows
from ed_plugins.datasets.arrays.hdf5 import FACTS, open_hdf5, try_hdf5
from ed_plugins.datasets.arrays.options import UnfitError

_LARGE = 512 * 2**20  # bytes to which any array may unpack
_RATIO = 200  # largest ratio of unpacked to stored bytes, for larger arrays
_BLOCK = 2**20  # bytes per block
_PIECES = 64  # largest number of chunks a sample may span; with more, reading is many times slower
_UNPACKED = 8  # largest ratio of bytes unpacked for a sample to its size
_SMALL = 16 * 2**20  # arrays of fewer bytes may have any layout
_PICKLED = (
    "it holds Python objects, which are not read, as they can run programs: save numbers or texts, "
    "such as numpy.stack(list) or array.astype(str)"
)
_RECORDS = "expected numbers, found a table: save each of its columns as an array of its own"
_STARTS = {  # first bytes of files that are not read
    b"\x80": "a pickle, which is not read: save its arrays with numpy.savez",
    b"PK": "a zip archive that is cut off: fetch or write it again",
    b"\x1f\x8b": "what gzip packed: unpack it first",
    b"MATLAB": "what MATLAB wrote: let its name end in .mat",
    b"<": "a page of the web or XML: fetch the file itself",
    b"\x89PNG": "an image: images in folders are read as folder:FILE.toml",
    b"\xff\xd8\xff": "an image: images in folders are read as folder:FILE.toml",
}
_NPY = b"\x93NUMPY"
_EXPECTED = "expected an npz, npy, HDF5 or MATLAB file"
LONE = "x"  # the name of the array of an npy file, which has none
_NUMBERS = (
    "double",
    "single",
    "logical",
    *(f"{u}int{b}" for u in ("", "u") for b in (8, 16, 32, 64)),
)


class Packed(Sliced):
    """Array of an npz or MATLAB file, unpacked as a whole when it is first sliced.

    Args:
        path: of the file.
        name: of the array in it.
        shape: according to its header.
        dtype: according to its header.
    """

    def __init__(self, path: Path, name: str, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self._path, self._name, self._shape, self.dtype = path, name, shape, dtype
        self._whole: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape according to the header."""
        return self._shape

    def whole(self) -> np.ndarray:
        """Return all of it."""
        if self._whole is None:
            try:
                self._whole = self._unpacked()
            except EdkitError:
                raise
            except Exception as error:  # a damaged file breaks the readers in many ways
                raise damaged(self._path, error, f"array {self._name!r}") from error
        return self._whole

    def _unpacked(self) -> np.ndarray:
        if self._path.suffix == ".mat" and not is_zipfile(self._path):
            unpacked = np.asarray(_loadmat(self._path, [self._name])[self._name])
            if unpacked.dtype.kind == "c":
                where = f"{str(self._path)!r}, array {self._name!r}"
                raise UnfitError(where, f"expected numbers, found {unpacked.dtype}")
            return (
                unpacked if unpacked.dtype.kind == "U" else unpacked.astype(self.dtype, copy=False)
            )
        with ZipFile(self._path) as archive, archive.open(f"{self._name}.npy") as file:
            return npy.read_array(file, allow_pickle=False)

    def __getitem__(self, key: Any) -> np.ndarray:
        return np.asarray(self.whole()[key])


@dataclass(frozen=True, slots=True)
class Stored:
    """Array of a file.

    Args:
        array: of numpy, or read when it is sliced.
        where: file and name, for messages.
        kind: stated by the file, or "".
        classes: names of the classes stated by the file, or ().
        order: its axes in the order of the view.
    """

    array: Any
    where: str
    kind: str = ""
    classes: tuple[str, ...] = ()
    order: tuple[int, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape in the order of the view, (samples, ...) once the axes are settled."""
        return tuple(self.array.shape[axis] for axis in self.order)

    @property
    def dtype(self) -> np.dtype:
        """The type of the numbers."""
        return np.dtype(self.array.dtype)

    @property
    def is_text(self) -> bool:
        """Whether it holds texts."""
        return self.dtype.kind in "US" or h5py.check_string_dtype(self.dtype) is not None

    @property
    def is_packed(self) -> bool:
        """Whether HDF5 stores it compressed or with checksums: reading all of it shows damage."""
        packed = isinstance(self.array, h5py.Dataset)
        return packed and self.array.id.get_create_plist().get_nfilters() > 0

    def turned(self, axes: tuple[int, ...]) -> "Stored":
        """Return it with its axes in another order."""
        return replace(self, order=tuple(self.order[axis] for axis in axes))

    def view(self) -> Any:
        """Return it in the order of the view: numpy if in memory, else read when it is sliced."""
        array = self.array.whole() if isinstance(self.array, Packed) else self.array
        if self.order == tuple(range(len(self.order))):
            return array
        if isinstance(array, np.ndarray):
            return array.transpose(self.order)
        return LazyView(array, order=self.order)

    def blocks(self) -> Iterator[np.ndarray]:
        """Return some samples at a time, in their order; texts as texts."""
        array, size = self.view(), max(1, prod(self.shape[1:]) * self.dtype.itemsize)
        rows = max(1, _BLOCK // size)
        chunks = getattr(self.array, "chunks", None)
        chunk = chunks[self.order[0]] if chunks else 1
        rows = -(-rows // chunk) * chunk if chunk * size <= 64 * _BLOCK else rows
        for first in range(0, self.shape[0], rows):
            block = read_rows(array, slice(first, first + rows))
            yield _texts_of(block) if self.is_text else block


@dataclass(frozen=True, slots=True)
class ArrayFile:
    """Arrays of a file.

    Args:
        arrays: of numbers or of texts, by name.
        left: reasons why others are left out, by name.
    """

    arrays: dict[str, Stored]
    left: dict[str, str]


def damaged(path: Path, error: Exception, what: str = "it") -> EdkitError:
    """Return the message about a file that cannot be read, with the reader's text in brackets."""
    text = " ".join(str(error).split())[:200] or type(error).__name__
    return EdkitError(
        f"{str(path)!r} cannot be read: {what} is damaged or incomplete; fetch or write the file "
        f"again ({text.rstrip('.')})."
    )


def read_file(path: Path) -> ArrayFile:
    """Return the arrays of a file, not yet read; raise EdkitError with what is wrong.

    Kind and classes are stated by the attributes `kind` and `classes` of an HDF5 data set, or by
    npz arrays of text called NAME.kind and NAME.classes. Nothing is unpickled.
    """
    if not path.is_file():
        what = "a folder" if path.is_dir() else "a pipe or device" if path.exists() else "none"
        raise EdkitError(f"{str(path)!r}: {_EXPECTED}, found {what}.")
    try:
        if is_zipfile(path):
            arrays, left, facts = _read_npz(path)
        elif h5py.is_hdf5(path):
            try_hdf5(path)
            arrays, left = open_hdf5(path)
            facts = {name: _facts(array) for name, array in arrays.items()}
        elif path.suffix == ".mat":
            arrays, left = _read_mat(path)
            facts = {}
        elif _starts(path, len(_NPY)) == _NPY:
            arrays, left, facts = _read_npy(path), {}, {}
        else:
            raise EdkitError(f"{str(path)!r} cannot be read: {_EXPECTED}, {_format_of(path)}.")
    except EdkitError:
        raise
    except Exception as error:  # a damaged file breaks the readers in many ways
        raise damaged(path, error) from error
    return _checked(arrays, left, facts, f"{str(path)!r}, ")


def array_file(named: Mapping[str, Any]) -> ArrayFile:
    """Return the arrays of a program, numpy or anything that slices like it, as those of a file."""
    return _checked({name: _sliceable(array) for name, array in named.items()}, {}, {}, "")


def _sliceable(array: Any) -> Any:
    """Return an array as it lies if it has a shape and numpy's numbers, else as one of numpy."""
    try:
        np.dtype(array.dtype)
        tuple(array.shape)
    except (AttributeError, TypeError):
        return np.asarray(array)
    return array


def _checked(
    arrays: Mapping[str, Any],
    left: dict[str, str],
    facts: Mapping[str, dict[str, Any]],
    where: str,
) -> ArrayFile:
    """Return the arrays that hold samples, and why others are left out."""
    kept = {}
    for name, array in arrays.items():
        stored = _stored(array, f"{where}array {name!r}", facts.get(name, {}))
        reason = _reason(stored, facts.get(name, {}))
        if reason:
            left[name] = reason
        else:
            kept[name] = stored
    return ArrayFile(kept, left)


def _facts(array: h5py.Dataset) -> dict[str, Any]:
    """Return the attributes of an array that state its kind and classes."""
    return {name: array.attrs[name] for name in FACTS if name in array.attrs}


def _starts(path: Path, count: int) -> bytes:
    """Return the first bytes of a file."""
    with path.open("rb") as file:
        return file.read(count)


def _read_npy(path: Path) -> dict[str, Any]:
    """Return the array of an npy file, which is read when it is sliced.

    Raises:
        EdkitError: it holds Python objects.
        ValueError: it is cut off.
    """
    try:
        return {LONE: np.load(path, mmap_mode="r", allow_pickle=False)}
    except ValueError as error:
        with path.open("rb") as file:
            version = npy.read_magic(file)
            if version in ((1, 0), (2, 0)):
                read = npy.read_array_header_1_0 if version[0] == 1 else npy.read_array_header_2_0
                if read(file)[2].hasobject:
                    raise EdkitError(f"{str(path)!r}: {_PICKLED}.") from error
        raise


def _format_of(path: Path) -> str:
    """Return the description of a file of an unsupported format."""
    start = _starts(path, 512)
    format_name = next((what for magic, what in _STARTS.items() if start.startswith(magic)), "")
    if not format_name and start and start.isascii() and b"\0" not in start:
        format_name = "text: tables of numbers are read as signals:FILE.csv"
    return f"found {format_name or ('another kind' if start else 'an empty file')}"


def _stored(array: Any, where: str, facts: dict[str, Any]) -> Stored:
    """Return an array; MATLAB's with MATLAB's order of the axes."""
    order = tuple(range(len(array.shape)))
    kind = "".join(_texts(facts.get("kind", "")))
    classes = _texts(facts.get("classes", ())) or _names_of(array)
    return Stored(
        array,
        where,
        kind or "class" * bool(classes and "classes" not in facts),
        classes,
        order[::-1] if "MATLAB_class" in facts else order,
    )


def _names_of(array: Any) -> tuple[str, ...]:
    """Return the names of an HDF5 enumeration 0, 1, ..., () for any other type."""
    named = h5py.check_enum_dtype(array.dtype) or {}
    names = sorted(named, key=lambda name: named[name])
    return tuple(names) if [named[name] for name in names] == [*range(len(names))] else ()


def _reason(stored: Stored, facts: dict[str, Any]) -> str:
    """Return why an array holds no samples, "" if it does."""
    of_matlab = "".join(_texts(facts.get("MATLAB_class", "")))
    if of_matlab and of_matlab not in _NUMBERS:
        return _of_matlab(of_matlab[:40])
    if stored.dtype.hasobject and not stored.is_text:
        rows = "expected rows of one length, found rows of several, or references: fill them up"
        return _PICKLED if isinstance(stored.array, Packed) else rows
    if stored.dtype.names:
        return f"{_RECORDS}, of {', '.join(stored.dtype.names)[:80]}"
    if stored.dtype.kind not in "biuf" and not stored.is_text:
        return f"expected numbers, found {stored.dtype}: save it as floats"
    if not stored.shape or ("MATLAB_class" in facts and set(stored.shape) == {1}):
        return "expected (samples, ...), found a single number"
    if not prod(stored.shape) or "MATLAB_empty" in facts:
        return f"expected samples, found none: {stored.shape}"
    return ""


def _read_npz(path: Path) -> tuple[dict[str, Any], dict[str, str], dict[str, dict[str, Any]]]:
    """Return the arrays by name, why others are left out, and the facts of each from NAME.FACT."""
    arrays: dict[str, Any] = {}
    left: dict[str, str] = {}
    with ZipFile(path) as archive:
        for entry in archive.infolist():
            name, dot, ending = entry.filename.rpartition(".")
            if not dot or ending != "npy":
                left[entry.filename] = "expected an array of numpy (.npy), found another file"
                continue
            header = _header(archive, entry, path)
            if header is None:
                left[name] = _RECORDS
            else:
                arrays[name] = Packed(path, name, *header)
    if left and not any(name.endswith(".npy") for name in ZipFile(path).namelist()):
        raise EdkitError(
            f"{str(path)!r} cannot be read: expected arrays of numpy (.npy), found a zip archive "
            f"of {', '.join([*left][:4])}: save its arrays with numpy.savez."
        )
    facts: dict[str, dict[str, Any]] = {name: {} for name in arrays}
    for name in list(arrays):
        owner, dot, fact = name.rpartition(".")
        if dot and owner in facts and fact in ("kind", "classes"):
            stated = arrays.pop(name)
            check_memory(_bytes(stated), f"{str(path)!r}", "state fewer classes")
            facts[owner][fact] = stated.whole()
    return arrays, left, facts


def _header(
    archive: ZipFile, entry: ZipInfo, path: Path
) -> tuple[tuple[int, ...], np.dtype] | None:
    """Return shape and type of an array of an npz, None for records with names beyond Latin-1.

    Raises:
        ValueError: content and header differ.
        EdkitError: it would unpack to far more than is stored.
    """
    with archive.open(entry) as file:
        version = npy.read_magic(file)
        if version == (3, 0):
            return None
        if version not in ((1, 0), (2, 0)):
            raise ValueError(f"{entry.filename!r} has format {version} of numpy")
        read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, _, dtype = read(file)
        content = entry.file_size - file.tell()
    if not dtype.hasobject and prod(shape) * dtype.itemsize != content:
        raise ValueError(f"{entry.filename!r} says {dtype} {shape}, but holds {content:,} bytes")
    stored = min(entry.compress_size, path.stat().st_size)
    if content > max(_LARGE, _RATIO * stored):
        raise EdkitError(
            f"{str(path)!r}: {entry.filename!r} would unpack {stored:,} bytes to {content:,}, "
            "which is not tried: save it with numpy.savez, which packs nothing, or as HDF5."
        )
    return shape, dtype


def _of_matlab(kind: str) -> str:
    """Return why an array of MATLAB is left out, and how to convert it there."""
    ways = {"cell": "char(x) of texts or cell2mat(x)", "string": "char(x)", "sparse": "full(x)"}
    ways |= {"struct": "its fields one by one"}
    way = f": save {ways[kind]}" if kind in ways else ""
    return f"expected numbers, found MATLAB's {kind}{way}"


def _read_mat(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the arrays of a MATLAB file of version 4 to 7, and why others are left out."""
    from scipy.io import whosmat

    arrays: dict[str, Any] = {}
    left: dict[str, str] = {}
    size = path.stat().st_size
    dtypes = {"single": "float32", "double": "float64", "logical": "bool", "char": "U1"}
    for name, shape, kind in whosmat(path):
        if kind not in (*_NUMBERS, "char"):  # a cell, a struct, a sparse matrix, ...
            left[name] = _of_matlab(kind)
            continue
        array = Packed(path, name, tuple(shape), np.dtype(dtypes.get(kind, kind)))
        if _bytes(array) > max(_LARGE, _RATIO * size):
            raise EdkitError(
                f"{str(path)!r}: {name!r} would unpack {size:,} bytes to {_bytes(array):,}, which "
                "is not tried: save it with -v7.3."
            )
        if set(shape) == {1}:
            left[name] = "expected (samples, ...), found a single number"
        elif kind == "char":
            arrays[name] = Packed(path, name, tuple(shape[:1]), np.dtype(f"U{shape[-1]}"))
        else:
            arrays[name] = array
    return arrays, left


def _loadmat(path: Path, names: list[str]) -> dict[str, Any]:
    """Return some arrays of a MATLAB file, texts as (rows,)."""
    from scipy.io import loadmat

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as a name that occurs twice
        arrays: dict[str, Any] = loadmat(path, variable_names=names)
    return arrays


def _bytes(array: Any) -> int:
    return int(prod(array.shape) * array.dtype.itemsize)


def unpacked_bytes(stored: Stored) -> int:
    """Return the bytes an array takes as a whole if it is unpacked at once, else 0."""
    return _bytes(stored.array) if isinstance(stored.array, Packed) else 0


def slow_layout(stored: Stored) -> str:
    """Return a faster layout of slowly read samples, "" if none is needed."""
    array = stored.array
    if not isinstance(array, h5py.Dataset) or array.nbytes <= _SMALL:
        return ""
    samples = stored.order[0]
    chunks = array.chunks or ((1, *array.shape[1:]) if not samples else array.shape)
    one = tuple(1 if axis == samples else size for axis, size in enumerate(array.shape))
    count = prod(-(-size // chunk) for size, chunk in zip(one, chunks, strict=True))
    unpacked = count * prod(chunks) / prod(one)  # bytes read per byte of one sample
    packed = stored.is_packed or not array.chunks
    if count < _PIECES and (unpacked < _UNPACKED or not packed):
        return ""
    return f"create_dataset(..., chunks={one})"


def _texts_of(block: np.ndarray) -> np.ndarray:
    """Return texts of bytes or of objects as texts."""
    if block.dtype.kind == "U":
        return block
    return np.array(_texts(block), dtype=str).reshape(block.shape)


def _texts(fact: Any) -> tuple[str, ...]:
    """Return the texts of an attribute or an array, of bytes or of characters."""
    items = np.asarray(fact).ravel().tolist()
    return tuple(i.decode("utf-8", "replace") if isinstance(i, bytes) else str(i) for i in items)
