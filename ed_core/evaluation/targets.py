"""The truth that a head is compared with, and what kind of head it is."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ed_core.spec import Field, Head


def positions(field: Field) -> int:
    """Return how many axes a field has, a last one of size 1 left out."""
    return len(field.shape) - (field.shape[-1:] == (1,))


def truth(arrays: Mapping[str, Any], field: Field, head: Head) -> np.ndarray:
    """Return the target (samples, ...) without an axis of size 1; -1 or NaN where there is none.

    Args:
        arrays: with the head's target and mask, (samples, ...).
        field: what the target is.
        head: the head.
    """
    target = np.asarray(arrays[head.target][:])
    target = target.reshape(target.shape[: 1 + positions(field)])
    target = target.astype("int32" if field.kind == "class" else "float32", copy=False)
    if head.mask:
        mask = np.asarray(arrays[head.mask][:]) > 0
        mask = mask.reshape(mask.shape[: target.ndim] + (1,) * (target.ndim - mask.ndim))
        target = np.where(mask, target, -1 if field.kind == "class" else np.float32(np.nan))
    return target


def predicts(head: Head, field: Field | None, shape: tuple[int, ...]) -> str:
    """Return what a head predicts: `class`, `class map`, `value`, or "" where it is neither.

    A code that is trained against classes, all pairs of a batch at once, predicts none.

    Args:
        head: the head.
        field: its target, or None.
        shape: of its output, without the samples.
    """
    if field is None or not head.needs_target:
        return ""
    axes = positions(field)
    if field.kind == "class" and not head.needs_mask and len(shape) == axes + 1:
        return "class" if axes == 0 else "class map"
    return "value" if field.kind == "value" and shape[axes:] in ((), (1,)) else ""


def tally(target: np.ndarray, found: np.ndarray, classes: int) -> np.ndarray:
    """Return how often each class (row) was taken for each (column), (classes, classes).

    Args:
        target: class numbers of any shape, -1 where there is none.
        found: class numbers, of the same shape.
        classes: how many there are.
    """
    known = target >= 0
    pairs = target[known].astype(np.int64) * classes + found[known]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
