"""Results as pictures: PNG and TIFF files of the names and the sizes of the user's pictures."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageOps

from ed_core.errors import EdkitError
from ed_core.inference.job import OutputJob, Refusal
from ed_core.inference.stream import Result, Sample
from ed_core.palette import class_colour, rgb
from ed_core.plugins.spec import Field, Fields, FileSamples, Place
from ed_core.runs.outputs import PROBABILITIES

OVERLAY = "overlay"
_TIFF = (".tif", ".tiff")
_OUTSIDE = 255  # of pixels that the model did not see; 65535 where classes have so large numbers
_SHARE = 0.5  # of the class colours in an overlay
# Of GeoTIFF (OGC 19-008r4): scale, tie points, transformation, keys, their numbers and texts.
_GEOGRAPHIC = (33550, 33922, 34264, 34735, 34736, 34737)


@dataclass(frozen=True)
class Style:
    """How pictures are written.

    Args:
        form: PNG or TIFF; by default PNG, except of maps of values, of videos, and of masks of a
            GeoTIFF, which are TIFF.
        masks: whether a mask holds the numbers that its classes have in the files of the training,
            or their colours.
        ids: of a mask, the number of each class; by default 0, 1, ...
        overlay: whether the picture with the colours of its classes over it is written as well.
    """

    form: Literal["png", "tiff"] | None = None
    masks: Literal["ids", "colours"] = "ids"
    ids: Mapping[str, Sequence[int]] = field(default_factory=dict)
    overlay: bool = False


@dataclass(frozen=True)
class PictureWriter:
    """Writer of pictures into a folder, each named as its sample.

    Args:
        samples: of the input.
        outputs: what is written, by name: the field of one sample.
        style: how.

    Raises:
        EdkitError: an output is no picture, or two samples would have one name.
    """

    samples: FileSamples
    outputs: Fields
    style: Style = field(default_factory=Style)

    def __post_init__(self) -> None:
        for name, output in self.outputs.items():
            if not _is_picture(output):
                raise EdkitError(
                    f"{name!r} is no picture, for a folder of PNG or TIFF: give --output a file "
                    "that ends in .csv, .parquet, .npz or .h5."
                )
        _ = self.stems

    @cached_property
    def stems(self) -> list[str]:
        """The path of each sample's pictures below the folder, without ending."""
        return _stems(self.samples.names, self._tags())

    def write(self, job: OutputJob, results: Sequence[Result]) -> tuple[Sample, list[Refusal]]:
        """Write the pictures of some samples."""
        for result in results:
            place = self.samples.place(result.row)
            for name, tag in self._tags().items():
                self._write_one(job, name, tag, result, place)
        return {}, []

    def finish(self, job: OutputJob) -> None:
        """Leave the pictures as they are."""

    def _tags(self) -> dict[str, str]:
        """Return what follows the name of a sample in that of each of its pictures."""
        plain = [name for name in self.outputs if not name.endswith(PROBABILITIES)]
        tags = {name: f"_{name}" if len(plain) > 1 else "" for name in plain}
        for name in self.outputs:
            if name not in tags:
                tags[name] = tags[name.removesuffix(PROBABILITIES)] + PROBABILITIES
        if self.style.overlay:
            masks = [name for name in plain if self.outputs[name].kind == "class"]
            tags |= {f"{name} {OVERLAY}": f"{tags[name]}_{OVERLAY}" for name in masks}
        return tags

    def _write_one(
        self, job: OutputJob, name: str, tag: str, result: Result, place: Place | None
    ) -> None:
        output, is_overlay = name.removesuffix(f" {OVERLAY}"), name not in self.outputs
        kind = self.outputs[output]
        array = result.outputs[output]
        if is_overlay:
            array = self._overlay(result, array, kind, place)
        elif kind.kind == "class":
            array = self._mask(in_picture(array, place, -1), output, kind)
        elif kind.kind == "value":
            array = in_picture(array, place, np.nan)
        geographic = _tags_of_place(place) if not is_overlay else []
        ending = self._ending(kind, is_overlay, bool(geographic))
        path = job.output / f"{self.stems[result.row]}{tag}{ending}"
        with job.whole(path, flushed=False) as part:
            if ending == ".png":
                _save_png(part, array)
            else:
                _save_tiff(part, array, kind, geographic)

    def _ending(self, kind: Field, is_overlay: bool, geographic: bool) -> str:
        if is_overlay:
            return ".png"
        if kind.kind in ("value", "video") or (kind.kind == "image" and kind.shape[-1] not in _PNG):
            return ".tif"
        if self.style.form is None:
            return ".tif" if geographic else ".png"
        return ".tif" if self.style.form == "tiff" else ".png"

    def _mask(self, classes: np.ndarray, output: str, kind: Field) -> np.ndarray:
        """Return a mask (height, width) of numbers, or (height, width, 3) of colours."""
        count = max(len(kind.classes), int(classes.max(initial=0)) + 1)
        if self.style.masks == "colours":
            return np.append(_colours(kind, count), [[0, 0, 0]], axis=0).astype("u1")[classes]
        ids = [*self.style.ids.get(output, range(count))]
        small = max(ids) < _OUTSIDE
        outside = _OUTSIDE if small else 2**16 - 1
        return np.array([*ids, outside], "u1" if small else "u2")[classes]

    def _overlay(
        self, result: Result, classes: np.ndarray, kind: Field, place: Place | None
    ) -> np.ndarray:
        """Return the picture (height, width, 3) with the colours of its classes over it."""
        picture = _picture_of(place)
        if picture is None:
            image = next(a for a in result.inputs.values() if a.ndim == 3)
            picture = in_picture(as_bytes(image), place, 0)
            picture = picture if picture.shape[2] == 3 else np.repeat(picture[..., :1], 3, axis=2)
        whole = in_picture(classes, place, -1)
        count = max(len(kind.classes), int(whole.max(initial=0)) + 1)
        mixed = (1 - _SHARE) * picture + _SHARE * _colours(kind, count)[whole]
        return np.where((whole >= 0)[..., None], np.rint(mixed), picture).astype("u1")


_PNG = (1, 3, 4)  # channels


def in_picture(array: np.ndarray, place: Place | None, outside: float) -> np.ndarray:
    """Return a map of a sample at the size of its picture, each pixel the nearest of the sample's.

    Args:
        array: (height, width, ...) of the sample.
        place: of the sample in its picture; None where it is the picture.
        outside: stands where the sample does not show the picture.
    """
    if place is None or (place.size == array.shape[:2] and place.box == (0, 0, *place.size)):
        return array
    indices, inside = [], []
    for axis in (0, 1):
        start, length, side = place.box[axis], place.box[axis + 2], array.shape[axis]
        pixel = (np.arange(place.size[axis]) + 0.5 - start) / length * side
        inside.append((pixel >= 0) & (pixel < side))
        indices.append(pixel.astype("int64").clip(0, side - 1))
    whole = array[indices[0][:, None], indices[1]]
    if not all(axis.all() for axis in inside):
        whole[~(inside[0][:, None] & inside[1])] = outside
    return whole


def _is_picture(field: Field) -> bool:
    axes = len(field.shape) - (field.shape[-1:] == (1,) and field.kind == "value")
    is_map = axes == 2 or (axes == 3 and bool(field.classes))
    return field.kind in ("image", "video") or (field.kind in ("class", "value") and is_map)


def _stems(names: Sequence[str], tags: Mapping[str, str]) -> list[str]:
    """Return the path of each sample's pictures without tag and ending, no two the same."""
    for name in names:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts or path.name in ("", ".edkit"):
            raise EdkitError(f"{name!r} is no name for a picture in a folder.")
    for stems in ([_without_ending(name) for name in names], [*names]):
        count = Counter(stem + tag for stem in stems for tag in tags.values())
        if max(count.values(), default=1) == 1:
            return stems
    twice = next(name for name, times in count.items() if times > 1)
    raise EdkitError(f"two pictures would be called {twice!r}: rename one of the files.")


def _without_ending(name: str) -> str:
    """Return `sub/a` of `sub/a.jpg`, and `x 12` of `x.npz 12`."""
    path = PurePosixPath(name)
    _, space, number = path.suffix.partition(" ")
    return str(path.with_name(path.stem + space + number)) if path.suffix else name


def _colours(kind: Field, count: int) -> np.ndarray:
    return np.array([rgb(class_colour(number, kind.colours)) for number in range(count)])


def as_bytes(image: np.ndarray) -> np.ndarray:
    """Return an image in 0..1 as bytes."""
    return np.rint(image.clip(0, 1) * np.float32(255)).astype("u1")


def _picture_of(place: Place | None) -> np.ndarray | None:
    """Return a picture of 8 bits as its file has it, (height, width, 3); None of any other."""
    if place is None:
        return None
    try:
        with Image.open(place.file) as image:
            if image.mode not in ("L", "P", "RGB", "RGBA", "LA"):
                return None
            picture = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, ValueError, Image.DecompressionBombError):  # what tifffile alone reads
        return None
    return picture if picture.shape[:2] == place.size else None


def _save_png(path: Path, array: np.ndarray) -> None:
    array = as_bytes(array) if array.dtype.kind == "f" else array
    Image.fromarray(array[..., 0] if array.shape[2:] == (1,) else array).save(path, "png")


def _save_tiff(
    path: Path, array: np.ndarray, kind: Field, geographic: Sequence[tuple[Any, ...]]
) -> None:
    """Write a TIFF without loss: probabilities and videos a page each, maps and images one."""
    import tifffile

    if kind.kind == "value":
        array = array.squeeze(-1) if array.shape[-1] == 1 else array
        array = np.moveaxis(array, -1, 0) if array.ndim == 3 else array
    elif kind.kind in ("image", "video") and array.shape[-1] == 1:
        array = array[..., 0]
    pages = array[None] if array.ndim == 2 or kind.kind in ("image", "class") else array
    with tifffile.TiffWriter(path) as file:
        for page in pages:
            file.write(
                np.ascontiguousarray(page),
                photometric="rgb" if page.shape[2:] in ((3,), (4,)) else "minisblack",
                planarconfig="contig" if page.ndim == 3 else None,
                compression="zlib",
                metadata=None,
                software=False,
                extratags=list(geographic),
            )


def _tags_of_place(place: Place | None) -> list[tuple[Any, ...]]:
    """Return the tags that say where on the earth a GeoTIFF lies, as tifffile takes them."""
    if place is None or place.file.suffix.lower() not in _TIFF:
        return []
    import tifffile

    try:
        with tifffile.TiffFile(place.file) as file:
            tags = file.pages.first.tags
            return [
                (tag.code, tag.dtype, tag.count, tag.value, True)
                for tag in map(tags.get, _GEOGRAPHIC)
                if tag is not None
            ]
    except (OSError, ValueError, tifffile.TiffFileError):  # it is no TIFF, whatever its name
        return []
