"""Lazy arrays and splits: selected rows, changed numbers, arrays made on first use."""

from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

_DENSE = 8  # largest ratio of samples read to samples used
_MOST_AT_A_TIME, _BYTES_AT_A_TIME = 500, 8 * 2**20


def rows_of(array: Any, rows: np.ndarray) -> Any:
    """Return the given rows of an array: at once for numpy, else when it is sliced.

    Args:
        array: (samples, ...).
        rows: which samples, increasing.
    """
    return array[rows] if in_memory(array) else Rows(array, rows)


def in_memory(array: Any) -> bool:
    """Return whether the numbers of an array are in memory, so that rows may be taken anyhow."""
    return isinstance(array, np.ndarray) and not isinstance(array, np.memmap)


def at_a_time(arrays: Mapping[str, Any], inputs: Iterable[str]) -> int:
    """Return the batch size outside training: at most 500.

    Fewer for large images, since a convolution needs many times their memory.
    """
    sample = sum(np.asarray(arrays[name][:1]).nbytes for name in inputs)
    return max(1, min(_MOST_AT_A_TIME, _BYTES_AT_A_TIME // max(sample, 1)))


def is_checked(array: Any) -> bool:
    """Return whether a loader checked all numbers: finite, and in 0..1 for an image or a video.

    Its mark is the attribute `checked`; rows of a checked array are checked as well.
    """
    while isinstance(array, Rows):
        array = array.array
    return bool(getattr(array, "checked", False))


def is_slow(array: Any) -> bool:
    """Return whether the rows of an array take long to read, such as files that are decoded.

    Its mark is the attribute `is_slow`, of the array or of what it is a view of.
    """
    while not hasattr(array, "is_slow"):
        if not hasattr(array, "array"):
            return False
        array = array.array
    return bool(array.is_slow)


def stored_of(array: Any) -> tuple[Any, float | None]:
    """Return an array as it is stored, and what its numbers are divided by; None leaves them.

    The mark of an array that is stored otherwise is its attribute `stored`, a pair of these.
    """
    if isinstance(array, Rows):
        raw, white = stored_of(array.array)
        return (array, None) if raw is array.array else (Rows(raw, array.rows), white)
    return getattr(array, "stored", None) or (array, None)


def parts_of(array: Any) -> tuple[np.ndarray, int] | None:
    """Return the file of each sample, and of how many files the samples may be mixed.

    Samples of one file, such as tiles of an image, are read together at little more than the cost
    of one, as long as not too many files are under way. Its mark is the attribute `parts`; None
    where any order costs the same.
    """
    if isinstance(array, Rows):
        parts = parts_of(array.array)
        return parts and (parts[0][array.rows], parts[1])
    if hasattr(array, "parts"):
        return array.parts
    return parts_of(array.array) if isinstance(array, Sliced) and hasattr(array, "array") else None


class Sliced:
    """Base of lazy arrays: all that follows from the shape and from slicing."""

    __slots__ = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, (samples, ...)."""
        raise NotImplementedError

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return int(self.shape[0])

    def __getitem__(self, key: Any) -> np.ndarray:
        raise NotImplementedError

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)


@dataclass(frozen=True, slots=True)
class Rows(Sliced):
    """Selected rows of an array that is read when it is sliced.

    Args:
        array: (samples, ...), or anything that slices like it.
        rows: indices of samples, increasing, since h5py requires it.
    """

    array: Any
    rows: np.ndarray

    @property
    def dtype(self) -> np.dtype:
        """The type of the numbers that a slice returns."""
        return np.dtype(self.array.dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, (rows, ...)."""
        return (len(self.rows), *self.array.shape[1:])

    def __getitem__(self, key: Any) -> np.ndarray:
        rows = self.rows[key]
        if isinstance(key, slice) and len(rows):
            span = int(rows[-1]) + 1 - int(rows[0])
            if span <= _DENSE * len(rows) and not is_slow(self.array):
                return self._between(rows)
        return np.asarray(self.array[rows])

    def _between(self, rows: np.ndarray) -> np.ndarray:
        """Return rows that lie near to each other, read with what lies between them.

        HDF5 reads single rows far more slowly than a whole range. At a time it is a range of a few
        MB, or of one chunk where that is more, since a chunk is unpacked as a whole.
        """
        dtype = np.dtype(getattr(self.array, "dtype", float))
        sample = max(dtype.itemsize * prod(self.array.shape[1:]), 1)
        chunk = chunk_of(self.array)
        length = max(_BYTES_AT_A_TIME // sample // chunk, 1) * chunk
        pieces = np.split(rows, np.flatnonzero(np.diff(rows // length)) + 1)
        values = [
            np.asarray(self.array[int(piece[0]) : int(piece[-1]) + 1])[piece - piece[0]]
            for piece in pieces
        ]
        return values[0] if len(values) == 1 else np.concatenate(values)


def chunk_of(array: Any, axis: int = 0) -> int:
    """Return how many samples of an array are stored together, and unpacked together.

    Its mark is the attribute `chunks` of HDF5, or `chunk` of a view of such an array.

    Args:
        array: (samples, ...), or with the samples along another axis.
        axis: of the samples.
    """
    if chunks := getattr(array, "chunks", None):
        return int(chunks[axis])
    if hasattr(array, "chunk"):
        return int(array.chunk)
    return chunk_of(array.array) if hasattr(array, "array") else 1


@dataclass(frozen=True, slots=True)
class Changed(Sliced):
    """Array whose numbers are changed when it is sliced.

    Args:
        array: (samples, ...), or anything that slices like it.
        change: from some samples to as many of the same shape.
        dtype: of the result.
    """

    array: Any
    change: Callable[[np.ndarray], np.ndarray]
    dtype: np.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, (samples, ...)."""
        return tuple(self.array.shape)

    def __getitem__(self, key: Any) -> np.ndarray:
        return self.change(np.asarray(self.array[key])).astype(self.dtype, copy=False)


class Splits(Mapping[str, Any]):
    """Splits of a data set, some of them replaced or left out; the others stay unread.

    Args:
        base: split name to its arrays.
        changed: replaced or added splits.
        without: names of splits to leave out.
        change: applied to the arrays of a split on first access.
    """

    def __init__(
        self,
        base: Mapping[str, Any],
        changed: Mapping[str, Any] | None = None,
        without: Container[str] = (),
        change: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
    ) -> None:
        self._base = base
        self._own = dict(changed or {})
        self._without = without
        self._change = change
        self._kept: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._kept:
            if name not in self._own and name in self._without:
                raise KeyError(name)
            arrays = self._own[name] if name in self._own else self._base[name]
            self._kept[name] = self._change(arrays) if self._change else arrays
        return self._kept[name]

    def __contains__(self, name: object) -> bool:
        return any(name == split for split in self)

    def __iter__(self) -> Iterator[str]:
        left = [name for name in self._base if name in self._own or name not in self._without]
        return iter([*left, *(name for name in self._own if name not in self._base)])

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Later(Mapping[str, Any]):
    """Arrays that are made on first access to one of them.

    Args:
        make: returns them, field to (samples, ...).
        names: of the fields.
    """

    def __init__(self, make: Callable[[], Mapping[str, Any]], names: Collection[str]) -> None:
        self._make = make
        self._names = names
        self._made: Mapping[str, Any] | None = None

    def __getitem__(self, name: str) -> Any:
        if self._made is None:
            self._made = self._make()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
