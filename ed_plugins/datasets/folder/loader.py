"""Loader of a user's images: a folder as it is, or described by a small TOML file.

```toml
root = "scenes"                # beside this file, in EDKIT_DATA or in the cache; default: here
layout = "{split}/{field}"     # where the images of a split's field are; this is the default;
                               # "." has them beside this file, "{class}" in folders of classes;
                               # "{group}/{field}": in any folders that hold those of the fields
size = [180, 240]              # bring all images to this height and width; default: as they are
fit = "crop"                   # those of other proportions: "stretch" (default), "crop", "pad"
standardise = true             # each image to one mean and one deviation of its own; default: false
# tile = 256                   # cut images into tiles of this side; overlap = 32 pixels in common
# nested = true                # images in folders of folders as well
# split = "last"               # where the layout has no {split}: the last fifth is the test;
                               # "random" (default) draws it by seed = 0; or test = "*_[0-4]"
# table = "labels.csv"         # its column names = "file" names the files, in their order, and its
                               # split_column = "split" says train, validation or test
group = "_"                    # files that begin alike, up to the last "_", are of one group, such
                               # as frames of a film: all or none are validated on; default: none
[splits]                       # default: train, val (or validation, valid), test, if they exist
train = "train"
validation = "val"
[fields.image]                 # kind image: 0..1
folder = "images"              # default: the field's name; "" beside layout = "{split}{field}"
channels = 3                   # 3 for colour, 1 for grey; default: what the files have
bits = 12                      # that are used of 16; default: those of the largest number
# range = [-1, 1]              # instead of bits: the numbers that stand for 0 and 1, as of floats
# bands = [4, 3, 2]            # of more than three, from 1, or "all"; default: without transparency
# page = 1                     # of a file of several, from 1, or "all" for pages as bands
background = "#ffffff"         # the colour under transparent pixels; this is the default
upright = true                 # turned as the orientation in the files says; this is the default
[fields.mask]
kind = "class"
folder = "labels"
ignore = [255]                 # ids (or colours) without a class
classes = ["sky", "road"]      # of the ids 0, 1, ... Or a table, which may merge ids:
# classes = { sky = 1, green = [2, 5] }, or of colours: { sky = "#87ceeb", road = ["#808080"] }
colours = ["#0072b2", "#999999"]
[fields.elevation]
kind = "value"                 # a number a pixel: scale times what the file says, plus offset
folder = "elevation_dm"
scale = 1e-4
offset = 0.0
missing = 0                    # the file's number for no value (may be nan) ...
fill = "nearest"               # ... which takes the nearest pixel's value, or this number;
                               # without fill it is NaN, which a target may be, an input not
# [fields.label]               # a class a sample: with {class} in the layout, folder = "{class}",
# kind = "class"               # or a column of the table, such as column = "species"; with
# classes = ["cat", "dog"]     # kind = "value" it is a number
```

Files belong together by their names without the ending; one of masks may say what stands behind
them, such as suffix = "_mask". The size is averaged for images and
values, and the nearest pixel's for classes, which take `page`, `bands` (one) and `upright` as well.
A path with backslashes stands in 'single quotes'. PNG, JPEG, TIFF and all else that Pillow and
tifffile read as images is read; HEIC with the extra `edkit[heic]`.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ed_core import (
    Dataset,
    EdkitError,
    Field,
    Fields,
    FilePath,
    FileReader,
    Findings,
    Groups,
    InputRecord,
    dataset,
)
from ed_core.data.lazy import Rows
from ed_core.data.memory import available
from ed_plugins.datasets._lazy import LazyView, Standardised, StandardisedTiles
from ed_plugins.datasets._options import NO_FILE
from ed_plugins.datasets.folder.bare import NAME, Wishes, infer_plan
from ed_plugins.datasets.folder.check import KEPT, FieldFiles, read_headers
from ed_plugins.datasets.folder.description import LONGEST, FolderPlan, read_plan
from ed_plugins.datasets.folder.files import SampleFiles, find_files, find_root
from ed_plugins.datasets.folder.pictures import ENDINGS, HEIF
from ed_plugins.datasets.folder.pixels import Framing
from ed_plugins.datasets.folder.read import FieldArray, read_field, size_of
from ed_plugins.datasets.folder.reader import FieldReading, open_pictures, reading_facts
from ed_plugins.datasets.folder.write import written

_LOOKS = ("channels", "standardise", "tile", "overlap")
_SMALLEST = 8  # pixels of the side of a tile
_SHIPPED = Path(__file__).parent / "shipped"


@dataclass(frozen=True, slots=True)
class _InferredWhite(LazyView):
    """Images whose white was inferred from their largest number."""


@dataclass(frozen=True, slots=True)
class Whites:
    """Preparation that reads all later images with the white of a run's training images.

    Args:
        whites: field to the number inferred from its own files.
    """

    whites: Mapping[str, int]

    def fit(self, train: Mapping[str, Any]) -> dict[str, Any]:
        """Return the number of white, by field."""
        return {"white": dict(self.whites)}

    def apply(self, arrays: Mapping[str, Any], fitted: Mapping[str, Any]) -> dict[str, Any]:
        """Return images scaled by the run's white; raise EdkitError if some are brighter."""
        changed = dict(arrays)
        for name, white in fitted.get("white", {}).items():
            if name in arrays:
                changed[name] = _with_white(arrays[name], white, name)
        return changed


def _with_white(images: Any, white: int, name: str) -> Any:
    """Return images, or rows of some, scaled by the white of a run where their own was inferred."""
    if isinstance(images, Rows):
        return replace(images, array=_with_white(images.array, white, name))
    if not isinstance(images, _InferredWhite) or images.white == white:
        return images
    if (images.white or 0) > white:
        raise EdkitError(
            f"field {name!r}: the run was trained on images whose white is {white:,}, these have "
            f"numbers beyond: say bits or range in [fields.{name}] of both."
        )
    return LazyView(images.array, white, checked=True)


def describe(options: Mapping[str, Any]) -> tuple[Path, str]:
    """Return the TOML file that describes a folder, and what it says where it says what is there.

    Args:
        options: of `folder`.
    """
    path, size, fit = (str(options[name]) for name in ("path", "size", "fit"))
    wishes = Wishes(*(options[name] for name in ("labels", "split", "test", "seed")))
    looks = Looks(size, fit, *(options[name] for name in _LOOKS))
    plan = folder_plan(path, wishes, looks, Findings())
    return plan.path, written(plan)


_ENDINGS = tuple(sorted(ENDINGS | HEIF))
_READER = FileReader(_ENDINGS, open_pictures, Whites({}), describe, any_size=True)


@dataset(files=_READER)
def folder(
    *,
    path: FilePath = NO_FILE,
    size: str = "",
    fit: Literal["auto", "stretch", "crop", "pad"] = "auto",
    channels: int = 0,
    standardise: bool = False,
    tile: int = 0,
    overlap: int = 0,
    labels: FilePath = NO_FILE,
    split: Literal["auto", "random", "last"] = "auto",
    test: str = "",
    seed: int = 0,
) -> Dataset:
    """Images in a folder as it is, or images, masks and maps that a small TOML file describes.

    Without a folder.toml, images are read at any depth. Folders train, val and test are the
    splits; other folders are classes, the field `label`; folders such as images and masks with
    files of the same names are fields. What was inferred is said, each with what overrides it. All
    keys of the file are in docs/your-data.md; `edkit data FOLDER --write` writes one.

    Images are decoded when they are needed.

    Args:
        path: a folder of images, or a TOML file that describes one; or the name of one that comes
            with edkit: camvid, dubai_landuse, zion_landcover.
        size: height and width that all images are brought to, such as 64 or 48x64; by default
            their own, which must then be equal.
        fit: how images of other proportions get there: stretch, crop the middle, or pad with
            black; auto stretches, unless a TOML file says otherwise.
        channels: 3 for colour, 1 for grey; 0 as the files are.
        standardise: bring each image to one mean and one deviation of its own, against
            differences of light: x becomes 1/2 + (x - mean) / (8 deviations), cut to 0..1; tiles by
            those of the whole image.
        tile: cut images, which may have several sizes, into square tiles of this side in pixels:
            each tile is a sample, all of one image are in one split; 0 takes whole images.
        overlap: pixels that neighbouring tiles share.
        labels: a CSV file with a column of file names and columns of classes (texts) and values
            (numbers); no for no labels, neither from it nor from folders.
        split: auto takes folders such as train and test where they are; random draws a fifth for
            the test; last takes the last fifth, by the names or the lines of the CSV file.
        test: pattern of the names of the test files, such as *_[0-4]; by default a fifth.
        seed: of the random split.
    """
    wishes = Wishes(labels, split, test, seed)
    findings = Findings()
    looks = Looks(size, fit, channels, standardise, tile, overlap)
    return load_plan(folder_plan(path, wishes, looks, findings), findings)


@dataclass(frozen=True, slots=True)
class Looks:
    """How all images of a folder are to look; see the options of `folder`."""

    size: str = ""
    fit: str = "auto"
    channels: int = 0
    standardise: bool = False
    tile: int = 0
    overlap: int = 0

    def applied(self, plan: FolderPlan) -> FolderPlan:
        """Return a description with what was asked for in the place of what it says."""
        fit = plan.frame.fit if self.fit == "auto" else self.fit
        frame = Framing(self._size() or plan.frame.size, fit)
        if self.fit != "auto" and not frame.size:
            raise EdkitError(f"option 'fit' is {self.fit!r}, but there is no size: say size=64.")
        fields = plan.fields
        if self.channels:
            if self.channels not in (1, 3):
                raise EdkitError(f"option 'channels' is 1 or 3, received {self.channels}.")
            fields = {
                name: replace(one, channels=self.channels) if one.kind == "image" else one
                for name, one in fields.items()
            }
        if self.tile and not _SMALLEST <= self.tile <= LONGEST:
            raise EdkitError(f"option 'tile' is from {_SMALLEST} pixels, received {self.tile}.")
        if self.overlap and not (self.tile or plan.tile):
            raise EdkitError("option 'overlap' is of tiles: say tile=256, or another side.")
        return replace(
            plan,
            frame=frame,
            fields=fields,
            standardise=self.standardise or plan.standardise,
            tile=self.tile or plan.tile,
            overlap=self.overlap or plan.overlap,
        )

    def _size(self) -> tuple[int, ...]:
        """Return (height, width), or () where none is asked for."""
        if not self.size:
            return ()
        sides = re.fullmatch(r"(\d{1,5})(?:[x*](\d{1,5}))?", self.size.strip())
        size = tuple(int(side or sides[1]) for side in sides.groups()) if sides else (0,)
        if not all(0 < side <= LONGEST for side in size):
            raise EdkitError(
                f"option 'size' is a height and a width in pixels, such as 64 or 48x64, received "
                f"{self.size!r}."
            )
        return size


def folder_plan(path: str, wishes: Wishes, looks: Looks, findings: Findings) -> FolderPlan:
    """Return the description of a folder: that of its TOML file, or what it amounts to."""
    toml_path = _described(path)
    if toml_path.is_dir():
        return looks.applied(infer_plan(toml_path, wishes, findings))
    plan = read_plan(toml_path)
    if wishes.labels or wishes.split != "auto" or wishes.test or wishes.seed:
        raise EdkitError(
            f"{str(toml_path)!r} says itself what the labels and the splits are: leave the options "
            "'labels', 'split', 'test' and 'seed' out, and write into it what is to be otherwise."
        )
    return looks.applied(plan)


def load_plan(plan: FolderPlan, findings: Findings) -> Dataset:
    """Return the data set that a description stands for."""
    samples = find_files(plan, find_root(plan), findings)
    fields = Fields()
    splits: dict[str, dict[str, Any]] = {split: {} for split in samples.splits}
    whole: dict[str, Any] = {}
    whites: dict[str, int] = {}
    settled: dict[str, FieldReading] = {}
    of_files = read_headers(plan, samples)
    samples = _in_tiles(plan, samples, of_files, findings)
    kept = _kept(of_files, findings)
    for name, field in of_files.items():
        read = read_field(field, name in kept, findings, _by_whole(plan, field))
        _check_classes(samples, field, read.classless)
        kind, entry = field.plan.kind, field.plan
        kind_of_numbers = "" if entry.range else str(field.headers[0].dtype)
        settled[name] = FieldReading(entry, kind_of_numbers, read.white)
        fields[name] = Field(
            read.array.shape[1:], kind, tuple(entry.classes), entry.colours, read.partial
        )
        for split, rows in samples.splits.items():
            splits[split][name] = _viewed(plan, field, read, rows)
        whole[name] = _viewed(plan, field, read)
        if read.inferred:
            whites[name] = read.white
    for name, entry in plan.labels.items():
        whole[name] = numbers = samples.labels[name]
        for split, rows in samples.splits.items():
            splits[split][name] = numbers[rows]
        gaps = bool((numbers < 0).any() if entry.kind == "class" else np.isnan(numbers).any())
        fields[name] = Field((), entry.kind, tuple(entry.classes), entry.colours, gaps)
    return Dataset(
        fields,
        splits,
        whole=whole if samples.drawn else None,
        groups=_groups(plan, samples, findings),
        preparation=Whites(whites) if whites else None,
        input=InputRecord(findings=tuple(findings), reading=reading_facts(plan, settled)),
    )


def _in_tiles(
    plan: FolderPlan,
    samples: SampleFiles,
    of_files: Mapping[str, FieldFiles],
    findings: Findings,
) -> SampleFiles:
    """Return the samples with a row a tile, where files are cut into tiles; all of one together."""
    grid = next(iter(of_files.values())).grid
    if grid is None:
        return samples
    findings.infer(
        "tiles",
        f"{len(grid):,} tiles of {grid.side}x{grid.side} of {len(samples.names):,} images, those "
        f"of an image in one split{f', {plan.overlap} pixels in common' * bool(plan.overlap)}",
        "tile=, overlap=" if plan.bare else f"tile and overlap in {plan.toml}",
    )
    return replace(
        samples,
        labels={name: numbers[grid.files] for name, numbers in samples.labels.items()},
        names=[samples.names[file] for file in grid.files],
        splits={split: grid.rows_of(rows) for split, rows in samples.splits.items()},
    )


def _kept(of_files: Mapping[str, FieldFiles], findings: Findings) -> set[str]:
    """Return the fields whose numbers stay in memory once they are read: the smallest first."""
    left, kept = min(KEPT, available() // 4), set()
    for name in sorted(of_files, key=lambda name: size_of(of_files[name])):
        left -= size_of(of_files[name])
        if left < 0:
            break
        kept.add(name)
    if len(kept) < len(of_files):
        whole = sum(size_of(of_files[name]) for name in of_files if name not in kept)
        findings.infer(
            "memory",
            f"{', '.join(name for name in of_files if name not in kept)}: {whole / 2**20:,.0f} MB "
            f"are read from the files in every epoch, since more than {KEPT / 2**20:,.0f} MB",
        )
    return kept


def _check_classes(samples: SampleFiles, field: FieldFiles, classless: np.ndarray) -> None:
    """Raise EdkitError where no pixel of a split has a class."""
    for rows in samples.splits.values():
        if len(classless) and classless[rows].all():
            file = rows[0] if field.grid is None else field.grid.files[rows[0]]
            raise EdkitError(
                f"{os.path.dirname(field.paths[file])!r}: expected pixels of a class, found "
                f"ignored ones alone ({', '.join(map(str, field.plan.ignore))}) in all files."
            )


def _part(array: Any, rows: np.ndarray) -> Any:
    """Return rows of an array: a view of those that lie together in memory, else when sliced."""
    if isinstance(array, np.ndarray) and len(rows) == rows[-1] - rows[0] + 1:
        return array[rows[0] : rows[-1] + 1]
    return Rows(array, rows)


def _by_whole(plan: FolderPlan, field: FieldFiles) -> bool:
    """Return whether tiles of a field are standardised, each by its whole image."""
    return field.plan.kind == "image" and plan.standardise and bool(plan.tile)


def _viewed(
    plan: FolderPlan, field: FieldFiles, read: FieldArray, rows: np.ndarray | None = None
) -> Any:
    """Return samples of a field, by default all, as the model takes them: images in 0..1."""
    if _by_whole(plan, field):
        tiles = StandardisedTiles(read.array)
        return tiles if rows is None else Rows(tiles, rows)
    part = read.array.whole if rows is None else _part(read.array.whole, rows)
    if field.plan.kind != "image":
        return part
    view = _InferredWhite if read.inferred else LazyView
    # Each file is checked when it is read: a number beyond white, or none, is an error there.
    array = view(part, read.white or None, checked=True)
    return Standardised(array) if plan.standardise else array


def _groups(plan: FolderPlan, samples: SampleFiles, findings: Findings) -> Groups | None:
    """Return the groups of training samples, from the names of their files; tiles of one file."""
    if "train" not in samples.splits or not (plan.group or plan.tile):
        return None
    stems = [samples.names[row] for row in samples.splits["train"]]
    if not plan.group:
        return Groups(np.unique(stems, return_inverse=True)[1])
    names = [stem.rpartition(plan.group)[0] or stem for stem in stems]
    kinds, of = np.unique(names, return_inverse=True)
    findings.infer(
        "groups",
        f"{len(names):,} training files in {len(kinds):,}, by their names up to the last "
        f"{plan.group!r}",
        f"group in {plan.toml}",
    )
    return Groups(of, in_time=True)


def _described(path: str) -> Path:
    """Return the TOML file: the named one, that of the folder, or one that comes with edkit.

    Where a folder has none, it is the folder.
    """
    shipped = sorted(file.stem for file in _SHIPPED.glob("*.toml"))
    if not path:
        raise EdkitError(
            "data set 'folder' needs a folder of images, or the TOML file that describes one: "
            f"folder:PATH, or one of {', '.join(f'folder:{name}' for name in shipped)}."
        )
    toml_path = Path(path)
    if toml_path.is_file():
        return toml_path
    if (toml_path / NAME).is_file():
        return toml_path / NAME
    if toml_path.is_dir():
        return toml_path
    if path in shipped:
        return _SHIPPED / f"{toml_path.name}.toml"
    raise EdkitError(
        f"{path!r}: expected a folder of images, a TOML file that describes one, or one of "
        f"{', '.join(shipped)}; found nothing."
    )
