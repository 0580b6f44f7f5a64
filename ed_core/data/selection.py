"""Selection of training samples and labels: a share of the labels, or a single class."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ed_core.data.lazy import Splits, rows_of
from ed_core.data.loading import renamed
from ed_core.data.preparation import prepared
from ed_core.data.targets import present
from ed_core.data.validation_split import SHARE, keep_aside
from ed_core.errors import EdkitError, unknown
from ed_core.plugins.spec import Dataset, Field, Fields, Head, InputRecord
from ed_core.seeds import Seeds

_HELD_OUT = 10  # of so many samples of a single class, one was kept for calibration


def select(
    data: Dataset, heads: Sequence[Head], plan: Mapping[str, Any], *, earlier: bool = False
) -> Dataset:
    """Return the data set of a run: selected by its plan, and prepared.

    Args:
        data: the whole of it.
        heads: of the model.
        plan: with `labels`, `stratified`, `only`, `validation`, `field_names` and `seed`, as in
            `run.json`, and `input`, where the run has one already.
        earlier: choose as runs of before format 2 did; see `ed_core.runs.earlier`.

    Raises:
        EdkitError: there is nothing to train on, or the plan does not fit the data.
    """
    seeds = Seeds(plan.get("seed", 0), shared=earlier)
    data = renamed(data, plan.get("field_names") or {})
    if "train" not in data.splits:
        if plan.get("only") or plan.get("labels"):
            raise EdkitError(
                "only and labels choose from the split 'train', but the data set has only: "
                f"{', '.join(data.splits)}."
            )
        return prepared(data, InputRecord.from_facts(plan.get("input")))
    if plan.get("only"):
        data = keep_only(data, plan["only"])
    share = plan.get("validation")
    if earlier:
        data = every_tenth(data) if plan.get("only") else data
    elif share is not None or "validation" not in data.splits:
        data = keep_aside(data, SHARE if share is None else share, seeds, heads)
    if plan.get("labels"):
        stratified = bool(plan.get("stratified"))
        data = hide_labels(data, heads, plan["labels"], seed=seeds, stratified=stratified)
    return prepared(data, InputRecord.from_facts(plan.get("input")))


def hide_labels(
    data: Dataset,
    heads: Sequence[Head],
    shares: Mapping[str, float],
    *,
    seed: int | Seeds = 0,
    stratified: bool = False,
) -> Dataset:
    """Return the data set with only a share of the training targets of some heads left.

    What is hidden becomes -1 (a class) or NaN (a value). A smaller share of the same seed is part
    of a larger one. Other splits keep all targets.

    Args:
        data: with a split `train`.
        heads: of the model.
        shares: head to the share of its targets that is kept, in 0..1.
        seed: of the choice; each head has a stream of its own.
        stratified: keep the same share of every class, at least one sample of each.

    Raises:
        EdkitError: a head is unknown or has no target that can be missing, or a share is wrong.
    """
    seeds = seed if isinstance(seed, Seeds) else Seeds(seed)
    by_name = {head.name: head for head in heads if head.needs_target}
    fields, train = dict(data.fields), dict(data.splits["train"])
    for number, (name, share) in enumerate(sorted(shares.items())):
        if name not in by_name:
            raise unknown("head with labels:", name, by_name)
        target = by_name[name].target
        field = data.fields[target]
        if field.kind not in ("class", "value"):
            raise EdkitError(
                f"labels of head {name!r}: its target {target!r} is no class or value."
            )
        if not 0 < share <= 1:
            raise EdkitError(f"labels of head {name!r} must be above 0 and at most 1, got {share}.")
        use = ("labels", number) if seeds.shared else (f"labels of {name}",)
        random = seeds.generator(*use)
        train[target] = _kept(np.asarray(train[target][:]), field, share, random, stratified)
        fields[target] = replace(field, partial=True)
    return replace(data, fields=Fields(fields), splits=Splits(data.splits, {"train": train}))


def keep_only(data: Dataset, only: Mapping[str, Any]) -> Dataset:
    """Return the data set with training samples of one class alone, for anomaly detection.

    So is its validation split, where it has one; `test` stays whole.

    Args:
        data: with a split `train`.
        only: a class field to the number or the name of the class.

    Raises:
        EdkitError: the field or the class is unknown, or there is no sample of it.
    """
    changed: dict[str, dict[str, Any]] = {}
    groups = data.groups
    for split in ("train", "validation"):
        if split not in data.splits:
            continue
        arrays = data.splits[split]
        matching = np.ones(len(next(iter(arrays.values()))), bool)
        for field, class_ in only.items():
            number = class_number(data, field, class_)
            matching &= np.asarray(arrays[field][:]) == number
            if matching.sum() < 2 and split == "train":
                raise EdkitError(
                    f"class {class_!r} of field {field!r} has {matching.sum()} samples in split "
                    f"{split!r}: expected two or more."
                )
        rows = np.flatnonzero(matching)
        if not len(rows):  # no normal sample to validate on: some of `train` are kept aside
            return replace(data, splits=Splits(data.splits, changed, (split,)), groups=groups)
        changed[split] = {name: rows_of(array, rows) for name, array in arrays.items()}
        if split == "train" and groups is not None:
            groups = replace(groups, of=groups.of[rows])
    return replace(data, splits=Splits(data.splits, changed), groups=groups)


def every_tenth(data: Dataset) -> Dataset:
    """Return the data set with every tenth training sample in a split `validation`.

    As runs of before format 2 kept normal samples aside.
    """
    train = data.splits["train"]
    held = np.arange(len(next(iter(train.values())))) % _HELD_OUT == _HELD_OUT - 1
    if not held.any():
        held[-1] = True
    changed = {
        split: {name: rows_of(array, np.flatnonzero(rows)) for name, array in train.items()}
        for split, rows in (("train", ~held), ("validation", held))
    }
    return replace(data, splits=Splits(data.splits, changed))


def class_number(data: Dataset, field: str, class_: Any) -> int:
    """Return the number of a class that is given by number or name; raises EdkitError."""
    classes = [name for name, facts in data.fields.items() if facts.kind == "class"]
    if field not in classes:
        raise unknown("class field", field, classes)
    names = data.fields[field].classes
    if str(class_) in names:
        return names.index(str(class_))
    if str(class_).isdigit() and (not names or int(class_) < len(names)):
        return int(class_)
    raise unknown(f"class of field {field!r}:", str(class_), names)


def class_weights(
    data: Dataset, heads: Sequence[Head], choices: Mapping[str, str]
) -> dict[str, np.ndarray]:
    """Return the weight of every class, (classes,), for the heads that want them.

    Args:
        data: with a split `train`.
        heads: of the model.
        choices: head to `balanced` (each class weighs as much as any other: samples / (classes *
            samples of the class)) or to the weights themselves, such as "1,2,0.5".

    Raises:
        EdkitError: a head is unknown or predicts no class, or the weights are not numbers of 0 and
            more, one a class and not all 0.
    """
    by_name = {head.name: head for head in heads if head.needs_target}
    weights_of_heads = {}
    for name, text in choices.items():
        if name not in by_name:
            raise unknown("head with classes:", name, by_name)
        field = data.fields[by_name[name].target]
        if field.kind != "class":
            raise EdkitError(f"class weights of head {name!r}: its target is no class.")
        target = np.asarray(data.splits["train"][by_name[name].target][:])
        labels = target[present(target)].astype(np.int64)
        counts = np.bincount(labels, minlength=len(field.classes))
        if text == "balanced":
            seen = counts > 0
            weights_of_heads[name] = np.where(
                seen, counts.sum() / (seen.sum() * np.maximum(counts, 1)), 0.0
            )
        else:
            weights_of_heads[name] = _numbers(name, text, len(counts))
    return weights_of_heads


def _numbers(head: str, text: str, classes: int) -> np.ndarray:
    try:
        numbers = np.array([float(part) for part in text.split(",")])
    except ValueError:
        numbers = np.empty(0)
    good = np.isfinite(numbers) & (numbers >= 0)
    if len(numbers) != classes or not good.all() or not numbers.any():
        raise EdkitError(
            f"class weights of head {head!r} are 'balanced' or {classes} numbers of 0 and more, "
            f"not all 0, received {text!r}."
        )
    return numbers


def _kept(
    target: np.ndarray, field: Field, share: float, random: np.random.Generator, stratified: bool
) -> np.ndarray:
    """Return a copy of which only a share of the samples that have a target keeps it."""
    there = present(target).reshape(len(target), -1).any(axis=1)
    groups = [np.flatnonzero(there)]
    if stratified and field.kind == "class" and not field.shape:
        groups = [np.flatnonzero(target == number) for number in np.unique(target[there])]
    keep = np.zeros(len(target), bool)
    for rows in groups:
        count = max(round(share * len(rows)), 1)
        keep[random.permutation(rows)[:count]] = True
    result = target.astype("int32" if field.kind == "class" else "float32")
    result[~keep] = -1 if field.kind == "class" else np.nan
    return result
