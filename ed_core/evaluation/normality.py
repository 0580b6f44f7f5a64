"""Normal and odd samples and pixels of labelled data."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ed_core.data.selection import class_number
from ed_core.errors import EdkitError
from ed_core.evaluation.splits import Measured, known_split
from ed_core.plugins.spec import PRESENT, Dataset
from ed_core.runs.run import Run

NORMAL_NAMES = ("good", "normal", "ok")
"""Names of a class, in any case, that stand for normal samples where nothing else is said."""


def normal_class(
    run: Run, on: Measured, only: Mapping[str, Any] | None = None
) -> dict[str, Any] | None:
    """Return the normal class of some data, field to class; None where it is not known.

    Args:
        run: the run.
        on: the data.
        only: as the user gave it; by default what the run was trained on, else the class of a
            sample that is called good, normal or ok.
    """
    chosen = only or run.info.get("only")
    if chosen:
        return dict(chosen)
    for name, field in on.data.fields.items():
        if field.kind == "class" and not field.shape:
            normal = [one for one in field.classes if one.lower() in NORMAL_NAMES]
            if len(normal) == 1:
                return {name: normal[0]}
    return None


def abnormal(on: Measured, only: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return masks of the odd samples among those with a class, and of the latter, (samples,).

    Args:
        on: the data.
        only: the normal class, field to class.

    Raises:
        EdkitError: the data have no such class.
    """
    arrays = known_split(on.data, on.name, on.split)
    labels = {name: _labels(on.data, arrays, name) for name in only}
    has_class = np.logical_and.reduce([numbers >= 0 for numbers in labels.values()])
    odd = [numbers != class_number(on.data, name, only[name]) for name, numbers in labels.items()]
    return np.logical_or.reduce(odd)[has_class], has_class


def normal_rows(run: Run, on: Measured) -> np.ndarray | None:
    """Return the rows of the normal samples of some data; None where all are taken for normal."""
    only = normal_class(run, on)
    if only is None or not set(only) <= set(on.data.fields):
        return None
    odd, has_class = abnormal(on, only)
    return np.flatnonzero(has_class)[~odd]


def defect_masks(run: Run, on: Measured) -> np.ndarray | None:
    """Return where samples are odd, (samples, height, width) of bool; None where nobody says.

    It is the first field that is no input of the model and has the size of an image that is one: a
    mask, or a class of every pixel, of which the first, or one called good, normal, ok or
    background, is normal. What has no class is normal.
    """
    sizes = [
        field.shape[:2]
        for name, field in run.fields.items()
        if name in run.model.input and field.kind == "image"
    ]
    arrays = known_split(on.data, on.name, on.split)
    for name, field in on.data.fields.items():
        fits = field.shape[:2] in sizes and field.shape[2:] in ((), (1,))
        if name in run.model.input or name.endswith(PRESENT) or not fits:
            continue
        if field.kind == "mask" or (field.kind == "class" and name in arrays):
            numbers = np.asarray(arrays[name][:])
            numbers = numbers.reshape(numbers.shape[:3])
            if field.kind == "mask":
                return numbers > 0
            usual = [one.lower() in (*NORMAL_NAMES, "background") for one in field.classes]
            return (numbers >= 0) & (numbers != (usual.index(True) if any(usual) else 0))
    return None


def _labels(data: Dataset, arrays: Mapping[str, Any], name: str) -> np.ndarray:
    """Return the class numbers of a field, (samples,)."""
    if name not in data.fields or name not in arrays:
        classes = [one for one, field in data.fields.items() if field.kind == "class"]
        raise EdkitError(
            f"the data have no class field {name!r}, only: {', '.join(classes) or 'none'}; say "
            "which class is normal with --only FIELD=CLASS."
        )
    return np.asarray(arrays[name][:]).reshape(-1)
