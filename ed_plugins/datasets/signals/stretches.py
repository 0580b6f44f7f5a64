"""Recordings as gapless stretches of signal (time, channels)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np

from ed_core import EdkitError
from ed_plugins.datasets.signals.clocks import Clock
from ed_plugins.datasets.table.csv_layout import Note, TextOptions

Missing = Literal["refuse", "drop", "fill", "mask"]
Channels = Literal["all", "mono", "first"]
Where = Callable[[int, int], tuple[str, str]]  # row and channel to their place and cell

_WAYS_OUT = (
    "missing=drop leaves such rows out, fill draws a straight line, mask keeps the gap as no target"
)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """Reading options of recordings; see the options of `signals`.

    `of_run` says that they are those of a run, which its user cannot change.
    """

    rate: int = 0
    channels: Channels = "all"
    columns: str = ""
    clock: str = ""
    missing: Missing = "refuse"
    gap: str = ""
    text: TextOptions = field(default_factory=TextOptions)
    of_run: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """Consecutive samples without a gap.

    Args:
        samples: (time, channels), float32, or float64 if float32 would lose changes.
        start: time of the first sample.
        step: between two samples, without a clock.
        clock: (time,), time of each sample.
    """

    samples: np.ndarray
    start: float = 0.0
    step: float = 1.0
    clock: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.samples)

    def part(self, first: int, last: int) -> "Stretch":
        """Return the samples from `first` to before `last`."""
        clock = None if self.clock is None else self.clock[first:last]
        return Stretch(self.samples[first:last], self.start + first * self.step, self.step, clock)

    def times(self, rows: np.ndarray) -> np.ndarray:
        """Return the times of some samples, float64."""
        return self.start + rows * self.step if self.clock is None else self.clock[rows]


@dataclass(frozen=True, slots=True)
class SignalRecording:
    """Recording of one file.

    Args:
        path: of it.
        stretches: of its signal.
        names: of the channels, "" if they have none.
        rate: samples a second; 0 if unknown.
        step: between two samples, in the unit of its clock.
        unit: of its times, "s" or "".
        depth: type of a WAV file's numbers, in words.
        whole: whether they were whole numbers of a WAV file.
        notes: what was inferred and left out.
        labels: names of the channels of a table for option `columns`.
        numbers: of its columns in the file, from 1.
    """

    path: Path
    stretches: tuple[Stretch, ...]
    names: tuple[str, ...]
    rate: int = 0
    step: float = 0.0
    unit: str = ""
    depth: str = ""
    whole: bool = False
    notes: tuple[Note, ...] = ()
    labels: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()

    def __len__(self) -> int:
        return sum(map(len, self.stretches))


def stretches_of(
    path: Path, whole: Stretch, missing: Missing, where: Where, notes: list[Note]
) -> list[Stretch]:
    """Return the signal cut at the gaps of its clock and, if `missing` says so, of its numbers."""
    cuts: list[int] = []
    if whole.clock is not None:
        cuts = Clock("", whole.clock).breaks().tolist()
        text = "{n} of the clock, which no window crosses"
        if cuts:
            notes.append(("gaps", text, "clock=none", len(cuts), False))
    gaps = ~np.isfinite(whole.samples)
    if not gaps.any():
        return _cut(whole, cuts)
    if missing == "refuse":
        raise _not_finite(path, gaps, where)
    whole.samples[gaps] = np.nan
    rows = gaps.any(axis=1)
    count = int(gaps.sum())
    if missing == "fill":
        _fill(whole, gaps)
        text = "filled by straight lines: {n}"
        notes.append(("gaps", text, "missing=refuse", count, False))
    elif missing == "mask":
        notes.append(("gaps", "kept as gaps: {n}", "missing=refuse", count, False))
    else:
        notes.append(
            ("rows", "with a gap, which no window crosses", "missing=fill", int(rows.sum()), True)
        )
        edges = np.flatnonzero(np.diff(rows)) + 1
        return [
            part
            for part in _cut(whole, sorted({*cuts, *edges.tolist()}))
            if not np.isnan(part.samples[0]).any()
        ]
    return _cut(whole, cuts)


def _cut(whole: Stretch, cuts: Sequence[int]) -> list[Stretch]:
    edges = [0, *cuts, len(whole)]
    return [whole.part(a, b) for a, b in pairwise(edges) if b > a]


def _fill(whole: Stretch, gaps: np.ndarray) -> None:
    """Replace missing numbers by linear interpolation over time."""
    times = whole.times(np.arange(len(whole)))
    if (np.diff(times) < 0).any():  # a clock that goes back
        times = np.arange(len(whole))
    for channel in np.flatnonzero(gaps.any(axis=0)):
        there = ~gaps[:, channel]
        valid = whole.samples[there, channel]
        if valid.size:
            filled = np.interp(times[~there], times[there], valid)
            whole.samples[~there, channel] = filled


def _not_finite(path: Path, wrong: np.ndarray, where: Where) -> EdkitError:
    row, column = (int(one) for one in np.argwhere(wrong)[0])
    place, cell = where(row, column)
    count = int(wrong.any(axis=1).sum())
    cell_text = repr(cell[:40]) if cell else "an empty cell"
    most = count > len(wrong) / 2
    rest = "take other columns; missing=fill draws straight lines, mask keeps gaps as no target"
    return EdkitError(
        f"{str(path)!r}, {place}: expected a finite number{' up to 3.4e38' * _is_number(cell)}, "
        f"found {cell_text}, and so in {count:,} of {len(wrong):,} rows: "
        f"{rest if most else _WAYS_OUT}."
    )


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False
