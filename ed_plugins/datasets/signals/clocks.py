"""Clocks of recorded signals: a table's column of times, and the gaps in it."""

import re
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ed_core import EdkitError
from ed_plugins.datasets.table.csv_layout import DATE
from ed_plugins.datasets.table.csv_tables import TextTable, bad_cell, column_of

# A column whose heading consists of these words alone is a clock. A "second lead", a "time to peak"
# and an "index finger" are not.
_CLOCKS = {
    *("time", "times", "timestamp", "timestamps", "date", "datetime", "clock", "utc", "elapsed"),
    *("t", "s", "sec", "seconds", "ms", "milliseconds", "us", "µs", "ns", "min", "minutes"),
    *("hours", "sample", "samples", "index", "number", "in", "of", "day", "epoch", "unix", "gmt"),
    *("stamp", "frame", "frames", "local", "relative", "microseconds", "nanoseconds", "since"),
    *("zeit", "datum", "uhrzeit", "zeitstempel", "temps", "tiempo", "tempo", "fecha", "hora"),
}
_SECONDS = {
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), 1e-3),
    **dict.fromkeys(("us", "µs", "μs", "usec", "microsecond", "microseconds"), 1e-6),
    **dict.fromkeys(("ns", "nanosecond", "nanoseconds"), 1e-9),
    **dict.fromkeys(("min", "minute", "minutes"), 60.0),
    **dict.fromkeys(("h", "hour", "hours"), 3600.0),
}
_EPOCHS = ((1e9, 1.0), (1e12, 1e-3), (1e15, 1e-6), (1e18, 1e-9))  # 2001, in s, ms, us and ns
_LASTED = re.compile(r"([+-]?\d+\.?\d*(?:[eE][+-]?\d+)?) ?([^\W\d_]+)")
_DOTTED = re.compile(r"([01]?\d|2[0-3])\.([0-5]\d)\.([0-5]\d)")
_LEAST = 8  # rows needed to see that a column rises steadily
_GAP = 1.5  # usual steps
_FALLS = 0.9  # share of falling steps of a clock with the newest row first
_DAY = 86400.0  # seconds
_DATES = {"date", "datum", "fecha", "day", "datetime", "timestamp", "time", "zeit", "zeitstempel"}
_FEW, _MOST_GAPS = 0.05, 0.25  # shares of the steps


@dataclass(frozen=True, slots=True)
class Clock:
    """Times at which the rows of a table were recorded.

    Args:
        name: of its column, for messages.
        times: (rows,), float64; NaN for empty cells.
        unit: "s", since 1970 for dates; "" if unknown.
        columns: their numbers, from 0.
        guessed: whether it was recognised by its numbers, not by its name.
        past_midnight: whether it holds times of the day that continue after 24:00.
    """

    name: str
    times: np.ndarray
    unit: str = ""
    columns: tuple[int, ...] = ()
    guessed: bool = False
    past_midnight: bool = False

    @property
    def newest_first(self) -> bool:
        """Whether the times fall from row to row."""
        steps = np.diff(self.times[np.isfinite(self.times)])
        return bool(steps.size) and float(np.mean(steps < 0)) > _FALLS

    @property
    def step(self) -> float:
        """The usual step from a row to the next, 0 if there is none."""
        steps = np.diff(self.times)
        rising = np.abs(steps[steps < 0]) if self.newest_first else steps[steps > 0]
        return float(np.median(rising)) if rising.size else 0.0

    def breaks(self) -> np.ndarray:
        """Return the rows after a gap or a jump back in time; none for an unsteady clock."""
        steps = np.diff(self.times)
        starts = 1 + np.flatnonzero((steps > _GAP * self.step) | (steps < 0))
        return starts if len(starts) <= _MOST_GAPS * len(steps) else starts[:0]

    @property
    def unsteady(self) -> str:
        """Remark about steps that differ, "" if all are similar."""
        steps = np.diff(self.times)
        odd = np.abs(steps - self.step) > self.step / 2 if steps.size else np.zeros(1)
        if odd.mean() > _MOST_GAPS:
            return ", unsteady: rows as they come"
        return ", some steps differ" if odd.mean() > _FEW else ""


def find_clock(
    table: TextTable, clock_name: str, chosen: list[int]
) -> tuple[Clock | None, list[int]]:
    """Return the clock of a table, and all columns that are clocks.

    Args:
        table: of a file.
        clock_name: the name of the clock, `none`, or "" to find it.
        chosen: columns that are channels in any case.

    Raises:
        EdkitError: there is no such column, or its cells are not times.
    """
    table = _with_colons(table)
    named = [
        i
        for i, name in enumerate(table.names)
        if is_clock(name) and i not in chosen and not _wanders(name, table.columns[i])
    ]
    if len(table.columns) == len(named):  # the only column is the signal
        named = []
    if clock_name and clock_name != "none":
        column = column_of(table, clock_name, "clock")
        clock = _read(table, [column])
        if clock is None:
            place, cell = table.where(0, column)
            raise EdkitError(
                f"{str(table.path)!r}, {place}: expected a time such as 0.5, 12:00:00 or "
                f"2026-01-31 12:00:00, found {cell[:40]!r}: name another column, or clock=none."
            )
        return clock, [i for i in {*named, column} if i not in chosen]
    if clock_name == "none":
        return None, named
    dated = [i for i in range(len(table.columns)) if _is_dated(table, i) and i not in chosen]
    if pair := _pair(table, dated):
        clock = _read(table, pair)
        if clock is not None:
            return clock, sorted({*named, *pair})
    for column in dict.fromkeys([*named, *dated]):
        clock = _read(table, [column])
        if clock is not None and clock.step:
            return clock, sorted({*named, *dated})
    first = next((i for i in range(len(table.columns)) if i not in chosen), None)
    if first is not None and not named and len(table.columns) > 1 and first == 0:
        clock = _read(table, [first])
        if clock is not None and _rises(clock.times):
            return replace(clock, guessed=True), [first, *dated]
    return None, sorted({*named, *dated})


def _wanders(name: str, column: Any) -> bool:
    """Return whether a column called T or s rises and falls like a temperature, unlike time."""
    if _words(re.sub(r"[(\[].*", "", name)) not in (["t"], ["s"]) or column.dtype.kind not in "iuf":
        return False
    steps = np.diff(column.dropna().to_numpy("float64"))
    return steps.size > 0 and max(np.mean(steps >= 0), np.mean(steps <= 0)) < _FALLS


def _with_colons(table: TextTable) -> TextTable:
    """Return the table with 18:00:00 for 18.00.00, unless such cells are dates."""
    columns = list(table.columns)
    for number, column in enumerate(columns):
        filled = column.dropna()
        if (
            column.dtype.kind not in "biufM"
            and len(filled)
            and _DOTTED.fullmatch(str(filled.iloc[0]).strip())
        ):
            cells = column.astype("str").str.strip().where(column.notna())
            parts = cells.str.extract(_DOTTED)
            months = parts[1].dropna()
            if len(months) == len(filled) and (months.isin(["00"]) | (months > "12")).any():
                columns[number] = parts[0] + ":" + parts[1] + ":" + parts[2]
    return replace(table, columns=columns)


def is_clock(name: str) -> bool:
    """Return whether a heading names a clock: `time (s)`, `timestamp`, `t_ms`."""
    words = _words(re.sub(r"[(\[].*", "", name))  # without a unit in brackets
    return bool(words) and _CLOCKS.issuperset(words)


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", name.lower())


def _is_dated(table: TextTable, column: int) -> bool:
    """Return whether a column holds dates or times of the day."""
    series = table.columns[column]
    if series.dtype.kind == "M":
        return True
    if series.dtype.kind in "biuf":
        return False
    filled = series.dropna()
    return bool(len(filled)) and DATE.fullmatch(str(filled.iloc[0]).strip()) is not None


def _pair(table: TextTable, dated: list[int]) -> list[int]:
    """Return the columns of the date and of the time of the day if they are separate."""
    if len(dated) != 2:
        return []
    first, second = (str(table.columns[i].dropna().iloc[0]).strip() for i in dated)
    of_day = [re.match(r"\d{1,3}:", one) is not None for one in (first, second)]
    if of_day == [False, True] and not re.search(r"\d:\d", first):
        return dated
    return dated[::-1] if of_day == [True, False] and not re.search(r"\d:\d", second) else []


def _read(table: TextTable, columns: list[int]) -> Clock | None:
    """Return the clock in one column, or in date and time; None if cells are not times."""
    import pandas as pd

    name = " and ".join(_named(table, i) for i in columns)
    series = table.columns[columns[0]]
    if len(columns) == 2:
        series = series.astype("str") + " " + table.columns[columns[1]].astype("str")
    elif series.dtype.kind in "iuf":
        numbers = series.to_numpy("float64")
        if (dates := _compact(table.names[columns[0]], numbers)) is not None:
            return Clock(name, dates, "s", tuple(columns))
        scale = _scale(table.names[columns[0]], table.units[columns[0]])
        first = numbers[np.isfinite(numbers)][:1]
        if scale is None and first.size and _words(table.names[columns[0]]):
            scale = next((by for start, by in _EPOCHS if start <= first[0] < 5 * start), None)
        return Clock(name, numbers * (scale or 1.0), "s" if scale else "", tuple(columns))
    elif series.dtype.kind == "b":
        return None
    elif series.dtype.kind != "M" and not _is_dated(table, columns[0]):
        if (lasted := _durations(series)) is not None:
            return Clock(name, lasted, "s", tuple(columns))
        numbers = pd.to_numeric(series, errors="coerce")
        bad = (numbers.isna() & series.notna()).to_numpy()
        if numbers.notna().any():  # odd cells among numbers
            raise bad_cell(table, int(bad.argmax()), columns[0], [])
        return None
    if series.dtype.kind != "M":
        parsed: Any = _parsed(table, series.astype("str").where(series.notna()))
        if parsed is None:
            return None
    else:
        parsed = pd.to_datetime(series, utc=True)
    kind = "datetime64[ns]" if not isinstance(parsed.dtype, np.dtype) else "timedelta64[ns]"
    if kind[0] == "d":
        parsed = parsed.dt.tz_localize(None)
    whole = parsed.to_numpy(kind)
    times = whole.astype("int64") / 1e9
    times[np.isnat(whole)] = np.nan
    after = _after_midnight(times) if kind[0] == "t" else np.zeros(1)
    return Clock(name, times + after, "s", tuple(columns), past_midnight=bool(after.any()))


def _after_midnight(times: np.ndarray) -> np.ndarray:
    """Return the seconds of full days to add to times of the day that start again at 0:00."""
    finite = np.flatnonzero(np.isfinite(times))
    days = np.zeros(len(times))
    if finite.size and times[finite].max() < _DAY:
        days[finite[1:]] = np.cumsum(np.diff(times[finite]) < -_DAY / 2) * _DAY
    return days


def _compact(name: str, numbers: np.ndarray) -> np.ndarray | None:
    """Return seconds since 1970 of dates such as 20260131 or 20260131235959; None for others."""
    import pandas as pd

    finite = numbers[np.isfinite(numbers)]
    if not _DATES & {*_words(name)} or not finite.size or (finite % 1).any():
        return None
    long = 1e13 < finite[0] < 3e13
    least, most = (1.8e13, 2.2e13) if long else (1.8e7, 2.2e7)
    if not ((finite > least) & (finite < most)).all():
        return None
    texts = pd.Series(numbers).map(lambda one: f"{one:.0f}" if np.isfinite(one) else None)
    dates = pd.to_datetime(texts, format="%Y%m%d%H%M%S" if long else "%Y%m%d", errors="coerce")
    if dates.notna().sum() < len(finite):
        return None
    seconds = dates.to_numpy("datetime64[s]").astype("int64").astype("float64")
    seconds[dates.isna().to_numpy()] = np.nan
    return seconds


def _durations(series: Any) -> np.ndarray | None:
    """Return the seconds in texts such as MATLAB's `0.5 sec`; None for others."""
    import pandas as pd

    filled = series.dropna()
    if not len(filled) or not _LASTED.fullmatch(str(filled.iloc[0]).strip()):
        return None
    parts = series.astype("str").str.strip().str.extract(_LASTED)
    scales = parts[1].map(_SECONDS)
    if scales.notna().sum() < len(filled):
        return None
    return np.asarray(pd.to_numeric(parts[0], errors="coerce") * scales, "float64")


def _named(table: TextTable, column: int) -> str:
    return repr(table.names[column]) if table.names[column] else f"column {column + 1}"


def _parsed(table: TextTable, text: Any) -> Any:
    """Return the dates or times of the day in a column of text; None for others."""
    import pandas as pd

    text = text.str.strip().str.replace(r"(:\d+),(\d+)", r"\1.\2", regex=True)
    text = text.str.replace(r"^(\d+:\d\d:\d\d):(\d{3,})$", r"\1.\2", regex=True)
    filled = text.dropna()
    if not len(filled):
        return None
    if re.match(r"\d{1,3}:", filled.iloc[0]):
        text = text.str.replace(r"(?i)^(\d+)(:.*?) ?([ap])\.?m\.?$", _of_24_hours, regex=True)
        short = r"^(\d+:\d+(?:\.\d+)?)$"  # minutes and seconds
        times = pd.to_timedelta(text.str.replace(short, r"0:\1", regex=True), errors="coerce")
        return times if times.notna().sum() == len(filled) else None
    readings = []
    year_first = re.match(r"\d{4}", filled.iloc[0]) is not None
    for options in [{"format": "ISO8601"}] if year_first else [{"dayfirst": x} for x in (0, 1)]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            parser_options: Any = {k: bool(v) if k == "dayfirst" else v for k, v in options.items()}
            dates = pd.to_datetime(text, errors="coerce", utc=True, **parser_options)
            if year_first and dates.notna().sum() < len(filled):
                dates = pd.to_datetime(text, errors="coerce", utc=True)
        if dates.notna().sum() == len(filled):
            readings.append(dates)
    if len(readings) == 2 and not readings[0].equals(readings[1]):
        back = [int((one.diff().dt.total_seconds() < 0).sum()) for one in readings]
        far = [one.max() - one.min() for one in readings]
        if back[0] == back[1] and far[0] == far[1]:
            raise EdkitError(
                f"{str(table.path)!r}: {filled.iloc[0]!r} may begin with the day or with the month:"
                " write dates such as 2026-01-31, or say clock=none."
            )
        return min(zip(back, far, readings, strict=True), key=lambda one: one[:2])[2]
    return readings[0] if readings else None


def _of_24_hours(match: re.Match[str]) -> str:
    """Return 13:30 for 1:30 pm."""
    return f"{int(match[1]) % 12 + 12 * (match[3] in 'pP')}{match[2]}"


def _scale(name: str, unit: str) -> float | None:
    """Return the seconds of a step of 1, None if neither heading nor unit states them."""
    for word in [*_words(unit), *reversed(_words(name))]:
        if word in _SECONDS:
            return _SECONDS[word]
    return None


def _rises(times: np.ndarray) -> bool:
    """Return whether numbers always rise, with nine of ten steps similar."""
    steps = np.diff(times)
    if len(times) < _LEAST or not (steps > 0).all():
        return False
    usual = np.median(steps)
    return bool(np.mean(np.abs(steps - usual) <= usual / 2) >= 0.9)
