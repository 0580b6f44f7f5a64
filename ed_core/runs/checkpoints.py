"""Checkpoints: everything that a bit-identical resume needs, the two newest and the best."""

import contextlib
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import keras
import numpy as np

from ed_core.engine import randomness
from ed_core.errors import EdkitError, one_line, unknown
from ed_core.nn.objective import log_names
from ed_core.nn.submodels import to_numpy
from ed_core.recording.run_description import NUMBER, STEPS, TEXTS, KeyRule
from ed_core.runs.weights_file import check_fit, read_arrays, read_facts, write_arrays

KEEP = 2
BEST = "best.h5"
T = TypeVar("T")

_FACTS = {
    "step": STEPS,
    "epoch": STEPS,
    "batch": STEPS,
    "seconds": KeyRule("a number of 0 or more", lambda v: NUMBER.fits(v) and 0 <= v < math.inf),
    "best": KeyRule(
        "null or a number", lambda v: v is None or (NUMBER.fits(v) and abs(v) < math.inf)
    ),
    "factor": KeyRule("a number above 0", lambda v: NUMBER.fits(v) and 0 < v < math.inf),
    "held": TEXTS,
    "unwritten": KeyRule("a list of steps", lambda v: isinstance(v, list), STEPS),
}
_NEEDED = ("step", "epoch", "batch")


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the data a run is: `batch` batches of epoch `epoch` are done, `step` in all.

    `seconds` is the training time so far, `best` the lowest loss on held-out data. By hand may have
    been set `factor`, which multiplies the planned learning rate, and the weights of the heads
    `held`. `unwritten` are the steps of frames that were not on the disk yet.
    """

    step: int
    epoch: int
    batch: int
    seconds: float = 0.0
    best: float | None = None
    factor: float = 1.0
    held: Sequence[str] = ()
    unwritten: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A checkpoint that is not written yet.

    Args:
        arrays: all that a resume needs, in the order of a checkpoint.
        position: where in the data.
    """

    arrays: list[np.ndarray]
    position: Position

    def write(self, path: Path) -> None:
        """Write the checkpoint, whole."""
        facts = {name: getattr(self.position, name) for name in Position.__slots__}
        write_arrays(path, self.arrays, facts)


def take_snapshot(objective: Any, position: Position) -> Snapshot:
    """Return a copy of all that a resume needs."""
    arrays = [to_numpy(variable) for variable in _variables(objective)]
    return Snapshot([*arrays, randomness.global_state()], position)


def save_checkpoint(folder: Path, objective: Any, position: Position) -> Path:
    """Write a checkpoint and delete all but the newest two; the best one has a name of its own."""
    path = folder / f"{position.step:09d}.h5"
    take_snapshot(objective, position).write(path)
    left_by_kills = folder.glob(".*.part")
    for old in (*newest_first(folder)[KEEP:], *left_by_kills):
        old.unlink(missing_ok=True)
    return path


def restore_checkpoint(
    folder: Path, objective: Any, batches: int | None = None, epochs: int | None = None
) -> Position:
    """Restore the newest checkpoint that can be read, and say where it stands in the data.

    One that is damaged, or contradicts itself, is passed over with a warning.

    Args:
        folder: of the checkpoints.
        objective: the compiled model.
        batches: of an epoch, where that is known.
        epochs: of the training, where that is known.

    Raises:
        EdkitError: none is left.
    """
    return newest_that_reads(folder, lambda path: _restore(path, objective, batches, epochs))


def newest_that_reads(folder: Path, restore: Callable[[Path], T]) -> T:
    """Return what `restore` returns of the newest checkpoint for which it raises no EdkitError."""
    for path in newest_first(folder):
        try:
            return restore(path)
        except EdkitError as error:
            warnings.warn(f"{error} Going back to the checkpoint before it.", stacklevel=3)
    raise EdkitError(f"{str(folder)!r} holds no checkpoint that can be read; train a new run.")


def newest_first(folder: Path) -> list[Path]:
    """Return the checkpoints of a folder by their step, the newest first."""
    return sorted(folder.glob("[0-9]*.h5"), reverse=True)


def nearest_first(folder: Path, step: int) -> list[tuple[int, Path]]:
    """Return (step, file) of the checkpoints and the best one, the nearest to a step first.

    A trainer may replace any of them at any moment: whoever reads one takes the next if it fails.
    """
    checkpoints = [(int(path.stem), path) for path in newest_first(folder) if path.stem.isdecimal()]
    best = folder / BEST
    with contextlib.suppress(OSError, EdkitError):
        status = best.stat()
        checkpoints.append((_step_of(best, status.st_ino, status.st_mtime_ns), best))
    return sorted(checkpoints, key=lambda one: (abs(one[0] - step), -one[0]))


@lru_cache(maxsize=64)
def _step_of(path: Path, *identity: int) -> int:
    return position_of(read_facts(path), path).step


def position_of(facts: Mapping[str, Any], path: Path) -> Position:
    """Return where in the data a checkpoint says it stands; it must agree with its name.

    Args:
        facts: of the file.
        path: `<step>.h5`, or the best one's.

    Raises:
        EdkitError: it does not say where, or contradicts itself.
    """
    for name, entry in _FACTS.items():
        # Checkpoints of earlier versions lack the last three.
        needed = name in facts or name in _NEEDED
        if needed and (fault := entry.fault(name, facts.get(name))):
            raise EdkitError(f"{str(path)!r} is not a checkpoint: {fault}.")
    position = Position(**{name: facts[name] for name in _FACTS if name in facts})
    if path.name != BEST and path.stem != f"{position.step:09d}":
        raise EdkitError(
            f"{str(path)!r} is not a checkpoint: it says step {position.step}, its name another."
        )
    return position


def _check_position(position: Position, path: Path, batches: int, epochs: int) -> None:
    """Raise EdkitError unless a step stands at this batch and epoch of a training."""
    step, epoch, batch = position.step, position.epoch, position.batch
    if batch >= batches or step != epoch * batches + batch or step > epochs * batches:
        raise EdkitError(
            f"{str(path)!r} is not a checkpoint of this run: it says step {step}, epoch {epoch} "
            f"and batch {batch}, expected up to {epochs} epochs of {batches} batches."
        )


def _check_steps(path: Path, step: int, optimizer: Any, stored: Mapping[int, Any]) -> None:
    """Raise EdkitError where an optimizer has taken more steps, or fewer, than were done.

    Args:
        path: of the checkpoint.
        step: how many were done.
        optimizer: of the model.
        stored: the identity of a variable to what the checkpoint holds of it.
    """
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)  # it leaves steps out
    for variable in optimizer.variables:
        if variable.name != "iteration" or id(variable) not in stored:
            continue
        taken = int(stored[id(variable)])
        if taken > step or (taken != step and not scaled) or taken < 0:
            raise EdkitError(
                f"{str(path)!r} is not a checkpoint: it says step {step}, but its optimizer has "
                f"taken {taken}."
            )


def _restore(path: Path, objective: Any, batches: int | None, epochs: int | None) -> Position:
    arrays, facts = read_arrays(path)
    position = position_of(facts, path)
    variables = _variables(objective)
    if len(arrays) - 1 < len(variables):
        variables = _variables(objective, earlier=True)
    measured = {id(variable) for variable in objective.metrics_variables}
    check_fit(arrays[:-1], variables, path, measured)
    if batches is not None and epochs is not None:
        _check_position(position, path, batches, epochs)
    stored = {id(v): array for v, array in zip(variables, arrays, strict=False)}
    _check_steps(path, position.step, objective.optimizer, stored)
    for name in position.held:
        if name not in objective.head_weights:
            raise unknown(f"head in {str(path)!r}:", name, objective.head_weights)
    try:
        for array, variable in zip(arrays, variables, strict=False):
            variable.assign(array)
        randomness.restore_global_state(arrays[-1])
    except Exception as error:  # a backend may refuse the numbers in any way
        raise EdkitError(f"{str(path)!r} is not a checkpoint: {one_line(error)}.") from error
    return position


def restore_weights(path: Path, objective: Any) -> None:
    """Restore the weights of the layers alone, for a model that is not to be trained on."""
    arrays, facts = read_arrays(path)
    position_of(facts, path)
    variables = objective.layer_weights
    check_fit(arrays[: len(variables)], variables, path)
    for array, variable in zip(arrays, variables, strict=False):
        variable.assign(array)


def _variables(objective: Any, earlier: bool = False) -> list[Any]:
    """Return the layers' weights, then head weights, seed states, optimizer slots and metrics.

    Args:
        objective: the model.
        earlier: leave out what checkpoints of before format 2 lack.
    """
    every = [
        *objective.layer_weights,
        *objective.variables,
        *objective.optimizer.variables,
        *objective.metrics_variables,
    ]
    left_out = {id(variable) for variable in objective.step_losses.variables}  # they are fetched
    left_out |= {id(variable) for variable in _added(objective)} if earlier else set()
    return [v for v in {id(v): v for v in every}.values() if id(v) not in left_out]


def _added(objective: Any) -> list[Any]:
    """Return the variables that checkpoints of before format 2 lack, which then start anew.

    They are those of the whole loss, and of heads that count for a part of the training only.
    """
    heads = [head for head in objective.heads if head.until < 1]
    trackers = [objective.trackers[name] for head in heads for name in log_names(head)]
    weights = [objective.head_weights[head.name] for head in heads]
    added = [objective.total, *trackers]
    return [*weights, *(variable for tracker in added for variable in tracker.variables)]
