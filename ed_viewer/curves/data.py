"""Data of the loss curves of a run. No Qt here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ed_viewer.reading.messages import RunInfo, RunProgress
from ed_viewer.session.alignment import Alignment, Times, rounded_up, times_of
from ed_viewer.style.palette import Side
from ed_viewer.style.text import grouped, number, titled

LINE = 2000  # columns of a plot: more than it has pixels
_CHANGES = ("weight", "learning_rate")  # events
_WHOLE = 1e-4  # epochs
_PART = 50  # of a run, over which its curves are smoothed
MARKERS = 200  # of a plot with markers, which would lie on one another
_VALUES = "at the cursor: validation, weight λ, training"
_TITLES = {"loss": "Total loss", "posterior_loss": "KL divergence (posterior)"}
_BESIDE = 0.005  # of the axis: how near the mouse must be
_STEP, _MEAN = "the loss of that step", "the running mean since the epoch began"


def curves_of(scalars: Sequence[str], heads: Sequence[str]) -> list[str]:
    """Return the scalars that get a plot: the total, the heads' losses, then the metrics.

    Weights stand in the title of their head, validation in the plot of its training curve.
    """
    hidden = ("val_", "weighted_")
    elsewhere = ("learning_rate", "dropped_frames")  # elsewhere
    names = [s for s in scalars if not s.startswith(hidden) and not s.endswith("_weight")]
    first = [n for n in ("loss", *(f"{head}_loss" for head in heads)) if n in names]
    rest = [n for n in names if n not in (*first, *elsewhere)]
    only_validated = [
        s for s in scalars if s.startswith("val_") and s.removeprefix("val_") not in scalars
    ]
    return first + rest + only_validated


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that changed the training by hand: where, and what, such as `weight of kl 1 -> 4`.

    Attributes:
        place: on the axis.
        head: whose weight it was; "" for what all curves follow.
        text: in words.
    """

    place: float
    head: str
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class CurveTable:
    """The scalars of a run.

    Attributes:
        places: (rows,) where each row lies on the axis: its step, epoch, share or time.
        columns: (rows,) the values by name.
        steps: the losses of every step, None where they were not recorded.
        marks: what was changed by hand.
        best: the place of the epoch with the lowest validation loss, NaN where there is none.
    """

    places: np.ndarray
    columns: Mapping[str, np.ndarray]
    steps: CurveTable | None = None
    marks: tuple[Mark, ...] = ()
    best: float = float("nan")
    _known: dict[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def known(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return places and values, (known,) each, of the rows in which a scalar is known."""
        if name not in self._known:
            values = self.columns.get(name, np.full(len(self.places), np.nan))
            rows = np.isfinite(values) & np.isfinite(self.places)
            self._known[name] = self.places[rows], values[rows]
        return self._known[name]

    def every(self, name: str) -> bool:
        """Tell whether a scalar is known of every step."""
        return self.steps is not None and len(self.steps.known(name)[0]) > 0

    def training(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return places and values, (known,) each: of every step, else the running means."""
        return self.steps.known(name) if self.steps and self.every(name) else self.known(name)

    def ends(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return places and values, (epochs,) each, of a scalar at the end of every whole epoch.

        There the running mean since the epoch began is the mean of the epoch.
        """
        values = self.columns.get(name, np.full(len(self.places), np.nan))
        epochs = self.columns.get("epoch", np.full(len(self.places), np.nan))
        rows = np.isfinite(values) & np.isfinite(self.places) & (epochs > 0)
        rows &= np.abs(epochs - np.round(epochs)) < _WHOLE
        last = np.flatnonzero(rows)
        last = last[np.append(np.diff(epochs[last]) > _WHOLE, True)[: len(last)]]
        return self.places[last], values[last]

    def at(self, name: str, place: float) -> float:
        """Return the last value that was known at a place, NaN if none was."""
        places, values = self.known(name) if name.startswith("val_") else self.training(name)
        row = int(np.searchsorted(places, rounded_up(place), side="right")) - 1
        return float(values[row]) if row >= 0 else float("nan")

    def diverged(self, name: str, place: float) -> bool:
        """Tell whether a scalar of the training is NaN or infinite at a place.

        NaN stands as well in a row that leaves a scalar out. After the first step, none leaves out
        the total loss: a scalar is really NaN where that is NaN as well.
        """
        if self.steps is not None and name in self.steps.columns:
            return self.steps.diverged(name, place)
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


def smoothed(values: np.ndarray) -> np.ndarray:
    """Return the mean around each value, (rows,): of as many as `width_of` says."""
    half = width_of(len(values)) // 2
    sums = np.cumsum(np.concatenate([[0.0], values]), dtype="float64")
    rows = np.arange(len(values))
    first, end = np.maximum(rows - half, 0), np.minimum(rows + half + 1, len(values))
    return np.asarray((sums[end] - sums[first]) / (end - first))


def width_of(rows: int) -> int:
    """Return of how many steps the smoothed line is the mean: a fiftieth of them, an odd number."""
    return rows // _PART // 2 * 2 + 1


@dataclass(slots=True, eq=False)
class CurveData:
    """Curves of a run: their names and tables."""

    run: RunInfo
    growth: RunProgress | None = None

    def names(self) -> list[str]:
        """Return the scalars that get a plot."""
        header = self.run.header
        heads = header.run.get("heads")
        return curves_of(header.scalars, [str(h) for h in heads] if heads else [])

    def table(self, how: Alignment) -> CurveTable:
        """Return the scalars, each row at its place in the training."""
        if self.growth is None or "step" not in self.growth.scalars:
            return CurveTable(np.empty(0), {})
        columns, end = self.growth.scalars, times_of(self.run, self.growth).end
        places = _times(columns, end).at(how)
        steps, curves = None, self.growth.curves
        if len(curves.get("step", ())):
            steps = CurveTable(_times(curves, end).at(how), curves)
        return CurveTable(places, columns, steps, self._marks(how, end), _best(places, columns))

    def _marks(self, how: Alignment, end: float) -> tuple[Mark, ...]:
        """Return the changes that were made by hand."""
        events = [e for e in self.growth.events if e.kind in _CHANGES] if self.growth else []
        when = ((e.step, e.epoch, e.seconds) for e in events)
        steps, epochs, seconds = np.array([*when], "float64").reshape(-1, 3).T
        places = Times(steps, epochs, end, seconds).at(how)
        heads = (e.text.split()[2:3] if e.kind == "weight" else [] for e in events)
        return tuple(
            Mark(float(place), "".join(head), event.text)
            for place, head, event in zip(places, heads, events, strict=True)
        )

    def places(self, how: Alignment) -> np.ndarray:
        """Return (frames,) the place of each frame."""
        return times_of(self.run, self.growth).at(how) if self.growth else np.empty(0)


def _times(columns: Mapping[str, np.ndarray], end: float) -> Times:
    return Times(columns["step"], columns["epoch"], end, columns["seconds"])


def _best(places: np.ndarray, columns: Mapping[str, np.ndarray]) -> float:
    """Return the place of the lowest validation loss at the weights that hold at the end."""
    heads = [n.removesuffix("_weight") for n in columns if n.endswith("_weight")]
    total = columns.get("val_loss", np.full(len(places), np.nan))
    if heads and all(f"val_{head}_loss" in columns for head in heads):
        at_end = np.zeros(len(places))
        for head in heads:
            weights = columns[f"{head}_weight"]
            last = weights[np.isfinite(weights)][-1:].sum()
            at_end += last * np.nan_to_num(columns[f"val_{head}_loss"])
        total = np.where(np.isfinite(total), at_end, np.nan)
    finite_rows = np.isfinite(total) & np.isfinite(places)
    if finite_rows.sum() < 2:
        return float("nan")
    return float(places[finite_rows][np.argmin(total[finite_rows])])


def title_of(name: str) -> str:
    """Return a scalar's name as a heading."""
    return _TITLES.get(name, titled(name))


def at_cursor(
    name: str, tables: Mapping[Side, CurveTable], place: float, compared: bool
) -> tuple[str, str]:
    """Return the values at a place for the title of a plot, and with what they are.

    Args:
        name: of the scalar.
        tables: of run A and, if there is one, of B.
        place: on the axis.
        compared: whether the plot is one of two runs.
    """
    texts = {side: _all_values(table, name, place) for side, table in sorted(tables.items())}
    if not compared:
        values = texts.get(Side.A, "")
        of = _STEP if Side.A in tables and tables[Side.A].every(name) else _MEAN
        return values, f"{values} ({_VALUES}, {of})"
    # Not parts of which one may be left out: the number of A alone would say nothing of B.
    both = "\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}".join(
        f"{side.value} {_value(tables[side], name, place)}" for side in texts
    )
    about = " · ".join(f"{side.value}: {words}" for side, words in texts.items())
    return both, f"{about} ({_VALUES})"


def describe(name: str, tables: Mapping[Side, CurveTable], how: Alignment, place: float) -> str:
    """Return the values at the recorded place nearest to one on the axis, "" if there is none.

    As at the cursor, a value is the last that was known there.

    Args:
        name: of the scalar.
        tables: of run A and, if there is one, of B.
        how: what the axis is.
        place: on the axis.
    """
    near = [p for table in tables.values() for p in _near(table, name, place)]
    if not near:
        return ""
    there = min(near, key=lambda place_: abs(place_ - place))
    parts = [title_of(name), _place_words(how, there)]
    for side, table in sorted(tables.items()):
        words = [word for word in _values(table, name, there) if word]
        if words:
            parts.append((f"{side.value} " if len(tables) > 1 else "") + ", ".join(words))
        parts += _changes(name, table, there)
    return " · ".join(parts)


def _all_values(table: CurveTable, name: str, place: float) -> str:
    """Return the values at a place, what matters most first: validation, weight, training."""
    parts = []
    validation = table.at(f"val_{name}", place)
    if np.isfinite(validation):
        parts.append(f"val {number(validation)}")
    weight = table.at(f"{name.removesuffix('_loss')}_weight", place)
    if name.endswith("_loss") and np.isfinite(weight):
        parts.append(f"λ {number(weight)}")
    value = _value(table, name, place)
    return "  ".join([*parts, f"train {value}" if parts else value])


def _value(table: CurveTable, name: str, place: float) -> str:
    """Return the value of the training at a place."""
    return "not finite" if table.diverged(name, place) else number(table.at(name, place))


def _columns(name: str) -> dict[str, str]:
    """Return the columns that the plot of a scalar draws, each with what it says of the model."""
    if name.startswith("val_"):
        return {name: "validation"}
    return {name: "training", f"val_{name}": "validation"}


def _changes(name: str, table: CurveTable, there: float) -> list[str]:
    """Return what was changed by hand right there, and whether the epoch was the best."""
    span = _BESIDE * (np.ptp(table.places) if len(table.places) else 0.0)
    near = [m.text for m in marks_of(name, table) if abs(m.place - there) <= span]
    return [*near, "best epoch"] if abs(table.best - there) <= span else near


def marks_of(name: str, table: CurveTable) -> list[Mark]:
    """Return the changes that a scalar follows: of its head's weight, or of all."""
    own = name.removesuffix("_loss")
    return [mark for mark in table.marks if mark.head in ("", own) or name == "loss"]


def _near(table: CurveTable, name: str, place: float) -> list[float]:
    """Return the places nearest to one at which a scalar is known, or known to be not finite."""
    columns = _columns(name).items()
    series = (table.training(n) if kind == "training" else table.known(n) for n, kind in columns)
    places_near = [p for places, _ in series for p in _nearest(places, place)]
    rows = _nearest(table.places[np.isfinite(table.places)], place)
    return places_near + [row for row in rows if table.diverged(name, row)]


def _nearest(places: np.ndarray, place: float) -> list[float]:
    """Return the nearest of places (rows,), not decreasing; nothing if there is none."""
    after = int(np.searchsorted(places, place))
    around = places[max(after - 1, 0) : after + 1]
    return [float(around[np.abs(around - place).argmin()])] if len(around) else []


def _values(table: CurveTable, name: str, place: float) -> list[str]:
    """Return the value of each column at a place, "" where none is known."""
    parts = []
    for column, kind in _columns(name).items():
        value = table.at(column, place)
        if kind == "training" and table.diverged(column, place):
            parts.append(f"{kind} not finite")
        else:
            parts.append(f"{kind} {number(value)}" if np.isfinite(value) else "")
    return parts


def _place_words(how: Alignment, place: float) -> str:
    if how is Alignment.STEP:
        return f"step {grouped(round(place))}"
    if how is Alignment.EPOCH:
        return f"epoch {place:.2f}"
    if how is Alignment.TIME:
        return f"{place:.1f} s"
    return f"{100 * place:.1f} % of the training"
