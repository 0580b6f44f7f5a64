"""Confusion matrices and the measures that follow from them. Numpy only."""

import numpy as np


def confusion(truth: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Return how often each class (row) was taken for each (column), (classes, classes).

    Args:
        truth: class numbers of any shape; what is not in 0..classes-1 is left out.
        predicted: class numbers, of the same shape and with the same meaning.
        classes: how many there are.
    """
    valid = (truth >= 0) & (truth < classes) & (predicted >= 0) & (predicted < classes)
    pairs = truth[valid].astype(np.int64) * classes + predicted[valid]
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)


def shares(counts: np.ndarray) -> np.ndarray:
    """Return each row of counts as shares of its sum; 0 where that is 0."""
    totals = counts.sum(axis=1, keepdims=True)
    return np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)


def intersection_over_union(counts: np.ndarray) -> np.ndarray:
    """Return the IoU of each class (classes,); NaN for a class that is not in the truth.

    True positives / (true positives + false positives + false negatives), as in PASCAL VOC. A
    class that is not there could only get 0, however good the model.
    """
    right, there = np.diag(counts), counts.sum(axis=1)
    union = counts.sum(axis=0) + there - right
    return np.divide(right, union, out=np.full(len(right), np.nan), where=there > 0)


def nested_groups(fine: np.ndarray, coarse: np.ndarray, classes: int) -> np.ndarray | None:
    """Return the coarse class of each fine one (classes,), None where they do not nest.

    Args:
        fine: (samples,) numbers of fine classes, -1 where there is none.
        coarse: (samples,) numbers of coarse classes.
        classes: how many fine ones there are.
    """
    valid = (fine >= 0) & (coarse >= 0)
    pairs = np.unique(np.stack([fine[valid], coarse[valid]], axis=1), axis=0)
    groups = len(np.unique(pairs[:, 1]))
    nested = np.array_equal(pairs[:, 0], np.arange(classes)) and 1 < groups < classes
    return pairs[:, 1] if nested else None
