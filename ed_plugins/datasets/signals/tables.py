"""Signals in tables: clock, channels and other columns."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from ed_core import EdkitError
from ed_plugins.datasets.signals.clocks import Clock, find_clock
from ed_plugins.datasets.signals.stretches import (
    Missing,
    ReadOptions,
    SignalRecording,
    Stretch,
    stretches_of,
)
from ed_plugins.datasets.table.csv_layout import Note, plain
from ed_plugins.datasets.table.csv_tables import TextTable, column_of
from ed_plugins.datasets.table.files import read_columns
from ed_plugins.datasets.table.numbers import (
    is_text,
    names_in,
    numbers_of,
    outliers,
    take_out,
    without_empty,
    without_index,
)

_NEARLY = re.compile(r"[^\w\s]{0,2}\d[\d.,' ]*\D{0,4}")  # 50%, 1.5 mV, $3


def read_table(path: Path, options: ReadOptions) -> SignalRecording:
    """Return the recording in a table: its clock, and the other columns as channels."""
    table = read_columns(path, options.text)
    notes = table.notes
    option = "" if options.of_run else "columns"
    chosen = [column_of(table, n, option) for n in names_in(options.columns)]
    if chosen:
        left = len(table.columns) - len(set(chosen))
    else:
        table = without_index(without_empty(table, notes), notes)
    clock, clocks = find_clock(table, options.clock, chosen)
    channels = chosen or _channels(table, clocks, notes)
    samples = numbers_of(table, channels)
    take_out(table, channels, samples, options.gap)
    if not options.gap:
        notes.extend(outliers(table, channels, samples))
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
    numbers = not any(is_text(table, i) for i in others)
    option = f"columns={','.join(table.label(i) for i in sorted({*taken, *others}))}" * numbers
    return "columns", f"clocks: {labels}{why}", option, count, True


def _channels(table: TextTable, clocks: list[int], notes: list[Note]) -> list[int]:
    """Return the columns of numbers except clocks; leave out those of text."""
    rest = [i for i in range(len(table.columns)) if i not in clocks]
    text = [i for i in rest if is_text(table, i)]
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
