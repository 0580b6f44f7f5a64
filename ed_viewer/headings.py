"""What stands above the panels of two runs: their names, and the steps that they really show."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ed_viewer.alignment import Alignment, Times
from ed_viewer.run_title import title_of
from ed_viewer.side import Heading
from ed_viewer.widgets.text import grouped, moment

_COLOURS = "Blue: lower than A; orange: higher."


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
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
class Reading:
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


def headings_of(runs: Mapping[str, Standing], reading: Reading) -> list[Heading]:
    """Return the headings of the runs "A" and "B"."""
    said = [reading.remark] if reading.remark else []
    said += [_COLOURS] if reading.signed else []
    shown = {side: _shown(run) for side, run in runs.items()}
    made = []
    for place, (side, run) in enumerate(runs.items()):
        path, other = run.path, runs["B" if side == "A" else "A"].path
        title = title_of(path, other, reading.options[place]) if path else ""
        title = f"B \N{MINUS SIGN} A: {title}" if side == "B" and reading.signed else title
        # Where B has a remark, A has an empty one: their panels are level.
        remark = (" ".join(said) if side == "B" else "") if said else None
        point = _place(shown["A"], reading.how) if side == "B" else -np.inf
        where = _where(shown[side], reading.how, point, run.live)
        made.append(Heading(side, title, where, remark))
    return made


def begins_later(times: Times) -> str:
    """Return what is said in place of run B where it has no frame yet."""
    return f"B starts later: its first frame is at step {grouped(int(times.steps[0]))}."


_Shown = tuple[Times, int] | None
"""When the frames of a run were taken, and which of them is on show."""


def _shown(run: Standing) -> _Shown:
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
