"""Augmentation: random changes of training images and, alike, of their maps.

Functions of (batch, random). A batch is a dict of arrays by field; those of (samples, height,
width) or (samples, height, width, channels) are maps, all of one size; all maps of a sample get the
same change. Other arrays stay as they are. Classes (whole numbers) take the nearest pixel's; images
and values are interpolated, and a result is missing (NaN) if any of its inputs is.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

Batch = dict[str, np.ndarray]
Change = Callable[[np.ndarray], np.ndarray]


def mirrored(
    batch: Mapping[str, np.ndarray], random: np.random.Generator, *, upside_down: bool = False
) -> Batch:
    """Mirror half of the samples from left to right, or upside down."""
    mirror = np.flipud if upside_down else np.fliplr
    chosen = random.random(_samples(batch)) < 0.5
    return _changed(batch, [mirror if flip else _same for flip in chosen])


def turned(batch: Mapping[str, np.ndarray], random: np.random.Generator) -> Batch:
    """Rotate each sample by 0, 90, 180 or 270 degrees; by 0 or 180 if it is not square."""
    shape = next(array.shape for array in batch.values() if _is_map(array))
    step = 1 if shape[1] == shape[2] else 2
    quarters = step * random.integers(0, 4 // step, _samples(batch))
    return _changed(batch, [partial(np.rot90, k=k) for k in quarters])


def zoomed(
    batch: Mapping[str, np.ndarray], random: np.random.Generator, largest: float = 1.5
) -> Batch:
    """Cut a random window out of each sample and enlarge it to the size of the sample.

    Args:
        batch: of (samples, height, width, ...).
        random: the generator.
        largest: upper end of the enlargement, which is uniform from 1 to this.
    """
    share = 1 / random.uniform(1, largest, _samples(batch))  # of the height and of the width
    corner = random.random((_samples(batch), 2)) * (1 - share)[:, None]
    windows = zip(share, corner, strict=True)
    return _changed(batch, [partial(_window, share=s, corner=c) for s, c in windows])


def _window(one: np.ndarray, share: float, corner: np.ndarray) -> np.ndarray:
    """Return a window of (height, width, ...), enlarged; `corner` is its upper left, in 0..1."""
    for axis in (0, 1):
        size = one.shape[axis]
        # The centre of pixel i is at i + 0.5.
        place = corner[axis] * size + share * (np.arange(size) + 0.5) - 0.5
        one = _interpolated(one, place, axis)
    return one


def _interpolated(one: np.ndarray, place: np.ndarray, axis: int) -> np.ndarray:
    """Return the lines at the given places, in pixels from the centre of the first."""
    last = one.shape[axis] - 1
    if one.dtype.kind != "f":
        return one.take(np.rint(place).astype(int).clip(0, last), axis)
    low = np.floor(place).astype(int).clip(0, last)
    part = (place - low).clip(0, 1).astype(one.dtype)
    part = part.reshape((-1,) + (1,) * (one.ndim - axis - 1))
    return one.take(low, axis) * (1 - part) + one.take((low + 1).clip(0, last), axis) * part


def _changed(batch: Mapping[str, np.ndarray], changes: list[Change]) -> Batch:
    """Return the batch with one change for each sample, the same for all of its maps."""
    return {
        name: np.stack([change(one) for change, one in zip(changes, array, strict=True)])
        if _is_map(array)
        else array
        for name, array in batch.items()
    }


def _is_map(array: np.ndarray) -> bool:
    return array.ndim in (3, 4)


def _same(one: np.ndarray) -> np.ndarray:
    return one


def _samples(batch: Mapping[str, np.ndarray]) -> int:
    return len(next(iter(batch.values())))
