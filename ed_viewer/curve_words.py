"""What is read out of the curves of a scalar, by the cursor and by the mouse."""

from collections.abc import Mapping

import numpy as np

from ed_viewer.alignment import Alignment
from ed_viewer.curve_data import Mark, Table
from ed_viewer.widgets.text import grouped, number, titled

_VALUES = "at the cursor: validation, weight λ, training"
_TITLES = {"loss": "Total loss", "posterior_loss": "KL divergence (posterior)"}
_BESIDE = 0.005  # of the axis: how near the mouse must be
_STEP, _MEAN = "the loss of that step", "the running mean since the epoch began"


def title_of(name: str) -> str:
    """Return a scalar's name as a heading."""
    return _TITLES.get(name, titled(name))


def at_cursor(
    name: str, tables: Mapping[str, Table], place: float, compared: bool
) -> tuple[str, str]:
    """Return the values at a place for the title of a plot, and with what they are.

    Args:
        name: of the scalar.
        tables: of run "A" and, if there is one, of "B".
        place: on the axis.
        compared: whether the plot is one of two runs.
    """
    said = {side: _all_values(table, name, place) for side, table in sorted(tables.items())}
    if not compared:
        values = said.get("A", "")
        of = _STEP if "A" in tables and tables["A"].every(name) else _MEAN
        return values, f"{values} ({_VALUES}, {of})"
    both = "  ".join(f"{side} {_value(tables[side], name, place)}" for side in said)
    return both, " · ".join(f"{side}: {words}" for side, words in said.items()) + f" ({_VALUES})"


def describe(name: str, tables: Mapping[str, Table], how: Alignment, place: float) -> str:
    """Return the values at the recorded place nearest to one on the axis, "" if there is none.

    As at the cursor, a value is the last that was known there.

    Args:
        name: of the scalar.
        tables: of run "A" and, if there is one, of "B".
        how: what the axis is.
        place: on the axis.
    """
    near = [p for table in tables.values() for p in _near(table, name, place)]
    if not near:
        return ""
    there = min(near, key=lambda known: abs(known - place))
    said = [title_of(name), _place_words(how, there)]
    for side, table in sorted(tables.items()):
        words = [word for word in _values(table, name, there) if word]
        if words:
            said.append((f"{side} " if len(tables) > 1 else "") + ", ".join(words))
        said += _changes(name, table, there)
    return " · ".join(said)


def _all_values(table: Table, name: str, place: float) -> str:
    """Return the values at a place, what matters most first: validation, weight, training."""
    said = []
    validation = table.at(f"val_{name}", place)
    if np.isfinite(validation):
        said.append(f"val {number(validation)}")
    weight = table.at(f"{name.removesuffix('_loss')}_weight", place)
    if name.endswith("_loss") and np.isfinite(weight):
        said.append(f"λ {number(weight)}")
    value = _value(table, name, place)
    return "  ".join([*said, f"train {value}" if said else value])


def _value(table: Table, name: str, place: float) -> str:
    """Return the value of the training at a place."""
    return "not finite" if table.diverged(name, place) else number(table.at(name, place))


def _columns(name: str) -> dict[str, str]:
    """Return the columns that the plot of a scalar draws, each with what it says of the model."""
    if name.startswith("val_"):
        return {name: "validation"}
    return {name: "training", f"val_{name}": "validation"}


def _changes(name: str, table: Table, there: float) -> list[str]:
    """Return what was changed by hand right there, and whether the epoch was the best."""
    span = _BESIDE * (np.ptp(table.places) if len(table.places) else 0.0)
    near = [m.text for m in marks_of(name, table) if abs(m.place - there) <= span]
    return [*near, "best epoch"] if abs(table.best - there) <= span else near


def marks_of(name: str, table: Table) -> list[Mark]:
    """Return the changes that a scalar follows: of its head's weight, or of all."""
    own = name.removesuffix("_loss")
    return [mark for mark in table.marks if mark.head in ("", own) or name == "loss"]


def _near(table: Table, name: str, place: float) -> list[float]:
    """Return the places nearest to one at which a scalar is known, or known to be not finite."""
    columns = _columns(name).items()
    known = (table.training(n) if kind == "training" else table.known(n) for n, kind in columns)
    found = [p for places, _ in known for p in _nearest(places, place)]
    rows = _nearest(table.places[np.isfinite(table.places)], place)
    return found + [row for row in rows if table.diverged(name, row)]


def _nearest(places: np.ndarray, place: float) -> list[float]:
    """Return the nearest of places (rows,), not decreasing; nothing if there is none."""
    after = int(np.searchsorted(places, place))
    around = places[max(after - 1, 0) : after + 1]
    return [float(around[np.abs(around - place).argmin()])] if len(around) else []


def _values(table: Table, name: str, place: float) -> list[str]:
    """Return the value of each column at a place, "" where none is known."""
    said = []
    for column, kind in _columns(name).items():
        value = table.at(column, place)
        if kind == "training" and table.diverged(column, place):
            said.append(f"{kind} not finite")
        else:
            said.append(f"{kind} {number(value)}" if np.isfinite(value) else "")
    return said


def _place_words(how: Alignment, place: float) -> str:
    if how is Alignment.STEP:
        return f"step {grouped(round(place))}"
    if how is Alignment.EPOCH:
        return f"epoch {place:.2f}"
    if how is Alignment.TIME:
        return f"{place:.1f} s"
    return f"{100 * place:.1f} % of the training"
