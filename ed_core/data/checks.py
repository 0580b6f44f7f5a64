"""Checks of a data set before the first step, with the same messages on every backend."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from math import prod
from typing import Any

import numpy as np

from ed_core.data.lazy import is_checked
from ed_core.data.targets import needed_fields, present
from ed_core.engine.shapes import result_shape
from ed_core.errors import EdkitError, FieldError, one_line
from ed_core.plugins.spec import Dataset, Field, Fields, Head

_BYTES = 16 * 2**20  # samples per block


def check_shapes(net: Any, heads: Sequence[Head], fields: Fields) -> None:
    """Check, before the first step, that every head's output fits its target.

    Each loss and metric is tried on a few zeros: it must return one value a sample, or one a
    position of the target. A broadcast such as (batch,) - (batch, 1) gives (batch, batch). A
    function of the output alone is only called.

    Args:
        net: the model.
        heads: the terms of its objective.
        fields: of the data set.

    Raises:
        EdkitError: one does not fit; the message has both shapes.
    """
    for head in heads:
        if head.output not in net.output:
            continue
        shape = tuple(net.output[head.output].shape[1:])
        if None in shape:
            continue
        if not head.needs_target:
            _try_penalty(head, shape)
            continue
        if head.target not in fields:
            continue
        field = fields[head.target]
        samples = next(n for n in range(2, 99) if n not in (*shape, *field.shape))
        kind = "int32" if field.kind == "class" else "float32"
        target = np.zeros((samples, *field.shape), kind)
        arguments = target, np.full((samples, *shape), 0.5, "float32")
        loss = partial(head.loss, mask=None) if head.needs_mask else head.loss
        for function in (loss, *head.metrics):
            what = f"{_name_of(function)!r} of head {head.name!r}"
            _check_values(function, arguments, what, f"field {head.target!r} {field.shape}", shape)


def _try_penalty(head: Head, shape: tuple[int, ...]) -> None:
    """Raise EdkitError unless a loss of the output alone accepts it."""
    try:
        result_shape(head.loss, np.full((2, *shape), 0.5, "float32"))
    except Exception as error:  # a foreign loss may fail in any way
        raise EdkitError(
            f"{_name_of(head.loss)!r} of head {head.name!r} cannot take output {shape}: "
            f"{one_line(error)}. A loss takes (target, output), or (output) alone."
        ) from error


def _name_of(function: Any) -> str:
    return str(getattr(getattr(function, "func", function), "__name__", "the loss"))


def _check_values(
    function: Any, arguments: tuple[Any, Any], what: str, target: str, shape: tuple[int, ...]
) -> None:
    """Raise EdkitError unless a loss or metric returns one value a sample or a position."""
    try:
        gives = result_shape(function, *arguments)
    except Exception as error:  # a foreign loss may fail in any way
        raise EdkitError(
            f"{what} cannot compare {target} with output {shape}: {one_line(error)}"
        ) from error
    whole = (*arguments[0].shape, 1)
    if gives not in [whole[:axes] for axes in range(1, len(whole) + 1)]:
        raise EdkitError(
            f"{what} compares {target} with output {shape} and gives {gives} for {whole[0]} "
            "samples: expected one value a sample or a position; bring both to one shape."
        )


def check_data(data: Dataset, name: str, inputs: Iterable[str], heads: Sequence[Head]) -> None:
    """Check, before the first step, every array that training will read.

    Raises:
        EdkitError: a field or a split is missing or empty, lengths or shapes differ, a value is
            not finite, an image leaves 0..1, or a label is no class.
    """
    needed = needed_fields(inputs, heads)
    _check_names(data.fields, needed, heads)
    users: dict[str, set[str]] = {name: {""} for name in inputs}
    for head in heads:
        users.setdefault(head.target, set()).add(head.mask)
    for split in _used(data):
        if split not in data.splits:
            raise EdkitError(f"data set {name!r} has no split {split!r}; has: {[*data.splits]}.")
        arrays = data.splits[split]
        lengths = {field: len(arrays[field]) for field in needed if field in arrays}
        if set(lengths) < set(needed):
            raise EdkitError(
                f"data {name!r}, split {split!r}: no array for {_minus(needed, lengths)}."
            )
        if len(set(lengths.values())) > 1 or not min(lengths.values()):
            raise EdkitError(
                f"data {name!r}, split {split!r}: every field needs as many samples, at least one; "
                f"found {lengths}."
            )
        for field in needed:
            masks = [arrays[mask] for mask in users.get(field, ()) if mask]
            # Fields that are also read without a mask must be valid everywhere.
            mask = _any(masks) if masks and "" not in users[field] else None
            facts = data.fields[field]
            if field in inputs:
                facts = replace(facts, partial=False)
            check_array(arrays[field], facts, f"{name}/{split}/{field}", mask)
    for head in heads:
        if head.needs_target:
            _check_targets(data, name, head)


def _used(data: Dataset) -> list[str]:
    """Return the splits that training reads: never `test`."""
    return ["train", data.held_out()] if data.held_out() else ["train"]


def _any(masks: Sequence[Any]) -> np.ndarray:
    """Return a (samples,) mask of samples for which at least one mask is not 0."""
    rows = [np.asarray(mask).reshape(len(mask), -1).any(axis=1) for mask in masks]
    return np.logical_or.reduce(rows)


def check_array(array: Any, field: Field, where: str, mask: Any = None) -> None:
    """Check the samples of one field; raise EdkitError for the first invalid one.

    Numbers that the loader has checked are not read again.
    """
    if array.dtype.kind not in "biuf":
        raise EdkitError(f"{where}: expected numbers, received {array.dtype}.")
    if tuple(array.shape[1:]) != field.shape:
        raise EdkitError(
            f"{where}: expected samples of shape {field.shape}, received {tuple(array.shape[1:])}."
        )
    if not is_checked(array):
        check_values(array, field, where, mask)


def check_values(array: Any, field: Field, where: str, mask: Any = None) -> None:
    """Read all samples of one field; raise EdkitError for the first invalid one."""
    for first, part in _parts(array):
        if _is_good(part, field):
            continue
        bad = _bad(part, field)
        if mask is not None:
            bad &= np.asarray(mask[first : first + len(part)]).reshape(len(part), -1).any(axis=1)
        if bad.any():
            row = int(np.argmax(bad))
            odd = np.unique(part[row][~np.isfinite(part[row])] if part[row].ndim else part[row])
            extremes = odd if odd.size and odd.size < 4 else (part[row].min(), part[row].max())
            raise EdkitError(
                f"{where}: sample {first + row} holds {', '.join(str(v) for v in extremes)}; "
                f"expected {_expected(field)}."
            )


def _check_targets(data: Dataset, name: str, head: Head) -> None:
    """Raise EdkitError if no target can be learned, or a class occurs only outside training."""
    field = data.fields[head.target]
    where = f"data {name!r}, head {head.name!r}"
    seen = {}
    for split in _used(data):
        arrays = data.splits[split]
        labelled = np.asarray(arrays[head.mask]) > 0 if head.mask else None
        seen[split] = _classes(arrays[head.target], labelled, field)
        if field.partial and not seen[split].any() and split == "train":
            raise EdkitError(f"{where}: every target of split {split!r} is missing: label some.")
    if field.kind != "class" or not field.classes or not data.held_out():
        return
    never = np.flatnonzero(seen[data.held_out()] & ~seen["train"])
    if never.size:
        names = ", ".join(repr(field.classes[number]) for number in never)
        raise EdkitError(
            f"{where}: class {names} is in split {data.held_out()!r} but has no labelled "
            f"{'pixel' if field.shape else 'sample'} to train on; label some"
            f"{'' if field.shape else ' (--stratified keeps every class)'}, or leave it out."
        )


def _classes(target: Any, labelled: np.ndarray | None, field: Field) -> np.ndarray:
    """Return a mask (classes,) of classes that occur with a label; (1,) for values."""
    seen = np.zeros(max(len(field.classes), 1), bool)
    if field.kind != "class" or not field.classes:
        seen[0] = not field.partial or any(k.any() for _, k in _labelled(target, labelled))
        return seen
    for part, has_label in _labelled(target, labelled):
        seen[np.unique(part[has_label]).astype(int)] = True
    return seen


def _labelled(target: Any, labelled: np.ndarray | None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield some samples of a target at a time, and the mask of their labels."""
    for first, part in _parts(target):
        has_label = present(part)
        if labelled is not None:
            rows = labelled[first : first + len(part)]
            has_label = has_label & rows.reshape(rows.shape + (1,) * (part.ndim - rows.ndim))
        yield part, has_label


def _parts(array: Any) -> Iterator[tuple[int, np.ndarray]]:
    """Yield some samples at a time, with the index of the first."""
    sample = max(prod(array.shape[1:]) * array.dtype.itemsize, 1)
    rows = max(_BYTES // sample, 1)
    for first in range(0, len(array), rows):
        yield first, np.asarray(array[first : first + rows])


def _is_good(part: np.ndarray, field: Field) -> bool:
    """Return whether least and largest number prove all valid; NaN fails every comparison."""
    if field.kind == "class":
        return False
    low, high = (0, 1) if field.kind in ("image", "video", "mask") else (-np.inf, np.inf)
    least, most = float(part.min()), float(part.max())
    return low <= least and most <= high and np.isfinite(least) and np.isfinite(most)


def _bad(part: np.ndarray, field: Field) -> np.ndarray:
    flat = part.reshape(len(part), -1)
    if field.kind == "class":
        low, high = -1 if field.partial else 0, len(field.classes) or 2**31
        return ((flat < low) | (flat >= high) | (flat != np.floor(flat))).any(axis=1)
    bad = ~(np.isfinite(flat) | (np.isnan(flat) & field.partial)).all(axis=1)
    if field.kind in ("image", "video", "mask"):
        bad |= ((flat < 0) | (flat > 1)).any(axis=1)
    return bad


def _expected(field: Field) -> str:
    if field.kind == "class":
        classes = f"0 to {len(field.classes) - 1}" if field.classes else "from 0 up"
        return f"whole numbers {classes}{', or -1 for none' * field.partial}"
    if field.kind in ("image", "video", "mask"):
        return "finite numbers from 0 to 1 (scale bytes by 1/255)"
    return f"finite numbers{', or NaN for none' * field.partial}"


def _check_names(fields: Fields, needed: list[str], heads: Sequence[Head]) -> None:
    for head in heads:
        for field in (head.target, head.mask):
            if field and field not in fields:
                raise FieldError(
                    f"head {head.name!r} needs field {field!r}, but there is only: "
                    f"{', '.join(sorted(fields))}.",
                    field,
                )
    missing = _minus(needed, fields)
    if missing:
        fields_text = ", ".join(sorted(fields))
        raise FieldError(
            f"the model needs {missing[0]!r}, but there is only: {fields_text}.", missing[0]
        )


def _minus(needed: Iterable[str], there: Iterable[str]) -> list[str]:
    return [name for name in needed if name not in set(there)]
