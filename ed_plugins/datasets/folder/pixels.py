"""Operations on pixels: orientation, background, bands, channels and size."""

from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

_LUMA = np.array([0.299, 0.587, 0.114], "float32")  # ITU-R BT.601, as in Pillow
_FLIPS = {1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1), 5: (1, 1), 6: (1, -1), 7: (-1, -1)}
_BLOCK = 2**22  # pixels per block
TURNED = range(5, 9)  # the orientations that swap height and width

Colour = tuple[int, int, int]


def colour_of(text: str) -> Colour:
    """Return a colour such as "#ff8000" as three numbers from 0 to 255."""
    number = int(text[1:], 16)
    return number >> 16, number >> 8 & 255, number & 255


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Return (height, width, ...) turned upright by an orientation of EXIF or TIFF, 1 to 8."""
    if orientation in TURNED:
        pixels = pixels.swapaxes(0, 1)
    down, across = _FLIPS.get(orientation, (-1, 1))
    return pixels[::down, ::across]


def lay_over(pixels: np.ndarray, share: np.ndarray, under: Colour, white: float) -> np.ndarray:
    """Return pixels on a background.

    Args:
        pixels: (height, width, bands).
        share: opacity of each pixel, (height, width), from 0 (clear) to 1 (opaque).
        under: colour of the background; its grey unless there are 3 bands.
        white: the number of white in `pixels`.
    """
    ground = np.array(under, "float32") * np.float32(white / 255)
    ground = ground if pixels.shape[2] == 3 else ground @ _LUMA
    laid = np.empty_like(pixels)
    for rows in _blocks(pixels):
        part = share[rows, :, None]
        laid[rows] = _as_type(pixels[rows] * part + ground * (1 - part), pixels.dtype)
    return laid


def take_bands(pixels: np.ndarray, bands: Sequence[int] | str) -> np.ndarray:
    """Return the chosen bands, from 1, of (height, width, bands); "all" for all."""
    return pixels if bands == "all" else pixels[..., [int(band) - 1 for band in bands]]


def to_channels(pixels: np.ndarray, channels: int) -> np.ndarray:
    """Return (height, width, bands) with 1 or 3 channels; 0 leaves them as they are."""
    if channels == 1 and pixels.shape[2] == 3:
        return _as_type(pixels.astype("float32", copy=False) @ _LUMA, pixels.dtype)[..., None]
    return np.repeat(pixels, 3, axis=2) if channels == 3 and pixels.shape[2] == 1 else pixels


def average(pixels: np.ndarray, size: Sequence[int], dtype: np.dtype) -> np.ndarray:
    """Return (height, width, bands) resized by averaging; () leaves it as it is.

    Each band is averaged as floats, since Pillow has no colour of more than 8 bits: first along the
    rows, some at a time, to save memory.

    Args:
        pixels: (height, width, bands).
        size: target (height, width).
        dtype: of the result; whole numbers are rounded.
    """
    if not size or tuple(size) == pixels.shape[:2]:
        return pixels.astype(dtype, copy=False)
    result = np.empty((*size, pixels.shape[2]), dtype)
    for band in range(pixels.shape[2]):
        narrow = [
            _resized(pixels[rows, :, band], (rows.stop - rows.start, size[1]))
            for rows in _blocks(pixels)
        ]
        result[..., band] = _as_type(_resized(np.concatenate(narrow), size), dtype)
    return result


def pick(pixels: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """Return (height, width, ...) resized by nearest pixels; () leaves it as it is."""
    if not size:
        return pixels
    rows, columns = (
        ((np.arange(new) + 0.5) * old / new).astype("int64")
        for new, old in zip(size, pixels.shape, strict=False)
    )
    return pixels[rows[:, None], columns]


def _as_type(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Return floats in the type of a file's pixels, rounded and clipped for whole numbers."""
    if dtype.kind == "f":
        return values.astype(dtype, copy=False)
    limits = np.iinfo(dtype)
    return np.rint(values).clip(limits.min, limits.max).astype(dtype)


def _resized(band: np.ndarray, size: Sequence[int]) -> np.ndarray:
    image = Image.fromarray(np.ascontiguousarray(band, "float32"))
    return np.asarray(image.resize((size[1], size[0]), Image.Resampling.BILINEAR))


def _blocks(pixels: np.ndarray) -> Iterator[slice]:
    """Yield slices of rows with about `_BLOCK` pixels each."""
    height, width = pixels.shape[:2]
    step = max(1, _BLOCK // width)
    for first in range(0, height, step):
        yield slice(first, min(first + step, height))
