"""Signals in tables: clock, channels and other columns."""

import csv
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ed_core import EdkitError
from ed_core.data.memory import check_memory
from ed_plugins.datasets.signals.clocks import Clock, bad_cell, column_of, find_clock
from ed_plugins.datasets.signals.csv_layout import Note, TextOptions
from ed_plugins.datasets.signals.csv_tables import TextTable, read_text
from ed_plugins.datasets.signals.files import plain
from ed_plugins.datasets.signals.stretches import (
    Missing,
    ReadOptions,
    SignalRecording,
    Stretch,
    stretches_of,
)

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
_NEARLY = re.compile(r"[^\w\s]{0,2}\d[\d.,' ]*\D{0,4}")  # 50%, 1.5 mV, $3


def read_table(path: Path, options: ReadOptions) -> SignalRecording:
    """Return the recording in a table: its clock, and the other columns as channels."""
    table = _read_table(path, options.text)
    notes = table.notes
    option = "" if options.of_run else "columns"
    chosen = [column_of(table, n, option) for n in _names(options.columns)]
    if chosen:
        left = len(table.columns) - len(set(chosen))
    else:
        table = _without_index(_without_empty(table, notes), notes)
    clock, clocks = find_clock(table, options.clock, chosen)
    channels = chosen or _channels(table, clocks, notes)
    samples = _numbers(table, channels)
    _take_out(table, channels, samples, options.gap)
    if not options.gap:
        notes.extend(_outliers(table, channels, samples))
    names = tuple(plain(table.names[i]) for i in channels)
    if chosen:
        used = len({*clock.columns} - {*chosen}) if clock else 0
        notes.append(("columns", "not among the chosen", "", left - used, True))
    others = [i for i in clocks if clock is None or i not in clock.columns]
    unread = clock is None and options.clock != "none"
    notes.append(_other_clocks(table, others, channels, 0 if chosen else len(others), unread))
    step, unit, times = 1.0, "", None
    turned = clock is not None and clock.newest_first
    if clock is not None:
        if turned:
            samples, clock = samples[::-1], replace(clock, times=clock.times[::-1])
            notes.append(("rows", "the newest first, turned by the clock", "clock=none", 0, False))
        samples, times = _timed_rows(clock, samples, options.missing, table, notes)
        step, unit = replace(clock, times=times).step, clock.unit
    whole = Stretch(np.ascontiguousarray(samples), 0.0, 1.0, times)

    def where(row: int, column: int) -> tuple[str, str]:
        return table.where(len(samples) - 1 - row if turned else row, channels[column])

    parts = stretches_of(path, whole, options.missing, where, notes)
    return SignalRecording(
        path,
        tuple(parts),
        names,
        step=step if clock else 0.0,
        unit=unit,
        notes=tuple(notes),
        labels=tuple(table.label(i) for i in channels),
        numbers=tuple(table.numbers[i] + 1 for i in channels),
    )


def _other_clocks(
    table: TextTable, others: list[int], taken: list[int], count: int, unread: bool
) -> Note:
    """Return the finding about columns named like clocks that hold no times."""
    labels = ", ".join(table.label(i) for i in others[:4])
    why = ", which say no times that rise: rows as they come" if unread else ""
    numbers = not any(_is_text(table, i) for i in others)
    option = f"columns={','.join(table.label(i) for i in sorted({*taken, *others}))}" * numbers
    return "columns", f"clocks: {labels}{why}", option, count, True


def _names(text: str) -> list[str]:
    """Return the names in a text, separated by commas; one with a comma is quoted."""
    return [name.strip() for name in next(csv.reader([text]), []) if name.strip()]


def _read_table(path: Path, options: TextOptions) -> TextTable:
    """Return a table from text or Parquet, without empty rows at its end."""
    table = _read_parquet(path) if path.suffix.lower() == ".parquet" else read_text(path, options)
    rows = len(table.columns[0]) if table.columns else 0
    full = np.zeros(rows, bool)
    for column in table.columns:
        full |= column.notna().to_numpy()
        if rows and full[-1]:
            return table
    last = int(np.flatnonzero(full)[-1]) + 1 if full.any() else 0
    if len(table.columns) > 1:
        table.notes.append(("rows", "empty, at the end", "", rows - last, True))
    return replace(table, columns=[column.iloc[:last] for column in table.columns])


def _read_parquet(path: Path) -> TextTable:
    try:
        import pyarrow.parquet
    except ImportError:
        raise EdkitError(
            f"{str(path)!r}: reading Parquet needs pyarrow: pip install 'edkit[parquet]', or give "
            "CSV."
        ) from None
    try:
        facts = pyarrow.parquet.ParquetFile(path).metadata
        check_memory(
            facts.num_rows * facts.num_columns * 12, repr(str(path)), "give several smaller files"
        )
        import pandas as pd

        frame = pd.read_parquet(path, engine="pyarrow")
    except (OSError, ValueError) as error:  # pyarrow's errors are among them
        detail = " ".join(str(error).split())[:120].rstrip(".")
        raise EdkitError(
            f"{str(path)!r}: expected a Parquet file, found something else or a damaged one: write "
            f"it again ({detail})."
        ) from error
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index(names=frame.index.name or "")
    columns = [frame.iloc[:, i] for i in range(frame.shape[1])]

    def where(row: int, column: int) -> tuple[str, str]:
        return f"row {row + 1}, column {frame.columns[column]!r}", str(frame.iat[row, column])

    return TextTable(path, [str(n) for n in frame.columns], columns, [""] * len(columns), where, [])


def _without_empty(table: TextTable, notes: list[Note]) -> TextTable:
    """Return the table without empty columns."""
    filled = [i for i, column in enumerate(table.columns) if column.notna().any()]
    notes.append(("columns", "without a cell", "", len(table.columns) - len(filled), True))
    return table.only(filled)


def _without_index(table: TextTable, notes: list[Note]) -> TextTable:
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
    numbers = [i for i in range(len(table.columns)) if not _is_text(table, i)]
    option = "columns=" + ",".join(str(i + 1) for i in numbers[:8])
    notes.append(("columns", "row numbers, the first column", option, 1, True))
    return table.only(range(1, len(table.columns)))


def _channels(table: TextTable, clocks: list[int], notes: list[Note]) -> list[int]:
    """Return the columns of numbers except clocks; leave out those of text."""
    rest = [i for i in range(len(table.columns)) if i not in clocks]
    text = [i for i in rest if _is_text(table, i)]
    for column in text:
        cell = str(next(iter(table.columns[column].dropna()), ""))
        if _NEARLY.fullmatch(cell.strip()):
            others = ",".join(table.label(i) for i in rest if i not in text)
            remedy = f", or take other columns, such as columns={others}" if others else ""
            if re.fullmatch(r"[+-]?\d+,\d+", cell.strip()):
                raise EdkitError(
                    f"{str(table.path)!r}: column {table.names[column] or column + 1!r} has "
                    f"numbers such as {cell[:40]!r}, and the decimal mark of the file is a dot: "
                    f"write all with one mark{remedy}."
                )
            raise EdkitError(
                f"{str(table.path)!r}: column {table.names[column] or column + 1!r} has numbers "
                f"with something beside them, such as {cell[:40]!r}: write the numbers alone"
                f"{remedy}."
            )
    names = ", ".join(table.label(i) for i in text[:4])
    notes.append(("columns", f"of text: {names}", "", len(text), True))
    taken = [i for i in rest if i not in text]
    if not table.columns:
        raise EdkitError(f"{str(table.path)!r}: expected columns of numbers, found empty ones.")
    if not taken:
        raise EdkitError(
            f"{str(table.path)!r}: expected a column of numbers, found text and clocks alone: "
            f"{', '.join(table.names)[:80]!r}; name one, such as columns={table.label(0)}."
        )
    return taken


def _is_text(table: TextTable, column: int) -> bool:
    """Return whether no cell of a column is a number."""
    import pandas as pd

    series = table.columns[column]
    if series.dtype.kind in "iuf":
        return False
    if series.dtype.kind in "bM":
        return True
    return not pd.to_numeric(series, errors="coerce").notna().any()


def _numbers(table: TextTable, columns: list[int]) -> np.ndarray:
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


def _take_out(table: TextTable, taken: list[int], samples: np.ndarray, gap: str) -> None:
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


def _outliers(table: TextTable, taken: list[int], samples: np.ndarray) -> list[Note]:
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


def _timed_rows(
    clock: Clock, samples: np.ndarray, missing: Missing, table: TextTable, notes: list[Note]
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows with a known time, and their times; add the clock's findings to notes."""
    has_time = np.isfinite(clock.times)
    times = clock.times
    if not has_time.all():
        gaps = int((~has_time).sum())
        if missing == "refuse":
            raise EdkitError(
                f"{str(table.path)!r}: expected a time in every row, found none in {clock.name} of "
                f"{gaps:,} of {len(has_time):,}: missing=drop leaves these out, missing=fill puts "
                "them between the others, clock=none takes the rows as they come."
            )
        if missing == "drop":
            samples, times = samples[has_time], times[has_time]
            notes.append(("rows", f"without a time in {clock.name}", "", gaps, True))
        else:
            times = _filled(times, has_time, clock.step)
    clock = replace(clock, times=times)
    why = ", since it rises steadily" if clock.guessed else ""
    why += ", on after midnight" if clock.past_midnight else ""
    step = f"{clock.step:,.0f}" if clock.step >= 1000 else f"{clock.step:.4g}"
    text = f"{clock.name}{why}, a step of {f'{step} {clock.unit}'.rstrip()}{clock.unsteady}"
    notes.append(("clock", text, "clock=none", 0, False))
    if len(times) == len(has_time) and not has_time.all():
        notes.append(("clock", "times put between others: {n}", "missing=drop", gaps, False))
    return samples, times


def _filled(times: np.ndarray, has_time: np.ndarray, step: float) -> np.ndarray:
    """Return times with missing ones interpolated, or extrapolated by the usual step."""
    rows = np.arange(len(times))
    there = rows[has_time]
    filled = np.interp(rows, there, times[has_time])
    filled[: there[0]] -= step * (there[0] - rows[: there[0]])
    filled[there[-1] :] += step * (rows[there[-1] :] - there[-1])
    return filled
