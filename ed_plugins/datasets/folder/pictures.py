"""Image files: headers, and pixels as images or as numbers."""

import os
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, UnidentifiedImageError

from ed_core import EdkitError
from ed_plugins.datasets.folder.pixels import TURNED, Framing
from ed_plugins.datasets.folder.tiff import MAGIC, open_tiff, read_tiff_header, read_tiff_pixels

HEIF = {".heic", ".heif", ".hif"}  # phone photographs, with pillow-heif
ENDINGS = {
    *(".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".gif", ".bmp", ".dib", ".webp", ".avif"),
    *(".tif", ".tiff", ".btf", ".tf8", ".lsm", ".jp2", ".j2k", ".j2c", ".jpc", ".jpf", ".jpx"),
    *(".pgm", ".ppm", ".pbm", ".pnm", ".pfm", ".tga", ".pcx", ".qoi", ".ras"),
    *(".sgi", ".rgb", ".rgba", ".bw"),
}
MOST = 2**28  # pixels of one image: 16,384 x 16,384
_LARGE = 2**24  # pixels above which a JPEG is decoded at a fraction of its size
_FORMATS = (  # no others: Pillow would start Ghostscript for an EPS
    *("PNG", "JPEG", "GIF", "BMP", "DIB", "WEBP", "TIFF", "PPM", "AVIF", "JPEG2000", "TGA"),
    *("PCX", "QOI", "SGI", "SUN", "HEIF"),
)
_MODES = {"1": 1, "L": 1, "LA": 1, "La": 1, "I;16": 1, "I;16B": 1, "I;16L": 1, "I": 1, "F": 1}
_TYPES = {"I;16": "uint16", "I;16B": "uint16", "I;16L": "uint16", "I": "int32", "F": "float32"}
_DEEP_PNG = {"LA;16B": 1, "RGB;16B": 3, "RGBA;16B": 3}  # Pillow's mode to bands
_PREVIEWS = ("MPO", "HEIF")  # the further pages are previews, depth and other shots
_NETPBM = re.compile(rb"P([2356])((?:\s+|#[^\n]*\n)+)(\d+)\s+(?:#[^\n]*\n)*(\d+)\s+(\d+)\s")
_ORIENTATION = 0x0112
_PILLOW = r"PIL\b"  # the modules whose warnings are not shown
_LIMIT = threading.Lock()  # of Pillow's limit of pixels, which is the process's
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_KINDS = {  # colour type to bands, transparency and palette
    0: (1, False, False),
    2: (3, False, False),
    3: (3, False, True),
    4: (1, True, False),
    6: (3, True, False),
}
_PNG_USUAL = {b"IDAT", b"PLTE", b"pHYs", b"gAMA", b"sRGB", b"cHRM", b"sBIT", b"tIME", b"tEXt"}
_NOTES = (b"eXIf", b"Raw profile type", b"adobe.xmp")  # chunks of PNG that may hold an orientation


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """Header of an image file.

    Args:
        height: in pixels, as stored.
        width: in pixels, as stored.
        bands: of an image, without transparency; 3 of a palette.
        dtype: of a band.
        reader: its decoder: pillow, png, jp2, netpbm or tiff.
        alpha: whether its last band is transparency.
        premultiplied: whether the bands are multiplied by it already.
        palette: whether its pixels are entries of a palette.
        pages: number of images in the file.
        white: the number of white if the file states it; else 0.
        orientation: 1 to 8, as in EXIF and TIFF.
        previews: number of further pages with other versions of the same image.
        nodata: the number for no value, from GDAL's tag.
        converted: colours that are converted to RGB, such as CMYK.
        inverted: whether the file states that 0 is white.
    """

    height: int
    width: int
    bands: int
    dtype: np.dtype
    reader: str = "pillow"
    alpha: bool = False
    premultiplied: bool = False
    palette: bool = False
    pages: int = 1
    white: int = 0
    orientation: int = 1
    previews: int = 0
    nodata: float | None = None
    converted: str = ""
    inverted: bool = False

    def size(self, upright: bool = True) -> tuple[int, int]:
        """Return (height, width), upright or as stored."""
        turned = upright and self.orientation in TURNED
        return (self.width, self.height) if turned else (self.height, self.width)

    @property
    def opaque(self) -> float:
        """The number of an opaque pixel in the band of transparency."""
        return 1.0 if self.dtype.kind == "f" else self.white or float(np.iinfo(self.dtype).max)

    @property
    def usual(self) -> bool:
        """Whether Pillow alone can read it as an image: 8 bits and no more."""
        return self.reader == "pillow" and self.dtype == np.uint8


def can_read_heif() -> bool:
    """Return whether pillow-heif is installed."""
    return find_spec("pillow_heif") is not None


def read_header(path: str) -> ImageHeader:
    """Return the header of a file; raise EdkitError if it is no image or too large."""
    with _guarded(path), open(path, "rb") as file:
        magic = file.read(512)
        file.seek(0)
        facts = None
        if magic[:8] == _PNG:
            facts = _png_header(file)
        elif magic[:4] in MAGIC:
            with open_tiff(file) as tiff:
                facts = read_tiff_header(tiff)
            file.seek(0)
        elif netpbm := _NETPBM.match(magic):
            facts = _netpbm_header(netpbm)
        if facts is None:
            with open_image(file) as image:
                header = _pillow_header(image, file)
        else:
            header = ImageHeader(**{"reader": "tiff", **facts})
        if header.height * header.width > MOST:
            raise EdkitError(
                f"has {header.height:,} x {header.width:,} pixels, expected at most {MOST:,} "
                "(16,384 x 16,384): cut it into tiles."
            )
        return header


def read_pixels(path: str, header: ImageHeader, page: int = 0, numbers: bool = False) -> np.ndarray:
    """Return one page (height, width, bands with transparency), as stored.

    Args:
        path: of the file.
        header: of the file.
        page: from 0.
        numbers: True for the stored numbers, of a palette its entries (1 band); False for colours.

    Raises:
        EdkitError: it cannot be read.
    """
    with _guarded(path), open(path, "rb") as file:
        if header.reader == "tiff":
            with open_tiff(file) as tiff:
                return read_tiff_pixels(tiff, page, numbers)
        if header.reader == "pillow":
            with open_image(file) as image:
                return _pillow_pixels(image, header, page, numbers)
        if page:
            raise EdkitError("expected one page of 16 bits, found an animation: take page = 1.")
        pixels = _decoded(file, header.reader)
        return pixels if pixels.ndim == 3 else pixels[..., None]


@contextmanager
def open_usual(path: str, header: ImageHeader, frame: Framing) -> Iterator[Image.Image]:
    """Open an image of 8 bits with Pillow; errors inside the block name the file.

    Args:
        path: of the file.
        header: of the file.
        frame: the later size, not yet upright: a large JPEG is decoded at the smallest fraction
            with at least twice as many pixels a side.
    """
    with _guarded(path), open(path, "rb") as file, open_image(file) as image:
        if frame.size and header.height * header.width > _LARGE:
            top, left, bottom, right = frame.part(header.height, header.width)
            size = frame.inner(header.height, header.width)
            share = max(size[0] / (bottom - top), size[1] / (right - left))
            image.draft(None, (round(2 * share * header.width), round(2 * share * header.height)))
        yield image


@contextmanager
def open_image(file: BinaryIO) -> Iterator[Image.Image]:
    """Open an image with Pillow, with our limit of pixels instead of Pillow's.

    In any thread: what is changed for the whole process is the same whoever changes it.
    """
    _quieten()
    Image.preinit()
    try:
        image = _identified(file)
    except UnidentifiedImageError:
        Image.init()  # all other formats, which most folders do without
        image = _identified(file)
    with image:
        yield image


def _identified(file: BinaryIO) -> Image.Image:
    """Return an image of one of the formats that are set up."""
    formats = [name for name in _FORMATS if name in Image.OPEN]
    try:
        return Image.open(file, formats=formats)
    except Image.DecompressionBombError:
        with _LIMIT:
            limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
            try:
                return Image.open(file, formats=formats)
            finally:
                Image.MAX_IMAGE_PIXELS = limit


def _quieten() -> None:
    """Ignore Pillow's warnings, which are about an image's metadata, not its pixels.

    `warnings.catch_warnings` would take away the filters of threads beside this one.
    """
    if not any(one[3] is not None and _module(one[3]) == _PILLOW for one in warnings.filters):
        warnings.filterwarnings("ignore", module=_PILLOW)


def _module(pattern: Any) -> str:
    return getattr(pattern, "pattern", pattern)


def register_heif() -> None:
    """Register HEIC with Pillow."""
    import pillow_heif

    Image.init()  # AVIF is tried before HEIC, which takes some of its files as well
    pillow_heif.register_heif_opener()


def _pillow_header(image: Image.Image, file: BinaryIO) -> ImageHeader:
    mode, kind = image.mode, image.format
    width, height = image.size
    orientation = _orientation(image, file)
    if kind == "TIFF" and orientation in TURNED:  # Pillow states their upright size
        width, height = height, width
    pages = getattr(image, "n_frames", 1) if getattr(image, "is_animated", False) else 1
    facts: dict[str, Any] = {
        "height": height,
        "width": width,
        "bands": _MODES.get(mode, 3),
        "dtype": np.dtype(_TYPES.get(mode, "uint8")),
        "alpha": image.has_transparency_data,
        "palette": mode in ("P", "PA"),
        "pages": 1 if kind in _PREVIEWS else pages,
        "orientation": orientation,
        "previews": pages - 1 if kind in _PREVIEWS else 0,
        "converted": mode if mode in ("CMYK", "YCbCr", "LAB", "HSV") else _deep(image, file),
    }
    if kind == "PNG" and (bands := _DEEP_PNG.get(str(getattr(image, "tile", [[""] * 4])[0][3]))):
        alpha = bands == 1 or mode == "RGBA" or facts["alpha"]
        facts |= {"reader": "png", "bands": bands, "alpha": alpha, "dtype": np.dtype("uint16")}
    elif kind == "JPEG2000" and (depth := _jp2_depth(file)) and depth[0] > 8:
        white = 0 if depth[0] == 16 or depth[1] else 2 ** depth[0] - 1
        dtype = np.dtype("int16" if depth[1] else "uint16")
        facts |= {"reader": "jp2", "dtype": dtype, "white": white}
    return ImageHeader(**facts)


def _png_header(file: BinaryIO) -> dict[str, Any] | None:
    """Return the header of a usual PNG by its chunks; None of one that Pillow has to look at.

    A folder may hold many thousands, and Pillow takes five times as long.

    Raises:
        ValueError: it is cut off.
    """
    place = 8
    facts: dict[str, Any] | None = None
    while True:
        file.seek(place)
        chunk = file.read(33)
        if len(chunk) < 12:
            raise ValueError("it ends before its last chunk")
        length, kind = int.from_bytes(chunk[:4], "big"), chunk[4:8]
        if kind == b"IHDR":
            width, height = (int.from_bytes(chunk[k : k + 4], "big") for k in (8, 12))
            bands, alpha, palette = _PNG_KINDS.get(chunk[17], (0, False, False))
            if not bands or chunk[16] not in (1, 2, 4, 8):
                break
            facts = {
                **{"height": height, "width": width, "bands": bands, "alpha": alpha},
                **{"palette": palette, "dtype": np.dtype("uint8"), "reader": "pillow"},
            }
        elif kind == b"IEND":
            file.seek(0)
            return facts
        elif kind not in _PNG_USUAL or (kind == b"tEXt" and _NOTES[1] in chunk):
            break
        place += 12 + length
    file.seek(0)
    return None


def _deep(image: Image.Image, file: BinaryIO) -> str:
    """Return format and bits of a photograph that Pillow reduces to 8 bits, "" for any other."""
    bits = image.info.get("bit_depth", 8) if image.format == "HEIF" else 8
    if image.format == "AVIF":
        place = file.tell()
        file.seek(0)
        _, marker, flags = file.read(2**16).partition(b"av1C")
        file.seek(place)
        if marker and len(flags) > 2 and flags[2] & 0x40:
            bits = 12 if flags[2] & 0x20 else 10
    return f"{image.format} of {bits} bits" if bits > 8 else ""


def _orientation(image: Image.Image, file: BinaryIO) -> int:
    """Return the orientation; have Pillow search a PNG only if it holds such metadata."""
    if image.format == "HEIF":  # turned already
        return 1
    if image.format == "PNG":
        place = file.tell()
        file.seek(0)
        content = file.read()
        file.seek(place)
        if not any(note in content for note in _NOTES):
            return 1
    orientation = image.getexif().get(_ORIENTATION)
    return orientation if isinstance(orientation, int) and orientation in range(1, 9) else 1


def _jp2_depth(file: BinaryIO) -> tuple[int, bool] | None:
    """Return the bits of the first band of a JPEG 2000 file, and whether they are signed."""
    file.seek(0)
    content = file.read(2**16)
    start = content.find(b"\xff\x4f\xff\x51")  # the markers SOC and SIZ
    if start < 0 or len(content) < start + 43:
        return None
    return (content[start + 42] & 127) + 1, content[start + 42] > 127


def _netpbm_header(match: re.Match[bytes]) -> dict[str, Any] | None:
    """Return the header of a PGM or PPM whose numbers Pillow would scale to 255."""
    kind, _, width, height, white = match.groups()
    if int(white) == 255 or not 0 < int(white) < 65536:
        return None
    return {
        "height": int(height),
        "width": int(width),
        "bands": 1 if kind in b"25" else 3,
        "dtype": np.dtype("uint8" if int(white) < 256 else "uint16"),
        "reader": "netpbm",
        "white": int(white),
    }


def _pillow_pixels(image: Image.Image, header: ImageHeader, page: int, numbers: bool) -> np.ndarray:
    if page:
        image.seek(page)
    if not (numbers and image.mode in ("1", "P", "PA")) and header.dtype == np.uint8:
        mode = ("L" if header.bands == 1 else "RGB") + "A" * header.alpha
        mode = "RGBA" if mode == "RGBA" else mode
        image = image if image.mode == mode else image.convert(mode)
    pixels = np.asarray(image)
    pixels = pixels.astype("uint8") if pixels.dtype.kind == "b" else pixels
    pixels = pixels.astype(pixels.dtype.newbyteorder("="), copy=False)
    pixels = pixels if pixels.ndim == 3 else pixels[..., None]
    if header.dtype == np.uint16 and header.alpha:  # grey of 16 bits, one of which is clear
        clear = pixels == image.info["transparency"]
        pixels = np.concatenate([pixels, np.where(clear, 0, 65535).astype("uint16")], axis=-1)
    return pixels


def _decoded(file: BinaryIO, reader: str) -> np.ndarray:
    """Return the pixels of formats for which Pillow has no mode."""
    content = file.read()
    if reader == "netpbm":
        return _netpbm_pixels(content)
    import imagecodecs

    if reader == "jp2":
        return imagecodecs.jpeg2k_decode(content)
    pixels = imagecodecs.png_decode(content)
    with open_image(file) as image:
        key = image.info.get("transparency")
    if key is not None and pixels.shape[2] == 3:
        clear = (pixels == np.array(key)).all(axis=-1, keepdims=True)
        pixels = np.concatenate([pixels, np.where(clear, 0, 65535).astype("uint16")], axis=-1)
    return pixels


def _netpbm_pixels(content: bytes) -> np.ndarray:
    match = _NETPBM.match(content)
    assert match is not None  # its header was read
    kind, _, width, height, white = match.groups()
    bands, most = 1 if kind in b"25" else 3, int(white)
    dtype = np.dtype("uint8" if most < 256 else ">u2")
    count = int(height) * int(width) * bands
    if kind in b"23":
        words = re.sub(rb"#[^\n]*", b"", content[match.end() :]).split(maxsplit=count)[:count]
        pixels = np.array(words).astype("int64").astype(dtype)
    else:
        pixels = np.frombuffer(content, dtype, count, match.end())
    if pixels.size < count or pixels.max(initial=0) > most:
        raise ValueError(f"expected {count:,} numbers up to {most:,}")
    return pixels.reshape(int(height), int(width), bands).astype(dtype.newbyteorder("="))


@contextmanager
def _guarded(path: str) -> Iterator[None]:
    """Turn any error inside the block into an EdkitError that names the file."""
    try:
        yield
    except EdkitError as error:
        text = str(error)
        if path in text:
            raise
        raise EdkitError(f"{path!r}: {text}") from error
    except FileNotFoundError as error:
        raise EdkitError(f"{path!r}: expected a file, found none.") from error
    except UnidentifiedImageError as error:
        what = "something else, or a kind that is not known: save it as PNG or TIFF"
        what = what if os.path.getsize(path) else "an empty file: copy it again"
        raise EdkitError(f"{path!r}: expected an image file, found {what}.") from error
    except Exception as error:  # decoders fail on damaged files in many ways
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise EdkitError(
            f"{path!r} cannot be read as an image: it is damaged, cut off or of a kind that "
            f"is not known; copy it again or take it out ({text.rstrip('.')})."
        ) from error
