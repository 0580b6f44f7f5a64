"""Fingerprint of a run's training data, so that it resumes with the same data only."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from ed_core.plugins.spec import Dataset

ROWS = 256  # samples of a split, evenly spaced, the first and the last included
_PIECE = 16  # samples that are looked at together, which may be large


def fingerprint(data: Dataset, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the size of each split in training, and a checksum over some of its samples.

    The checksum depends on the content and the order of 256 evenly spaced samples. The test split
    is not read.

    Args:
        data: prepared for training.
        names: of the fields to read.

    Returns:
        Split to `samples` and `sum`, ready for JSON.
    """
    fields = sorted(names)
    sums = {}
    for split in ("train", "validation"):
        if split not in data.splits:
            continue
        arrays = data.splits[split]
        samples = len(arrays[fields[0]])
        rows = np.unique(np.linspace(0, samples - 1, min(ROWS, samples)).astype(int))
        total = hashlib.sha256()
        for name in fields:
            total.update(f"{name} {(len(rows), *arrays[name].shape[1:])}".encode())
            for first in range(0, len(rows), _PIECE):
                part = np.asarray(arrays[name][rows[first : first + _PIECE]])
                kind = "<i8" if part.dtype.kind in "biu" else "<f4"
                total.update(np.ascontiguousarray(part, kind).data)
        sums[split] = {"samples": samples, "sum": total.hexdigest()[:32]}
    return sums


def changes(before: Any, now: dict[str, dict[str, Any]]) -> str:
    """Return the difference between the fingerprints of a run and of the data, "" if none.

    Args:
        before: from `run.json`; None in runs without one.
        now: of the data.
    """
    if not isinstance(before, dict):
        return ""
    for split in dict.fromkeys([*before, *now]):
        was, is_now = before.get(split) or {}, now.get(split) or {}
        if not was or not is_now:
            return f"there {'is' if is_now else 'was'} a split {split!r} {'now' if is_now else ''}"
        if was.get("samples") != is_now.get("samples"):
            return (
                f"split {split!r} had {was.get('samples')} samples and has "
                f"{is_now.get('samples')} now"
            )
        if was.get("sum") != is_now.get("sum"):
            return f"the samples of split {split!r} are others now, or stand in another order"
    return ""
