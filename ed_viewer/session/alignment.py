"""Alignment of the frames of two runs. Numpy only, no Qt here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ed_viewer.reading.messages import Frame, RunInfo, RunProgress

_ROUNDING = 1e-9  # of the point: a share of training is a quotient, two equal ones may differ


class Alignment(Enum):
    """Quantity by which two runs are aligned; a single run may also be shown over time."""

    STEP = "step"
    EPOCH = "epoch"
    SHARE = "share"
    TIME = "time"


WAYS = (Alignment.STEP, Alignment.EPOCH, Alignment.SHARE)
"""By what two runs can be aligned."""


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Times of recorded rows, and the end of the training.

    Attributes:
        steps, epochs: (rows,) of frames or of scalars, in the order of the training.
        end: the epoch with which the training ends or has ended.
        seconds: (rows,) since the training began; empty if not needed.
    """

    steps: np.ndarray
    epochs: np.ndarray
    end: float
    seconds: np.ndarray = field(default_factory=lambda: np.empty(0))

    def at(self, how: Alignment) -> np.ndarray:
        """Return (rows,) the place of each: step, epoch, share of the training, or seconds."""
        if how is Alignment.STEP:
            return np.asarray(self.steps, np.float64)
        if how is Alignment.TIME:
            return np.asarray(self.seconds, np.float64)
        epochs = np.asarray(self.epochs, np.float64)
        return epochs if how is Alignment.EPOCH else epochs / self.end


def end_of(run: Mapping[str, Any], epochs: np.ndarray, live: bool) -> float:
    """Return the epoch with which a training ends: as planned while it is live, else its last.

    Args:
        run: the header's facts of the run; `total_epochs` or `epochs` is how many are planned.
        epochs: (frames,) of what has been recorded.
        live: whether more will come.
    """
    reached = np.asarray(epochs, np.float64)
    last = float(np.max(reached[np.isfinite(reached)], initial=0.0))
    planned = run.get("total_epochs") or run.get("epochs")
    if live and isinstance(planned, int | float) and np.isfinite(planned):
        last = max(last, float(planned))
    return last if last > 0 else 1.0


def times_of(run: RunInfo, growth: RunProgress) -> Times:
    """Return when the frames of a run were taken."""
    end = end_of(run.header.run, growth.epochs, growth.live)
    return Times(growth.steps, growth.epochs, end, growth.seconds)


def aligned(here: Times, frame: int, there: Times, how: Alignment) -> int:
    """Return the newest frame of `there` at or before the point where `frame` of `here` lies.

    -1 if there is none: `there` has no frame yet, its first one is later, or `frame` is none.
    """
    if not 0 <= frame < len(here.steps):
        return -1
    return newest(there.at(how), float(here.at(how)[frame]))


def placed(here: Times, there: Times, how: Alignment) -> np.ndarray:
    """Return the steps of `here` beside which the rows of `there` lie, increasing.

    Without rows that lie before the first or after the last one of `here`.
    """
    places_here, places = here.at(how), there.at(how)
    sure = np.isfinite(places_here)
    if not sure.any():
        return np.empty(0)
    steps = np.interp(places, places_here[sure], here.steps[sure], left=np.nan, right=np.nan)
    return np.sort(steps[np.isfinite(steps)])


def newest(places: np.ndarray, point: float) -> int:
    """Return the last row whose place (rows,) is at or before a point, -1 if there is none."""
    before = np.flatnonzero(places <= rounded_up(point))
    return int(before[-1]) if len(before) else -1


def rounded_up(point: float) -> float:
    """Add a tolerance so that points equal up to rounding compare as equal."""
    return point + _ROUNDING * abs(point)


class RunView(Protocol):
    """Protocol of a run's header and progress, either of which may be missing.

    Attributes:
        path: None before one was asked for.
        run, growth: None until they have been read.
        frame: what was drawn last, None for nothing.
    """

    @property
    def path(self) -> Path | None: ...  # noqa: D102

    @property
    def run(self) -> RunInfo | None: ...  # noqa: D102

    @property
    def growth(self) -> RunProgress | None: ...  # noqa: D102

    @property
    def frame(self) -> Frame | None: ...  # noqa: D102


def known_times(view: RunView) -> Times | None:
    """Return when the frames of a run were taken, None while nothing is known."""
    if view.run is None or view.growth is None:
        return None
    return times_of(view.run, view.growth)
