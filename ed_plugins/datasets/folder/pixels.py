"""Operations on pixels: orientation, background, bands, channels and size."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

_LUMA = np.array([0.299, 0.587, 0.114], "float32")  # ITU-R BT.601, as in Pillow
_FLIPS = {1: (1, 1), 2: (1, -1), 3: (-1, -1), 4: (-1, 1), 5: (1, 1), 6: (1, -1), 7: (-1, -1)}
_BLOCK = 2**22  # pixels per block
TURNED = range(5, 9)  # the orientations that swap height and width

Colour = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Framing:
    """Size that images are brought to, and how.

    Args:
        size: (height, width); () leaves them as they are.
        fit: `stretch` both sides, `crop` the middle in the proportions of the size, or `pad`: the
            whole image in the middle, with black around it (a map: with no class and no value).
    """

    size: tuple[int, ...] = ()
    fit: str = "stretch"

    def part(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Return top, left, bottom and right of the part of an image that is used."""
        if self.fit != "crop" or not self.size:
            return 0, 0, height, width
        share = min(height / self.size[0], width / self.size[1])
        rows, columns = (max(1, round(side * share)) for side in self.size)
        top, left = (height - rows) // 2, (width - columns) // 2
        return top, left, top + rows, left + columns

    def inner(self, height: int, width: int) -> tuple[int, ...]:
        """Return the size that the used part of an image gets; () leaves it as it is."""
        if self.fit != "pad" or not self.size:
            return self.size
        share = min(self.size[0] / height, self.size[1] / width)
        return max(1, round(height * share)), max(1, round(width * share))

    def box(self, height: int, width: int) -> tuple[float, float, float, float]:
        """Return top, left, height and width of what the frame shows, in an image's pixels."""
        top, left, bottom, right = self.part(height, width)
        rows, columns = self.inner(height, width) or (height, width)
        if self.fit != "pad" or not self.size:
            return top, left, bottom - top, right - left
        down, across = height / rows, width / columns
        above, before = ((a - b) // 2 for a, b in zip(self.size, (rows, columns), strict=True))
        return -above * down, -before * across, self.size[0] * down, self.size[1] * across

    def cut(self, pixels: np.ndarray) -> np.ndarray:
        """Return the part of (height, width, ...) that is used."""
        top, left, bottom, right = self.part(*pixels.shape[:2])
        return pixels[top:bottom, left:right]

    def filled(self, pixels: np.ndarray, void: float) -> np.ndarray:
        """Return (height, width, ...) in the middle of the frame, with `void` around it."""
        if self.fit != "pad" or not self.size or pixels.shape[:2] == self.size:
            return pixels
        whole = np.full((*self.size, *pixels.shape[2:]), void, pixels.dtype)
        top, left = ((a - b) // 2 for a, b in zip(self.size, pixels.shape, strict=False))
        whole[top : top + pixels.shape[0], left : left + pixels.shape[1]] = pixels
        return whole


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


def average(pixels: np.ndarray, frame: Framing, dtype: np.dtype) -> np.ndarray:
    """Return (height, width, bands) resized by averaging, without what lies around it.

    Each band is averaged as floats, since Pillow has no colour of more than 8 bits: first along the
    rows, some at a time, to save memory.

    Args:
        pixels: (height, width, bands).
        frame: the target.
        dtype: of the result; whole numbers are rounded.
    """
    size = frame.inner(*pixels.shape[:2])
    pixels = frame.cut(pixels)
    if not size or size == pixels.shape[:2]:
        return pixels.astype(dtype, copy=False)
    result = np.empty((*size, pixels.shape[2]), dtype)
    for band in range(pixels.shape[2]):
        narrow = [
            _resized(pixels[rows, :, band], (rows.stop - rows.start, size[1]))
            for rows in _blocks(pixels)
        ]
        result[..., band] = _as_type(_resized(np.concatenate(narrow), size), dtype)
    return result


def pick(pixels: np.ndarray, frame: Framing) -> np.ndarray:
    """Return (height, width, ...) resized by nearest pixels, without what lies around it."""
    size = frame.inner(*pixels.shape[:2])
    pixels = frame.cut(pixels)
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
