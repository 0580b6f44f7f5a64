"""Image files as arrays, with Pillow: images, maps of classes, maps of values."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ed_core import EdkitError

ENDINGS = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".gif", ".webp", ".pgm", ".ppm"}
_DEEP = ("I;16", "I;16B", "I;16L", "I")  # Pillow's names of one channel of more than 8 bits
_TURNED = range(5, 9)  # the EXIF orientations that swap height and width
_ORIENTATION = 0x0112


def picture_size(path: Path) -> tuple[int, int]:
    """Return (height, width) as the header says them; raises EdkitError if it cannot be read."""
    with _opened(path) as image:
        width, height = image.size
        turned = image.getexif().get(_ORIENTATION) in _TURNED
    return (width, height) if turned else (height, width)


def read_image(path: Path, size: Sequence[int], channels: int = 0) -> np.ndarray:
    """Return an image (height, width, 1 or 3) as its file holds it: uint8, or what is wider.

    Args:
        path: of the file.
        size: (height, width) that it is brought to, averaging, or () for its own.
        channels: 1 for grey, 3 for colour, 0 for what it has. Transparency is left out.

    Raises:
        EdkitError: it cannot be read, or its pixels are no whole numbers.
    """
    with _opened(path) as image:
        if image.mode == "F":
            raise EdkitError(
                f"{str(path)!r}: expected 8 or 16 bits, found floats: they are values."
            )
        deep = image.mode in _DEEP
        if not deep:
            grey = channels == 1 if channels else image.mode in ("1", "L", "LA")
            image = image.convert("L" if grey else "RGB")
        array = np.asarray(_prepared(image, size, Image.Resampling.BILINEAR))
    array = array if array.ndim == 3 else array[..., None]
    return np.repeat(array, 3, axis=-1) if deep and channels == 3 else array


def read_numbers(path: Path, size: Sequence[int]) -> np.ndarray:
    """Return the ids of a map (height, width): of palette entries, grey levels or 16-bit numbers.

    Args:
        path: of the file.
        size: (height, width) that it is brought to, by the nearest pixel, or () for its own.

    Raises:
        EdkitError: it cannot be read, or has several channels, such as colours.
    """
    with _opened(path) as image:
        if image.mode not in ("1", "L", "P", *_DEEP):
            raise EdkitError(
                f"{str(path)!r}: expected one class id a pixel, found colours (mode {image.mode}): "
                'if they stand for classes, give those, such as road = "#808080".'
            )
        return np.asarray(_prepared(image, size, Image.Resampling.NEAREST)).astype("int32")


def read_colours(path: Path, size: Sequence[int]) -> np.ndarray:
    """Return the colours of a map (height, width) as numbers 0xRRGGBB; `size` as above."""
    with _opened(path) as image:
        array = np.asarray(_prepared(image.convert("RGB"), size, Image.Resampling.NEAREST))
    return array.astype("int32") @ np.array([1 << 16, 1 << 8, 1], "int32")


def read_values(path: Path, size: Sequence[int], missing: float | None) -> np.ndarray:
    """Return a map of values (height, width) as float32, NaN where the file says `missing`.

    Args:
        path: of the file.
        size: (height, width) that it is brought to, averaging, or () for its own; a pixel to which
            a missing one adds is missing.
        missing: what the file says where there is no value.

    Raises:
        EdkitError: it cannot be read, or has several channels.
    """
    with _opened(path) as image:
        if image.mode not in ("1", "L", "P", "F", *_DEEP):
            raise EdkitError(
                f"{str(path)!r}: expected one value a pixel, found an image of mode {image.mode}."
            )
        values = np.array(_prepared(image, (), Image.Resampling.NEAREST)).astype("float32")
    if missing is not None:
        values[values == missing] = np.nan
    return np.asarray(_prepared(Image.fromarray(values), size, Image.Resampling.BILINEAR))


def _prepared(image: Image.Image, size: Sequence[int], how: Image.Resampling) -> Image.Image:
    """Return the image upright, as a camera's note says, and in its size."""
    image = ImageOps.exif_transpose(image)
    return image.resize((size[1], size[0]), how) if size else image


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open an image; whatever goes wrong inside is an EdkitError that names the file."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about its notes, not its pixels
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                yield image
    except EdkitError:
        raise
    except UnidentifiedImageError as error:
        raise EdkitError(f"{str(path)!r}: expected an image file, found something else.") from error
    except Exception as error:  # a damaged file breaks the decoders in many ways
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise EdkitError(f"{str(path)!r} cannot be read as an image: {text}.") from error
