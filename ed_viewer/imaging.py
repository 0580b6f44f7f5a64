"""Arrays to pixels. Numpy only; a pixel is four bytes, blue first, as Qt's RGB32 wants them."""

from math import ceil, sqrt

import numpy as np

from ed_viewer.ranges import Levels


def as_images(array: np.ndarray) -> np.ndarray:
    """Return (n, height, width, 1 or 3) float32 of what may be shown as images.

    Three channels are colours; of any other number the first is shown. NaN becomes 0.

    Args:
        array: (n, height, width), (n, height, width, channels) or (n, units); units are laid
            out in a square, row by row.
    """
    values = np.nan_to_num(np.asarray(array, np.float32), nan=0.0)
    if values.ndim <= 2:
        values = squares(values.reshape(len(values), -1))
    if values.ndim == 3:
        values = values[..., None]
    while values.ndim > 4:
        values = values[:, 0]
    return values if values.shape[-1] in (1, 3) else values[..., :1]


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
        images: (n, height, width, 1 or 3); with three channels `table` is not used.
        levels: the values that become the first and the last entry of the table.
        table: (256, 3) uint8, red first.
    """
    low, high = levels
    span = high - low if high > low else 1.0
    # Clipped first: infinity, brought to the largest float, must not overflow.
    scaled = ((np.clip(images, low, high) - low) * (255.0 / span)).astype(np.uint8)
    colours = table[scaled[..., 0]] if images.shape[-1] == 1 else scaled
    made = np.full((*colours.shape[:-1], 4), 255, np.uint8)
    made[..., :3] = colours[..., ::-1]
    return made


def image_levels(images: np.ndarray) -> Levels:
    """Return 0..1 for images that lie in it, else the range of their values."""
    low, high = finite_range(images)
    return (0.0, 1.0) if low >= -0.01 and high <= 1.01 else (low, high)


def finite_range(values: np.ndarray) -> Levels:
    """Return the smallest and largest finite value, (0, 1) if there is none."""
    finite = np.asarray(values, np.float64)
    finite = finite[np.isfinite(finite)]
    if not finite.size:
        return 0.0, 1.0
    return float(finite.min()), float(finite.max())


def is_image(shape: tuple[int, ...]) -> bool:
    """Tell whether one sample of this shape is an image: two sides longer than 1."""
    return len(shape) >= 2 and shape[-3:][0] > 1 and (len(shape) > 2 or shape[-1] > 4)


def is_signal(shape: tuple[int, ...]) -> bool:
    """Tell whether one sample of this shape is a signal (time, channels) or (time,)."""
    return len(shape) in (1, 2) and not is_image(shape)
