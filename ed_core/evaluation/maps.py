"""Confusion counts, and the intersection over union of maps of classes."""

import numpy as np

from ed_core import floors
from ed_core.evaluation.predicting import mean, pieces
from ed_core.evaluation.splits import known_split
from ed_core.evaluation.subject import Numbers, Part, Subject
from ed_core.evaluation.targets import tally, truth
from ed_core.run import Run
from ed_core.spec import Field, Head


def confusion(run: Run, head: Head, split: str) -> np.ndarray:
    """Return how often each class (row) of a split was taken for each (column).

    Counted piece by piece: the probabilities of a whole split are never held. What has no target
    is left out.

    Args:
        run: the run.
        head: one of its model, that predicts the class of a sample or of every pixel.
        split: of the run's data.

    Returns:
        (classes, classes) integers, of samples or of pixels.

    Raises:
        EdkitError: the data have no such split.
    """
    arrays = known_split(run.data, run.info["data"], split)
    field = run.data.fields[head.target]
    classes = run.model.output[head.output].shape[-1]
    counts = np.zeros((classes, classes), np.int64)
    for _, rows, output in pieces(run.model, arrays):
        names = [name for name in (head.target, head.mask) if name]
        target = truth({name: arrays[name][rows] for name in names}, field, head)
        counts += tally(target, output[head.output].argmax(axis=-1), classes)
    return counts


def intersection_over_union(matrix: np.ndarray) -> np.ndarray:
    """Return the IoU of each class (classes,) from a confusion matrix (truth, prediction).

    true positives / (true positives + false positives + false negatives), as in PASCAL VOC. A class
    without truth is NaN: its IoU could only be 0.
    """
    right, true = np.diag(matrix), matrix.sum(axis=1)
    union = matrix.sum(axis=0) + true - right
    return np.divide(right, union, out=np.full(len(right), np.nan), where=true > 0)


class ConfusionCounts:
    """Counts of truth against prediction, over what has a class: a measure is made of them.

    Args:
        subject: what is measured.
        head: one that predicts classes.
    """

    def __init__(self, subject: Subject, head: Head) -> None:
        self._subject, self._head = subject, head
        classes = subject.run.model.output[head.output].shape[-1]
        self._matrix = np.zeros((classes, classes), np.int64)

    def add(self, part: Part) -> None:
        """Take some samples into account."""
        target = self._subject.truth(self._head, part)
        found = part.outputs[self._head.output].argmax(axis=-1)
        self._matrix += tally(target, found, len(self._matrix))


class MapAccuracy(ConfusionCounts):
    """The IoU of each class, their mean, the share of right pixels, and the floor.

    Only classes that occur in the truth of the split have an IoU and count in the mean.
    """

    def numbers(self) -> Numbers:
        """Return them by name; none where no pixel has a class."""
        name, matrix = self._head.name, self._matrix
        field, count = self._subject.run.fields[self._head.target], int(matrix.sum())
        if not count:
            return {}
        occurs = np.flatnonzero(matrix.sum(axis=1))
        shares = intersection_over_union(matrix)
        usual = floors.majority(self._subject.training_truths(self._head))
        numbers: Numbers = {
            f"{name}_mean_iou": mean(shares[occurs]),
            f"{name}_pixel_accuracy": float(np.trace(matrix) / count),
            f"{name}_majority": float(matrix[usual].sum() / count),
            f"{name}_count": count,
        }
        return numbers | {
            f"{name}_iou_{class_name(field, number)}": float(shares[number])
            for number in map(int, occurs)
        }


def class_name(field: Field, number: int) -> str:
    """Return the name of a class, its number where it has none."""
    return field.classes[number] if number < len(field.classes) else str(number)
