"""Callbacks of `train`: data order, head weights, checkpoints and stopping."""

import math
import time
import warnings
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from ed_core.data.batches import Batches
from ed_core.engine import randomness, tuning
from ed_core.errors import EdkitError
from ed_core.nn.optimizers import step_at
from ed_core.nn.submodels import to_numpy, weights_sum
from ed_core.plugins.spec import Head
from ed_core.runs.checkpoints import (
    BEST,
    Position,
    Snapshot,
    newest_first,
    save_checkpoint,
    take_snapshot,
)
from ed_core.training.stop_signal import StopSignal

Note = Callable[[str, str], None]

_SHARE = 50  # at least this many times what a checkpoint costs passes until the next
_PAUSE = 1.0  # seconds, at least, from checkpoint to checkpoint
_PATIENCE = 5.0  # seconds that a checkpoint waits for the frames before it
_LOOK = 0.2  # seconds between two looks at the loss, each of which waits for the device


class Interrupted(Exception):  # noqa: N818 - it is no error
    """Training was asked to stop, and has saved a checkpoint.

    Args:
        signal_number: of the signal that asked, 0 if a person did who steers it.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__("training was stopped; it can be resumed")
        self.signal_number = signal_number


class DivergedError(EdkitError):
    """The loss is no longer finite."""

    status = 3
    advice = "lower --learning-rate, or look at the data. The checkpoints before it are kept."


class Order(keras.callbacks.Callback):
    """Gives every epoch its order, and a resumed epoch the metrics that it had when it stopped."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches
        self.start_within(0, None)

    def start_within(self, start: int, objective: Any | None) -> None:
        """Begin the next epoch at batch `start`, with the metrics that `objective` holds now."""
        self._start = self.batches.start = start
        self._metrics = [to_numpy(v) for v in objective.metrics_variables] if objective else []
        self._random = randomness.global_state() if objective else None

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Set the order; `fit` has just reset the metrics."""
        self.batches.begin_epoch(epoch, self._start)
        for variable, value in zip(self.model.metrics_variables, self._metrics, strict=False):
            variable.assign(value)

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Take back what torch's data loader drew to begin a resumed epoch a second time."""
        if batch == 1:  # TensorFlow has set limits of its own with the first batch
            tuning.tune_allocator()
        if self._random is not None:
            randomness.restore_global_state(self._random)
            self._random = None


@dataclass(frozen=True, slots=True)
class WeightSchedule:
    """The weight of a head by step: 0, then a rise in proportion to lambda, then 0 again.

    Args:
        weight: lambda.
        rise: steps over which the weight rises to it.
        begin: the first step at which the head counts.
        end: the first step at which it counts no more.
    """

    weight: float
    rise: float = 0.0
    begin: int = 0
    end: float = math.inf

    def __call__(self, step: int) -> float:
        """Return the weight of a step; it follows from the step alone, so a resume finds it."""
        if not self.begin <= step < self.end:
            return 0.0
        risen = min((step - self.begin) / self.rise, 1.0) if self.rise else 1.0
        return self.weight * risen


def weight_schedules(
    heads: Sequence[Head], weights: Mapping[str, float], rises: Mapping[str, float], steps: int
) -> dict[str, WeightSchedule]:
    """Return the schedules of those heads whose weight changes in a training, by name.

    Args:
        heads: of the model.
        weights: head to lambda.
        rises: head to the steps over which its weight rises, where it does.
        steps: of the training in all.
    """
    ends = {head.name: step_at(head.until, steps) for head in heads if head.until < 1}
    schedules = {
        head.name: WeightSchedule(
            weights[head.name],
            rises.get(head.name, 0.0),
            ends.get(head.after, 0),
            ends.get(head.name, math.inf),
        )
        for head in heads
    }
    return {name: one for name, one in schedules.items() if one != WeightSchedule(one.weight)}


class WarmUp(keras.callbacks.Callback):
    """Lets the weights of some heads follow their schedules.

    Args:
        schedules: head to its schedule.
        step: the step to begin at.
    """

    def __init__(self, schedules: Mapping[str, WeightSchedule], step: int) -> None:
        super().__init__()
        self.schedules = dict(schedules)
        self._step = step
        self._weights: dict[str, float] = {}

    @property
    def changes(self) -> set[float]:
        """The steps at which a head begins to count, or ceases to."""
        return {step for one in self.schedules.values() for step in (one.begin, one.end)}

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Set, for the step that begins, the weights that differ from those of the last one."""
        for name, schedule in self.schedules.items():
            weight = schedule(self._step)
            if self._weights.get(name) != weight:  # on jax, touching the model fetches it
                self.model.head_weights[name].assign(weight)
                self._weights[name] = weight
        self._step += 1


class Checkpointer(keras.callbacks.Callback):
    """Saves checkpoints often enough to lose little and seldom enough to cost little.

    Training ends where the loss is no longer finite. It is looked at now and then, and before
    anything is saved; no step hides that of another, since what is logged is the mean of an epoch.

    Args:
        folder: of the checkpoints.
        position: where training begins.
        batches_per_epoch: steps an epoch.
        note: is told of every checkpoint: its kind of event and a text for people.
        stop: the signal that asks to stop.
        settled: the weights that hold at the end of the training, head to lambda. The best epoch is
            that with the lowest loss at these: while a weight rises, the loss itself would make
            early epochs look best.
        changes: the steps from which on the objective has other terms; the best is looked for anew
            there, since losses of different terms do not compare.
        settle: waits so many seconds at most until all recorded frames are on the disk, and returns
            the steps of those that are not. A resume would not take them again.

    Attributes:
        factor, held: what was set by hand; see `Position`.
        weights_sum: a sum over the weights of the layers when training ended.
    """

    lazy_logs = True

    def __init__(
        self,
        folder: Path,
        position: Position,
        batches_per_epoch: int,
        note: Note,
        stop: StopSignal,
        *,
        settled: Mapping[str, float],
        changes: Container[float] = (),
        settle: Callable[[float], Sequence[int]] = lambda seconds: (),
    ) -> None:
        super().__init__()
        self.folder = folder
        self.weights_sum = ""
        self._settled = settled
        self._changes = changes
        self._settle = settle
        self._snapshot: Snapshot | None = None
        self._note = note
        self._stop = stop
        self.factor = position.factor
        self.held = set(position.held)
        self._batches = batches_per_epoch
        self._best = position.best
        self._step = self._finite = position.step
        self._logs: Mapping[str, float] = {}
        self._saved = -1
        self._missing = False  # whether the last checkpoint could not be written
        self._began = time.monotonic() - position.seconds
        self._next = self._next_best = time.monotonic() + _PAUSE
        self._next_look = 0.0

    @property
    def step(self) -> int:
        """How many steps are done in all."""
        return self._step

    @property
    def stop_asked(self) -> bool:
        """Whether a signal asks to stop."""
        return self._stop.number != 0

    @property
    def at_epoch_end(self) -> bool:
        """Whether the step that was done is the last of its epoch."""
        return self._step % self._batches == 0

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Save if it is time, or if asked to stop; give up when the loss is not finite."""
        if self._step in self._changes:
            self.forget_best()
        self._step += 1
        self._logs = logs or {}
        if self.at_epoch_end or time.monotonic() >= self._next_look:
            self._check_loss()
        # The last batch of an epoch is left to on_epoch_end, after the validation.
        if not self.at_epoch_end and (self.stop_asked or time.monotonic() >= self._next):
            self._save()
            self.stop_if_asked()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Keep the best of all epochs; save if it is time."""
        loss = self._comparable(logs or {})
        if loss < (math.inf if self._best is None else self._best):
            self._best = loss
            self._snapshot = take_snapshot(self.model, self._position())
        # Not `_next`, which the saves within an epoch would put off for ever.
        if self.stop_asked or time.monotonic() >= self._next_best:
            self._save()
            self._next_best = self._next
            self.stop_if_asked()

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Save where training ended, so that it can go on from there."""
        if self._saved != self._step:
            self._save()
        self.weights_sum = weights_sum(self.model)

    def forget_best(self) -> None:
        """Look for the best epoch anew: the terms of the loss weigh otherwise from here on."""
        self._best = self._snapshot = None

    def save(self) -> None:
        """Save now, between two steps."""
        self._save()

    def stop_if_asked(self) -> None:
        """Stop here if a signal has asked for it."""
        if self.stop_asked:
            self.stop()

    def stop(self) -> None:
        """Stop here, with a checkpoint of what was done; raises Interrupted."""
        if self._saved != self._step:
            self.save()
        raise Interrupted(self._stop.number)

    def _check_loss(self) -> None:
        """Raise DivergedError, with its step, where a loss since the last look is not finite."""
        logs, self._logs = self._logs, {}
        loss, step = logs.get("loss", 0.0), self._step
        if not math.isfinite(loss):
            losses = self.model.step_losses.newest(self._step - self._finite)[:, 0]
            if (bad := ~np.isfinite(losses)).any():
                first = int(bad.argmax())
                loss, step = float(losses[first]), self._step - len(losses) + first + 1
            raise DivergedError(f"the loss is {loss} after step {step}: {DivergedError.advice}")
        self._finite = self._step
        self._next_look = time.monotonic() + _LOOK

    def _comparable(self, logs: Mapping[str, float]) -> float:
        """Return the loss on the validation split at the weights that hold in the end."""
        loss = logs.get("val_loss", math.inf)
        for name, weight in self.model.head_weights.items():
            if name not in self.held:
                now = float(to_numpy(weight))
                loss += (self._settled.get(name, now) - now) * logs.get(f"val_{name}_loss", 0.0)
        return float(loss)

    def _position(self, unwritten: Sequence[int] = ()) -> Position:
        return Position(
            self._step,
            self._step // self._batches,
            self._step % self._batches,
            time.monotonic() - self._began,
            self._best,
            self.factor,
            sorted(self.held),
            list(unwritten),
        )

    def _save(self) -> None:
        """Write a checkpoint, and the best one where that is a new one."""
        self._check_loss()
        start = time.monotonic()
        best, self._snapshot = self._snapshot, None
        try:
            self.folder.mkdir(exist_ok=True)
            if best is not None:  # before the checkpoint that says how good it is
                best.write(self.folder / BEST)
            position = self._position(self._settle(_PATIENCE))
            save_checkpoint(self.folder, self.model, position)
            self._saved = self._step
            text = f"checkpoint at step {self._step}"
            if best is not None:
                last = best.position.step == self._step
                text += ", the best" if last else f"; the best is that of step {best.position.step}"
            self._note("checkpoint", text)
        except OSError as error:
            self._snapshot = best
            self._missed(error)
        else:
            self._missing = False
        now = time.monotonic()
        self._next = now + max(_PAUSE, _SHARE * (now - start))

    def _missed(self, error: OSError) -> None:
        """Warn once that no checkpoint can be written; raises EdkitError if the run is gone."""
        if not self.folder.parent.is_dir():
            raise EdkitError(
                f"the run folder {str(self.folder.parent)!r} was removed: training ended at step "
                f"{self._step}, and nothing of it is kept."
            ) from error
        if not self._missing:
            earlier = "; the one before it is kept" if newest_first(self.folder) else ""
            warnings.warn(
                f"no checkpoint could be written at step {self._step}: {error.strerror}{earlier}; "
                "training goes on and tries again, but says so once.",
                stacklevel=3,
            )
        self._missing = True
