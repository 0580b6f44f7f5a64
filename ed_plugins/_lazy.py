"""Arrays that become what a field holds when they are sliced, not before."""

from dataclasses import dataclass
from typing import Any

import numpy as np

_DENSE = 8  # times as many samples are read as are wanted, at most


@dataclass(frozen=True, slots=True)
class View:
    """Some rows of an array, perhaps scaled, read when sliced: from a file, or from fewer bytes.

    Args:
        array: (samples, ...), of numpy or of HDF5.
        white: the whole number that reads as 1.0; None leaves the numbers as they are.
        rows: the samples that are seen, rising; None for all.
        channel: whether an axis of one channel is put at the end.
    """

    array: Any
    white: int | None = None
    rows: np.ndarray | None = None
    channel: bool = False

    @property
    def dtype(self) -> np.dtype:
        """The type of what is read."""
        return native(self.array.dtype) if self.white is None else np.dtype("float32")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, (samples, ...)."""
        return (len(self), *self.array.shape[1:], *[1] * self.channel)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def __len__(self) -> int:
        return len(self.array) if self.rows is None else len(self.rows)

    def __getitem__(self, key: Any) -> np.ndarray:
        values = self._read(key)
        if self.white is None:
            values = np.asarray(values, self.dtype)
        else:
            values = np.divide(values, np.float32(self.white), dtype="float32")
        return values[..., None] if self.channel else values

    def _read(self, key: Any) -> Any:
        """Return what is stored for some samples."""
        if self.rows is None:
            return self.array[key]
        rows = self.rows[key]
        if not isinstance(key, slice) or not len(rows):
            return self.array[rows]
        first, last = int(rows[0]), int(rows[-1]) + 1
        if last - first > _DENSE * len(rows):
            return self.array[rows]
        # HDF5 takes far longer for single rows than for all between them.
        return self.array[first:last][rows - first]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self[:], dtype)


def native(dtype: np.dtype) -> np.dtype:
    """Return a type in the byte order of this machine, which is the only one a backend takes."""
    return dtype.newbyteorder("=")
