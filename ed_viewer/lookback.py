"""Which earlier frames stand beside the one on show, as a panel wants them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ed_viewer.messages import Strip


@dataclass(frozen=True, slots=True)
class Lookback:
    """What a panel wants.

    Attributes:
        columns: frames at most, that on show is the last of them.
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
    known = np.asarray(steps[: frame + 1], np.float64)
    if not len(known):
        return ()
    places = np.linspace(known[0], known[-1], max(columns, 1)) if columns > 1 else known[-1:]
    after = np.searchsorted(known, places).clip(1 if len(known) > 1 else 0, len(known) - 1)
    before = (after - 1).clip(0)
    nearest = np.where(places - known[before] < known[after] - places, before, after)
    return tuple(int(n) for n in np.unique(nearest))


def strips(
    lookbacks: Mapping[str, Lookback], frames: Callable[[int], Sequence[int]]
) -> dict[str, Strip]:
    """Return what is to be read, by probe; `frames` tells those of so many columns."""
    return {
        probe: Strip(tuple(frames(wanted.columns)), wanted.samples)
        for probe, wanted in lookbacks.items()
    }
