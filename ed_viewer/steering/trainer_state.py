"""State of a run's trainer, and requests that it has not carried out yet. No Qt here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import nan

import numpy as np

from ed_core.recording import Event
from ed_core.recording.control import Request
from ed_viewer.reading.messages import RunInfo, RunProgress, last_kind

_REASONS = {
    "finished": "This run has finished.",
    "stopped": "This run was stopped. It can be resumed.",
    "failed": "This run has failed.",
    "crashed": "This run crashed: its process is gone. It can be resumed.",
    "unknown": "run.json is damaged; steering is off.",
}
_MAX_HEADS = 100  # that get a field


@dataclass(frozen=True, slots=True)
class TrainerState:
    """State of a training.

    Attributes:
        reason: why it cannot be steered, for people, or "".
        paused: whether it waits to be resumed.
        stopping: whether it stops after the epoch.
        rate: the present learning rate; nan while it is not known.
        weights: head to its present weight lambda.
    """

    reason: str = "No run is open."
    paused: bool = False
    stopping: bool = False
    rate: float = nan
    weights: Mapping[str, float] = field(default_factory=dict)


def trainer_of(run: RunInfo | None, growth: RunProgress | None) -> TrainerState:
    """Return how the training of the open run stands."""
    if run is None or growth is None:
        live = growth is not None and growth.live
        return TrainerState("This run has not started yet." if live else "No run is open.")
    reason = _REASONS.get(growth.state, "")
    if not reason and run.header.run.get("steerable") is not True:
        reason = "Steering is off: only runs of edkit train can be steered."
    heads = run.header.run.get("heads")
    names = [name for name in heads if isinstance(name, str)] if isinstance(heads, list) else []
    return TrainerState(
        reason,
        growth.paused,
        growth.live and last_kind(growth.events, ("stop", "start")) == "stop",
        _newest(growth.scalars, "learning_rate"),
        {name: _newest(growth.scalars, f"{name}_weight") for name in names[:_MAX_HEADS]},
    )


class Waiting:
    """Requests of this window that the trainer has not carried out yet."""

    def __init__(self) -> None:
        self._asked: dict[str, tuple[Request, int]] = {}

    def add(self, request: Request, events: Sequence[Event]) -> None:
        """Wait for a request that was made when these events had happened."""
        self._asked[_about(request)] = (request, len(events))

    def drop(self, request: Request) -> None:
        """Wait no longer for a request: it could not be made."""
        self._asked.pop(_about(request), None)

    def clear(self) -> None:
        """Wait for nothing: there is another trainer, or none."""
        self._asked = {}

    def see(self, events: Sequence[Event]) -> None:
        """Wait no longer for what has happened since it was asked for."""
        self._asked = {
            about: (request, count)
            for about, (request, count) in self._asked.items()
            if not any(_answers(event, request) for event in events[count:])
        }

    def get(self, about: str) -> Request | None:
        """Return what waits: `pause` or resume, `stop`, `save`, `learning_rate`, `weight NAME`."""
        return self._asked[about][0] if about in self._asked else None

    def __bool__(self) -> bool:
        return bool(self._asked)


def _about(request: Request) -> str:
    if request.kind == "weight":
        return f"weight {request.head}"
    return "pause" if request.kind == "resume" else request.kind


def _answers(event: Event, request: Request) -> bool:
    if event.kind != request.kind:
        return False
    # `weight of NAME 1 -> 4`
    return request.head is None or event.text.rsplit(" ", 3)[0] == f"weight of {request.head}"


def _newest(scalars: Mapping[str, np.ndarray], name: str) -> float:
    """Return the last value of a column (rows,) that is known, or nan."""
    column = scalars.get(name, np.empty(0))
    finite_rows = np.flatnonzero(np.isfinite(column))
    return float(column[finite_rows[-1]]) if len(finite_rows) else nan
