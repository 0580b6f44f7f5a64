"""Counter of steps and epochs while `fit` runs."""

from typing import Any

import keras


class StepCount:
    """Counts steps between two looks at the optimizer, and the parts of epochs.

    Steps are those of the optimizer. It is looked at where something is recorded, since on jax a
    look fetches the weights of the model; in between, batches are counted. Where all epochs are
    known to be of one length, nothing but batches is counted: so does a run with its checkpoints,
    also where the scale of a loss lets the optimizer skip some.

    Args:
        steps_per_epoch: batches of every epoch, or None where they are not known.

    Attributes:
        step: the present step.
    """

    def __init__(self, steps_per_epoch: int | None) -> None:
        self.step = 0
        self._fixed = steps_per_epoch
        self._epochs: float | None = None  # done before the present one
        self._length: int | None = None  # batches of the present epoch, or of the one before
        self._capped = False  # whether that is of the present one
        self._in_epoch = 0  # batches of the present epoch that are done
        self._done = self._counted = 0  # batches of this `fit`, and the steps that they make
        self._start = self._offset = self._corrected = 0
        self._accumulated, self._skips = 1, False

    @property
    def fixed(self) -> bool:
        """Whether batches are counted, and nothing else."""
        return bool(self._fixed)

    @property
    def when(self) -> tuple[int, float]:
        """The present step, and the epoch with its fraction."""
        if self._fixed:
            return self.step, self.step / self._fixed
        share = min(self._in_epoch / self._length, 1.0) if self._length else 0.0
        return self.step, (self._epochs or 0.0) + share

    def begin(self, steps: int, optimizer: Any) -> None:
        """Begin a `fit`, when the optimizer has taken so many steps in all.

        One that was made anew counts from 0: what was recorded before goes on all the same.
        """
        if self._fixed:
            steps = self.step
        self.step = max(self.step, steps)
        self._start, self._offset = self.step, steps
        self._done = self._counted = 0
        gathered = None if self._fixed else getattr(optimizer, "gradient_accumulation_steps", None)
        self._accumulated = gathered or 1
        self._skips = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)

    def begin_epoch(self, epoch: int, batches: int | None) -> None:
        """Begin an epoch, number `epoch` of a `fit` from 0, of so many batches or None."""
        if batches:
            self._length = batches
        self._capped = bool(batches)
        self._in_epoch = 0
        if self._epochs is None:
            before = self._start * self._accumulated / batches if batches else 0.0
            self._epochs = float(epoch) or before

    def batch_done(self, batch: int) -> None:
        """Count up to a batch of this epoch, from 0.

        With several steps in one execution it is the last one of these, even where it lies beyond
        the end of the epoch.
        """
        done = batch + 1
        if self._capped and self._length:
            done = min(done, self._length)
        self._done += done - self._in_epoch
        self._in_epoch = done
        before, self._counted = self._counted, self._done // self._accumulated
        self.step += self._counted - before

    def end_epoch(self, stopped: bool) -> None:
        """End the epoch, which may have been shorter than it was said to be.

        Args:
            stopped: whether training was to stop, perhaps in its middle.
        """
        if not self._capped and self._in_epoch and not stopped:
            self._length = self._in_epoch
        share = min(self._in_epoch / self._length, 1.0) if stopped and self._length else 1.0
        self._epochs = (self._epochs or 0.0) + share
        self._in_epoch = 0

    def correct(self, steps: int) -> None:
        """Take the number of steps that the optimizer has taken, unless it takes none at all."""
        if self._fixed:
            return
        moved = steps - self._offset
        if moved > 0 or self._skips:
            self.step = self._start + max(moved, 0)
        self.step = self._corrected = max(self.step, self._corrected)
