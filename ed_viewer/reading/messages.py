"""Messages between the window and the reader thread: plain numpy data, no open files."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ed_core.recording import Event, Header

Arrays = dict[str, np.ndarray]
OVER = ("finished", "stopped", "crashed", "failed")
"""The states of a run whose training has ended."""
CHECKPOINT = "checkpoint"
_BEST = re.compile(r"the best(?: is that of step (\d+))?$")


def best_step(checkpoints: Sequence[Event]) -> int | None:
    """Return the step of the best checkpoint, from the last event that names it."""
    for event in reversed(checkpoints):
        if match := _BEST.search(event.text):
            return int(match[1] or event.step)
    return None


def last_kind(events: Sequence[Event], kinds: Sequence[str]) -> str:
    """Return the kind of the last event of these kinds, or ""."""
    return next((event.kind for event in reversed(events) if event.kind in kinds), "")


@dataclass(frozen=True, slots=True, eq=False)
class RunInfo:
    """Fixed facts of an opened run.

    Attributes:
        opening: which call of `Reader.open` this answers.
        path: the run folder or the segment file.
        header: what was fixed before the first frame.
        reference: the fixed batch, field to (samples, ...).
        info: content of `run.json`, {} for a single file.
    """

    opening: int
    path: Path
    header: Header
    reference: Mapping[str, np.ndarray]
    info: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """Request for some samples of several frames.

    Attributes:
        frames: their numbers; -1 where the run has none yet.
        samples: the numbers of the samples.
    """

    frames: tuple[int, ...]
    samples: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class FrameHistory:
    """Samples of several frames.

    Attributes:
        steps: (columns,) when each frame was taken, -1 where there is none.
        samples: the numbers of the samples that there are.
        arrays: (columns, samples, ...) each, NaN where there is no frame.
    """

    steps: np.ndarray
    samples: tuple[int, ...]
    arrays: Arrays


@dataclass(frozen=True, slots=True, eq=False)
class FrameRequest:
    """Request for a frame to draw; a newer request replaces it.

    Attributes:
        opening: of which run, as above.
        number: of the request.
        frame: its number.
        probes: to read.
        strips: earlier frames that stand beside it, by probe.
        follow: whether each newest frame is requested.
    """

    opening: int
    number: int
    frame: int
    probes: tuple[str, ...]
    strips: Mapping[str, HistoryRequest] = field(default_factory=dict)
    follow: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Answer to a request: arrays by probe and name, and the reasons for unreadable ones.

    `past` are the strips that were asked for, by probe.
    """

    request: FrameRequest
    arrays: Mapping[str, Arrays]
    damaged: Mapping[str, str] = field(default_factory=dict)
    past: Mapping[str, FrameHistory] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class RunProgress:
    """Progress of a run.

    Attributes:
        opening: which call of `Reader.open` this answers.
        steps, epochs, seconds: (frames,) when each frame was taken.
        scalars: the table as columns (rows,).
        state: `live`, `finished`, `crashed`, ...; see `ed_core.recording.Recording`.
        problem: what is wrong with the files, in one line, or "".
        newest: seconds since 1970 when the newest frame was written.
        events: what happened once: checkpoints, and changes made by hand.
        ahead: the newest frame, read in advance if the last request follows the run.
        unchecked: whether a part of it is from before all was under checksums.
        curves: the losses of every step as columns (rows,); empty where none were recorded.
        kept: the steps of the checkpoints still on disk, None if unknown.
    """

    opening: int
    steps: np.ndarray
    epochs: np.ndarray
    seconds: np.ndarray
    scalars: Mapping[str, np.ndarray]
    state: str
    problem: str
    newest: float
    events: tuple[Event, ...] = ()
    ahead: Frame | None = None
    unchecked: bool = False
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)
    kept: frozenset[int] | None = None

    @property
    def marks(self) -> tuple[Event, ...]:
        """The checkpoints still on disk and the changes made by hand, in their order.

        Of the checkpoints a run keeps a few; the best one may be of a step without an event.
        """
        if self.kept is None:
            return self.events
        saved = {event.step: event for event in self.events if event.kind == CHECKPOINT}
        others = [event for event in self.events if event.kind != CHECKPOINT]
        best = best_step(list(saved.values()))
        for step in self.kept:
            text = f"checkpoint at step {step}" + (", the best" if step == best else "")
            checkpoint = saved.get(step, Event(step, float("nan"), float("nan"), CHECKPOINT, text))
            others.append(replace(checkpoint, text=text))
        return tuple(sorted(others, key=lambda event: event.step))

    @property
    def live(self) -> bool:
        """Whether a process trains here now."""
        return self.state == "live"

    @property
    def over(self) -> bool:
        """Whether its training has ended, so that nothing more will come."""
        return self.state in OVER

    @property
    def paused(self) -> bool:
        """Whether its trainer waits because somebody asked it to."""
        return self.live and last_kind(self.events, ("pause", "resume", "start")) == "pause"


@dataclass(frozen=True, slots=True)
class RunEntry:
    """Entry of the list of runs.

    Attributes:
        info: what its `run.json` says, nothing where there is none that can be read.
    """

    path: Path
    state: str
    model: str
    data: str
    info: Mapping[str, Any] = field(default_factory=dict)

    @property
    def problem(self) -> str:
        """Why it failed, in one line, or ""."""
        return str(self.info.get("problem", "")) if self.state == "failed" else ""


@dataclass(frozen=True, slots=True)
class Lookback:
    """Request of a panel for earlier frames.

    Attributes:
        columns: maximum number of frames, the current one last.
        samples: the numbers of the samples that it draws of each.
    """

    columns: int
    samples: tuple[int, ...]


def spread(steps: np.ndarray, frame: int, columns: int) -> tuple[int, ...]:
    """Return frames from the first to `frame` whose steps are spread evenly, at most `columns`.

    Args:
        steps: (frames,) when each was taken, increasing.
        frame: the last that is returned.
        columns: where there are fewer frames, or two of them lie nearest to one place, fewer.
    """
    past_steps = np.asarray(steps[: frame + 1], np.float64)
    if not len(past_steps):
        return ()
    places = (
        np.linspace(past_steps[0], past_steps[-1], max(columns, 1))
        if columns > 1
        else past_steps[-1:]
    )
    after = np.searchsorted(past_steps, places).clip(
        1 if len(past_steps) > 1 else 0, len(past_steps) - 1
    )
    before = (after - 1).clip(0)
    nearest = np.where(places - past_steps[before] < past_steps[after] - places, before, after)
    return tuple(int(n) for n in np.unique(nearest))


def strips(
    lookbacks: Mapping[str, Lookback], frames: Callable[[int], Sequence[int]]
) -> dict[str, HistoryRequest]:
    """Return what is to be read, by probe; `frames` tells those of so many columns."""
    return {
        probe: HistoryRequest(tuple(frames(lookback.columns)), lookback.samples)
        for probe, lookback in lookbacks.items()
    }
