"""Fields of arrays: the kind of each, and the array as that kind holds it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, cast, get_args

import numpy as np

from ed_core import EdkitError, Field
from ed_core.spec import FieldKind
from ed_plugins._array_files import Stored
from ed_plugins._lazy import View, native

_NAMES = {"image": "image", "video": "video", "signal": "signal", "label": "class", "mask": "class"}
_AXES = {"image": (4,), "video": (5,), "signal": (3,)}  # with the samples and the channels
_ROWS = 1024  # samples that are looked at in one go
_CLASSES = 32768
_IGNORED = 255  # of a map of bytes: what many data sets say where there is no class


def make_field(name: str, parts: Sequence[Stored]) -> tuple[Field, list[Any]]:
    """Return the field, and the array of each split as the field holds it.

    Args:
        name: of the field.
        parts: its array in each split.

    Raises:
        EdkitError: the arrays fit no kind, differ in shape, or hold what their kind does not.
    """
    first, shape = parts[0], parts[0].array.shape
    for part in parts:
        if part.array.shape[1:] != shape[1:]:
            raise EdkitError(
                f"{part.where}: expected samples of shape {shape[1:]} as in the other "
                f"split, found {part.array.shape[1:]}."
            )
    kind = (
        next(filter(None, (part.kind for part in parts)), "") or _NAMES.get(name) or _guess(parts)
    )
    if kind not in get_args(FieldKind):
        raise EdkitError(
            f"{first.where}: kind is {', '.join(get_args(FieldKind))}; found {kind[:40]!r}."
        )
    if kind == "class":
        return _class_field([_column(part) for part in parts])
    if kind == "value":
        parts = [_column(part) if part.array.ndim == 2 else part for part in parts]
    arrays = [_numbers(part, kind) for part in parts]
    partial = kind == "value" and any(np.isnan(b).any() for a in arrays for b in _blocks(a))
    return Field(arrays[0].shape[1:], cast(FieldKind, kind), partial=partial), arrays


def _guess(parts: Sequence[Stored]) -> str:
    """Return the kind that shape and type suggest; see the data set's documentation."""
    array = parts[0].array
    if array.ndim == 2 and array.shape[1] == 1 and array.dtype.kind == "f":
        return "value"
    if array.ndim == 2:
        one_hot = all(_is_one_hot(block).all() for part in parts for block in _blocks(part.array))
        return "class" if one_hot and array.shape[1] > 1 else "signal"
    if array.dtype.kind == "f":
        kinds = {1: "value", 3: "signal", 4: "image", 5: "video"}
        if array.ndim == 4 and array.shape[-1] == 1 and not all(map(_is_unit, parts)):
            return "value"
    else:
        kinds = {1: "class", 3: "class", 4: "image", 5: "video"}
        if array.dtype.kind == "i" and array.ndim == 4 and array.shape[-1] == 1:
            return "class"
    if array.ndim not in kinds:
        raise EdkitError(
            f"{parts[0].where}: expected 1 to 5 axes, found {array.ndim}: {array.shape}."
        )
    return kinds[array.ndim]


def _numbers(part: Stored, kind: str) -> Any:
    """Return an array that is no class: floats, images of whole numbers scaled to 0..1."""
    array, whole = part.array, part.array.dtype.kind != "f"
    channel = array.ndim + 1 in _AXES.get(kind, ())
    if kind in _AXES and array.ndim + channel not in _AXES[kind]:
        raise EdkitError(
            f"{part.where}: expected {_AXES[kind][0]} axes for kind {kind}, samples and channels "
            f"among them, found {array.shape}."
        )
    white = 1 if whole else None
    if kind in ("image", "video") and whole:
        if native(array.dtype) not in map(np.dtype, ("uint8", "uint16", "bool")):
            raise EdkitError(
                f"{part.where}: expected {kind}s of uint8, uint16 or floats in 0..1, found "
                f"{array.dtype}."
            )
        white = 1 if array.dtype.kind == "b" else int(np.iinfo(array.dtype).max)
    if isinstance(array, np.ndarray) and not channel and white is None:
        return array.astype(native(array.dtype), copy=False)
    return View(array, white, channel=channel)


def _column(part: Stored) -> Stored:
    """Return labels or values (samples, 1), as the data sets of Keras have them, as (samples,).

    And maps of classes (samples, height, width, 1) as (samples, height, width).
    """
    if part.array.ndim not in (2, 4) or part.array.shape[-1] != 1:
        return part
    return replace(part, array=np.asarray(part.array[:])[..., 0])


def _class_field(parts: Sequence[Stored]) -> tuple[Field, list[np.ndarray]]:
    """Return the field of labels: numbers, or one-hot rows; -1, or a row of -1, is no label."""
    labels = [_labels(part) for part in parts]
    names = next(filter(None, (part.classes for part in parts)), ())
    rows = parts[0].array.shape[1] if parts[0].array.ndim == 2 else 0
    most = max(label.max(initial=-1) for label in labels)
    count = len(names) or rows or most + 1
    if most < 0:
        raise EdkitError(f"{parts[0].where}: expected labels, found none.")
    if most >= count or count > _CLASSES:
        raise EdkitError(
            f"{parts[0].where}: expected labels from 0 to {min(count, _CLASSES) - 1}, found {most}."
        )
    if most == _IGNORED and parts[0].array.ndim > 2 and not names:
        _check_ignored(labels, parts[0].where)
    partial = any((label < 0).any() for label in labels)
    classes = names or tuple(map(str, range(count)))
    return Field(labels[0].shape[1:], "class", classes, partial=partial), labels


def _check_ignored(labels: Sequence[np.ndarray], where: str) -> None:
    """Raise EdkitError where 255 stands so far above the ids of pixels that it can be none."""
    counts = np.zeros(_IGNORED + 1, np.int64)
    for block in (block for label in labels for block in _blocks(label)):
        counts += np.bincount(block[block >= 0], minlength=len(counts))
    used = np.flatnonzero(counts)
    if len(used) > 1 and used[-2] < _IGNORED - 1:
        raise EdkitError(
            f"{where}: expected classes from 0 up, found 0 to {used[-2]} and {_IGNORED}: if "
            f"{_IGNORED} marks ignored pixels, write -1 there (as int16); if it is a class, give "
            "it the next number."
        )


def _labels(part: Stored) -> np.ndarray:
    """Return the class numbers of an array, of the smallest type, read some samples at a time."""
    if part.array.ndim == 2:
        return _from_one_hot(part)
    most, first = 0, 0
    for block in _blocks(part.array):
        _check_labels(block, first, part.where)
        most, first = max(most, int(block.max(initial=0))), first + len(block)
    labels = np.empty(part.array.shape, np.min_scalar_type(-1 - most))
    for first in range(0, len(labels), _ROWS):
        labels[first : first + _ROWS] = part.array[first : first + _ROWS]
    return labels


def _from_one_hot(part: Stored) -> np.ndarray:
    """Return the class numbers (samples,) of rows with a single 1; -1 of a row of -1."""
    array = np.asarray(part.array[:])
    good = _is_one_hot(array)
    if not good.all():
        row = int(np.argmin(good))
        raise EdkitError(
            f"{part.where}: expected rows with a single 1, or of -1 alone for no label, found "
            f"{str(array[row].tolist())[:60]} in row {row}."
        )
    return np.where((array == -1).all(axis=1), -1, array.argmax(axis=1))


def _check_labels(block: np.ndarray, first: int, where: str) -> None:
    """Raise EdkitError where some samples, of which the first has this number, hold no class."""
    bad = ~np.isfinite(block) | (block < -1) | (block > _CLASSES) | (block != np.floor(block))
    if bad.any():
        row = int(np.argmax(bad.reshape(len(block), -1).any(axis=1)))
        raise EdkitError(
            f"{where}: expected labels 0, 1, ... or -1 for none, found {block[bad][0]} in sample "
            f"{first + row}."
        )


def _is_one_hot(rows: np.ndarray) -> np.ndarray:
    """Return which rows hold a single 1 among zeros, or -1 alone; (rows,)."""
    hot = ((rows == 0) | (rows == 1)).all(axis=1) & (rows.sum(axis=1) == 1)
    return hot | (rows == -1).all(axis=1)


def _is_unit(part: Stored) -> bool:
    return all(((block >= 0) & (block <= 1)).all() for block in _blocks(part.array))


def _blocks(array: Any) -> Iterator[np.ndarray]:
    for first in range(0, len(array), _ROWS):
        yield np.asarray(array[first : first + _ROWS])
