"""Times of the day and of the week as inputs, and stretches of time that a table calls odd."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ed_core import EdkitError
from ed_plugins.datasets.folder.table import read_columns

CALENDAR = 4  # numbers a step
ODD = ("normal", "odd")
"""The classes of windows."""
DATES = 1e8
"""Seconds from which a time is one since 1970: 1973, or a recording of three years."""
_PERIODS = (86_400.0, 7 * 86_400.0)  # seconds of a day and of a week


def calendar_of(times: np.ndarray) -> np.ndarray:
    """Return sine and cosine of the time of the day, then of the week, (..., 4) float32.

    Args:
        times: seconds since 1970, which was a Thursday, float64.
    """
    turns = [2 * np.pi * (times % period) / period for period in _PERIODS]
    waves = [wave(turn) for turn in turns for wave in (np.sin, np.cos)]
    return np.stack(waves, axis=-1).astype("float32")


def check_dates(path: Path, unit: str, first: float) -> None:
    """Raise EdkitError unless the times of a recording are dates."""
    if unit != "s" or not first >= DATES:
        raise EdkitError(
            f"{str(path)!r}: expected a clock of dates for calendar=yes, such as 2026-01-31 "
            "12:00:00, found none: name its column, such as clock=NAME, or leave calendar out."
        )


def read_stretches(path: Path) -> np.ndarray:
    """Return the first and the last time of each line of a table, (lines, 2) float64.

    Its columns are called start and end; times are dates, as ISO 8601 has them, or numbers, as in
    the recording.

    Raises:
        EdkitError: it has no such columns, or cells that are no times.
    """
    columns = {name.lower(): cells for name, cells in read_columns(path).items()}
    if missing := {"start", "end"} - {*columns}:
        raise EdkitError(
            f"{str(path)!r}: expected a column {max(missing)} of times, found "
            f"{', '.join(columns)[:200]}: name and write it so."
        )
    stretches = np.stack([_times(columns[name]) for name in ("start", "end")], axis=1)
    good = np.isfinite(stretches).all(axis=1) & (stretches[:, 0] <= stretches[:, 1])
    if not good.all():
        row = int(np.argmin(good))
        raise EdkitError(
            f"{str(path)!r}, line {row + 2}: expected a start such as 2026-01-31 12:00:00 and an "
            f"end that is not before it, found {columns['start'][row]!r} and "
            f"{columns['end'][row]!r}: mend it."
        )
    return stretches


def _times(cells: Sequence[str]) -> np.ndarray:
    """Return seconds since 1970 of dates, numbers as they are, and NaN of anything else."""
    import pandas as pd

    numbers = pd.to_numeric(pd.Series(cells), errors="coerce").to_numpy("float64")
    dates = pd.to_datetime(pd.Series(cells), format="ISO8601", errors="coerce", utc=True)
    whole = dates.dt.tz_localize(None).to_numpy("datetime64[ns]")
    seconds = np.where(np.isnat(whole), np.nan, whole.astype("int64") / 1e9)
    return np.where(np.isnan(numbers), seconds, numbers)


def is_odd(first: np.ndarray, last: np.ndarray, stretches: np.ndarray) -> np.ndarray:
    """Return whether windows overlap a stretch, (windows,).

    Args:
        first: time of the first step of each, (windows,).
        last: of the last one.
        stretches: (lines, 2).
    """
    overlap = (first[:, None] <= stretches[:, 1]) & (last[:, None] >= stretches[:, 0])
    return np.asarray(overlap.any(axis=1))
