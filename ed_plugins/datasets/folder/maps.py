"""Maps of a field: one class or value a pixel."""

import os
import threading
from collections import Counter
from typing import Any

import numpy as np
from scipy.ndimage import distance_transform_edt

from ed_core import EdkitError, Findings
from ed_plugins.datasets._void import HUGE, is_apart, is_void
from ed_plugins.datasets.folder.check import FieldFiles
from ed_plugins.datasets.folder.description import Pixel
from ed_plugins.datasets.folder.pictures import ImageHeader, read_pixels
from ed_plugins.datasets.folder.pixels import average, colour_of, pick, take_bands, upright


class _Map:
    """Reader of maps, with the findings about them.

    Args:
        field: the files, and how they are read.
    """

    inferred = False
    high = 0

    def is_open(self, most: float) -> bool:
        """Return whether it is open what is white: never of maps."""
        return False

    def __init__(self, field: FieldFiles) -> None:
        self.field = field
        self.partial = field.partial  # whether pixels lack a target
        self.met: Counter[str] = Counter()
        self.lock = threading.Lock()  # of what is counted, since files are read in several threads

    def numbers(self, path: str, header: ImageHeader, count: int) -> np.ndarray:
        """Return the stored numbers of a map (height, width, count), upright.

        Raises:
            EdkitError: it has another number of bands, or transparent pixels.
        """
        plan, where = self.field.plan, self.field.where
        pixels = read_pixels(path, header, plan.first_page, numbers=count == 1)
        if plan.bands:
            pixels = take_bands(pixels, plan.bands)
        elif header.alpha and not (header.palette and count == 1):
            clear = int((pixels[..., -1] < header.opaque).sum())
            if clear and not (plan.background and count == 3):
                remedy = (
                    'background = "#000000", the colour that they stand for,'
                    if count == 3
                    else "bands = [1] to take what lies under it"
                )
                raise EdkitError(
                    f"{path!r}: expected no transparency, found {clear:,} pixels with it: say "
                    f"{remedy} in {where}."
                )
            share, pixels = pixels[..., -1] == header.opaque, pixels[..., :-1]
            if clear:
                pixels = np.where(
                    share[..., None], pixels, np.array(colour_of(plan.background), "uint8")
                )
        if count == 3 and pixels.shape[2] == 1:  # as grey is stored
            pixels = np.repeat(pixels, 3, axis=2)
        if pixels.shape[2] != count:
            self.refuse_bands(path, pixels.shape[2])
        return upright(pixels, header.orientation if plan.upright else 1)

    def refuse_bands(self, path: str, count: int) -> None:
        """Raise EdkitError for a map of values with several bands."""
        raise EdkitError(
            f"{path!r}: expected one value a pixel, found {count} bands: say which, such as "
            f"bands = [1], in {self.field.where}."
        )


class ClassMaps(_Map):
    """Reader of maps of classes: ids or colours."""

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

    def read(self, path: str, header: ImageHeader) -> np.ndarray:
        """Return the classes (height, width) of a map."""
        classes = self._colours(path, header) if self.coloured else self._ids(path, header)
        where = np.searchsorted(self.pixels, classes).clip(max=len(self.pixels) - 1)
        strange = classes[self.pixels[where] != classes]
        if strange.size:
            self._refuse(path, strange)
        return self.field.frame.filled(self.classes[where], -1)

    def finish(self, most: float, findings: Findings) -> int:
        """Report pixels without a class that the description does not mention."""
        if self.met["lost"]:
            self.partial = True
            findings.infer(
                self.field.name,
                f"-1 or NaN in {self.met['lost']:,} pixels is no class",
            )
        return 0

    def _colours(self, path: str, header: ImageHeader) -> np.ndarray:
        if header.dtype != np.uint8:
            raise EdkitError(
                f"{path!r}: expected colours of 8 bits, found {header.dtype}: if those are "
                f'ids, say so in {self.field.where}, such as road = 3 for road = "#808080".'
            )
        pixels = pick(self.numbers(path, header, 3), self.field.frame)
        return pixels.astype("int32") @ np.array([1 << 16, 1 << 8, 1], "int32")

    def _ids(self, path: str, header: ImageHeader) -> np.ndarray:
        ids = pick(self.numbers(path, header, 1)[..., 0], self.field.frame)
        if ids.dtype.kind == "f":
            lost = np.isnan(ids)
            ids = np.where(lost, -1, ids)
            strange = ids[(np.rint(ids) != ids) | (abs(ids) > 2**31)]
            if strange.size:
                raise EdkitError(
                    f"{path!r}: expected whole ids, found {strange[0]:g}: if they are values, "
                    f'say kind = "value" in {self.field.where}.'
                )
        ids = ids.astype("int32" if ids.dtype.itemsize < 4 else "int64")
        lost_here = int((ids == -1).sum())
        if lost_here and -1 not in self.of:
            with self.lock:
                self.met["lost"] += lost_here
        return ids

    def refuse_bands(self, path: str, count: int) -> None:
        """Raise EdkitError for a map of ids with several bands."""
        raise EdkitError(
            f"{path!r}: expected one class id a pixel, found colours ({count} bands): if they "
            'stand for classes, give those, such as road = "#808080"; if the first band is the id, '
            f"say bands = [1], in {self.field.where}."
        )

    def _refuse(self, path: str, strange: np.ndarray) -> None:
        """Raise EdkitError for pixels that are of no class."""
        which, counts = np.unique(strange, return_counts=True)
        most = which[np.argmax(counts)]
        commonest = f"#{most:06x}" if self.coloured else str(most)
        lossy = os.path.splitext(path)[1].lower() in (".jpg", ".jpeg", ".jpe", ".jfif")
        raise EdkitError(
            f"{path!r}: expected the {'colours' if self.coloured else 'ids'} "
            f"{_listed(list(self.of))}, found {commonest} in {counts.max()} pixels and "
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


class ValueMaps(_Map):
    """Reader of maps of values: a number a pixel."""

    def __init__(self, field: FieldFiles) -> None:
        super().__init__(field)
        self.missing = field.plan.missing
        self.least, self.most = np.inf, 0.0  # of the numbers that are not 0
        self.whole = all(header.dtype.kind in "iu" for header in field.headers)

    def read(self, path: str, header: ImageHeader) -> np.ndarray:
        """Return the values (height, width, 1) as float32, NaN for no value."""
        plan = self.field.plan
        raw = self.numbers(path, header, 1)
        with np.errstate(over="ignore"):  # numbers beyond float32 become infinite and are refused
            values = raw.astype("float32")
        missing = header.nodata if plan.missing is None else plan.missing
        lost = _lost(raw, values, missing)
        exact = raw.dtype.itemsize < 4 or raw.dtype.kind == "f"
        if not exact and max(-int(raw.min()), int(raw.max())) > 2**24:
            with self.lock:
                self.met["rounded"] += 1
        values[lost] = np.nan
        if plan.missing is None and lost.any():
            with self.lock:
                self.missing = header.nodata
                self.met["nodata"] += int(lost.sum())
        self._check(path, values, lost)
        self._count_zeros(values)
        values = average(values, self.field.frame, values.dtype)
        values = self.field.frame.filled(values, np.nan)
        lost = np.isnan(values)
        values = values * np.float32(plan.scale) + np.float32(plan.offset)
        if plan.fill == "nearest" and lost.any():
            if lost.all():
                raise EdkitError(f"{path!r}: expected a value to fill with, found none.")
            nearest = distance_transform_edt(lost, return_distances=False, return_indices=True)
            values = values[tuple(nearest)]
        elif plan.fill is not None and lost.any():
            values[lost] = plan.fill
        return values

    def finish(self, most: float, findings: Findings) -> int:
        """Report the marks of no value, and rounded numbers."""
        name, toml, plan = self.field.name, self.field.toml, self.field.plan
        if self.met["nodata"]:
            self.partial = plan.fill is None
            findings.infer(
                name,
                f"{self.missing:g} in {self.met['nodata']:,} pixels is no value, as the files say",
                f"missing = {self.missing:g} in {toml}",
            )
        apart = is_apart(self.least, self.most, self.whole)
        if self.met["zero"] and plan.missing is None and apart:
            findings.infer(
                name,
                f"0 in {self.met['zero']:,} pixels is a value, though the others are "
                f"{self.least:g} to {self.most:g}",
                f"missing = 0 in {toml}",
            )
        if self.met["rounded"]:
            findings.infer(
                name,
                f"whole numbers beyond 16,777,216 rounded in {self.met['rounded']:,} files",
                f"offset in {toml}",
            )
        return 0

    def _count_zeros(self, values: np.ndarray) -> None:
        """Count the pixels of 0, which means no value in many maps of depth."""
        others = values[(values != 0) & ~np.isnan(values)]
        with self.lock:
            self.met["zero"] += int((values == 0).sum())
            self.least = min(self.least, float(others.min(initial=np.inf)))
            self.most = max(self.most, float(others.max(initial=0)))

    def _check(self, path: str, values: np.ndarray, lost: np.ndarray) -> None:
        """Raise EdkitError for infinite numbers, and for those that look like marks of no value."""
        strange = ~np.isfinite(values) & ~lost
        if strange.any():
            odd = values[np.isinf(values)] if np.isinf(values).any() else values[strange]
            raise EdkitError(
                f"{path!r}: expected finite numbers, found {odd[0]} in {strange.sum()} "
                f"pixels: say missing = {odd[0]}, and perhaps fill, in {self.field.where}."
            )
        if self.field.plan.missing is not None:
            return
        if values[~lost].size == 0:
            return
        for void in (values[~lost].min(), values[~lost].max()):
            odd = (values == void).sum()
            others = values[(values != void) & ~lost]
            if others.size and is_void(void, abs(others).max()):
                raise EdkitError(
                    f"{path!r}: expected values, found {void:g} in {odd:,} pixels and "
                    f"{others.min():g} to {others.max():g} in the others: say missing = "
                    f"{_written(void)} if they have no value, or missing = nan if they have, in "
                    f"{self.field.where}."
                )


def _lost(raw: np.ndarray, values: np.ndarray, missing: float | None) -> np.ndarray:
    """Return the pixels without a value: those with the mark, and those that are NaN.

    Args:
        raw: as they are stored.
        values: as float32.
        missing: the mark of no value; None if there is none.
    """
    if missing is None:
        return np.zeros(raw.shape, bool)
    if raw.dtype.kind != "f":
        return raw == missing
    with np.errstate(over="ignore"):
        return (values == np.float32(missing)) | np.isnan(values)


def _written(number: float) -> str:
    """Return a number as it is written in TOML."""
    return f"{number:.0f}" if abs(number) < HUGE else f"{number:.9g}".replace("e+", "e")


def _whole(pixel: Pixel) -> int:
    return int(pixel[1:], 16) if isinstance(pixel, str) else pixel


def _listed(pixels: list[Pixel]) -> str:
    return ", ".join(map(str, pixels[:16])) + ", ..." * (len(pixels) > 16)
