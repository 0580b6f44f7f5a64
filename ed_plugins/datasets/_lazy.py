"""Lazy views of stored arrays: scaled and transposed only when they are sliced."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ed_core.data.lazy import Sliced, chunk_of
from ed_core.errors import EdkitError, one_line

SPAN, _FLAT = 8, 1e-6  # deviations from 0 to 1, and the deviation of an image of one number
_FEW = 32  # samples a chunk, of which single ones are read


@dataclass(frozen=True, slots=True)
class LazyView(Sliced):
    """View of a stored array that is read, scaled and transposed when it is sliced.

    Args:
        array: of numpy or of HDF5.
        white: the number that reads as 1.0; None leaves the numbers unscaled.
        channel: whether an axis of one channel is appended.
        black: the number that reads as 0.0, where `white` is given.
        cut: whether numbers beyond black and white are clipped to 0 and 1.
        order: the axes of the array in the order of the view, samples first; () leaves them as they
            are.
        void: the number that marks a missing value and reads as NaN; None if there is none.
        inferred: whether white was inferred from the largest number; other files may differ.
        checked: whether all numbers were checked: finite, and in 0..1 for an image or a video.
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
        """The type of the numbers that a slice returns."""
        return native(self.array.dtype) if self.white is None else np.dtype("float32")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, (samples, ...)."""
        shape = self.array.shape
        turned = tuple(shape[axis] for axis in self.order) if self.order else tuple(shape)
        return (*turned, *[1] * self.channel)

    @property
    def chunk(self) -> int:
        """How many samples are stored together."""
        return chunk_of(self.array, self.order[0] if self.order else 0)

    @property
    def stored(self) -> tuple[Any, float | None] | None:
        """The view of the bytes and what they are divided by, if nothing else is done to them."""
        if self.white is None or self.cut or self.black or self.void is not None:
            return None
        return (replace(self, white=None), self.white) if self.array.dtype == np.uint8 else None

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
        """Return samples of an array whose axes are transposed in the view."""
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


@dataclass(frozen=True, slots=True)
class Standardised(Sliced):
    """View of images of which each is brought to the mean 1/2 and the deviation 1/8 by itself.

    Args:
        array: (samples, height, width, channels), numbers in 0..1.
    """

    array: Any
    checked: bool = True

    @property
    def dtype(self) -> np.dtype:
        """The type of the numbers that a slice returns."""
        return np.dtype("float32")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, (samples, ...)."""
        return tuple(self.array.shape)

    def __getitem__(self, key: Any) -> np.ndarray:
        return standardised(np.asarray(self.array[key]))


class StandardisedTiles(Standardised):
    """View of tiles that are standardised by the whole image that each is cut from.

    Args:
        array: (tiles, height, width, channels), numbers as they are stored; its method `scales`
            gives mean and deviation of the images of some rows, (rows, 2).
    """

    __slots__ = ()

    def __getitem__(self, key: Any) -> np.ndarray:
        tiles = np.asarray(self.array[key])
        rows = np.arange(len(self))[key]
        scales = self.array.scales(rows.reshape(-1)).reshape(*rows.shape, 1, 1, 1, 2)
        return _between(tiles, scales[..., 0], scales[..., 1])


def standardised(images: np.ndarray) -> np.ndarray:
    """Return each image with the mean 1/2 and the deviation 1/8, cut to 0..1, float32.

    x becomes 1/2 + (x - mean) / (8 deviation): 0 to 1 are 4 deviations below and above the mean.
    Mean and deviation are those of all numbers of an image, all channels together, in float64; an
    image of one number becomes 1/2.

    Args:
        images: (..., height, width, channels), such as 0..1.
    """
    return with_scale(images)[0]


def with_scale(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each image as `standardised` does, and its `OWN_SCALE`, (..., 2) float32."""
    axes = (-3, -2, -1)
    mean = images.mean(axis=axes, keepdims=True, dtype="float64")
    deviation = images.std(axis=axes, keepdims=True, dtype="float64")
    deviation = _not_flat(deviation)
    whole = _between(images, mean, deviation)
    scale = np.concatenate([SPAN * deviation, mean - SPAN / 2 * deviation], axis=-1)
    return whole, scale.reshape(*images.shape[:-3], 2).astype("float32")


def _not_flat(deviation: np.ndarray) -> np.ndarray:
    return np.where(deviation < _FLAT, 1, deviation)


def _between(images: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Return images with 0 and 1 at four deviations below and above their mean, float32."""
    span = SPAN * _not_flat(deviation)
    return np.clip((images - mean) / span + 0.5, 0, 1).astype("float32")


def read_rows(array: Any, key: Any) -> np.ndarray:
    """Return some samples; read chunked HDF5 chunk after chunk, which is far faster.

    Raises:
        EdkitError: the file is damaged at that place.
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
    """Return a type that backends take: this machine's byte order, floats of at most 64 bits."""
    wide = dtype.kind == "f" and dtype.itemsize > 8
    return np.dtype("float64") if wide else dtype.newbyteorder("=")
