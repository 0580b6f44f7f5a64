"""What the curves of a run are drawn from. No Qt here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ed_viewer.alignment import Alignment, Times, rounded_up, times_of
from ed_viewer.messages import Growth, RunInfo

LINE = 2000  # columns of a plot: more than it has pixels
MARKERS = 200  # of a plot with markers, which would lie on one another


def curves_of(scalars: Sequence[str], heads: Sequence[str]) -> list[str]:
    """Return the scalars that get a plot: the total, the heads' losses, then the metrics.

    Weights stand in the title of their head, validation in the plot of its training curve.
    """
    hidden = ("val_", "weighted_")
    told = ("learning_rate", "dropped_frames")  # elsewhere
    names = [s for s in scalars if not s.startswith(hidden) and not s.endswith("_weight")]
    first = [n for n in ("loss", *(f"{head}_loss" for head in heads)) if n in names]
    rest = [n for n in names if n not in (*first, *told)]
    only_validated = [
        s for s in scalars if s.startswith("val_") and s.removeprefix("val_") not in scalars
    ]
    return first + rest + only_validated


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The scalars of a run.

    Attributes:
        places: (rows,) where each row lies on the axis: its step, epoch or share of the training.
        columns: (rows,) the values by name.
    """

    places: np.ndarray
    columns: Mapping[str, np.ndarray]
    _known: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def known(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return places and values, (known,) each, of the rows in which a scalar is known."""
        if name not in self._known:
            values = self.columns.get(name, np.full(len(self.places), np.nan))
            rows = np.isfinite(values) & np.isfinite(self.places)
            self._known[name] = self.places[rows], values[rows]
        return self._known[name]

    def at(self, name: str, place: float) -> float:
        """Return the last value that was known at a place, NaN if none was."""
        places, values = self.known(name)
        row = int(np.searchsorted(places, rounded_up(place), side="right")) - 1
        return float(values[row]) if row >= 0 else float("nan")

    def diverged(self, name: str, place: float) -> bool:
        """Tell whether a scalar of the training is NaN or infinite at a place.

        NaN stands as well in a row that leaves a scalar out. After the first step, none leaves out
        the total loss: a scalar is really NaN where that is NaN as well.
        """
        row = int(np.searchsorted(self.places, rounded_up(place), side="right")) - 1
        if row < 0 or not {name, "loss"} <= self.columns.keys():
            return False
        value, total = self.columns[name][row], self.columns["loss"][row]
        lost = np.isnan([value, total]).all() and np.isfinite(self.at("loss", place))
        return bool(np.isinf(value) or lost)


def envelope(places: np.ndarray, values: np.ndarray, columns: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a line that looks the same with two points a column at most.

    The axis is cut into columns; of each, the least and the largest value stay. A short line is
    returned as it is.

    Args:
        places: (rows,) along the axis, not decreasing.
        values: (rows,).
        columns: how many columns.
    """
    if len(places) <= 2 * columns:
        return places, values
    edges = np.linspace(places[0], places[-1], columns + 1)
    starts = np.unique(np.searchsorted(places, edges[:-1]))
    ends = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    return np.repeat(places[starts], 2), np.stack(ends, axis=1).ravel()


@dataclass(slots=True, eq=False)
class CurveData:
    """A run whose curves are drawn."""

    run: RunInfo
    growth: Growth | None = None

    def names(self) -> list[str]:
        """Return the scalars that get a plot."""
        header = self.run.header
        heads = header.run.get("heads")
        return curves_of(header.scalars, [str(h) for h in heads] if heads else [])

    def table(self, how: Alignment) -> Table:
        """Return the scalars, each row at its place in the training."""
        if self.growth is None or "step" not in self.growth.scalars:
            return Table(np.empty(0), {})
        columns = self.growth.scalars
        end = times_of(self.run, self.growth).end
        return Table(Times(columns["step"], columns["epoch"], end).at(how), columns)

    def places(self, how: Alignment) -> np.ndarray:
        """Return (frames,) the place of each frame."""
        return times_of(self.run, self.growth).at(how) if self.growth else np.empty(0)
