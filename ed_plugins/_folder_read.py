"""The images of one field as one array."""

from abc import ABC, abstractmethod
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.ndimage import distance_transform_edt

from ed_core import EdkitError, Findings
from ed_plugins._folder_check import FieldFiles
from ed_plugins._folder_plan import Pixel
from ed_plugins._pictures import Header, open_usual, read_pixels
from ed_plugins._pixels import (
    TURNED,
    average,
    colour_of,
    lay_over,
    pick,
    to_channels,
    upright,
)

_WHITE = "#ffffff"  # under transparent pixels
_HAIR = 1e-3  # by how much floats may leave 0..1, as they do after resampling
_DEPTHS = (8, 10, 12, 14, 16)  # bits of cameras and scanners
_VOID = (-9999.0, -32768.0, -99999.0, -32767.0, 32767.0)  # for no value, in elevation models
_HUGE = 1e30  # what else stands for no value, such as the largest float


@dataclass(frozen=True, slots=True)
class FieldArray:
    """The files of a field as one array, in their order.

    Args:
        array: of an image (samples, height, width, channels), whole numbers or floats; of classes
            (samples, height, width), -1 where there is none; of values (samples, height, width,
            1), float32, NaN where there is none.
        white: the whole number that stands for 1.0 in an image; 0 where the array is read as it is.
        inferred: whether the largest number in all files told what is white.
        partial: whether pixels lack a target.
    """

    array: np.ndarray
    white: int
    inferred: bool
    partial: bool


def read_field(field: FieldFiles, findings: Findings) -> FieldArray:
    """Return the files of a field as one array, in their order.

    Args:
        field: the files, and how they are read.
        findings: what was inferred is added here.

    Raises:
        EdkitError: a file cannot be read, or holds what the plan does not say.
    """
    readers: dict[str, type[_Reader]] = {"image": _Images, "class": _Classes, "value": _Values}
    reader = readers[field.plan.kind](field)
    shape = field.shape if field.plan.kind != "class" else field.shape[:2]
    whole = np.empty((len(field.paths), *shape), field.dtype)
    for number, (path, header) in enumerate(zip(field.paths, field.headers, strict=True)):
        array = reader.read(path, header)
        if array.shape != shape:  # the header says something else than the pixels
            raise EdkitError(f"{str(path)!r}: expected an array {shape}, found {array.shape}.")
        whole[number] = array
    _say_headers(field, findings)
    white = reader.finish(whole, findings)
    return FieldArray(whole, white, reader.inferred, reader.partial)


class _Reader(ABC):
    """How the files of a field are read, and what was met in them."""

    def __init__(self, field: FieldFiles) -> None:
        self.field = field
        self.partial = field.plan.partial
        self.inferred = False
        self.met: Counter[str] = Counter()

    @abstractmethod
    def read(self, path: Path, header: Header) -> np.ndarray:
        """Return what is kept of a file."""

    @abstractmethod
    def finish(self, whole: np.ndarray, findings: Findings) -> int:
        """Add what was inferred of the pixels; return the whole number that is white, or 0."""

    def numbers(self, path: Path, header: Header, count: int) -> np.ndarray:
        """Return the numbers of a map (height, width, count) as they are stored, upright.

        Raises:
            EdkitError: it has another count of bands, or transparent pixels.
        """
        plan, where = self.field.plan, self.field.where
        pixels = read_pixels(path, header, _page(plan.page), numbers=count == 1)
        if plan.bands:
            pixels = _bands(pixels, plan.bands)
        elif header.alpha and not (header.palette and count == 1):
            clear = int((pixels[..., -1] < _opaque(header)).sum())
            if clear and not (plan.background and count == 3):
                remedy = (
                    'background = "#000000", the colour that they stand for,'
                    if count == 3
                    else "bands = [1] to take what lies under it"
                )
                raise EdkitError(
                    f"{str(path)!r}: expected no transparency, found {clear:,} pixels with it: say "
                    f"{remedy} in {where}."
                )
            share, pixels = pixels[..., -1] == _opaque(header), pixels[..., :-1]
            if clear:
                pixels = np.where(
                    share[..., None], pixels, np.array(colour_of(plan.background), "uint8")
                )
        if count == 3 and pixels.shape[2] == 1:  # as grey is stored
            pixels = np.repeat(pixels, 3, axis=2)
        if pixels.shape[2] != count:
            self.refuse_bands(path, pixels.shape[2])
        return upright(pixels, header.orientation if plan.upright else 1)

    def refuse_bands(self, path: Path, found: int) -> None:
        """Raise EdkitError for a map of values with several bands."""
        raise EdkitError(
            f"{str(path)!r}: expected one value a pixel, found {found} bands: say which, such as "
            f"bands = [1], in {self.field.where}."
        )


class _Images(_Reader):
    """Images: numbers from black to white."""

    def __init__(self, field: FieldFiles) -> None:
        super().__init__(field)
        plan, first = field.plan, field.headers[0]
        self.under = colour_of(plan.background or _WHITE)
        self.low: float = 0
        self.high: float = 2**plan.bits - 1 if plan.bits else first.white
        if plan.range:
            self.low, self.high = plan.range
        if not plan.range and first.dtype.kind == "f":
            self.high = 1
        elif not self.high and first.dtype == np.uint8:
            self.high = 255
        self.most = 0.0
        self.opaque = self.laid = 0  # files

    def read(self, path: Path, header: Header) -> np.ndarray:
        """Return an image (height, width, channels) in the type that the field is kept in."""
        plan = self.field.plan
        if header.usual and not (plan.bands or plan.page or plan.range or plan.bits):
            return self._usual(path, header)
        page = range(header.pages) if plan.page == "all" else (_page(plan.page),)
        parts = [self._page(path, header, number) for number in page]
        if len({part.shape[:2] for part in parts}) > 1:
            raise EdkitError(
                f"{str(path)!r}: expected pages of one size to make bands of, found several: say "
                f"which, such as page = 1, in {self.field.where}."
            )
        pixels = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)
        if plan.page == "all" and plan.bands and plan.bands != "all":
            pixels = _bands(pixels, plan.bands)
        pixels = upright(pixels, self._orientation(header))
        if self._beyond(path, pixels):
            pixels = pixels.clip(self.low, self.high)
        dtype = self.field.dtype
        pixels = to_channels(average(pixels, self.field.size, dtype), plan.channels)
        if dtype.kind == "f" and (self.low, self.high) != (0, 1):
            pixels = (pixels - np.float32(self.low)) / np.float32(self.high - self.low)
        return pixels

    def finish(self, whole: np.ndarray, findings: Findings) -> int:
        """Say what was inferred, and return what is white."""
        name, toml, first = self.field.name, self.field.toml, self.field.headers[0]
        count = len(self.field.paths)
        if self.opaque:
            findings.leave_out(
                name, self.opaque, "transparency of files without a clear pixel", 'bands = "all"'
            )
        if self.laid:
            colour = self.field.plan.background or _WHITE
            findings.infer(
                name,
                f"transparent pixels in {self.laid:,} of {count:,} files laid over {colour}",
                f'background = "#rrggbb" or bands = "all" in {toml}',
            )
        if self.met["beyond"]:
            findings.infer(
                name,
                f"{self.met['beyond']:,} numbers beyond {self.low:g}..{self.high:g} taken as its "
                "ends",
                f"range = [LOW, HIGH] in {toml}",
            )
        if whole.dtype.kind == "f":
            return 0
        if not self.high:
            self.inferred = True
            bits = next(b for b in _DEPTHS if self.most < 2**b)
            self.high = 2**bits - 1
            if bits < 16:
                findings.infer(
                    name,
                    f"{bits} bits, since the largest number is {self.most:,.0f}: white is "
                    f"{self.high:,}",
                    f"bits = 16 or range = [0, HIGH] in {toml}",
                )
        elif self.high == first.white < np.iinfo(first.dtype).max:
            findings.infer(
                name,
                f"white is {first.white:,}, as the files say",
                f"range = [0, HIGH] in {toml}",
            )
        elif whole.dtype == np.uint8 and not self.field.plan.bits and not self.field.plan.range:
            most = int(whole.max(initial=0))
            if 0 < most < 16:
                self.inferred = most == 1
                self.high, other = (1, 255) if most == 1 else (255, most)
                text = f"white is {self.high}, the largest number {most}"
                findings.infer(name, text, f"range = [0, {other}] in {toml}")
        return int(self.high)

    def _orientation(self, header: Header) -> int:
        return header.orientation if self.field.plan.upright else 1

    def _usual(self, path: Path, header: Header) -> np.ndarray:
        """Return an image of 8 bits, by Pillow alone."""
        plan, size, orientation = self.field.plan, self.field.size, self._orientation(header)
        stored = (size[1], size[0]) if size and orientation in TURNED else size
        with open_usual(path, header, stored) as image:
            if header.alpha:
                image = self._laid(path, image)
            grey = plan.channels == 1 if plan.channels else header.bands == 1
            wanted = "L" if grey else "RGB"
            image = image if image.mode == wanted else image.convert(wanted)
            if stored:
                image = image.resize((stored[1], stored[0]), Image.Resampling.BILINEAR)
            pixels = np.asarray(image)
        pixels = upright(pixels, orientation)
        return pixels if pixels.ndim == 3 else pixels[..., None]

    def _laid(self, path: Path, image: Image.Image) -> Image.Image:
        """Return an image on the background."""
        image = image.convert("RGBA")
        counts = image.getchannel("A").histogram()
        if self._transparent(path, sum(counts), counts[0], counts[255]):
            ground = Image.new("RGBA", image.size, (*self.under, 255))
            return Image.alpha_composite(ground, image)
        return image

    def _transparent(self, path: Path, pixels: int, clear: int, opaque: int) -> bool:
        """Return whether the last band of an image hides anything; count it.

        Raises:
            EdkitError: it looks like another band than transparency.
        """
        if opaque == pixels:
            self.opaque += 1
            return False
        if not self.field.plan.background and 2 * (pixels - clear - opaque) > pixels:
            raise EdkitError(
                f"{str(path)!r}: expected transparency in the last band, found values between "
                f'clear and opaque in most pixels: say bands = "all" if it is none, or '
                f'background = "{_WHITE}" if it is, in {self.field.where}.'
            )
        self.laid += 1
        return True

    def _page(self, path: Path, header: Header, number: int) -> np.ndarray:
        """Return a page (height, width, bands): those that are wanted, on the background."""
        plan = self.field.plan
        pixels = read_pixels(path, header, number)
        if plan.bands:
            return pixels if plan.page == "all" else _bands(pixels, plan.bands)
        if not header.alpha:
            return pixels
        alpha, pixels = pixels[..., -1], pixels[..., :-1]
        white = _opaque(header)
        clear, opaque = int((alpha <= 0).sum()), int((alpha >= white).sum())
        if not self._transparent(path, alpha.size, clear, opaque):
            return pixels
        share = (alpha / np.float32(white)).clip(0, 1)
        if header.premultiplied:
            seen = share > 0
            whole = np.divide(
                pixels,
                share[..., None],
                where=seen[..., None],
                out=np.zeros(pixels.shape, "float32"),
            )
            pixels = whole.clip(0, white).astype(pixels.dtype)
        return lay_over(pixels, share, self.under, self.high or white)

    def _beyond(self, path: Path, pixels: np.ndarray) -> bool:
        """Return whether numbers lie beyond black or white; count them.

        Raises:
            EdkitError: they do, and nobody said that they may.
        """
        least, most = pixels.min(), pixels.max()
        where = self.field.where
        if not (np.isfinite(least) and np.isfinite(most)):
            lost = int((~np.isfinite(pixels)).sum())
            raise EdkitError(
                f"{str(path)!r}: expected finite numbers in an image, found {lost:,} others: such "
                f'a map is kind = "value" with missing = nan in {where}.'
            )
        self.most = max(self.most, float(most))
        low, high = self.low, self.high or 65535
        if least >= low and most <= high:
            return False
        hair = _HAIR if pixels.dtype.kind == "f" else 0
        if self.field.plan.range or (least >= low - hair and most <= high + hair):
            self.met["beyond"] += int(((pixels < low) | (pixels > high)).sum())
            return True
        found = f"{least:.6g} to {most:.6g}"
        raise EdkitError(
            f"{str(path)!r}: expected numbers from {low} to {high}, found {found}: "
            f'{self._remedy(float(least), float(most))}, or take kind = "value", in {where}.'
        )

    def _remedy(self, least: float, most: float) -> str:
        bits = "correct bits, or " if self.field.plan.bits else ""
        if -1 <= least < 0 and most <= 1:
            return f"{bits}say range = [-1, 1]"
        if least >= 0:
            high = next((2**b - 1 for b in _DEPTHS if most < 2**b), int(np.ceil(most)))
            return f"{bits}say what is white, such as range = [0, {high}]"
        return f"{bits}say range = [{int(np.floor(least))}, {int(np.ceil(most))}]"


class _Classes(_Reader):
    """Maps of classes: ids or colours."""

    def __init__(self, field: FieldFiles) -> None:
        super().__init__(field)
        plan = field.plan
        classes = enumerate(plan.classes.values())
        self.of = {pixel: number for number, pixels in classes for pixel in pixels}
        self.of.update(dict.fromkeys(plan.ignore, -1))
        self.coloured = isinstance(next(iter(self.of)), str)
        of_pixel = {_whole(pixel): number for pixel, number in self.of.items()}
        if not self.coloured:
            of_pixel.setdefault(-1, -1)
        self.pixels = np.array(sorted(of_pixel))
        self.classes = np.array([of_pixel[p] for p in sorted(of_pixel)]).astype(field.dtype)

    def read(self, path: Path, header: Header) -> np.ndarray:
        """Return the classes (height, width) of a map."""
        found = self._colours(path, header) if self.coloured else self._ids(path, header)
        found = pick(found, self.field.size)
        where = np.searchsorted(self.pixels, found).clip(max=len(self.pixels) - 1)
        strange = found[self.pixels[where] != found]
        if strange.size:
            self._refuse(path, strange)
        return self.classes[where]

    def finish(self, whole: np.ndarray, findings: Findings) -> int:
        """Say how many pixels have no class though nobody said so."""
        if self.met["lost"]:
            self.partial = True
            findings.infer(
                self.field.name,
                f"-1 or NaN in {self.met['lost']:,} pixels is no class",
            )
        return 0

    def _colours(self, path: Path, header: Header) -> np.ndarray:
        if header.dtype != np.uint8:
            raise EdkitError(
                f"{str(path)!r}: expected colours of 8 bits, found {header.dtype}: if those are "
                f'ids, say so in {self.field.where}, such as road = 3 for road = "#808080".'
            )
        pixels = self.numbers(path, header, 3)
        return pixels.astype("int32") @ np.array([1 << 16, 1 << 8, 1], "int32")

    def _ids(self, path: Path, header: Header) -> np.ndarray:
        found = self.numbers(path, header, 1)[..., 0]
        if found.dtype.kind == "f":
            lost = np.isnan(found)
            found = np.where(lost, -1, found)
            if (found % 1 != 0).any() or abs(found).max(initial=0) > 2**31:
                raise EdkitError(
                    f"{str(path)!r}: expected whole ids, found {found[found % 1 != 0][:1]}: they "
                    f'are values: kind = "value" in {self.field.where}.'
                )
        found = found.astype("int32" if found.dtype.itemsize < 4 else "int64")
        lost_here = int((found == -1).sum())
        if lost_here and -1 not in self.of:
            self.met["lost"] += lost_here
        return found

    def refuse_bands(self, path: Path, found: int) -> None:
        """Raise EdkitError for a map of ids with several bands."""
        raise EdkitError(
            f"{str(path)!r}: expected one class id a pixel, found colours ({found} bands): if they "
            'stand for classes, give those, such as road = "#808080"; if the first band is the id, '
            f"say bands = [1], in {self.field.where}."
        )

    def _refuse(self, path: Path, strange: np.ndarray) -> None:
        """Raise EdkitError for pixels that are of no class."""
        which, counts = np.unique(strange, return_counts=True)
        most = which[np.argmax(counts)]
        shown = f"#{most:06x}" if self.coloured else str(most)
        lossy = path.suffix.lower() in (".jpg", ".jpeg", ".jpe", ".jfif")
        raise EdkitError(
            f"{str(path)!r}: expected the {'colours' if self.coloured else 'ids'} "
            f"{_listed(list(self.of))}, found {shown} in {counts.max()} pixels and "
            f"{len(which) - 1} others"
            f"{' (JPEG changes them: use PNG)' if lossy else self._advice(which)}."
        )

    def _advice(self, which: np.ndarray) -> str:
        if len(which) > 8:
            return f": add them to classes in {self.field.where}"
        new = [f"#{pixel:06x}" if self.coloured else int(pixel) for pixel in which]
        ignore: list[Any] = [*self.field.plan.ignore, *new]
        text = ", ".join(f'"{pixel}"' if self.coloured else str(pixel) for pixel in ignore)
        names = list(self.field.plan.classes)
        binary = ""
        if new == [255] and len(names) == 2 and not self.coloured:
            binary = f' (or classes = {{ "{names[0]}" = 0, "{names[1]}" = 255 }})'
        return (
            f": if they have no class, say ignore = [{text}], else add them to classes{binary}, in "
            f"{self.field.where}"
        )


class _Values(_Reader):
    """Maps of values: a number a pixel."""

    def __init__(self, field: FieldFiles) -> None:
        super().__init__(field)
        self.missing = field.plan.missing

    def read(self, path: Path, header: Header) -> np.ndarray:
        """Return the values (height, width, 1) as float32, NaN where there is none."""
        plan = self.field.plan
        raw = self.numbers(path, header, 1)
        missing = header.nodata if plan.missing is None else plan.missing
        lost = _equal(raw, missing)
        exact = raw.dtype.itemsize < 4 or raw.dtype.kind == "f"
        if not exact and max(-int(raw.min()), int(raw.max())) > 2**24:
            self.met["rounded"] += 1
        values = raw.astype("float32")
        values[lost] = np.nan
        if plan.missing is None and lost.any():
            self.missing = header.nodata
            self.met["nodata"] += int(lost.sum())
        self._check(path, values, lost)
        values = average(values, self.field.size, values.dtype)
        lost = np.isnan(values)
        values = values * np.float32(plan.scale) + np.float32(plan.offset)
        if plan.fill == "nearest" and lost.any():
            if lost.all():
                raise EdkitError(f"{str(path)!r}: expected a value to fill with, found none.")
            nearest = distance_transform_edt(lost, return_distances=False, return_indices=True)
            values = values[tuple(nearest)]
        elif plan.fill is not None and lost.any():
            values[lost] = plan.fill
        return values

    def finish(self, whole: np.ndarray, findings: Findings) -> int:
        """Say what stands for no value, and what was rounded."""
        name, toml = self.field.name, self.field.toml
        if self.met["nodata"]:
            self.partial = self.field.plan.fill is None
            findings.infer(
                name,
                f"{self.missing:g} in {self.met['nodata']:,} pixels is no value, as the files say",
                f"missing = {self.missing:g} in {toml}",
            )
        if self.met["rounded"]:
            findings.infer(
                name,
                f"whole numbers beyond 16,777,216 rounded in {self.met['rounded']:,} files",
                f"offset in {toml}",
            )
        return 0

    def _check(self, path: Path, values: np.ndarray, lost: np.ndarray) -> None:
        """Raise EdkitError for what is no number, or looks like none."""
        strange = ~np.isfinite(values) & ~lost
        if strange.any():
            raise EdkitError(
                f"{str(path)!r}: expected finite numbers, found {values[strange][0]} in "
                f"{strange.sum()} pixels: say missing = nan."
            )
        if self.field.plan.missing is not None:
            return
        if values[~lost].size == 0:
            return
        for void in (values[~lost].min(), values[~lost].max()):
            found = (values == void).sum()
            others = values[(values != void) & ~lost]
            far = others.size and abs(others).max() < abs(void) / 3
            if far and (void in _VOID or abs(void) > _HUGE):
                raise EdkitError(
                    f"{str(path)!r}: expected values, found {void:g} in {found:,} pixels and "
                    f"{others.min():g} to {others.max():g} in the others: say missing = "
                    f"{_written(void)} if they have no value, or missing = nan if they have, in "
                    f"{self.field.where}."
                )


def _say_headers(field: FieldFiles, findings: Findings) -> None:
    """Say what the headers made of the files."""
    headers, name, toml = field.headers, field.name, field.toml
    turned = sum(header.orientation > 1 for header in headers)
    if turned and field.plan.upright:
        findings.infer(
            name,
            f"{turned:,} of {len(headers):,} files turned as their orientation says",
            f"upright = false in {toml}",
        )
    previews = sum(header.previews for header in headers)
    findings.leave_out(name, previews, "previews and masks inside of the files")
    if field.plan.page and field.plan.page != "all":
        pages = sum(header.pages - 1 for header in headers)
        findings.leave_out(name, pages, "pages other than page", f'page = "all" in {toml}')
    if field.plan.bands and field.plan.bands != "all":
        bands = max(h.bands + h.alpha for h in headers) - len(set(field.plan.bands))
        findings.leave_out(name, max(0, bands), "bands a file", f'bands = "all" in {toml}')
    converted = {header.converted for header in headers if header.converted}
    if converted:
        count = sum(bool(header.converted) for header in headers)
        findings.infer(name, f"{count:,} files of {', '.join(sorted(converted))} read as RGB")


def _page(page: int | str) -> int:
    return page - 1 if isinstance(page, int) else 0


def _bands(pixels: np.ndarray, bands: tuple[int, ...] | str) -> np.ndarray:
    """Return the bands of (height, width, bands) that are wanted, from 1."""
    return pixels if bands == "all" else pixels[..., [int(band) - 1 for band in bands]]


def _opaque(header: Header) -> float:
    """Return what transparency says where nothing is transparent."""
    return 1.0 if header.dtype.kind == "f" else header.white or np.iinfo(header.dtype).max


def _equal(numbers: np.ndarray, missing: float | None) -> np.ndarray:
    """Return which numbers stand for no value; float32 holds 1e-5 otherwise than a TOML file."""
    if missing is None:
        return np.zeros(numbers.shape, bool)
    if np.isnan(missing):
        return np.isnan(numbers)
    return numbers == (numbers.dtype.type(missing) if numbers.dtype.kind == "f" else missing)


def _written(number: float) -> str:
    """Return a number as it is written in TOML."""
    return f"{number:.0f}" if abs(number) < _HUGE else f"{number:.9g}".replace("e+", "e")


def _whole(pixel: Pixel) -> int:
    return int(pixel[1:], 16) if isinstance(pixel, str) else pixel


def _listed(pixels: list[Pixel]) -> str:
    return ", ".join(map(str, pixels[:16])) + ", ..." * (len(pixels) > 16)
