"""The arrays of a split that a run is measured on, checked before anything is computed."""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ed_core.arrange import needed_fields
from ed_core.checks import check_array
from ed_core.data import load_data
from ed_core.errors import EdkitError
from ed_core.evaluation.predicting import ready
from ed_core.preparation import as_trained
from ed_core.run import Run
from ed_core.spec import Dataset


def measured_on(run: Run, data: str | None) -> tuple[str, Dataset]:
    """Return the name of the data set that a run is measured on, and the data set.

    Where the run's own is not to be had, the other one stands in for it as well.

    Args:
        run: the run.
        data: a data set; by default the run's own.
    """
    source = load_data(data) if data else None
    try:
        own = run.data
    except EdkitError as error:
        if source is None:
            raise EdkitError(f"{error} Where it lies elsewhere now, say so with --data.") from error
        warnings.warn(
            f"{error} What it must beat, and the threshold of --anomaly, are those of {data!r}.",
            stacklevel=3,
        )
        run.lend(source)
    if data is None or source is None:
        return run.info["data"], own
    try:
        return data, as_trained(source, run.fields, run.input, run.data.preparation)
    except EdkitError as error:
        raise EdkitError(f"data {data!r}: {error}") from error


def default_split(data: Dataset) -> str:
    """Return the split that numbers are of: `test` where there is one, else `validation`."""
    return "test" if "test" in data.splits else data.held_out()


def known_split(data: Dataset, name: str, split: str) -> Mapping[str, Any]:
    """Return the arrays of a split, not read yet; raises EdkitError where there is none."""
    if split not in data.splits:
        raise EdkitError(f"data {name!r} has no split {split!r}; it has: {', '.join(data.splits)}.")
    arrays: Mapping[str, Any] = data.splits[split]
    return arrays


def split_arrays(
    run: Run, data: Dataset, name: str, split: str, more: Iterable[str] = ()
) -> dict[str, np.ndarray]:
    """Return the arrays of a split that the model and its heads need.

    Args:
        run: the run.
        data: its data set, or another one with the same fields.
        name: of the data set.
        split: of the data set.
        more: fields that are needed as well.

    Raises:
        EdkitError: there is no such split or field, or it does not fit what the run was trained on.
    """
    source, arrays = known_split(data, name, split), {}
    for field in dict.fromkeys([*needed_fields(run.model.input, run.model.heads), *more]):
        if field not in data.fields or field not in source:
            raise EdkitError(f"the model needs field {field!r}, but data {name!r} has no such one.")
        known, found = run.fields[field], data.fields[field]
        if found.words != known.words:
            raise EdkitError(
                f"data {name!r} does not fit the run: its field {field!r} is {found.words}, "
                f"the model was trained on {known.words}."
            )
        arrays[field] = np.asarray(source[field][:])
        if not len(arrays[field]):
            raise EdkitError(f"data {name!r}, split {split!r}: field {field!r} has no samples.")
    masks = {head.target: head.mask for head in run.model.heads if head.mask}
    for field, array in arrays.items():
        mask = arrays[masks[field]] if field in masks else None
        check_array(array, run.fields[field], f"{name}/{split}/{field}", mask)
    return {field: ready(array) for field, array in arrays.items()}
