"""Errors of estimated values, one a sample or one a pixel."""

from math import sqrt

import numpy as np

from ed_core.arrange import present
from ed_core.evaluation.predicting import total
from ed_core.evaluation.subject import Numbers, Part, Subject
from ed_core.evaluation.targets import positions
from ed_core.spec import Head

NEAR = 10  # units, such as degrees, within which an estimate of one number is near the truth


class ValueErrors:
    """The errors in the units of the field, over what has a value, and the floor.

    The floor is the root mean square error of the mean of the training values.
    """

    def __init__(self, subject: Subject, head: Head) -> None:
        self._subject, self._head = subject, head
        known, sum_known = 0, 0.0
        for target in subject.training_truths(head):
            there = target[present(target)]
            known, sum_known = known + there.size, sum_known + total(there)
        self._usual = sum_known / known if known else None
        self._count = self._near = 0
        self._absolute = self._squares = self._floor = 0.0

    def add(self, part: Part) -> None:
        """Take some samples into account."""
        target = self._subject.truth(self._head, part)
        there = present(target)
        output = part.outputs[self._head.output].reshape(target.shape)[there].astype("float64")
        error = np.abs(output - target[there])
        self._count += error.size
        self._near += int(np.sum(error <= NEAR))
        self._absolute += total(error)
        self._squares += total(error**2)
        self._floor += total((target[there].astype("float64") - (self._usual or 0.0)) ** 2)

    def numbers(self) -> Numbers:
        """Return them by name; none where nothing has a value, here or in the training split."""
        if not self._count or self._usual is None:
            return {}
        name, count = self._head.name, self._count
        numbers: Numbers = {
            f"{name}_rmse": sqrt(self._squares / count),
            f"{name}_mae": self._absolute / count,
            f"{name}_mean_rmse": sqrt(self._floor / count),
        }
        if not positions(self._subject.run.fields[self._head.target]):
            numbers[f"{name}_within_{NEAR}"] = self._near / count
        return {**numbers, f"{name}_count": count}
