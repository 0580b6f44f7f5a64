"""Checkpoints: everything that a bit-identical resume needs, the two newest and the best."""

import contextlib
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from ed_core.arrays_file import check_fit, read_arrays, read_facts, write_arrays
from ed_core.engine import randomness
from ed_core.errors import EdkitError, one_line
from ed_core.objective import log_names
from ed_core.submodels import to_numpy

KEEP = 2
BEST = "best.h5"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Position:
    """Where in the data a run is: `batch` batches of epoch `epoch` are done, `step` in all.

    `seconds` is the training time so far, `best` the lowest loss on held-out data. By hand may have
    been set `factor`, which multiplies the planned learning rate, and the weights of the heads
    `held`.
    """

    step: int
    epoch: int
    batch: int
    seconds: float = 0.0
    best: float | None = None
    factor: float = 1.0
    held: Sequence[str] = ()


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


def restore_checkpoint(folder: Path, objective: Any) -> Position:
    """Restore the newest checkpoint that can be read, and say where it stands in the data.

    A damaged one is passed over with a warning. Raises EdkitError if none is left.
    """
    return newest_that_reads(folder, lambda path: _restore(path, objective))


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
    found = [(int(path.stem), path) for path in newest_first(folder) if path.stem.isdecimal()]
    best = folder / BEST
    with contextlib.suppress(OSError, EdkitError):
        status = best.stat()
        found.append((_step_of(best, status.st_ino, status.st_mtime_ns), best))
    return sorted(found, key=lambda one: (abs(one[0] - step), -one[0]))


@lru_cache(maxsize=64)
def _step_of(path: Path, *identity: int) -> int:
    step = read_facts(path).get("step")
    if type(step) is not int:
        raise EdkitError(f"{str(path)!r} is not a checkpoint: it says no step.")
    return step


def _restore(path: Path, objective: Any) -> Position:
    arrays, facts = read_arrays(path)
    variables = _variables(objective)
    if len(arrays) - 1 < len(variables):
        variables = _variables(objective, earlier=True)
    check_fit(arrays[:-1], variables, path)
    # Checkpoints older than steering lack the last two.
    known = {name: facts[name] for name in Position.__slots__ if name in facts}
    try:
        position = Position(**known)
        if not 0 < position.factor < math.inf:
            raise ValueError(f"its factor is {position.factor}")
    except (TypeError, ValueError) as error:
        raise EdkitError(f"{str(path)!r} is not a checkpoint: {one_line(error)}.") from error
    for array, variable in zip(arrays, variables, strict=False):
        variable.assign(array)
    randomness.restore_global_state(arrays[-1])
    return position


def restore_weights(path: Path, objective: Any) -> None:
    """Restore the weights of the layers alone, for a model that is not to be trained on."""
    arrays, _ = read_arrays(path)
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
    left_out = {id(variable) for variable in _added(objective)} if earlier else set()
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
