"""Reader of a user's pictures for a finished run, brought to what the run takes."""

import os
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from ed_core import EdkitError, Field, Fields, Findings, Place
from ed_core.data.tiles import starts
from ed_core.plugins.findings import Finding
from ed_core.plugins.spec import OWN_SCALE
from ed_plugins.datasets._lazy import SPAN, with_scale
from ed_plugins.datasets.folder.check import FieldFiles, check_selection, count_bands
from ed_plugins.datasets.folder.description import FieldPlan, FolderPlan
from ed_plugins.datasets.folder.images import Images
from ed_plugins.datasets.folder.maps import ClassMaps, ValueMaps
from ed_plugins.datasets.folder.pictures import HEIF, ImageHeader, read_header
from ed_plugins.datasets.folder.pixels import Framing
from ed_plugins.datasets.folder.walk import (
    HEIC_ADVICE,
    below,
    counted,
    few,
    image_endings,
    in_threads,
    kind_of_other,
    walk_images,
)

_WHERE = "the description of the run's data"
_TUPLES = ("bands", "range", "colours", "ignore")


@dataclass(frozen=True, slots=True)
class FieldReading:
    """How the files of one field are read, settled by those that a run was trained on.

    Args:
        plan: the reading options.
        numbers: the type of the numbers in the run's files, such as uint8; "" where any will do.
        white: the number that stands for 1.0 in files of that type; 0 where each file says it.
    """

    plan: FieldPlan
    numbers: str = ""
    white: int = 0

    def facts(self) -> dict[str, Any]:
        """Return what `InputRecord.reading` keeps, ready for JSON: what differs from the usual."""
        usual = FieldPlan("")
        plan = {one.name: getattr(self.plan, one.name) for one in fields(FieldPlan)}
        stated = {
            name: [*value] if isinstance(value, tuple) else value
            for name, value in plan.items()
            if value != getattr(usual, name) or name in ("kind", "folder")
        }
        if self.plan.missing is not None and not np.isfinite(self.plan.missing):
            stated["missing"] = str(self.plan.missing)  # JSON has no NaN
        if self.plan.classes:
            stated["classes"] = {name: [*pixels] for name, pixels in self.plan.classes.items()}
        return {**stated, "numbers": self.numbers, "white": self.white}

    def units(self, standardise: bool) -> dict[str, float]:
        """Return what `InputRecord.reading` keeps of the numbers of images under `units`."""
        low, high = 0.0, float(self.white or (255 if self.numbers in ("", "uint8") else 1))
        if self.plan.bits:
            high = 2.0**self.plan.bits - 1
        if self.plan.range:
            low, high = map(float, self.plan.range)
        return {"black": low, "white": high, **({"span": SPAN} if standardise else {})}

    @classmethod
    def from_facts(cls, name: str, facts: Mapping[str, Any]) -> "FieldReading":
        """Return the reading that `run.json` states; raise EdkitError where it cannot be used."""
        try:
            known = {one.name for one in fields(FieldPlan)}
            plan = {key: value for key, value in facts.items() if key in known}
            for key in _TUPLES:
                if isinstance(plan.get(key), list):
                    plan[key] = tuple(plan[key])
            if "classes" in plan:
                plan["classes"] = {one: tuple(pixels) for one, pixels in plan["classes"].items()}
            if "missing" in plan:
                plan["missing"] = float(plan["missing"])
            plan = {"folder": name, **plan}
            return cls(FieldPlan(**plan), str(facts["numbers"]), int(facts["white"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise EdkitError(
                f"the run does not say how files of field {name!r} are read ({error}): its "
                "run.json was changed; train it again."
            ) from error


@dataclass(frozen=True, slots=True)
class PictureField:
    """One field that a run takes, and the reading of its files.

    Args:
        name: of the field.
        field: what the run takes; a height or width of 0 keeps that of each file.
        reading: how files are read.
        frame: the size that they are brought to.
        standardise: whether each image is brought to one mean and one deviation.
    """

    name: str
    field: Field
    reading: FieldReading
    frame: Framing
    standardise: bool

    def sample(self, path: str) -> dict[str, np.ndarray]:
        """Return a file as the run takes it, with its own scale where it is standardised.

        Raises:
            EdkitError: it cannot be, and is named.
        """
        pixels = self.read(path)
        if not self.standardise:
            return {self.name: pixels}
        whole, scale = with_scale(pixels)
        return {self.name: whole, self.name + OWN_SCALE: scale}

    def read(self, path: str) -> np.ndarray:
        """Return a file without its standardisation; raise EdkitError that names it."""
        header = read_header(path)
        plan, kind = self.reading.plan, self.field.kind
        field = FieldFiles(self.name, plan, [path], [header], self.frame, _WHERE)
        check_selection(field, path, header)
        if kind == "class":
            pixels = ClassMaps(field).read(path, header)
        elif kind == "value":
            pixels = ValueMaps(field).read(path, header)
        else:
            pixels = self._image(field, path, header)
        return self._checked(path, pixels.reshape(*pixels.shape[:2], *self.field.shape[2:]))

    def _image(self, field: FieldFiles, path: str, header: ImageHeader) -> np.ndarray:
        """Return an image in 0..1, float32."""
        channels, bands = self.field.shape[-1], count_bands(self.reading.plan, header)
        if bands != channels and {bands, channels} != {1, 3}:
            raise EdkitError(
                f"{path!r}: expected {channels} channels, as the run takes, found {bands}: "
                "save it with as many."
            )
        reader = Images(field)
        pixels = reader.read(path, header)
        if pixels.dtype.kind != "f":
            white = self._white(path, header)
            if pixels.max() > white:
                raise EdkitError(
                    f"{path!r}: expected numbers up to {white:,}, the white of the run's "
                    f"files, found {pixels.max():,}: scale them as those were."
                )
            pixels = np.divide(pixels, np.float32(white), dtype="float32")
        return pixels

    def _white(self, path: str, header: ImageHeader) -> int:
        """Return the number that stands for 1.0 in a file of whole numbers."""
        reading, plan = self.reading, self.reading.plan
        if plan.range:
            return int(plan.range[1])
        if plan.bits:
            return 2**plan.bits - 1
        if header.white or header.dtype == np.uint8:
            same = reading.white and header.dtype == reading.numbers
            return reading.white if same and not header.white else header.white or 255
        if reading.numbers in ("", str(header.dtype)):
            return reading.white or np.iinfo(header.dtype).max
        raise EdkitError(
            f"{path!r}: expected {reading.numbers} numbers as in the run's files, found "
            f"{header.dtype}, of which it is not known what is white: save it as those are."
        )

    def _checked(self, path: str, pixels: np.ndarray) -> np.ndarray:
        """Return an array of the run's shape; raise EdkitError for any other, and for gaps."""
        wanted = self.field.shape
        if len(wanted) != pixels.ndim or any(
            a not in (0, b) for a, b in zip(wanted, pixels.shape, strict=True)
        ):
            raise EdkitError(
                f"{path!r}: expected an array of the shape {wanted}, found {pixels.shape}."
            )
        if pixels.dtype.kind == "f" and not np.isfinite(pixels).all():
            lost = int((~np.isfinite(pixels)).sum())
            raise EdkitError(
                f"{path!r}: expected a value in every pixel, found {lost:,} without one: fill "
                f"them, or take a run whose description says fill."
            )
        return pixels


@dataclass(slots=True)
class PictureSamples:
    """Samples of picture files, decoded when they are read.

    Args:
        names: of each sample, the path below the one that was opened.
        fields: what is read.
        findings: what was inferred, and what was left out.
        pictures: the fields that are pictures.
        files: of each sample, one file of each of them.
        corners: of each sample that is a tile, its top and left in its image; none where each
            sample is a whole image.
        side: of a tile, in pixels.
    """

    names: Sequence[str]
    fields: Fields
    findings: tuple[Finding, ...]
    pictures: Sequence[PictureField]
    files: Sequence[Sequence[str]]
    corners: Sequence[tuple[int, int]] = ()
    side: int = 0

    def read(self, rows: range) -> list[dict[str, np.ndarray] | EdkitError]:
        """Return the samples of these rows, field to array, or the error of one that is refused."""
        if not self.corners:
            return in_threads(self._sample, rows)
        firsts = {self.files[row]: row for row in reversed(rows)}
        whole = dict(zip(firsts, in_threads(self._sample, [*firsts.values()]), strict=True))
        return [self._tile(row, whole[self.files[row]]) for row in rows]

    def place(self, row: int) -> Place:
        """Return where a sample lies in its picture, that of the first field."""
        first, path = self.pictures[0], self.files[row][0]
        size = read_header(path).size(first.reading.plan.upright)
        box = first.frame.box(*size)
        if self.corners:
            sides = first.frame.size or size
            scales = box[2] / sides[0], box[3] / sides[1]
            top, left = self.corners[row]
            start = box[0] + top * scales[0], box[1] + left * scales[1]
            box = (*start, self.side * scales[0], self.side * scales[1])
        return Place(Path(path), size, box)

    def _tile(
        self, row: int, whole: dict[str, np.ndarray] | EdkitError
    ) -> dict[str, np.ndarray] | EdkitError:
        """Return a tile of a sample."""
        if isinstance(whole, EdkitError):
            return whole
        top, left = self.corners[row]
        named = [one.name for one in self.pictures]
        tile = {
            name: array[top : top + self.side, left : left + self.side] if name in named else array
            for name, array in whole.items()
        }
        if any(tile[name].shape[:2] != (self.side, self.side) for name in named):
            sizes = " and ".join(f"{whole[name].shape[0]}x{whole[name].shape[1]}" for name in named)
            return EdkitError(
                f"{self.names[row]!r}: expected at least a tile of {self.side}x{self.side} pixels, "
                f"as the run takes, found {sizes}."
            )
        return tile

    def _sample(self, row: int) -> dict[str, np.ndarray] | EdkitError:
        try:
            pairs = zip(self.pictures, self.files[row], strict=True)
            sample = {name: x for one, path in pairs for name, x in one.sample(path).items()}
            for name, field in self.fields.items():
                if name not in sample:
                    sample[name] = _class_of(self.names[row], name, field)
        except EdkitError as error:
            return error
        except MemoryError:
            return EdkitError(f"{self.names[row]!r} does not fit into memory: cut it into tiles.")
        return sample


def open_pictures(path: Path, fields: Fields, reading: Mapping[str, Any]) -> PictureSamples:
    """Return the samples of an image file, or of a folder of images at any depth.

    The images of one sample of several fields lie in sub-folders with the fields' names, under the
    same names. A field of one class a sample is the name of the first folder. What is read is what
    the run was trained on: its colour, scale, size and fit. A field with a height and width of 0
    keeps those of each file. Otherwise, of a run that was trained on tiles, each tile is a sample,
    and its name ends in its top and left.

    Args:
        path: of the file or the folder.
        fields: that the run takes.
        reading: of the run's own files; {} where it was trained on others.

    Raises:
        EdkitError: there is no image, a field is no picture, or a partner is missing.
    """
    findings = Findings()
    pictures = [
        _picture(name, field, reading) for name, field in fields.items() if _is_picture(name, field)
    ]
    if not pictures:
        raise EdkitError(f"{str(path)!r}: the run takes no picture, but {', '.join(fields)}.")
    others: Counter[str] = Counter()
    if not path.is_dir():
        names, files = _single(path, pictures)
    else:
        names, files = _of_folder(path, pictures, reading, others, findings)
    advice = HEIC_ADVICE if any(ending in HEIF for ending in others) else ""
    findings.leave_out("files", others.total(), counted(others), advice)
    if not files:
        raise EdkitError(
            f"{str(path)!r}: expected images, such as .png, .jpg or .tif, found "
            f"{counted(others) or 'nothing'}{f': {advice}' * bool(advice)}."
        )
    for one in pictures:
        _say(one, reading, findings)
    samples = PictureSamples(names, fields, tuple(findings), pictures, files)
    are_tiles = reading.get("tile") and all(all(one.field.shape[:2]) for one in pictures)
    return _in_tiles(samples, reading) if are_tiles else samples


def _in_tiles(samples: PictureSamples, reading: Mapping[str, Any]) -> PictureSamples:
    """Return the tiles of samples; one that cannot be cut stays one, and is refused when read."""
    side, overlap = int(reading["tile"]), int(reading.get("overlap", 0))
    main = samples.pictures[0]
    names, files, corners = [], [], []
    for name, partners in zip(samples.names, samples.files, strict=True):
        try:
            size = main.frame.size or read_header(partners[0]).size(main.reading.plan.upright)
        except EdkitError:
            size = (side, side)
        for top in starts(size[0], side, overlap):
            for left in starts(size[1], side, overlap):
                names.append(f"{name} {top},{left}")
                files.append(partners)
                corners.append((top, left))
    free = [
        replace(one, field=replace(one.field, shape=(0, 0, *one.field.shape[2:])))
        for one in samples.pictures
    ]
    return PictureSamples(names, samples.fields, samples.findings, free, files, corners, side)


def reading_facts(plan: FolderPlan, settled: Mapping[str, FieldReading]) -> dict[str, Any]:
    """Return what a run keeps of the reading of its own files, for `open_pictures`."""
    return {
        "size": [*plan.frame.size],
        "fit": plan.frame.fit,
        "standardise": plan.standardise,
        **({"tile": plan.tile, "overlap": plan.overlap} if plan.tile else {}),
        "fields": {name: one.facts() for name, one in settled.items()},
        "ids": {name: ids for name, one in settled.items() if (ids := _ids(one.plan))},
        "units": {
            name: one.units(plan.standardise)
            for name, one in settled.items()
            if one.plan.kind == "image"
        },
    }


def _ids(plan: FieldPlan) -> list[int]:
    """Return the first id of each class in the files of a map; none where these hold colours."""
    firsts = [pixels[0] for pixels in plan.classes.values()]
    return [pixel for pixel in firsts if isinstance(pixel, int)]


def _is_picture(name: str, field: Field) -> bool:
    """Return whether a field has a file of its own; raise EdkitError where pictures have none."""
    if field.kind in ("image", "class", "value") and len(field.shape) in (2, 3):
        return True
    if field.kind == "class" and field.classes and field.shape in ((), (1,)):
        return False
    raise EdkitError(
        f"the run takes field {name!r}, {field.words}, which picture files do not hold: give npz "
        "or HDF5."
    )


def _picture(name: str, field: Field, reading: Mapping[str, Any]) -> PictureField:
    """Return a field with the reading of its files: that of the run, or the usual one."""
    stated = reading.get("fields", {}).get(name)
    if reading and stated is None:
        raise EdkitError(
            f"the run takes field {name!r}, but the files that it was trained on had only: "
            f"{', '.join(reading.get('fields', ())) or 'none'}."
        )
    if stated is None and field.kind == "class":
        raise EdkitError(
            f"the run takes field {name!r}, {field.words}, and does not say which numbers of a "
            "file are which class: give npz or HDF5."
        )
    settled = FieldReading(FieldPlan(name, field.kind))
    if stated is not None:
        settled = FieldReading.from_facts(name, stated)
    plan = settled.plan
    if (
        field.kind == "image"
        and not plan.bands
        and plan.page != "all"
        and field.shape[-1] in (1, 3)
    ):
        settled = replace(settled, plan=replace(plan, channels=field.shape[-1]))
    size = field.shape[:2] if all(field.shape[:2]) else ()
    if reading.get("tile"):  # the images that were cut had this size, if any
        size = tuple(reading.get("size", ()))
    frame = Framing(size, str(reading.get("fit", "stretch")))
    standardise = bool(reading.get("standardise")) and field.kind == "image"
    return PictureField(name, field, settled, frame, standardise)


def _single(
    path: Path, pictures: Sequence[PictureField]
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return the name and the file of a sample of one picture."""
    if not path.exists():
        raise EdkitError(f"{str(path)!r}: expected an image or a folder of images, found nothing.")
    if len(pictures) > 1:
        names = " and ".join(one.name for one in pictures)
        raise EdkitError(
            f"{str(path)!r}: the run takes {names}: give a folder with a sub-folder for each, and "
            "files of the same names in them."
        )
    kind = kind_of_other(str(path), image_endings())
    if kind:
        raise EdkitError(f"{str(path)!r}: expected an image, such as .png or .tif, found {kind}.")
    return [path.name], [(str(path),)]


def _of_folder(
    path: Path,
    pictures: Sequence[PictureField],
    reading: Mapping[str, Any],
    others: Counter[str],
    findings: Findings,
) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return the names and the files of the samples in a folder."""
    folders = [_folder_of(path, one) for one in pictures]
    missing = [one.name for one, folder in zip(pictures, folders, strict=True) if folder is None]
    if missing and len(pictures) > 1:
        wanted = " and ".join(one.name for one in pictures)
        raise EdkitError(
            f"{str(path)!r}: the run takes {wanted}: expected a sub-folder for each, with files of "
            f"the same names, found none for {' and '.join(missing)}."
        )
    first = folders[0] if folders[0] is not None and _is_described(path, reading, folders) else path
    beside = [] if first == path else _beside(path, folders)
    findings.leave_out("folders", len(beside), f"the run does not take them: {few(beside)}")
    mains = list(walk_images(first, others))
    columns = [mains]
    for folder in folders[1:]:
        assert folder is not None
        partners = {_stem(file, folder): file for file in walk_images(folder, others)}
        columns.append(
            [
                partners.get(_stem(file, first), os.path.join(folder, os.path.basename(file)))
                for file in mains
            ]
        )
    names = [below(file, path) for file in mains]
    return names, list(zip(*columns, strict=True))


def _folder_of(path: Path, picture: PictureField) -> Path | None:
    """Return the sub-folder of a field: by its name, or by that of the run's own folder."""
    for name in (picture.name, picture.reading.plan.folder):
        if name and (path / name).is_dir():
            return path / name
    return None


def _is_described(path: Path, reading: Mapping[str, Any], folders: Sequence[Path | None]) -> bool:
    """Return whether folders beside that of the first field are those of other fields."""
    stated = reading.get("fields", {})
    others = {str(facts.get("folder")) for facts in stated.values()} | {*stated}
    taken = {folder.name for folder in folders if folder is not None}
    return len(folders) > 1 or any((path / name).is_dir() for name in others - taken if name)


def _beside(path: Path, folders: Sequence[Path | None]) -> list[str]:
    return [
        name
        for name in sorted(os.listdir(path))
        if path / name not in folders and (path / name).is_dir() and not name.startswith(".")
    ]


def _stem(file: str, folder: Path) -> str:
    return unicodedata.normalize("NFC", os.path.splitext(below(file, folder))[0])


def _class_of(name: str, field_name: str, field: Field) -> np.ndarray:
    """Return the class of a sample by the folder that it lies in."""
    folder = name.rpartition("/")[0].partition("/")[0]
    if folder not in field.classes:
        raise EdkitError(
            f"{name!r}: the run takes field {field_name!r}, expected a folder named like one of "
            f"its classes, {few(field.classes)}, found {folder!r}."
        )
    return np.full(field.shape, field.classes.index(folder), "int32")


def _say(one: PictureField, reading: Mapping[str, Any], findings: Findings) -> None:
    """Report what is done to files that are not like those of the run."""
    shape, plan = one.field.shape, one.reading.plan
    if one.frame.size:
        size = "x".join(map(str, one.frame.size))
        findings.infer(one.name, f"files of another size are brought to {size}: {one.frame.fit}")
    if one.field.kind == "image" and plan.channels:
        kind = "colour" if shape[-1] == 3 else "grey"
        findings.infer(one.name, f"files of other colours are read as {kind}")
    if one.field.kind == "image" and not reading:
        findings.infer(one.name, "white is the largest number of the file's type: 255, 65,535")
    if one.field.kind == "value" and not reading:
        findings.infer(one.name, "the numbers of the files are taken as they are")
    if one.standardise:
        findings.infer(one.name, "each image is brought to one mean and one deviation")
