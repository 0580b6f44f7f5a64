"""Conversion of arrays to pixels of four bytes, blue first, as in Qt's RGB32. No widget here."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil, sqrt

import numpy as np

from ed_viewer.style.palette import NOT_FINITE, Side, class_table
from ed_viewer.style.text import counted, grouped

Levels = tuple[float, float]
Scale = tuple[Levels, np.ndarray]
"""Levels, and the colours (256, 3) uint8 of which they are the first and the last."""
_STRIPES = 16  # across an image, where there is no class


class Ranges:
    """Ranges by name of each run; panels draw in their union, so that colours mean the same.

    Attributes:
        shared: whether it does; otherwise each run is drawn in a range of its own.
        steady: whether no range becomes smaller, as in a movie, whose axes do not jump.
    """

    def __init__(self) -> None:
        self.shared = True
        self.steady = False
        self._own: dict[Side, dict[str, Levels]] = {}

    def put(self, side: Side, name: str, levels: Levels) -> Levels:
        """Take a run's range as it is now; return what it is drawn in."""
        own = self._own.setdefault(side, {})
        low, high = own.get(name, levels) if self.steady else levels
        own[name] = levels = (min(low, levels[0]), max(high, levels[1]))
        return self._union(name) if self.shared else levels

    def widen(self, side: Side, name: str, levels: Levels) -> Levels:
        """Widen a run's range by this one, so that it is that of all it has shown; see `put`."""
        low, high = self._own.get(side, {}).get(name, levels)
        return self.put(side, name, (min(low, levels[0]), max(high, levels[1])))

    def replace(self, side: Side, name: str, levels: Levels, kind: str) -> Levels:
        """Take a range in the place of any other of this kind, as its name begins; see `put`."""
        own = self._own.setdefault(side, {})
        for other in [other for other in own if other.startswith(kind) and other != name]:
            del own[other]
        return self.put(side, name, levels)

    def drop(self, side: Side) -> None:
        """Forget a run."""
        self._own.pop(side, None)

    def unions(self) -> dict[str, Levels]:
        """Return every range that panels of both runs draw in now, by name."""
        if not self.shared:
            return {}
        return {name: self._union(name) for own in self._own.values() for name in own}

    def _union(self, name: str) -> Levels:
        own_ranges = [own[name] for own in self._own.values() if name in own]
        return min(low for low, _ in own_ranges), max(high for _, high in own_ranges)


def as_images(array: np.ndarray, channel: int | None = None) -> np.ndarray:
    """Return (n, height, width, 1 or 3) float32 of what may be shown as images.

    Three channels are colours; of any other number their mean, or `channel`, is shown. What is
    not finite stays so.

    Args:
        array: (n, height, width), (n, height, width, channels) or (n, units); units are laid
            out in a square, row by row.
        channel: to show alone, or None.
    """
    values = np.asarray(array, np.float32)
    if values.ndim <= 2:
        values = squares(values.reshape(len(values), -1))
    if values.ndim == 3:
        values = values[..., None]
    while values.ndim > 4:
        values = values[:, 0]
    if channel is not None:
        return values[..., channel : channel + 1]
    with np.errstate(invalid="ignore"):  # of two infinities
        return values if values.shape[-1] in (1, 3) else values.mean(axis=-1, keepdims=True)


def squares(units: np.ndarray) -> np.ndarray:
    """Lay (n, units) out as (n, rows, columns), as square as can be, the rest filled with 0."""
    columns = ceil(sqrt(units.shape[1]))
    rows = ceil(units.shape[1] / columns)
    padded = np.zeros((len(units), rows * columns), units.dtype)
    padded[:, : units.shape[1]] = units
    return padded.reshape(len(units), rows, columns)


def pixels(images: np.ndarray, levels: Levels, table: np.ndarray) -> np.ndarray:
    """Return (n, height, width, 4) uint8.

    Args:
        images: (n, height, width, 1 or 3); what is not finite becomes stripes that no table has.
            With three channels `table` is not used.
        levels: the values that become the first and the last entry of the table.
        table: (256, 3) uint8, red first.
    """
    low, high = levels
    span = high - low if high > low else 1.0
    # Clipped first: infinity, brought to the largest float, must not overflow.
    values = finite(images)
    scaled = ((np.clip(values, low, high) - low) * (255.0 / span)).astype(np.uint8)
    result = _bgr(table[scaled[..., 0]] if images.shape[-1] == 1 else scaled)
    if values is images:
        return result
    finite_pixels = np.isfinite(images).all(axis=-1)
    return striped(result, np.where(finite_pixels, 0.0, np.nan), class_table(NOT_FINITE))


def class_pixels(labels: np.ndarray, table: np.ndarray, none: np.ndarray) -> np.ndarray:
    """Return (n, height, width, 4) uint8 of class numbers, striped where there is none.

    Args:
        labels: (n, height, width) whole numbers; below 0 there is no class.
        table: (classes, 3) uint8, red first.
        none: (2, 3) uint8, the colours of the stripes.
    """
    colours = table[np.clip(labels, 0, len(table) - 1)]
    return _bgr(np.where((labels >= 0)[..., None], colours, _stripes(labels.shape[1:], none)))


def striped(image_pixels: np.ndarray, values: np.ndarray, none: np.ndarray) -> np.ndarray:
    """Return pixels (n, height, width, 4) with stripes where values (n, height, width) are NaN.

    Args:
        image_pixels: the pixels of the values.
        values: those of another shape, such as videos, are left as they are.
        none: (2, 3) uint8, the colours of the stripes.
    """
    missing = np.isnan(values)
    if missing.shape != image_pixels.shape[:3] or not missing.any():
        return image_pixels
    return np.where(missing[..., None], _bgr(_stripes(image_pixels.shape[1:3], none)), image_pixels)


def _stripes(size: tuple[int, ...], none: np.ndarray) -> np.ndarray:
    """Return (height, width, 3) of two colours."""
    y, x = np.indices(size)
    stripes: np.ndarray = none[(x + y) // max(min(size) // _STRIPES, 1) % 2]
    return stripes


def overlaid(pixels: np.ndarray, colours: np.ndarray, opacity: float) -> np.ndarray:
    """Return pixels (..., 4) uint8 with those of `colours` laid over them; `opacity` in 0..1."""
    mixed = pixels + (colours.astype(np.float32) - pixels) * opacity
    return mixed.round().astype(np.uint8)


def _bgr(colours: np.ndarray) -> np.ndarray:
    result = np.full((*colours.shape[:-1], 4), 255, np.uint8)
    result[..., :3] = colours[..., ::-1]
    return result


def finite(values: np.ndarray) -> np.ndarray:
    """Return values with NaN as 0 and infinity as the largest float: themselves if all is well."""
    # One look at all of them takes a tenth of what replacing none of them does.
    return values if np.isfinite(values).all() else np.nan_to_num(values)


def image_levels(images: np.ndarray) -> Levels:
    """Return 0..1 for images that lie in it, else the range of their values."""
    low, high = finite_range(images)
    return (0.0, 1.0) if low >= -0.01 and high <= 1.01 else (low, high)


def finite_range(values: np.ndarray) -> Levels:
    """Return the smallest and largest finite value, (0, 1) if there is none."""
    array = np.asarray(values)
    if array.dtype.kind != "f" or array.itemsize < 4:  # numpy is slow with half floats
        array = array.astype(np.float32 if array.dtype.kind == "f" else np.float64)
    if not np.isfinite(array).all():
        array = array[np.isfinite(array)]
    return (float(array.min()), float(array.max())) if array.size else (0.0, 1.0)


def half_range(levels: Levels) -> float:
    """Return half of what lies between two levels, how far differences are told apart; or 1."""
    low, high = levels
    return (high - low) / 2 if high > low else 1.0


def is_image(shape: tuple[int, ...]) -> bool:
    """Tell whether one sample of this shape is an image: two sides longer than 1."""
    return len(shape) >= 2 and shape[-3:][0] > 1 and (len(shape) > 2 or shape[-1] > 4)


def is_signal(shape: tuple[int, ...]) -> bool:
    """Tell whether one sample of this shape is a signal (time, channels) or (time,)."""
    return len(shape) in (1, 2) and not is_image(shape)


def not_finite(arrays: Iterable[np.ndarray]) -> str:
    """Return how many values of some arrays are NaN or infinite, in words; "" for none."""
    floats = [array for array in arrays if array.dtype.kind == "f"]
    count = sum(array.size for array in floats)
    lost = count - sum(int(np.isfinite(array).sum()) for array in floats)
    return f"{grouped(lost)} of {counted(count, 'value')} not finite" if lost else ""


def mean_square(values: np.ndarray) -> float:
    """Return the mean of the squares of all finite values, NaN if there is none."""
    finite = values[np.isfinite(values)].astype(np.float64)
    return float(np.mean(np.square(finite))) if finite.size else float("nan")
