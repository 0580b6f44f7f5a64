"""Arrays of one's own, in an npz or HDF5 file."""

from pathlib import Path
from typing import Any

import numpy as np

from ed_core import Dataset, EdkitError, Fields, FilePath, Groups, content_generator, dataset
from ed_core.lazy import rows_of
from ed_plugins._array_fields import make_field
from ed_plugins._array_files import Stored, read_file
from ed_plugins._options import NO_FILE

_SPLITS = {"val": "validation", "valid": "validation"}
_TEST = 0.2
_GROUP = "group"


@dataset
def arrays(*, path: FilePath = NO_FILE, seed: int = 0) -> Dataset:
    """Arrays of an npz or HDF5 file, named SPLIT/FIELD, or FIELD, then split at random.

    The splits are train and test or val (or validation); a file with test or val alone can be
    measured on, not trained on. Of a file without splits a fifth of the samples is the test; a run
    that was trained on other data is measured on all of them. HDF5 is read when it is needed, npz
    at once; nothing is unpickled, and nothing outside the file is read.

    A field called image, video or signal is of that kind, and one called label or mask is of
    classes. Others are what type and shape suggest:

    - whole numbers: (N,) and (N, H, W) are classes, unsigned (N, H, W, C) an image, (N, T, H, W, C)
      a video, signed (N, H, W, 1) classes;
    - floats: (N,) and (N, 1) are values, (N, T) and (N, T, C) a signal, (N, H, W, C) an image, but
      values if C is 1 and they leave 0..1, (N, T, H, W, C) a video;
    - rows (N, K) with a single 1 are classes, as in the lecture; a row of -1 has no label;
      a label or mask (N, 1) is read as (N,).

    The file may state a kind and the names of the classes: by the attributes `kind` and `classes`
    of an HDF5 data set, or by further npz arrays of text, called FIELD.kind and FIELD.classes
    (train/FIELD.kind). Images and videos of uint8 and uint16 are scaled to 0..1. A label of -1, and
    a value of NaN, is a missing target. Whole numbers (N,) called `group` are no field: they say
    which samples belong together, such as frames of one film, of which all or none are the test or
    the validation.

    Args:
        path: of the file.
        seed: of the choice of the test samples, where the file has no splits.
    """
    if not path:
        raise EdkitError("data set 'arrays' needs an npz or HDF5 file: arrays:FILE.npz.")
    stored = _by_split(read_file(Path(path)), path)
    groups = {
        split: _group(named.pop(_GROUP)) for split, named in stored.items() if _GROUP in named
    }
    fields = Fields()
    splits: dict[str, dict[str, Any]] = {split: {} for split in stored}
    for name in next(iter(stored.values())):
        fields[name], parts = make_field(name, [named[name] for named in stored.values()])
        for split, part in zip(splits, parts, strict=True):
            splits[split][name] = part
    whole = splits.get("")
    if whole is None:
        of = groups.get("train")
        return Dataset(fields, splits, groups=None if of is None else Groups(of))
    rows = _drawn(len(next(iter(whole.values()))), seed, groups.get(""))
    drawn = {
        split: {name: rows_of(array, chosen) for name, array in whole.items()}
        for split, chosen in rows.items()
    }
    of = groups[""][rows["train"]] if groups and "train" in rows else None
    return Dataset(fields, drawn, whole, groups=None if of is None else Groups(of))


def _by_split(stored: dict[str, Stored], path: str) -> dict[str, dict[str, Stored]]:
    """Return split to field to array, with a single split "" where the names say none."""
    splits: dict[str, dict[str, Stored]] = {}
    for name, part in stored.items():
        split, _, field = name.rpartition("/")
        named = splits.setdefault(_SPLITS.get(split, split), {})
        if "/" in split or field in named or not field.isidentifier():
            raise EdkitError(
                f"{path!r}: expected names FIELD or SPLIT/FIELD, each once, of letters, digits "
                f"and _; found {name[:60]!r}."
            )
        named[field] = part
    if set(splits) != {""} and ("" in splits or not {"validation", "test"} & set(splits)):
        raise EdkitError(
            f"{path!r}: expected FIELD alone, or train/FIELD and test/FIELD or val/FIELD, or these "
            f"without train; found {', '.join(list(stored)[:8])}."
        )
    first = splits.get("train") or next(iter(splits.values()))
    for split, named in splits.items():
        if lone_ones := (set(named) ^ set(first)) - {_GROUP}:
            lone = sorted(lone_ones)[0]
            raise EdkitError(f"{path!r}: expected the same fields in all splits, but not {lone!r}.")
        lengths = {name: len(part.array) for name, part in named.items()}
        if len(set(lengths.values())) > 1 or not min(lengths.values()):
            raise EdkitError(
                f"{path!r}{f', split {split!r}' * bool(split)}: expected as many samples in every "
                f"field, at least one, found {lengths}."
            )
    return {split: splits[split] for split in sorted(splits, key=lambda s: (s != "train", s))}


def _group(part: Stored) -> np.ndarray:
    """Return the group of each sample, (samples,)."""
    numbers = np.asarray(part.array[:])
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise EdkitError(
            f"{part.where}: expected a whole number a sample, which group it belongs to, found "
            f"{numbers.dtype} {numbers.shape}."
        )
    return numbers


def _drawn(samples: int, seed: int, groups: np.ndarray | None) -> dict[str, np.ndarray]:
    """Return the rows of train and test, drawn at random; each keeps the order of the samples.

    Of groups, whole ones are drawn. A single sample, or group, is a test.
    """
    units = np.arange(samples) if groups is None else np.unique(groups)
    of = units if groups is None else groups
    if len(units) == 1:
        return {"test": np.arange(samples)}
    order = units[content_generator(seed).permutation(len(units))]
    count = max(1, round(_TEST * len(units)))
    tested = np.isin(of, order[:count])
    return {"train": np.flatnonzero(~tested), "test": np.flatnonzero(tested)}
