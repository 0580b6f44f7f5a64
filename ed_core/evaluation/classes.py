"""Accuracy of classes: of a head, and of the neighbours of a code."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from ed_core import floors
from ed_core.arrange import present
from ed_core.evaluation.maps import ConfusionCounts
from ed_core.evaluation.predicting import mean, predict
from ed_core.evaluation.subject import Numbers, Part, Subject
from ed_core.seeds import Seeds
from ed_core.spec import Head
from ed_core.submodels import inputs_of

NEIGHBOURS = 5
_CODES = 10_000  # of the training split, at most, among which neighbours are looked for
_ROWS = 500  # that are read at a time


class ClassAccuracy(ConfusionCounts):
    """The share of labelled samples whose most probable class is right, and the floor."""

    def numbers(self) -> Numbers:
        """Return them by name; none where nothing has a label."""
        name, count = self._head.name, int(self._matrix.sum())
        if not count:
            return {}
        usual = floors.majority(self._subject.training_truths(self._head))
        return {
            f"{name}_accuracy": float(np.trace(self._matrix) / count),
            f"{name}_majority": float(self._matrix[usual].sum() / count),
            f"{name}_count": count,
        }


class Neighbours:
    """How often the class of the five nearest training codes is right, and the floor.

    Of the training codes with a class at most 10,000 are looked at, chosen by the seed.
    """

    def __init__(self, subject: Subject, head: Head) -> None:
        self._subject, self._head = subject, head
        self._codes: list[np.ndarray] = []
        self._labels: list[np.ndarray] = []

    def add(self, part: Part) -> None:
        """Take some samples into account."""
        target = self._subject.truth(self._head, part)
        there = present(target)
        codes = part.outputs[self._head.output]
        self._codes.append(codes.reshape(len(codes), -1)[there])
        self._labels.append(target[there])

    def numbers(self) -> Numbers:
        """Return them by name; none where nothing has a label."""
        subject, head = self._subject, self._head
        target = np.concatenate(self._labels)
        known = np.concatenate(list(subject.training_truths(head)))
        rows = np.flatnonzero(present(known))
        if not len(target) or not len(rows):
            return {}
        rows = np.sort(Seeds(subject.seed).generator("neighbours").permutation(rows)[:_CODES])
        codes = _codes_of(subject.run.encoder, subject.run.data.splits["train"], rows)
        nearest = KNeighborsClassifier(min(NEIGHBOURS, len(rows))).fit(codes, known[rows])
        found = nearest.predict(np.concatenate(self._codes))
        return {
            "knn_accuracy": mean(found == target),
            "knn_majority": mean(target == floors.majority([known])),
            "knn_count": len(target),
        }


def _codes_of(encoder: Any, arrays: Mapping[str, Any], rows: np.ndarray) -> np.ndarray:
    """Return the codes of some samples, (rows, size); `rows` rise, as HDF5 wants them."""
    parts = []
    for first in range(0, len(rows), _ROWS):
        some = rows[first : first + _ROWS]
        given = {name: np.asarray(arrays[name][some]) for name in inputs_of(encoder) or {}}
        parts.append(predict(encoder, given, ["code"])["code"].reshape(len(some), -1))
    return np.concatenate(parts)
