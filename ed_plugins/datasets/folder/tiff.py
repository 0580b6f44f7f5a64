"""TIFF files with tifffile: header, pages, bands, transparency, orientation."""

import logging
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ed_core import EdkitError

if TYPE_CHECKING:
    from tifffile import TiffFile, TiffPage

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # of TIFF and BigTIFF
_PALETTE, _WHITE_IS_0, _PLAIN = 3, 0, (0, 1, 2, 3)  # photometric: grey, RGB, palette
_YCBCR, _JPEG, _OLD_JPEG = 6, 7, 6
_REDUCED, _MASK = 1, 4  # bits of the tag NewSubfileType
_CLEAR = (1, 2)  # ExtraSamples: associated and unassociated alpha
_ORIENTATION = 274


def open_tiff(file: BinaryIO) -> "TiffFile":
    """Open a TIFF; silence tifffile's log about its oddities."""
    import tifffile

    logger = logging.getLogger("tifffile")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return tifffile.TiffFile(file)


def whole_pages(tiff: "TiffFile") -> list["TiffPage"]:
    """Return the pages that are images, without previews and masks."""
    if len(tiff.pages) == 1:
        return [tiff.pages.first]
    pages: list[Any] = [page.aspage() for page in tiff.pages]
    return [page for page in pages if not page.subfiletype & (_REDUCED | _MASK)] or pages[:1]


def read_tiff_header(tiff: "TiffFile") -> dict[str, Any] | None:
    """Return the arguments of an `ImageHeader`; None if Pillow converts the colours.

    Raises:
        EdkitError: its pixels have a type unusual for images.
    """
    pages = whole_pages(tiff)
    first = pages[0]
    photometric, compression = int(first.photometric), int(first.compression)
    plain = photometric in _PLAIN or (photometric == _YCBCR and compression == _JPEG)
    bits = first.bitspersample
    if not plain or compression == _OLD_JPEG or first.dtype is None or isinstance(bits, tuple):
        return None
    if first.dtype.kind not in "biuf" or first.imagedepth > 1:
        raise EdkitError(f"expected a flat image of numbers, found {first.dtype} {first.shape}.")
    bands, extra = first.samplesperpixel, first.extrasamples
    clear = int(extra[-1]) if extra and int(extra[-1]) in _CLEAR and bands in (2, 4) else 0
    clear = clear or (int(extra[-1]) if len(extra) > 1 and int(extra[-1]) in _CLEAR else 0)
    orientation = first.tags.valueof(_ORIENTATION, 1)
    kind = first.dtype.kind
    return {
        "height": first.imagelength,
        "width": first.imagewidth,
        "bands": 3 if photometric == _PALETTE else bands - bool(clear),
        "dtype": np.dtype("uint8") if kind == "b" else first.dtype.newbyteorder("="),
        "alpha": clear > 0,
        "premultiplied": clear == 1,
        "palette": photometric == _PALETTE,
        "pages": max(len(pages), _hidden_pages(tiff)),
        "white": 2**bits - 1 if kind == "u" and bits not in (8, 16, 32, 64) else 0,
        "orientation": orientation if orientation in range(1, 9) else 1,
        "previews": len(tiff.pages) - len(pages),
        "nodata": _nodata(first),
        "inverted": photometric == _WHITE_IS_0 and kind in "bu",
    }


def read_tiff_pixels(tiff: "TiffFile", page: int, numbers: bool) -> np.ndarray:
    """Return a page (height, width, bands with transparency).

    Args:
        tiff: the file.
        page: from 0.
        numbers: True for the stored numbers: entries of a palette, and 0 for white if the file says
            so; False for colours, with white the largest number.

    Raises:
        EdkitError: the page has no header of its own.
    """
    pages = whole_pages(tiff)
    if page >= len(pages):
        raise EdkitError(
            f"expected a header for page {page + 1}, found {len(pages)}: save it as a TIFF with "
            "one header a page."
        )
    one = pages[page]
    pixels = one.asarray()
    if one.planarconfig == 2 and one.samplesperpixel > 1:
        pixels = np.moveaxis(pixels, 0, -1)
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    if one.photometric == _PALETTE and not numbers:
        colours = np.asarray(one.colormap)  # (3, entries) of 16 bits, though of 8 in some files
        colours = colours >> 8 if colours.max() > 255 else colours
        pixels = colours.astype("uint8").T[pixels[..., 0]]
    if pixels.dtype.kind == "b":
        pixels = pixels.astype("uint8") * (1 if numbers else 255)
    if one.photometric == _WHITE_IS_0 and not numbers and pixels.dtype.kind == "u":
        bits = one.bitspersample
        pixels = (255 if bits == 1 else 2**bits - 1) - pixels
    return pixels.astype(pixels.dtype.newbyteorder("="), copy=False)


def _hidden_pages(tiff: "TiffFile") -> int:
    """Return the number of pages stated by ImageJ or tifffile, though they have no headers."""
    pages = (tiff.imagej_metadata or {}).get("images", 1) if tiff.is_imagej else 1
    shaped = tiff.shaped_metadata if tiff.is_shaped else None
    if shaped and shaped[0].get("truncated"):
        pages = int(np.prod(shaped[0]["shape"], dtype="float64") / max(1, tiff.pages.first.size))
    return pages if isinstance(pages, int) else 1


def _nodata(page: "TiffPage") -> float | None:
    """Return the number for no value in GDAL's tag."""
    try:
        return float(page.tags.valueof(42113, "").strip("\0 "))
    except (ValueError, AttributeError):
        return None
