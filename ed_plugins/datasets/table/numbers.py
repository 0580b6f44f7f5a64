"""Columns of numbers in a table, and marks of missing ones."""

import csv
from typing import TYPE_CHECKING

import numpy as np

from ed_core import EdkitError
from ed_plugins.datasets.table.csv_layout import Note
from ed_plugins.datasets.table.csv_tables import TextTable, bad_cell

if TYPE_CHECKING:
    import pandas

_VOID = (
    -999.0,
    -9999.0,
    -99999.0,
    -999.25,
    -32768.0,
)  # marks of no value of loggers and weather stations
_OFTEN, _OTHERS = 3, 8  # occurrences of a number, and number of others, from which it is reported
_SMALL = 100  # largest ratio to their range that float32 holds to five digits
_SEEN = 1e-3  # of the deviation


def names_in(text: str) -> list[str]:
    """Return the names in a text, separated by commas; one with a comma is quoted."""
    return [name.strip() for name in next(csv.reader([text]), []) if name.strip()]


def without_empty(table: TextTable, notes: list[Note]) -> TextTable:
    """Return the table without empty columns."""
    filled = [i for i, column in enumerate(table.columns) if column.notna().any()]
    notes.append(("columns", "without a cell", "", len(table.columns) - len(filled), True))
    return table.only(filled)


def without_index(table: TextTable, notes: list[Note]) -> TextTable:
    """Return the table without the unnamed first column of row numbers by pandas or R."""
    if len(table.columns) < 2 or not table.headed:
        return table
    if table.names[0] and table.names[0] != "Unnamed: 0":
        return table
    column = table.columns[0]
    if column.dtype.kind not in "iu":
        return table
    numbers = column.to_numpy()
    if not np.array_equal(numbers - numbers[:1], np.arange(len(numbers))) or numbers[0] not in (
        0,
        1,
    ):
        return table
    numbers = [i for i in range(len(table.columns)) if not is_text(table, i)]
    option = "columns=" + ",".join(str(i + 1) for i in numbers[:8])
    notes.append(("columns", "row numbers, the first column", option, 1, True))
    return table.only(range(1, len(table.columns)))


def is_text(table: TextTable, column: int) -> bool:
    """Return whether no cell of a column is a number."""
    import pandas as pd

    series = table.columns[column]
    if series.dtype.kind in "iuf":
        return False
    if series.dtype.kind in "bM":
        return True
    return not pd.to_numeric(series, errors="coerce").notna().any()


def numbers_of(table: TextTable, columns: list[int]) -> np.ndarray:
    """Return columns as (rows, columns), NaN for empty cells.

    As float32, or float64 if float32 would lose the changes of a counter or of coordinates.
    """
    import pandas as pd

    samples = np.empty((len(table.columns[0]), len(columns)), "float32")
    for number, column in enumerate(columns):
        series = table.columns[column]
        if series.dtype.kind not in "iufb":
            coerced = pd.to_numeric(series, errors="coerce")
            bad = (coerced.isna() & series.notna()).to_numpy()
            if bad.any():
                others = [table.label(i) for i in columns if i != column]
                raise bad_cell(table, int(bad.argmax()), column, others)
            series = coerced
        with np.errstate(over="ignore"):  # overflowing numbers become infinite and are refused
            short = series.to_numpy("float32", na_value=np.nan)
            if samples.dtype == "float32" and _loses(series, short):
                samples = samples.astype("float64")
            samples[:, number] = short
            if samples.dtype == "float64":
                whole = series.to_numpy("float64", na_value=np.nan)
                samples[:, number] = np.where(np.isfinite(short), whole, np.nan)
    return samples


def take_out(table: TextTable, taken: list[int], samples: np.ndarray, gap: str) -> None:
    """Replace the mark of no value by NaN; raise an error if an unstated mark seems to occur."""
    if gap == "none":
        return
    if gap:
        samples[samples == np.float32(gap)] = np.nan
        return
    smallest = samples.min(axis=0, initial=np.inf, where=~np.isnan(samples))
    for column, least, cells in zip(taken, smallest, samples.T, strict=True):
        others = cells[cells > least]
        if least in _VOID and others.size and float(others.min()) > least / 2:
            name, count = table.names[column] or column + 1, int((cells == least).sum())
            raise EdkitError(
                f"{str(table.path)!r}: column {name!r} has {least:g} in {count:,} of "
                f"{len(cells):,} rows, far from its other numbers: say gap={least:g} where it "
                "stands for none, or gap=none."
            )


def outliers(table: TextTable, taken: list[int], samples: np.ndarray) -> list[Note]:
    """Return findings about frequent whole numbers far from all others of their column."""
    outliers: dict[float, tuple[str, float, float]] = {}
    for column, numbers in zip(taken, samples.T, strict=True):
        finite = numbers[np.isfinite(numbers)]
        for number in (finite.min(), finite.max()) if finite.size else ():
            if number % 1 or (finite == number).sum() < _OFTEN:
                continue
            others = np.unique(finite[finite != number])
            if len(others) >= _OTHERS and np.abs(others - number).min() > np.ptp(others):
                outliers.setdefault(float(number), (table.label(column), others[0], others[-1]))
    return [
        (
            "signal",
            f"{number:.9g} is a value, {int((samples == number).sum()):,} times, though the other "
            f"numbers of {name} are {low:.4g} to {high:.4g}",
            f"gap={number:.9g}",
            0,
            False,
        )
        for number, (name, low, high) in outliers.items()
    ]


def _loses(series: "pandas.Series", short: np.ndarray) -> bool:
    """Return whether rounding to float32 is visible against the variation of the numbers."""
    finite = short[np.isfinite(short)]
    if not finite.size or float(np.abs(finite).max()) < _SMALL * float(np.ptp(finite)):
        return False
    whole = series.to_numpy("float64", na_value=np.nan)[np.isfinite(short)]
    return bool(np.abs(whole - finite).max() > _SEEN * whole.std())
