"""Loader of the arrays of a user's npz, npy, HDF5 or MATLAB file."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ed_core import (
    Dataset,
    EdkitError,
    Field,
    Fields,
    FilePath,
    Findings,
    Groups,
    InputRecord,
    content_generator,
    dataset,
)
from ed_core.data.lazy import is_checked, rows_of
from ed_core.data.memory import check_memory
from ed_plugins.datasets._lazy import Standardised
from ed_plugins.datasets._options import NO_FILE
from ed_plugins.datasets.arrays.axes import Aligned, align, maps_of, sizes_of
from ed_plugins.datasets.arrays.fields import ArraySource, check_options, is_guessed, make_field
from ed_plugins.datasets.arrays.files import Stored, array_file, read_file, unpacked_bytes
from ed_plugins.datasets.arrays.names import (
    INPUTS,
    TARGETS,
    NamedArrays,
    name_arrays,
    name_of_models,
)
from ed_plugins.datasets.arrays.options import ArrayOptions, UnfitError, check_names, parse_options
from ed_plugins.datasets.arrays.reader import READER, ids_of, reading_of, units_of, with_classes
from ed_plugins.datasets.arrays.scale import SameScale, view_of

_TEST = 0.2
_GROUP = "group"
_LINES = 6  # omitted arrays listed with their reasons; the others share one line


def of_program(named: Mapping[str, Any], known: Mapping[str, Field]) -> Dataset:
    """Return the arrays of a program as a data set, by the rules for those of a file.

    Args:
        named: by SPLIT/FIELD or FIELD: numpy, or anything that slices like it.
        known: fields whose kind and classes are known.

    Raises:
        EdkitError: none of them is a field.
    """
    file = array_file(named)
    arranged = name_arrays(file, "data")
    kind: dict[str, str] = {}
    for arrays_of_split in arranged.splits.values():
        for name, stored in arrays_of_split.items():
            if name in known:
                kind[name] = known[name].kind
                arrays_of_split[name] = with_classes(stored, known[name])
    options = ArrayOptions(kind=kind)
    if not arranged.splits:
        raise _no_arrays("data", arranged.left)
    return _dataset(arranged, options, "data", 0)


@dataset(files=READER, arrays=of_program)
def arrays(
    *,
    path: FilePath = NO_FILE,
    seed: int = 0,
    axes: str = "",
    range: str = "",  # noqa: A002 - the option's name
    bits: int = 0,
    kind: str = "",
    ignore: str = "",
    standardise: bool = False,
) -> Dataset:
    """Arrays of an npz, npy, HDF5 or MATLAB file, named SPLIT/FIELD, or FIELD, split at random.

    The splits are train and test or val (or validation); a file with test or val alone can be
    measured on, not trained on. Names such as x_train and y_test, or train_images and val_labels,
    say the split as well. Of a file without splits a fifth of the samples is the test; a run
    that was trained on other data is measured on all of them. HDF5 and npy are read when they are
    needed, npz and MATLAB at once. The array of an npy file is an input: an image, a video or a
    signal by its shape. Nothing is unpickled, and nothing outside the file is read. An array that
    is no field, such as one of another length, is left out and reported.

    A field called image, video or signal is of that kind, and one called label or mask is of
    classes. Others are what type and shape suggest:

    - whole numbers: (N,) and (N, H, W) are classes, unsigned (N, H, W, C) an image, (N, T, H, W, C)
      a video, signed (N, H, W, 1) classes; texts are classes;
    - floats: (N,) and (N, 1) are values, (N, T) and (N, T, C) a signal, (N, H, W, C) an image, but
      values if C is 1 and they leave 0..1, (N, T, H, W, C) a video;
    - rows (N, K) with a single 1 are classes, as in the lecture; a row of -1 has no label;
      a label or mask (N, 1) is read as (N,).

    Samples may be last, as in MATLAB, and channels first: this is inferred if only one reading
    fits, else `axes` must say it.

    The file may state a kind and the names of the classes: by the attributes `kind` and `classes`
    of an HDF5 data set, or by further npz arrays of text, called FIELD.kind and FIELD.classes
    (train/FIELD.kind). Images and videos are scaled to 0..1. A label of -1, and a value of NaN, is
    a missing target, and so is a label of 255 far above the others. Whole numbers (N,) called
    `group` are no field: they say which samples belong together, such as frames of one film, of
    which all or none are the test or the validation.

    Args:
        path: of an npz, npy, HDF5 or MATLAB file.
        seed: of the choice of the test samples, where the file has no splits.
        axes: in the file, such as NCHW, or image:NCHW+mask:NHW (samples, time, height, width,
            channels); seen from the shapes by default.
        range: the numbers that stand for black and white, such as 0..4095 or image:-1..1.
        bits: of images of whole numbers, such as 12: white is 4095; seen from the largest number.
        kind: of fields, such as angle:value+label:class.
        ignore: labels that mean none, such as 255 or mask:255; none has them all as classes. Of
            values the number for no value, such as elevation:-9999.
        standardise: bring each image to one mean and one deviation of its own, against
            differences of light: x becomes 1/2 + (x - mean) / (8 deviations), cut to 0..1.
    """
    if not path:
        raise EdkitError(
            "data set 'arrays' needs an npz, npy, HDF5 or MATLAB file: arrays:FILE.npz. A run that "
            "was trained on arrays of a program is given them again: data={NAME: ...}."
        )
    options = parse_options(axes, range, bits, kind, ignore)
    options = replace(options, standardise=standardise)
    named = name_arrays(read_file(Path(path)), path)
    if not named.splits:
        raise _no_arrays(path, named.left)
    names = {name for split in named.splits.values() for name in split}
    check_names(options, names, path)
    check_options(options, {n: s.shape for one in named.splits.values() for n, s in one.items()})
    return _dataset(named, options, path, seed)


def _dataset(named: NamedArrays, options: ArrayOptions, path: str, seed: int) -> Dataset:
    """Return the data set of named arrays, split at random if the names say no splits."""
    findings = Findings()
    fields, splits, groups, reading = _fields(named, options, findings, path)
    _say_splits(splits, findings)
    whole, of = splits.get(""), groups.get("train")
    if whole is not None:
        rows = _drawn(len(next(iter(whole.values()))), seed, groups.get(""))
        findings.infer("split", _words(rows, "" in groups), "names train/FIELD and test/FIELD")
        splits = {
            split: {name: rows_of(array, chosen) for name, array in whole.items()}
            for split, chosen in rows.items()
        }
        of = groups[""][rows["train"]] if groups and "train" in rows else None
    inferred = any(view_of(array) is not None for array in next(iter(splits.values())).values())
    return Dataset(
        fields,
        splits,
        whole,
        groups=None if of is None else Groups(of),
        preparation=SameScale() if inferred else None,
        input=InputRecord(
            findings=tuple(findings),
            reading={"arrays": reading, "ids": ids_of(fields), "units": units_of(reading)},
        ),
    )


def _fields(
    named: NamedArrays, options: ArrayOptions, findings: Findings, path: str
) -> tuple[Fields, dict[str, dict[str, Any]], dict[str, np.ndarray], dict[str, Any]]:
    """Return the fields, the arrays of each split, the groups of the splits with groups.

    Also how each field was read, ready for JSON.
    """
    aligned = {split: align(arrays, options) for split, arrays in named.splits.items()}
    groups = _groups(named, aligned)
    left, common = _common(named, aligned)
    _check_memory([part for parts in common.values() for part in parts], path)
    fields, splits = Fields(), {split: dict[str, Any]() for split in aligned}
    paired = _is_paired(common, named.by_affix)
    shapes = {name: parts[0].shape[1:] for name, parts in common.items()}
    renamed: list[str] = []
    guessed: dict[str, str] = {}
    reading: dict[str, Any] = {}
    for name, parts in common.items():
        beside = [shape for other, shape in shapes.items() if other != name]
        last = name in next(iter(aligned.values())).last
        if any(last != (name in one.last) for one in aligned.values()):
            raise EdkitError(
                f"{parts[0].where}: the samples are the first axis in one split and the last in "
                f"another: say axes={name}:LETTERS, such as {name}:NHWC."
            )
        source = ArraySource(
            name,
            parts,
            maps_of(beside),
            sizes_of(beside),
            last,
            paired,
            {*common, *fields} - {name},
        )
        try:
            made = make_field(source, options, findings)
        except UnfitError as error:
            if len(common) == 1 or not (error.spare or is_guessed(source, options)):
                raise
            left[name] = _reason(error, name)
            continue
        fields[made.name] = made.field
        reading[made.name] = reading_of(source, made, options)
        views = made.arrays
        if "standardise" in reading[made.name]:
            views = [Standardised(one, is_checked(one)) for one in views]
        if made.name != name:
            renamed.append(f"{made.name} is {name}")
        if is_guessed(source, options):
            guessed[name] = made.field.kind
        for split, part in zip(splits, views, strict=True):
            splits[split][made.name] = part
    if not fields:
        raise _no_arrays(path, left)
    if renamed:
        findings.infer("names", f"{', '.join(renamed)} in the file")
    _say_kinds(guessed, findings)
    _say_left({_unused(name, paired, fields): reason for name, reason in left.items()}, findings)
    return fields, splits, groups, reading


def _is_paired(named: Mapping[str, list[Stored]], by_affix: bool) -> bool:
    """Return whether x and y, or data and target, are inputs and targets."""
    stated = any(part.kind for parts in named.values() for part in parts)
    names = {name.lower() for name in named}
    return by_affix or (not stated and bool(names & {*TARGETS}) and bool(names & {*INPUTS}))


def _say_kinds(guessed: Mapping[str, str], findings: Findings) -> None:
    """Report the kinds that follow from type and shape alone."""
    if guessed:
        first, kind = next(iter(guessed.items()))
        kinds = ", ".join(f"{name} {kind}" for name, kind in [*guessed.items()][:8])
        other = "class" if kind == "value" else "value"
        findings.infer("kinds", f"{kinds}, by type and shape", f"kind={first}:{other}")


def _common(
    named: NamedArrays, aligned: Mapping[str, Aligned]
) -> tuple[dict[str, str], dict[str, list[Stored]]]:
    """Return why arrays are left out, and the arrays that every split has, by field."""
    left = dict(named.left)
    for split, one in aligned.items():
        for name, reason in one.left.items():
            left.setdefault(name, f"in split {split!r} {reason}" if split else reason)
    names = dict.fromkeys(name for one in aligned.values() for name in one.arrays)
    common = {}
    for name in names:
        lacking = [split for split, one in aligned.items() if name not in one.arrays]
        if lacking:
            remark = f"but not {name!r}, which split {lacking[0]!r} lacks"
            left.setdefault(name, f"expected the same fields in all splits, {remark}")
        else:
            common[name] = [one.arrays[name] for one in aligned.values()]
    return left, common


def _check_memory(parts: list[Stored], path: str) -> None:
    """Raise an error if the arrays need more memory than there is, before any is unpacked."""
    needed = sum(map(unpacked_bytes, parts))
    check_memory(needed, f"{path!r}", "save it as HDF5 (-v7.3 in MATLAB), which is read in pieces")


def _reason(error: UnfitError, name: str) -> str:
    """Return why an array is left out, with its split if it has one."""
    array = error.where.rpartition("array ")[2].strip("'\"")
    return error.reason if array == name else f"{array}: {error.reason}"


def _no_arrays(path: str, left: Mapping[str, str]) -> EdkitError:
    """Return the error about a file without a usable array."""
    if not left:
        return EdkitError(f"{path!r}: expected arrays SPLIT/FIELD or FIELD, found none.")
    if len(left) == 1:
        name, reason = next(iter(left.items()))
        return EdkitError(f"{path!r}, array {name!r}: {reason}.")
    reasons = "; ".join(f"{name!r}: {reason}" for name, reason in [*left.items()][:3])
    return EdkitError(f"{path!r}: none of its {len(left)} arrays is a field: {reasons}.")


def _unused(name: str, paired: bool, fields: Fields) -> str:
    """Return the name that models use for an omitted array, unless a field has it."""
    asked = name_of_models(name, paired)
    return name if asked in fields else asked


def _say_left(left: Mapping[str, str], findings: Findings) -> None:
    """Report omitted arrays: each possible field with its reason, all others in one line."""
    could = [name for name in left if name.isidentifier()]
    for name in could[:_LINES]:
        findings.leave_out(name, 1, left[name])
    others = [*could[_LINES:], *(name for name in left if name not in could)]
    if others:
        why = f", such as {others[0]!r}: {left[others[0]]}"
        findings.leave_out("arrays", len(others), ", ".join(others[:8]) + why)


def _say_splits(splits: Mapping[str, Mapping[str, Any]], findings: Findings) -> None:
    """Report the splits stated by the names."""
    counts = {split: len(next(iter(one.values()))) for split, one in splits.items() if split}
    if counts:
        sizes = ", ".join(f"{split} {count:,}" for split, count in counts.items())
        findings.infer("split", f"{sizes} samples, as the names say")


def _groups(named: NamedArrays, aligned: Mapping[str, Aligned]) -> dict[str, np.ndarray]:
    """Return the group of each sample, (samples,), by split, and remove it from the arrays."""
    groups = {}
    for split, one in aligned.items():
        if _GROUP in one.left:
            where = named.splits[split][_GROUP].where
            raise EdkitError(f"{where}: which group each sample belongs to: {one.left[_GROUP]}.")
        if _GROUP in one.arrays:
            groups[split] = _group(one.arrays.pop(_GROUP))
    return groups


def _group(part: Stored) -> np.ndarray:
    """Return the group of each sample, (samples,), of whole numbers or texts."""
    if part.shape[1:] not in ((), (1,)) or not (part.dtype.kind in "iu" or part.is_text):
        raise EdkitError(
            f"{part.where}: expected a whole number or a text a sample, which group it belongs to, "
            f"found {part.dtype} {part.shape}."
        )
    numbers = np.concatenate([block.ravel() for block in part.blocks()])
    return np.unique(numbers, return_inverse=True)[1] if part.is_text else numbers


def _drawn(samples: int, seed: int, groups: np.ndarray | None) -> dict[str, np.ndarray]:
    """Return the rows of train and test, drawn at random; each keeps the order of the samples.

    Groups are drawn as a whole. A single sample, or group, is a test.
    """
    units = np.arange(samples) if groups is None else np.unique(groups)
    of = units if groups is None else groups
    if len(units) == 1:
        return {"test": np.arange(samples)}
    order = units[content_generator(seed).permutation(len(units))]
    count = max(1, round(_TEST * len(units)))
    tested = np.isin(of, order[:count])
    return {"train": np.flatnonzero(~tested), "test": np.flatnonzero(tested)}


def _words(rows: Mapping[str, np.ndarray], grouped: bool) -> str:
    count, tested = sum(map(len, rows.values())), len(rows["test"])
    if "train" not in rows:
        return f"all {count:,} samples are the test"
    whole = " in whole groups" if grouped else ""
    return f"{tested:,} of {count:,} samples, drawn at random{whole}, are the test"
