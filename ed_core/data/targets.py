"""Targets of heads in named arrays: where they are missing, and how Keras takes them."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ed_core.data.lazy import at_a_time, in_memory, is_checked
from ed_core.plugins.spec import Head

Arrays = Mapping[str, Any]
ClassWeights = Mapping[str, np.ndarray]
KEPT = "_target"
"""What follows the name of a field that an augmentation changes as an input alone: `NAME_target`
holds what the heads are compared with."""


def needed_fields(inputs: Iterable[str], heads: Sequence[Head]) -> list[str]:
    """Return the fields used as inputs, targets and masks, each once."""
    names = [*inputs]
    for head in heads:
        names += [head.target] * head.needs_target + [head.mask] * bool(head.mask)
    return list(dict.fromkeys(names))


def present(target: np.ndarray) -> np.ndarray:
    """Return a mask of present targets, in their shape; -1 is no class, NaN no value."""
    return ~np.isnan(target) if target.dtype.kind == "f" else target >= 0


def arrange(
    arrays: Arrays,
    inputs: Iterable[str],
    heads: Sequence[Head],
    class_weights: ClassWeights | None = None,
    gaps: Container[str] = (),
    *,
    whole: Container[str] = (),
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the Keras triple: inputs by field, targets by head, sample weights by head.

    A weight is 0 if the head's mask is 0 or the target is missing (a class of -1, a value of NaN),
    else 1 or the weight of the class. A head with all its targets gets ones, since Keras needs the
    same keys in targets and weights.

    Args:
        arrays: field to (samples, ...).
        inputs: the fields that the model takes.
        heads: the terms of its objective.
        class_weights: head to (classes,), for heads with class weights.
        gaps: heads whose weights have the shape of their target, even if nothing is missing here.
        whole: heads of which it is known that no target is missing.
    """
    targeted = [head for head in heads if head.needs_target]
    targets = {head.name: _target(arrays, head) for head in targeted}
    weights = {}
    for head in targeted:
        of_class = (class_weights or {}).get(head.name)
        if head.name in whole and of_class is None:
            weights[head.name] = _mask(arrays, head)
        else:
            weights[head.name] = _weights(arrays, head, of_class, head.name in gaps)
    return {name: arrays[name] for name in inputs}, targets, weights


def _target(arrays: Arrays, head: Head) -> Any:
    """Return a head's target: the one that an augmentation keeps, if any, else the field."""
    return arrays.get(head.target + KEPT, arrays[head.target])


def _weights(
    arrays: Arrays, head: Head, of_class: np.ndarray | None, gaps: bool = False
) -> np.ndarray:
    """Return weights (samples,) or, if positions differ, in the shape of the target."""
    target = np.asarray(_target(arrays, head))
    weights = _mask(arrays, head)
    there = present(target)
    if gaps or not there.all() or of_class is not None:
        grown = weights.reshape(weights.shape + (1,) * (target.ndim - weights.ndim))
        weights = grown * there.astype("float32")
    if of_class is not None:
        weights = weights * of_class.astype("float32")[np.maximum(target, 0)]
    return weights


def _mask(arrays: Arrays, head: Head) -> np.ndarray:
    """Return the mask of a head (samples,), ones where it has none."""
    if head.mask:
        return np.asarray(arrays[head.mask], "float32")
    return np.ones(len(_target(arrays, head)), "float32")


def have_targets(arrays: Arrays, heads: Sequence[Head]) -> dict[str, np.ndarray]:
    """Map each head to a (samples,) mask of samples with a target; all True without targets."""
    samples = len(next(iter(arrays.values())))
    masks = {head.name: np.full(samples, not head.needs_target) for head in heads}
    for head in heads:
        names = needed_fields((), [head])
        if head.needs_target and not head.mask and _is_whole(arrays[head.target]):
            masks[head.name][:] = True
            continue
        step = at_a_time(arrays, names)
        for first in range(0, samples if names else 0, step):
            rows = slice(first, first + step)
            part = {name: np.asarray(arrays[name][rows]) for name in names}
            weights = _weights(part, head, None)
            masks[head.name][rows] = weights.reshape(len(weights), -1).any(axis=1)
    return masks


def without_gaps(arrays: Arrays, heads: Sequence[Head]) -> set[str]:
    """Return the heads of which it is known, or soon read, that no target is missing."""
    fields = {head.name: head.target for head in heads if head.needs_target}
    targets = {name: arrays[name] for name in fields.values()}
    read = {n for n, one in targets.items() if in_memory(one) or len(one.shape) > 1}
    whole = {n for n, one in targets.items() if _is_whole(one) or (n in read and _whole(one))}
    return {name for name, field in fields.items() if field in whole}


def _is_whole(array: Any) -> bool:
    """Return whether it is known without reading that no number is missing: all are finite."""
    return array.dtype.kind == "f" and is_checked(array)


def _whole(array: Any) -> bool:
    step = at_a_time({"": array}, [""])
    parts = (array[first : first + step] for first in range(0, len(array), step))
    return all(present(np.asarray(part)).all() for part in parts)
