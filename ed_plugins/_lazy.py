"""Arrays that become what a field holds when they are sliced, not before."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ed_core.lazy import Sliced


@dataclass(frozen=True, slots=True)
class View(Sliced):
    """An array, perhaps scaled, that is read when it is sliced: from a file, or from fewer bytes.

    Args:
        array: (samples, ...), of numpy or of HDF5.
        white: the whole number that reads as 1.0; None leaves the numbers as they are.
        channel: whether an axis of one channel is put at the end.
    """

    array: Any
    white: int | None = None
    channel: bool = False

    @property
    def dtype(self) -> np.dtype:
        """The type of what is read."""
        return native(self.array.dtype) if self.white is None else np.dtype("float32")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, (samples, ...)."""
        return (*self.array.shape, *[1] * self.channel)

    def __getitem__(self, key: Any) -> np.ndarray:
        values = self.array[key]
        if self.white is None:
            values = np.asarray(values, self.dtype)
        else:
            values = np.divide(values, np.float32(self.white), dtype="float32")
        return values[..., None] if self.channel else values


def native(dtype: np.dtype) -> np.dtype:
    """Return a type in the byte order of this machine, which is the only one a backend takes."""
    return dtype.newbyteorder("=")
