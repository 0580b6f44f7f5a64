"""Loader of a user's images: one folder a split and field, described by a small TOML file.

```toml
root = "scenes"                # beside this file, in EDKIT_DATA or in the cache; default: here
layout = "{split}/{field}"     # where the images of a split's field are; this is the default
size = [180, 240]              # bring all images to this height and width; default: as they are
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
```

Files belong together by their names without the ending. The size is averaged for images and
values, and the nearest pixel's for classes, which take `page`, `bands` (one) and `upright` as well.
A path with backslashes stands in 'single quotes'. PNG, JPEG, TIFF and all else that Pillow and
tifffile read as images is read; HEIC with the extra `edkit[heic]`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from ed_plugins.datasets._lazy import LazyView, Standardised
from ed_plugins.datasets._options import NO_FILE
from ed_plugins.datasets.folder.check import read_headers
from ed_plugins.datasets.folder.description import FolderPlan, read_plan
from ed_plugins.datasets.folder.files import Files, find_files, find_root
from ed_plugins.datasets.folder.pictures import ENDINGS, HEIF
from ed_plugins.datasets.folder.read import read_field
from ed_plugins.datasets.folder.reader import FieldReading, open_pictures, reading_facts

_SHIPPED = Path(__file__).parent / "shipped"
_NAME = "folder.toml"


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
            images = arrays.get(name)
            if isinstance(images, _InferredWhite) and images.white != white:
                if images.white > white:
                    raise EdkitError(
                        f"field {name!r}: the run was trained on images whose white is {white:,}, "
                        f"these have numbers beyond: say bits or range in [fields.{name}] of both."
                    )
                changed[name] = LazyView(images.array, white)
        return changed


@dataset(files=FileReader(tuple(sorted(ENDINGS | HEIF)), open_pictures, Whites({})))
def folder(*, path: FilePath = NO_FILE) -> Dataset:
    """Images, maps of classes and maps of values in folders, described by a small TOML file.

    The documentation of this module shows all keys of the file.

    Args:
        path: of the TOML file, or of a folder with a folder.toml; or the name of one that comes
            with edkit: camvid, dubai_landuse, zion_landcover.
    """
    plan, findings = read_plan(_described(path)), Findings()
    files = find_files(plan, find_root(plan), findings)
    groups = _groups(plan, files, findings)
    fields = Fields()
    whites: dict[str, int] = {}
    settled: dict[str, FieldReading] = {}
    splits: dict[str, dict[str, Any]] = {split: {} for split in files}
    for name, field in read_headers(plan, files).items():
        read = read_field(field, findings)
        kind, entry = field.plan.kind, field.plan
        numbers = "" if entry.range else str(field.headers[0].dtype)
        settled[name] = FieldReading(entry, numbers, read.white)
        fields[name] = Field(
            read.array.shape[1:], kind, tuple(entry.classes), entry.colours, read.partial
        )
        if read.inferred:
            whites[name] = read.white
        view = _InferredWhite if read.inferred else LazyView
        checked = read.white == 255 and read.array.dtype == np.uint8
        ends = np.cumsum([len(named[name]) for named in files.values()])
        for split, part in zip(files, np.split(read.array, ends[:-1]), strict=True):
            if kind == "class" and (part < 0).all():
                raise EdkitError(
                    f"{str(files[split][name][0].parent)!r}: expected pixels of a class, found "
                    f"ignored ones alone ({', '.join(map(str, entry.ignore))}) in all files."
                )
            image_view: Any = view(part, read.white, checked=checked) if read.white else part
            if plan.standardise and kind == "image":
                image_view = Standardised(image_view)
            splits[split][name] = image_view
    record = InputRecord(findings=tuple(findings), reading=reading_facts(plan, settled))
    hook = Whites(whites) if whites else None
    return Dataset(fields, splits, groups=groups, preparation=hook, input=record)


def _groups(plan: FolderPlan, files: Files, findings: Findings) -> Groups | None:
    """Return the groups of training samples, from the names of their files."""
    if not plan.group or "train" not in files:
        return None
    paths = next(iter(files["train"].values()))
    names = [path.stem.rpartition(plan.group)[0] or path.stem for path in paths]
    kinds, of = np.unique(names, return_inverse=True)
    findings.infer(
        "groups",
        f"{len(names):,} training files in {len(kinds):,}, by their names up to the last "
        f"{plan.group!r}",
        f"group in {plan.path.name}",
    )
    return Groups(of, in_time=True)


def _described(path: str) -> Path:
    """Return the TOML file: the named one, that of the folder, or one that comes with edkit."""
    shipped = sorted(file.stem for file in _SHIPPED.glob("*.toml"))
    if not path:
        raise EdkitError(
            "data set 'folder' needs the TOML file that describes a folder: folder:FILE.toml, or "
            f"one of {', '.join(f'folder:{name}' for name in shipped)}."
        )
    toml_path = Path(path)
    if toml_path.is_file():
        return toml_path
    if (toml_path / _NAME).is_file():
        return toml_path / _NAME
    if path in shipped:
        return _SHIPPED / f"{toml_path.name}.toml"
    received = f"a folder without {_NAME}" if toml_path.is_dir() else "nothing"
    raise EdkitError(
        f"{path!r}: expected a TOML file that describes a folder of images, or one of "
        f"{', '.join(shipped)}; found {received}."
    )
