"""Validation split: training samples held out to choose epochs and settings."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ed_core.data.lazy import Splits, rows_of
from ed_core.errors import EdkitError
from ed_core.plugins.spec import Dataset, Groups, Head
from ed_core.seeds import Seeds

SHARE = 0.1


def settle_share(data: Dataset, share: float | None, name: str) -> float | None:
    """Return the share of `train` that is kept aside: None where the data have their own split.

    Args:
        data: the whole of it.
        share: that was asked for, or None for a tenth.
        name: of the data set, for the message.

    Raises:
        EdkitError: a share is asked for where the data have a validation split of their own.
    """
    if "validation" not in data.splits:
        return SHARE if share is None else share
    if share:
        raise EdkitError(
            f"data {name!r} have a validation split of their own, received a share of {share:g}: "
            "leave --validation out, or give 0 to choose nothing."
        )
    return share


def keep_aside(data: Dataset, share: float, seeds: Seeds, heads: Sequence[Head] = ()) -> Dataset:
    """Return the data set with a share of `train` moved to a split `validation`.

    What belongs together stays together: whole groups go, or, where these come to far more or less
    than the share and lie in time, the last share of each, without the samples that overlap the
    rest. Otherwise samples are drawn, as large a share of every class.

    Args:
        data: with a split `train`.
        share: of its samples, from 0, which changes nothing, to below 1.
        seeds: of the choice.
        heads: of the model; the first that predicts a class a sample says what the classes are.

    Raises:
        EdkitError: there are not enough samples.
    """
    if share == 0:
        return data
    train = data.splits["train"]
    samples = len(next(iter(train.values())))
    classes = _classes(data, heads)
    random = seeds.generator("validation")
    if data.groups is None:
        held = _drawn(classes if classes is not None else np.zeros(samples, int), share, random)
        trained = ~held
    else:
        held, trained = _grouped(data.groups, classes, share, random)
    if not held.any() or not trained.any():
        raise EdkitError(
            f"a share of {share:g} of {samples} training samples leaves {trained.sum()} to "
            f"train on and {held.sum()} for validation: give more data, or --validation 0 to train "
            "on all."
        )
    first, second = np.flatnonzero(trained), np.flatnonzero(held)
    changed = {
        split: {name: rows_of(array, rows) for name, array in train.items()}
        for split, rows in (("train", first), ("validation", second))
    }
    groups = data.groups and replace(data.groups, of=data.groups.of[first])
    return replace(data, splits=Splits(data.splits, changed), groups=groups)


def _classes(data: Dataset, heads: Sequence[Head]) -> np.ndarray | None:
    """Return the class of each training sample, (samples,), or None where there is none."""
    named = [head.target for head in heads if head.needs_target] + ["label"]
    for name in named:
        field = data.fields.get(name)
        if field is not None and field.kind == "class" and field.shape in ((), (1,)):
            return np.asarray(data.splits["train"][name][:]).reshape(-1).astype(int)
    return None


def _drawn(classes: np.ndarray, share: float, random: np.random.Generator) -> np.ndarray:
    """Return which samples are held, (samples,); one of every class at least is left."""
    held = np.zeros(len(classes), bool)
    for number in np.unique(classes):
        rows = random.permutation(np.flatnonzero(classes == number))
        held[rows[: min(round(share * len(rows)), len(rows) - 1)]] = True
    if not held.any():  # fewer than five of every class: one of some
        order = random.permutation(len(classes))
        _, firsts, counts = np.unique(classes[order], return_index=True, return_counts=True)
        spare = order[np.sort(firsts[counts > 1])]
        held[spare[: max(round(share * len(classes)), 1)]] = True
    return held


def _grouped(
    groups: Groups, classes: np.ndarray | None, share: float, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return which samples are held and which are trained on, (samples,) each.

    Whole groups, unless they come to less than half or more than twice the share and lie in time.
    """
    count = share * len(groups.of)
    whole = _whole_groups(groups.of, classes, count, random)
    if groups.in_time and not count / 2 <= whole.sum() <= 2 * count:
        held, trained = _last(groups, share)
        if held.any() and trained.any():
            return held, trained
    return whole, ~whole


def _whole_groups(
    of: np.ndarray, classes: np.ndarray | None, target: float, random: np.random.Generator
) -> np.ndarray:
    """Return the samples of random groups, as near to the number as comes; none loses a class."""
    numbers, firsts, sizes = np.unique(of, return_index=True, return_counts=True)
    class_of = np.zeros(len(numbers), int) if classes is None else classes[firsts]
    groups_of: Counter[int] = Counter()
    turn: dict[int, int] = {}
    for group in random.permutation(len(numbers)).tolist():
        turn[group] = groups_of[class_of[group]]
        groups_of[class_of[group]] += 1
    held = np.zeros(len(numbers), bool)
    left, count = groups_of.copy(), 0
    for group in sorted(turn, key=lambda one: turn[one]):  # a group of every class first
        more = count + sizes[group]
        if left[class_of[group]] > 1 and abs(more - target) < abs(count - target):
            held[group] = True
            left[class_of[group]] -= 1
            count = more
    spare = [group for group in range(len(numbers)) if groups_of[class_of[group]] > 1]
    if not held.any() and spare:
        held[min(spare, key=lambda one: sizes[one])] = True
    return np.isin(of, numbers[held])


def _last(groups: Groups, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the last samples of each group, and those before them that they do not overlap."""
    held = np.zeros(len(groups.of), bool)
    trained = np.zeros(len(groups.of), bool)
    _, firsts = np.unique(np.sort(groups.of), return_index=True)
    for rows in np.split(np.argsort(groups.of, kind="stable"), firsts[1:]):
        count = round(share * len(rows))
        held[rows[len(rows) - count :]] = True
        trained[rows[: max(len(rows) - count - groups.overlap * (count > 0), 0)]] = True
    return held, trained


def unwatched(data: Dataset) -> Dataset:
    """Return the data set without its validation split, for a training that chooses nothing."""
    return replace(data, splits=Splits(data.splits, without=("validation",)))
