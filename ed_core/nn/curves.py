"""Loss of every step, stored beside the model and fetched some hundred at a time."""

import time
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ed_core.nn.submodels import to_numpy

KEPT = 512  # steps that the metric keeps
_FETCHED = KEPT // 2  # steps after which they are fetched, so that none is lost
_SECONDS = 1.0  # after which they are fetched as well
_ROWS = 20_000  # that are written before a row stands for two steps, and half as many for four


class StepLosses(keras.metrics.Metric):
    """The terms of the loss of the newest steps, (steps, terms), which no epoch resets.

    It logs nothing itself. A term that has no target in a batch is NaN there.

    Args:
        names: of the terms.
    """

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(name="step_losses")
        self.names = tuple(names)
        self.kept = self.add_variable((KEPT, len(self.names)), "zeros", name="kept")
        self.steps = self.add_variable((), "zeros", dtype="int32", name="steps")

    def update_state(self, terms: Sequence[Any]) -> None:
        """Keep the terms of one step.

        Args:
            terms: scalars, in the order of the names.
        """
        row = ops.stack([ops.cast(term, "float32") for term in terms])
        self.kept.assign(ops.concatenate([self.kept[1:], row[None]]))
        self.steps.assign(self.steps + 1)

    def reset_state(self) -> None:
        """Keep what there is: Keras calls this before every epoch and every validation."""

    def result(self) -> dict[str, Any]:
        """Return nothing, which Keras would log."""
        return {}

    def done(self) -> int:
        """Return how many steps were taken."""
        return int(to_numpy(self.steps))

    def newest(self, count: int) -> np.ndarray:
        """Return the terms of the newest steps, (count, terms), at most as many as are kept."""
        return to_numpy(self.kept)[-count:] if count else np.empty((0, len(self.names)), "float32")


class CurveRows:
    """What is written of the steps: each, and of a long training the means of 2, 4, 8, ... steps.

    So 200,000 steps make 52,500 rows, and ten times as many 85,625.

    Attributes:
        stride: steps that a row stands for.
    """

    def __init__(self) -> None:
        self.stride = 1
        self._left = _ROWS
        self._steps: list[int] = []
        self._values: list[np.ndarray] = []

    def take(self, steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows that are full: the last step of each, (rows,), and its means.

        Args:
            steps: (steps,).
            values: (steps, terms).
        """
        rows: list[tuple[int, np.ndarray]] = []
        for step, row in zip(steps.tolist(), values, strict=True):
            self._steps.append(step)
            self._values.append(row)
            if len(self._steps) == self.stride:
                rows.append(self._row())
        return _rows(rows, values.shape[1])

    def rest(self, terms: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the last row, which may be of fewer steps."""
        return _rows([self._row()] if self._steps else [], terms)

    def _row(self) -> tuple[int, np.ndarray]:
        step, row = self._steps[-1], mean_of(np.stack(self._values))
        self._steps.clear()
        self._values.clear()
        self._left -= 1
        if not self._left:
            self.stride, self._left = 2 * self.stride, _ROWS // 2
        return step, row


def mean_of(rows: np.ndarray) -> np.ndarray:
    """Return the mean of rows (rows, terms) over the steps in which each term had a target.

    The first is the total, which is NaN where it was not finite.
    """
    finite = np.isfinite(rows)
    counts = finite.sum(axis=0)
    means = np.where(finite, rows, 0).sum(axis=0, dtype="float64") / np.maximum(counts, 1)
    averages = np.where(counts > 0, means, np.nan)
    averages[0] = rows[:, 0].mean(dtype="float64")
    return averages.astype("float32")


def _rows(rows: list[tuple[int, np.ndarray]], terms: int) -> tuple[np.ndarray, np.ndarray]:
    if not rows:
        return np.empty(0, "int64"), np.empty((0, terms), "float32")
    return np.array([step for step, _ in rows]), np.stack([row for _, row in rows])


class CurveTap:
    """The steps of a model that were not fetched yet.

    Args:
        names: of the terms.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._rows = CurveRows()
        self._fetched = self._step = 0
        self._time = 0.0

    def begin(self, losses: StepLosses, step: int) -> None:
        """Follow the steps from here on.

        Args:
            losses: of the model.
            step: the present one.
        """
        self._fetched, self._step, self._time = losses.done(), step, time.monotonic()

    def due(self, step: int) -> bool:
        """Tell whether it is time to fetch."""
        return step - self._step >= _FETCHED or time.monotonic() - self._time >= _SECONDS

    def fetch(self, losses: StepLosses, step: int, last: bool = False) -> tuple[Any, Any]:
        """Return the steps, (rows,), and the terms, (rows, terms), that can be written.

        Args:
            losses: of the model as it is now.
            step: the present one.
            last: whether none will follow.
        """
        done = losses.done()
        values = losses.newest(min(done - self._fetched, KEPT))
        steps = np.arange(step - len(values), step) + 1
        self._fetched, self._step, self._time = done, step, time.monotonic()
        full = self._rows.take(steps, values)
        if not last:
            return full
        rest = self._rows.rest(len(self.names))
        return tuple(np.concatenate(both) for both in zip(full, rest, strict=True))  # type: ignore[return-value]
