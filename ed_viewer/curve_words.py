"""What the mouse reads out of the curves of a scalar."""

from collections.abc import Mapping

import numpy as np

from ed_viewer.alignment import Alignment
from ed_viewer.curve_data import Table
from ed_viewer.widgets.text import grouped, number, titled


def title_of(name: str) -> str:
    """Return a scalar's name as a heading."""
    return "Total loss" if name == "loss" else titled(name)


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
    return " · ".join(said)


def _columns(name: str) -> dict[str, str]:
    """Return the columns that the plot of a scalar draws, each with what it says of the model."""
    if name.startswith("val_"):
        return {name: "validation"}
    return {name: "training", f"val_{name}": "validation"}


def _near(table: Table, name: str, place: float) -> list[float]:
    """Return the places nearest to one at which a scalar is known, or known to be not finite."""
    found = [p for column in _columns(name) for p in _nearest(table.known(column)[0], place)]
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
    return f"{100 * place:.1f} % of the training"
