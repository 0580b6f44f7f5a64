"""Arrays that become what a field holds when they are sliced, not before."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from ed_core.data.lazy import Sliced
from ed_core.errors import EdkitError, one_line

_FEW = 32  # samples a chunk, of which single ones are read


@dataclass(frozen=True, slots=True)
class LazyView(Sliced):
    """An array, perhaps scaled and turned, that is read when it is sliced: from a file, or memory.

    Args:
        array: of numpy or of HDF5.
        white: the number that reads as 1.0; None leaves the numbers as they are.
        channel: whether an axis of one channel is put at the end.
        black: the number that reads as 0.0, where `white` is given.
        cut: whether what lies beyond black and white is brought to 0 and 1.
        order: the axes of the array in the order in which they are shown, that of the samples
            first; () leaves them as they are.
        void: the number that stands for no value, which reads as NaN; None where there is none.
        inferred: whether the largest number said what white is: other files may have another.
        checked: whether all numbers were looked at: finite, of an image or a video in 0..1.
    """

    array: Any
    white: float | None = None
    channel: bool = False
    black: float = 0
    cut: bool = False
    order: tuple[int, ...] = ()
    void: float | None = None
    inferred: bool = False
    checked: bool = False

    @property
    def dtype(self) -> np.dtype:
        """The type of what is read."""
        return native(self.array.dtype) if self.white is None else np.dtype("float32")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, (samples, ...)."""
        shape = self.array.shape
        turned = tuple(shape[axis] for axis in self.order) if self.order else tuple(shape)
        return (*turned, *[1] * self.channel)

    def __getitem__(self, key: Any) -> np.ndarray:
        values = self._turned(key) if self.order else read_rows(self.array, key)
        if self.white is None:
            values = np.asarray(values, self.dtype)
        else:
            values = self._scaled(np.asarray(values))
        if self.void is not None:
            number = values.dtype.type
            values = np.where(values == number(self.void), number("nan"), values)
        return values[..., None] if self.channel else values

    def _turned(self, key: Any) -> np.ndarray:
        """Return samples of an array with other axes than those that are shown."""
        samples, *others = self.order
        index: list[Any] = [slice(None)] * len(self.order)
        index[samples] = key
        values = read_rows(self.array, tuple(index) if samples else key)
        if values.ndim == len(self.order):
            return values.transpose(self.order)
        return values.transpose([axis - (axis > samples) for axis in others])  # a single sample

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        if self.black and self.white is not None:
            width = np.float64(self.white) - self.black
            values = ((values - np.float64(self.black)) / width).astype("float32")
        else:
            values = np.divide(values, np.float32(self.white), dtype="float32")
        return np.clip(values, 0, 1, out=values) if self.cut else values


def read_rows(array: Any, key: Any) -> np.ndarray:
    """Return some samples; of chunks in HDF5 one after the other, which is far faster there.

    Raises:
        EdkitError: the file is damaged there.
    """
    listed = isinstance(key, np.ndarray) and key.dtype.kind in "iu" and len(key) > 0
    try:
        if listed and (getattr(array, "chunks", None) or (_FEW,))[0] < _FEW:
            return np.stack([array[row] for row in key])
        return np.asarray(array[key])
    except OSError as error:  # of HDF5
        file = getattr(getattr(array, "file", None), "filename", "the file")
        name = str(getattr(array, "name", "")).removeprefix("/")
        raise EdkitError(
            f"{file!r}, array {name!r} cannot be read: it is damaged or incomplete; fetch or write "
            f"the file again ({one_line(error).rstrip('.')})."
        ) from error


def native(dtype: np.dtype) -> np.dtype:
    """Return a type as a backend takes it: in the byte order of this machine, floats to 64 bits."""
    wide = dtype.kind == "f" and dtype.itemsize > 8
    return np.dtype("float64") if wide else dtype.newbyteorder("=")
