"""Images of a field: black and white, transparency, bands."""

import threading

import numpy as np
from PIL import Image

from ed_core import EdkitError, Findings
from ed_plugins.datasets.folder.check import FieldFiles
from ed_plugins.datasets.folder.pictures import ImageHeader, open_usual, read_pixels
from ed_plugins.datasets.folder.pixels import (
    TURNED,
    Framing,
    average,
    colour_of,
    lay_over,
    take_bands,
    to_channels,
    upright,
)

_WHITE = "#ffffff"  # under transparent pixels
_HAIR = 1e-3  # tolerance of floats beyond 0..1, which resampling causes
_FEW = 16  # a largest number below it is hardly one of images of 8 bits
_DEPTHS = (8, 10, 12, 14, 16)  # bits of cameras and scanners


class Images:
    """Reader of the images of a field: numbers from black to white.

    Args:
        field: the files and their reading options.
    """

    partial = False

    def __init__(self, field: FieldFiles) -> None:
        self.field = field
        self.inferred = False  # whether white was inferred from the numbers
        self.beyond = 0  # numbers below black or above white
        self.void: tuple[float, int] = (0, 0)  # the number for no value, and its count of pixels
        self.dtype = field.dtype
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
        self.lock = threading.Lock()  # of what is counted, since files are read in several threads

    def read(self, path: str, header: ImageHeader) -> np.ndarray:
        """Return an image (height, width, channels) in the type of the field."""
        plan = self.field.plan
        if header.usual and not (plan.bands or plan.page or plan.range or plan.bits):
            return self._usual(path, header)
        page = range(header.pages) if plan.page == "all" else (plan.first_page,)
        parts = [self._page(path, header, number) for number in page]
        if len({part.shape[:2] for part in parts}) > 1:
            raise EdkitError(
                f"{path!r}: expected pages of one size to make bands of, found several: say "
                f"which, such as page = 1, in {self.field.where}."
            )
        pixels = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=2)
        if plan.page == "all" and plan.bands and plan.bands != "all":
            pixels = take_bands(pixels, plan.bands)
        pixels = upright(self._without_void(pixels, header), self._orientation(header))
        if self._beyond(path, pixels):
            pixels = pixels.clip(self.low, self.high)
        pixels = to_channels(average(pixels, self.field.frame, self.dtype), plan.channels)
        if self.dtype.kind == "f" and (self.low, self.high) != (0, 1):
            pixels = (pixels - np.float32(self.low)) / np.float32(self.high - self.low)
        return self.field.frame.filled(pixels, 0)

    def is_open(self, most: float) -> bool:
        """Return whether it is open what is white, since no number is as large as usual.

        Args:
            most: the largest number of the files that were looked at.
        """
        plan = self.field.plan
        return self.dtype == np.uint8 and most < _FEW and not plan.bits and not plan.range

    def finish(self, most: float, findings: Findings) -> int:
        """Report what was inferred, and return the number of white; 0 if the array is in 0..1.

        Args:
            most: the largest number of the array.
            findings: receives what was inferred.
        """
        self._say_changes(findings)
        if self.dtype.kind == "f":
            return 0
        first, option = self.field.headers[0], "range = [0, HIGH]"
        text = ""
        if not self.high:
            self.inferred = True
            bits = next(b for b in _DEPTHS if self.most < 2**b)
            self.high = 2**bits - 1
            if bits < 16:
                text = (
                    f"{bits} bits (white is {self.high:,}): the largest number is {self.most:,.0f}"
                )
                option = f"bits = 16 or {option}"
        elif self.high == first.white < np.iinfo(first.dtype).max:
            text = f"white is {first.white:,}, as the files say"
        elif self.is_open(most) and most > 0:
            self.inferred = most == 1
            self.high, other = (1, 255) if self.inferred else (255, int(most))
            text = f"white is {self.high:.0f}: the largest number is {most:.0f}"
            option = f"range = [0, {other}]"
        if text:
            findings.infer(self.field.name, text, f"{option} in {self.field.toml}")
        return int(self.high)

    def _say_changes(self, findings: Findings) -> None:
        """Report changes of transparent pixels and of numbers beyond black and white."""
        name, toml, count = self.field.name, self.field.toml, len(self.field.paths)
        findings.leave_out(
            name,
            self.opaque,
            "transparency of files that are opaque everywhere",
            f'bands = "all" in {toml}',
        )
        if self.laid:
            findings.infer(
                name,
                f"transparent pixels in {self.laid:,} of {count:,} files laid over "
                f"{self.field.plan.background or _WHITE}",
                f'background = "#rrggbb" or bands = "all" in {toml}',
            )
        if self.void[1]:
            findings.infer(
                name,
                f"{self.void[0]:g} in {self.void[1]:,} pixels is no value, as the files say, and "
                "read as black",
                f"range = [LOW, HIGH] in {toml}",
            )
        if self.beyond:
            findings.infer(
                name,
                f"{self.beyond:,} numbers beyond {self.low:g}..{self.high:g} taken as its ends",
                f"range = [LOW, HIGH] in {toml}",
            )

    def _orientation(self, header: ImageHeader) -> int:
        return header.orientation if self.field.plan.upright else 1

    def _usual(self, path: str, header: ImageHeader) -> np.ndarray:
        """Return an image of 8 bits, read by Pillow alone."""
        plan, frame, orientation = self.field.plan, self.field.frame, self._orientation(header)
        if frame.size and orientation in TURNED:
            frame = Framing(frame.size[::-1], frame.fit)
        with open_usual(path, header, frame) as image:
            if header.alpha:
                image = self._laid(path, image)
            grey = plan.channels == 1 if plan.channels else header.bands == 1
            mode = "L" if grey else "RGB"
            image = image if image.mode == mode else image.convert(mode)
            if frame.size:
                size = frame.inner(image.height, image.width)
                top, left, bottom, right = frame.part(image.height, image.width)
                box = (left, top, right, bottom)
                image = image.resize((size[1], size[0]), Image.Resampling.BILINEAR, box)
            pixels = frame.filled(np.asarray(image), 0)
        pixels = upright(pixels, orientation)
        return pixels if pixels.ndim == 3 else pixels[..., None]

    def _laid(self, path: str, image: Image.Image) -> Image.Image:
        """Return an image on the background."""
        image = image.convert("RGBA")
        counts = image.getchannel("A").histogram()
        if self._transparent(path, sum(counts), counts[0], counts[255]):
            ground = Image.new("RGBA", image.size, (*self.under, 255))
            return Image.alpha_composite(ground, image)
        return image

    def _transparent(self, path: str, pixels: int, clear: int, opaque: int) -> bool:
        """Return whether the last band of an image makes any pixel transparent, and count it.

        Raises:
            EdkitError: the band does not look like transparency.
        """
        if opaque == pixels:
            with self.lock:
                self.opaque += 1
            return False
        if not self.field.plan.background and 2 * (pixels - clear - opaque) > pixels:
            raise EdkitError(
                f"{path!r}: expected transparency in the last band, found values between "
                f'clear and opaque in most pixels: say bands = "all" if it is none, or '
                f'background = "{_WHITE}" if it is, in {self.field.where}.'
            )
        with self.lock:
            self.laid += 1
        return True

    def _page(self, path: str, header: ImageHeader, number: int) -> np.ndarray:
        """Return the chosen bands of a page, (height, width, bands), on the background."""
        plan = self.field.plan
        pixels = read_pixels(path, header, number)
        if plan.bands:
            return pixels if plan.page == "all" else take_bands(pixels, plan.bands)
        if not header.alpha:
            return pixels
        alpha, pixels = pixels[..., -1], pixels[..., :-1]
        white = header.opaque
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

    def _without_void(self, pixels: np.ndarray, header: ImageHeader) -> np.ndarray:
        """Return pixels with no value replaced by black, unless the user states the range."""
        if header.nodata is None or self.field.plan.range:
            return pixels
        lost = pixels == header.nodata
        if not lost.any():
            return pixels
        with self.lock:
            self.void = (header.nodata, self.void[1] + int(lost.any(axis=-1).sum()))
        return np.where(lost, pixels.dtype.type(self.low), pixels)

    def _beyond(self, path: str, pixels: np.ndarray) -> bool:
        """Return whether numbers lie beyond black or white, and count them.

        Raises:
            EdkitError: some do, and the description does not allow it.
        """
        least, most = pixels.min(), pixels.max()
        where = self.field.where
        if not (np.isfinite(least) and np.isfinite(most)):
            lost = int((~np.isfinite(pixels)).sum())
            raise EdkitError(
                f"{path!r}: expected finite numbers in an image, found {lost:,} others: such "
                f'a map is kind = "value" with missing = nan in {where}.'
            )
        with self.lock:
            self.most = max(self.most, float(most))
        low, high = self.low, self.high or 65535
        if least >= low and most <= high:
            return False
        hair = _HAIR if pixels.dtype.kind == "f" else 0
        if self.field.plan.range or (least >= low - hair and most <= high + hair):
            with self.lock:
                self.beyond += int(((pixels < low) | (pixels > high)).sum())
            return True
        extent = f"{least:.6g} to {most:.6g}"
        raise EdkitError(
            f"{path!r}: expected numbers from {low} to {high}, found {extent}: "
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
