"""Two runs that are compared: where B stands beside A, and what is drawn and said of both.

No window and no thread here: who reads the runs and draws them sets `at`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from ed_viewer.compare.difference import Difference, difference_of, other_samples
from ed_viewer.reading.messages import CHECKPOINT, Frame, RunInfo
from ed_viewer.reading.run_names import title_of, what_differs
from ed_viewer.session.alignment import Alignment, RunView, Times, aligned, known_times, placed
from ed_viewer.stage.run_column import Heading
from ed_viewer.style.palette import Side
from ed_viewer.style.text import grouped, moment

_COLOURS = "Blue: lower than A; orange: higher."
_WAITING = "Waiting for its first frame …"
_EMPTY = "B has no frame."


@dataclass(frozen=True, slots=True, eq=False)
class RunPosition:
    """Where a run stands.

    Attributes:
        path: of the run, None for one that is not known yet.
        times: when its frames were taken, None while nothing is known.
        frame: the number of the one on show, None for none.
        live: whether more will come.
    """

    path: Path | None
    times: Times | None
    frame: int | None
    live: bool = False


@dataclass(frozen=True, slots=True)
class ComparisonMode:
    """How two runs are to be read.

    Attributes:
        options: of each run those that the other has not, in words.
        remark: on the samples of B, or "".
        signed: whether the difference B - A stands in the place of B.
        how: what the two have in common.
    """

    options: tuple[str, str]
    remark: str
    signed: bool
    how: Alignment


def headings_of(runs: Mapping[Side, RunPosition], reading: ComparisonMode) -> list[Heading]:
    """Return the headings of the runs A and B."""
    said = [reading.remark] if reading.remark else []
    said += [_COLOURS] if reading.signed else []
    shown = {side: _shown(run) for side, run in runs.items()}
    made = []
    for place, (side, run) in enumerate(runs.items()):
        path, other = run.path, runs[side.other].path
        title = title_of(path, other, reading.options[place]) if path else ""
        title = f"B \N{MINUS SIGN} A: {title}" if side is Side.B and reading.signed else title
        # Where B has a remark, A has an empty one: their panels are level.
        remark = (" ".join(said) if side is Side.B else "") if said else None
        point = _place(shown[Side.A], reading.how) if side is Side.B else -np.inf
        where = _where(shown[side], reading.how, point, run.live)
        made.append(Heading(side, title, where, remark))
    return made


def begins_later(times: Times) -> str:
    """Return what is said in place of run B where it has no frame yet."""
    return f"B starts later: its first frame is at step {grouped(int(times.steps[0]))}."


_Shown = tuple[Times, int] | None
"""When the frames of a run were taken, and which of them is on show."""


def _shown(run: RunPosition) -> _Shown:
    if run.times is None or run.frame is None or run.frame >= len(run.times.steps):
        return None
    return run.times, run.frame


def _place(shown: _Shown, how: Alignment) -> float:
    return float(shown[0].at(how)[shown[1]]) if shown else -np.inf


def _where(shown: _Shown, how: Alignment, point: float, live: bool) -> str:
    """Return which step a run shows, and whether it has none that is nearer to a later point."""
    if shown is None:
        return ""
    times, frame = shown
    place = _place(shown, how)
    said = [moment(int(times.steps[frame]), float(times.epochs[frame]))]
    if how is Alignment.SHARE:
        said.insert(0, f"{place:.0%}")
    if frame == len(times.steps) - 1 and place < point * (1 - 1e-9):
        said.append("newest frame" if live else "last frame")
    return " · ".join(said)


class Comparison:
    """Run A, which leads, and run B.

    Args:
        ours: run A.
        theirs: run B.
        how: what the two have in common.
        signed: whether the difference B - A is wanted in the place of B.

    Attributes:
        how, signed: as above; they may be changed.
        runs: by side, A and B.
        drawn: by side, which frames its panels on show are of: those that are still read are late.
        at: the frame where A is, -1 for none.
    """

    def __init__(
        self, ours: RunView, theirs: RunView, how: Alignment = Alignment.STEP, signed: bool = False
    ) -> None:
        self.runs = {Side.A: ours, Side.B: theirs}
        self.how, self.signed = how, signed
        self.drawn: dict[Side, set[int]] = {}
        self.at = -1
        self._relate = lru_cache(maxsize=1)(_relate)  # two batches are compared once

    def beside(self, frames: Iterable[int]) -> tuple[int, ...]:
        """Return the frames of B that stand beside those of A; -1 where B has none."""
        here, there = self._times
        if here is None or there is None:
            return tuple(-1 for _ in frames)
        return tuple(aligned(here, frame, there, self.how) for frame in frames)

    @property
    def found(self) -> int:
        """The frame of B that stands where A is, -1 for none."""
        return self.beside([self.at])[0]

    @property
    def late(self) -> bool:
        """Whether B begins later: what was drawn of it last, if anything, is of elsewhere."""
        here, there = self._times
        known = here is not None and there is not None and len(there.steps) > 0
        return known and self.at >= 0 and self.found < 0

    @property
    def notice(self) -> str:
        """What is said in the place of B while it has no frame where A is, else ""."""
        there = self._times[1]
        if there is not None and self.late:
            return begins_later(there)
        if self.found >= 0:
            return ""
        growth = self.runs[Side.B].growth
        over = growth is not None and growth.over and not len(growth.steps)
        return _EMPTY if over else _WAITING

    @property
    def subtracts(self) -> bool:
        """Whether the difference stands in the place of B: it is wanted, and both are known."""
        return self._subtracted is not None

    @property
    def run(self) -> RunInfo | None:
        """What the panels in the place of B are made for: run B, or its probes' differences."""
        subtracted = self._subtracted
        return self.runs[Side.B].run if subtracted is None else subtracted.run

    @property
    def frame(self) -> Frame | None:
        """What is to be drawn in the place of B; None for nothing, or nothing new."""
        return self.difference if self.subtracts else self.runs[Side.B].frame

    @property
    def difference(self) -> Frame | None:
        """B - A; None where it is not shown, or the two were not drawn at the same point yet."""
        (ours, theirs), subtracted = (run.frame for run in self.runs.values()), self._subtracted
        if ours is None or theirs is None or subtracted is None:
            return None
        (found,) = self.beside([ours.request.frame])  # either may be drawn before the other
        return subtracted.of(ours, theirs) if found == theirs.request.frame else None

    def shown(self, side: Side) -> Frame | None:
        """Return what is on show of a run, None for nothing."""
        return None if side is Side.B and self.late else self.runs[side].frame

    @property
    def headings(self) -> list[Heading]:
        """What stands above the panels of each."""
        related = self._related
        options, remark = (related.options, related.remark) if related else (("", ""), "")
        standing = {side: self._standing(side) for side in self.runs}
        return headings_of(standing, ComparisonMode(options, remark, self.signed, self.how))

    @property
    def marks(self) -> tuple[np.ndarray, np.ndarray]:
        """The steps of A beside which the frames and the checkpoints of B lie."""
        (here, there), growth = self._times, self.runs[Side.B].growth
        if here is None or there is None or growth is None or not len(there.steps):
            return np.empty(0), np.empty(0)
        steps = np.array([event.step for event in growth.marks if event.kind == CHECKPOINT], float)
        saved = Times(steps, np.interp(steps, there.steps, there.epochs), there.end)
        frames, kept = (placed(here, rows, self.how) for rows in (there, saved))
        return frames, kept

    @property
    def _times(self) -> tuple[Times | None, Times | None]:
        return known_times(self.runs[Side.A]), known_times(self.runs[Side.B])

    @property
    def _related(self) -> "_Related | None":
        ours, theirs = (known.run for known in self.runs.values())
        return None if ours is None or theirs is None else self._relate(ours, theirs)

    @property
    def _subtracted(self) -> Difference | None:
        related = self._related if self.signed else None
        return related.difference if related else None

    def _standing(self, side: Side) -> RunPosition:
        known, frame = self.runs[side], self.shown(side)
        number = frame.request.frame if frame else None
        if number is not None:
            number = min(self.drawn.get(side, set()) - {number}, default=number)
        live = known.growth is not None and known.growth.live
        return RunPosition(known.path, known_times(known), number, live)


@dataclass(frozen=True, slots=True, eq=False)
class _Related:
    """What follows from two runs together: it stays as it is while they grow."""

    difference: Difference
    options: tuple[str, str]
    remark: str


def _relate(ours: RunInfo, theirs: RunInfo) -> _Related:
    said = what_differs(ours, theirs)
    return _Related(difference_of(ours, theirs), said, other_samples(ours, theirs))
