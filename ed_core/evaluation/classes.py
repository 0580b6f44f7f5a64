"""How often a class is right: that of a head, and that of a code's neighbours."""

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from ed_core import floors
from ed_core.arrange import present
from ed_core.evaluation.predicting import mean, predict, values_of
from ed_core.evaluation.subject import Numbers, Subject
from ed_core.metrics import absolute_error
from ed_core.spec import Head
from ed_core.submodels import inputs_of

NEIGHBOURS = 5
_CODES = 10_000  # of the training split, at most, among which neighbours are looked for


def metrics_of(subject: Subject, head: Head) -> Numbers:
    """Return the mean of each metric over the samples, or positions, that have a target.

    Without the absolute error of a value, which `value_error` gives as `mae`.
    """
    target = subject.truth(head)
    there = present(target)
    target = np.where(there, target, 0).reshape(subject.arrays[head.target].shape)
    numbers: Numbers = {}
    for metric in head.metrics:
        if metric is absolute_error and head not in subject.reconstructions:
            continue
        values = values_of(metric, target, subject.outputs[head.output])
        kept = there if values.shape == there.shape else _whole(there)
        if kept.any():
            numbers[f"{head.name}_{metric.__name__}"] = mean(values[kept])
    return numbers


def class_accuracy(subject: Subject, head: Head) -> Numbers:
    """Return the share of labelled samples whose most probable class is right, and the floor."""
    target = subject.truth(head)
    there = present(target)
    if not there.any():
        return {}
    usual = floors.majority(subject.truth(head, "train"))
    right = subject.outputs[head.output].argmax(axis=-1) == target
    return {
        f"{head.name}_accuracy": mean(right[there]),
        f"{head.name}_majority": mean(target[there] == usual),
    }


def neighbours(subject: Subject, head: Head) -> Numbers:
    """Return how often the class of the five nearest training codes is right, and the floor.

    Of the training codes with a class at most 10,000 are looked at, chosen by the seed.
    """
    target, known = subject.truth(head), subject.truth(head, "train")
    there, rows = present(target), np.flatnonzero(present(known))
    if not there.any():
        return {}
    rows = np.sort(np.random.default_rng(subject.seed).permutation(rows)[:_CODES])
    train, encoder = subject.run.data.splits["train"], subject.run.encoder
    arrays = {name: np.asarray(train[name][:])[rows] for name in inputs_of(encoder) or {}}
    codes = predict(encoder, arrays, ["code"])["code"].reshape(len(rows), -1)
    nearest = KNeighborsClassifier(min(NEIGHBOURS, len(rows))).fit(codes, known[rows])
    found = nearest.predict(subject.outputs[head.output][there].reshape(there.sum(), -1))
    return {
        "knn_accuracy": mean(found == target[there]),
        "knn_majority": mean(target[there] == floors.majority(known)),
    }


def _whole(there: np.ndarray) -> np.ndarray:
    """Return which samples have all of their target, (samples,)."""
    return np.asarray(there.reshape(len(there), -1).all(axis=1))
