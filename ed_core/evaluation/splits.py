"""Arrays of a split to evaluate on, checked before anything is computed."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ed_core.data.checks import check_array
from ed_core.data.loading import (
    Data,
    data_name,
    given_options,
    left_out,
    load_data,
    renamed,
    settle_data,
)
from ed_core.data.preparation import as_trained
from ed_core.data.targets import needed_fields
from ed_core.errors import EdkitError
from ed_core.plugins.decorators import DATASETS
from ed_core.plugins.findings import Finding, say
from ed_core.plugins.options import FilePath
from ed_core.plugins.spec import Dataset, Fields, InputRecord, Preparation
from ed_core.runs.earlier import is_earlier
from ed_core.runs.run import Run

ALL = "all"  # samples of a data set that came without splits


@dataclass(frozen=True, slots=True)
class Measured:
    """Data set and split that a run is measured on.

    Args:
        name: of the data set, as the user gave it.
        data: the data set.
        split: of the data set, or `all`.
    """

    name: str
    data: Dataset
    split: str


def measured_on(
    run: Run,
    data: Data | None,
    split: str | None = None,
    field_names: Mapping[str, str] | None = None,
) -> Measured:
    """Return the data set that a run is measured on, and the split.

    If the run's own is unavailable, the other one also replaces it.

    Args:
        run: the run.
        data: a data set, or arrays by name; by default the run's own.
        split: of the data set. By default all of one that came without splits and that the run has
            never seen, else `test`, else `validation`.
        field_names: of another data set, what the model calls a field to what the data call it; by
            default as of the data that the run was trained on.

    Raises:
        EdkitError: the data set is unknown, or the run's own is needed and not to be had.
    """
    if field_names and data is None:
        raise EdkitError("other names of fields are those of other data: give these with --data.")
    data = _cut_alike(run, data)
    source = None if data is None else load_data(data, run.fields)
    name = "" if data is None else data_name(data)
    same = source is not None and _is_own(run, name, source, isinstance(data, str))
    if source is not None:
        _say(name, source, run, same or split is not None or source.whole is None)
    try:
        own = run.data
    except EdkitError as error:
        if source is None:
            raise EdkitError(f"{error} Where it lies elsewhere now, say so with --data.") from error
        if "train" not in source.splits:
            raise EdkitError(
                f"{error} Data {name!r} cannot stand in for it, without a split 'train'."
            ) from error
        warnings.warn(
            f"{error} What it must beat, and the threshold of --anomaly, are those of {name!r}.",
            stacklevel=3,
        )
        if source.preparation is not None and is_earlier(run.info):
            raise EdkitError(
                f"{error} A run of an earlier version does not keep by what its samples were "
                f"scaled, so data {name!r} cannot be brought to it."
            ) from error
        if not run.recognise(source):
            record = InputRecord.from_facts(run.info.get("input"))
            run.substitute_data(_as_trained(name, source, run, record, field_names=field_names))
            if split is None and run.data.whole is not None and not run.info.get("only"):
                split = ALL
        return Measured(name, run.data, split or default_split(run.data))
    if source is None:
        return Measured(run.info["data"], own, split or default_split(own))
    source = _as_trained(name, source, run, run.input, own.preparation, field_names=field_names)
    if split is None and source.whole is not None and not same:
        split = ALL
    return Measured(name, source, split or default_split(source))


def _cut_alike(run: Run, data: Data | None) -> Data | None:
    """Return other data with the tiles that a run was trained on, where they say none."""
    reading = InputRecord.from_facts(run.info.get("input")).reading or {}
    if not isinstance(data, str) or not reading.get("tile"):
        return data
    name, given = given_options(data)
    if not given or "tile" in given or "tile" not in DATASETS[name].options:
        return data
    return f"{settle_data(data)},tile={reading['tile']},overlap={reading['overlap']}"


def _is_own(run: Run, name: str, source: Dataset, file: bool) -> bool:
    """Tell whether data are what a run was trained on: the same file, or the same arrays."""
    try:
        return _same_file(name, run.info["data"]) and (file or run.recognise(source))
    except EdkitError:  # a data set that is not registered here
        return False


def _say(data: str, source: Dataset, run: Run, drawn: bool) -> None:
    """Say what a loader found of other data, as far as it holds where a run is measured on them.

    Args:
        data: the name.
        source: the data.
        run: the run.
        drawn: whether the loader's splits are used.
    """
    findings = [one for one in source.input.findings if drawn or one.about != "split"]
    if findings and InputRecord.from_facts(run.info.get("input")).fitted:
        findings.append(Finding("run", "the scale of what it was trained on holds for these data"))
    say(findings, data)


def _same_file(first: str, second: str) -> bool:
    """Tell whether two texts name one data set, of the same files; other options may differ."""
    (name, first_options), (other, second_options) = given_options(first), given_options(second)
    options = DATASETS[name].options
    path_options = [key for key, option in options.items() if option.type is FilePath] or [*options]
    files = all(
        first_options.get(key) == second_options.get(key)
        or _resolved(first_options.get(key)) == _resolved(second_options.get(key))
        for key in path_options
    )
    return name == other and files


def _resolved(value: Any) -> Any:
    """Return a path without links and detours; what is no path as it is."""
    return Path(value).resolve() if isinstance(value, str) and value else value


def _as_trained(
    name: str,
    data: Dataset,
    run: Run,
    record: InputRecord,
    hook: Preparation | None = None,
    *,
    field_names: Mapping[str, str] | None = None,
) -> Dataset:
    """Return a data set as a run takes it; see `ed_core.data.preparation.as_trained`."""
    try:
        own_names, own = field_names or {}, run.info.get("field_names") or {}
        data = renamed(data, own_names)
        others = {
            model_name: called for model_name, called in own.items() if model_name not in own_names
        }
        data = renamed(data, others, strict=False)
        needed = needed_fields(run.model.input, run.model.heads)  # other classes may be new
        fields = Fields({name: run.fields[name] for name in needed if name in run.fields})
        return as_trained(data, fields, record, hook)
    except EdkitError as error:
        raise EdkitError(f"data {name!r}: {error}") from error


def default_split(data: Dataset) -> str:
    """Return the split that numbers are of: `test` where there is one, else `validation`."""
    return "test" if "test" in data.splits else data.held_out() or "train"


def known_split(data: Dataset, name: str, split: str) -> Mapping[str, Any]:
    """Return the arrays of a split, not read yet; raises EdkitError where there is none."""
    if split == ALL and split not in data.splits and data.whole is not None:
        return data.whole
    if split not in data.splits:
        raise EdkitError(f"data {name!r} has no split {split!r}; it has: {', '.join(data.splits)}.")
    arrays: Mapping[str, Any] = data.splits[split]
    return arrays


def split_arrays(run: Run, on: Measured, more: Iterable[str] = ()) -> dict[str, Any]:
    """Return the arrays of a split that the model and its heads need, checked but not read.

    Args:
        run: the run.
        on: its data set, or another one with the same fields, and the split.
        more: fields that are needed as well.

    Returns:
        Field to (samples, ...), numpy or anything that slices like it.

    Raises:
        EdkitError: there is no such split or field, or it does not fit what the run was trained on.
    """
    data, name, split = on.data, on.name, on.split
    source, arrays = known_split(data, name, split), {}
    for field in dict.fromkeys([*needed_fields(run.model.input, run.model.heads), *more]):
        if field not in data.fields or field not in source:
            there = ", ".join(sorted(data.fields))
            raise EdkitError(
                f"the model needs field {field!r}, but data {name!r} has only: {there}."
                f"{left_out(data, field)}"
            )
        run_field, data_field = run.fields[field], data.fields[field]
        if data_field.words != run_field.words:
            raise EdkitError(
                f"data {name!r} does not fit the run: its field {field!r} is {data_field.words}, "
                f"the model was trained on {run_field.words}."
            )
        arrays[field] = source[field]
    lengths = {field: len(array) for field, array in arrays.items()}
    if len(set(lengths.values())) > 1 or not min(lengths.values()):
        raise EdkitError(
            f"data {name!r}, split {split!r}: every field needs as many samples, at least one; "
            f"found {lengths}."
        )
    masks = {head.target: head.mask for head in run.model.heads if head.mask}
    for field, array in arrays.items():
        mask = arrays[masks[field]] if field in masks else None
        facts = run.fields[field]
        if field not in run.model.input:  # a new sample may lack what the old ones had
            facts = replace(facts, partial=True)
        check_array(array, facts, f"{name}/{split}/{field}", mask)
    return arrays
