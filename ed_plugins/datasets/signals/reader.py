"""Reader of a user's recordings for a run: windows cut as in training."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ed_core import EdkitError, Field, Fields, FileReader, Findings
from ed_core.plugins.spec import PRESENT
from ed_plugins.datasets._samples import FilePart, JoinedSamples
from ed_plugins.datasets.signals.calendars import CALENDAR, DATES, calendar_of, check_dates
from ed_plugins.datasets.signals.clocks import find_clock
from ed_plugins.datasets.signals.files import WAVES, find_recordings
from ed_plugins.datasets.signals.recordings import read_recording, report
from ed_plugins.datasets.signals.stretches import ReadOptions, SignalRecording, Stretch
from ed_plugins.datasets.signals.wav import open_wav, wav_header
from ed_plugins.datasets.signals.windows import (
    steps_of,
    whole_windows,
    window_count,
    windows,
)
from ed_plugins.datasets.table.csv_layout import TextOptions
from ed_plugins.datasets.table.files import read_columns

_OPTIONS = ("channels", "clock", "missing", "gap")


def reading_of(
    first: SignalRecording, options: ReadOptions, window: int, hop: int
) -> dict[str, Any]:
    """Return how a run's recordings were read, ready for JSON.

    Args:
        first: of the recordings, which are all alike.
        options: by which they were read; the channels of a table are named.
        window: samples of a window.
        hop: samples from one window to the next.
    """
    return {
        "window": window,
        "hop": hop,
        "rate": first.rate,
        "step": first.step,
        "columns": options.columns or ",".join(first.labels),
        **{name: getattr(options, name) for name in _OPTIONS},
        "decimal": options.text.decimal,
        "heading": options.text.heading,
        "encoding": options.text.encoding,
    }


def open_signals(path: Path, fields: Fields, reading: Mapping[str, Any]) -> JoinedSamples:
    """Return the windows of a recording, or of a folder of them, as a run takes them.

    A window is named by its file and by when it begins: seconds, a date, or the row.

    Args:
        path: of a file, a folder, or a pattern of names.
        fields: that the run takes: one signal (time, channels).
        reading: how the run's own recordings were read; {} where they were of another kind: then
            windows follow each other.

    Raises:
        EdkitError: the run takes no signal, or no file can be read.
    """
    stated = reading.get("signals")
    plan = _plan(path, fields, stated if isinstance(stated, Mapping) else {})
    findings = Findings()
    parts, read, rest = [], [], 0
    for file in find_recordings(path, findings):
        name = file.relative_to(path).as_posix() if path.is_dir() else file.name
        try:
            part, recording, left = _part(file, name, plan)
        except EdkitError as error:
            parts.append(FilePart(name, error=error))
            continue
        parts.append(part)
        read.append(replace(recording, stretches=()))
        rest += left
    if read:
        report(read, findings)
    findings.leave_out("samples", rest, "less than a window, at the ends")
    return JoinedSamples(parts, findings)


def _evidence(path: Path) -> str:
    """Return the clock of a recording, or that there are several files; "" where neither is."""
    if path.is_dir():
        return "several files, where a table is one"
    table = read_columns(path, TextOptions())
    try:
        clock, _ = find_clock(table, "", [])
    except EdkitError:  # such as dates that may be read in two ways
        return ""
    return f"a clock, {clock.name}" if clock and clock.step and not clock.unsteady else ""


READER = FileReader(
    (*WAVES, ".csv", ".tsv", ".txt", ".dat", ".parquet"), open_signals, evidence=_evidence
)


@dataclass(frozen=True, slots=True)
class _WindowReading:
    """How the windows of every file are cut.

    Args:
        name: of the field.
        field: of the run.
        times: whether the run has a field `time`.
        calendar: whether it takes a field `calendar`.
        hop: samples from one window to the next.
        step: from sample to sample of a table; 0 if unknown.
        options: of reading.
    """

    name: str
    field: Field
    times: bool
    calendar: bool
    hop: int
    step: float
    options: ReadOptions


def _plan(path: Path, fields: Fields, stated: Mapping[str, Any]) -> _WindowReading:
    """Return how files are read for a run.

    Raises:
        EdkitError: it takes no signal, or several.
    """
    signals = {n: f for n, f in fields.items() if f.kind == "signal" and len(f.shape) == 2}
    name = "signal" if "signal" in signals else next(iter(signals), "")
    if not name:
        takes = ", ".join(f"{one} ({field.words})" for one, field in fields.items())
        raise EdkitError(
            f"{str(path)!r} holds signals, and the run takes {takes}: give files of that kind."
        )
    if others := {*fields} - {name, "time", "calendar", name + PRESENT}:
        raise EdkitError(
            f"{str(path)!r} holds signals, and the run takes {', '.join(sorted(others))} as well: "
            "give arrays with both."
        )
    field = signals[name]
    text = TextOptions(*(stated.get(k, v) for k, v in (("decimal", "auto"), ("heading", "auto"))))
    options = ReadOptions(
        rate=int(stated.get("rate", 0)),
        columns=str(stated.get("columns", "")),
        text=replace(text, encoding=str(stated.get("encoding", ""))),
        of_run=True,
        **{key: stated[key] for key in _OPTIONS if key in stated},
    )
    hop = int(stated.get("hop", field.shape[0]))
    taken = "time" in fields, "calendar" in fields
    return _WindowReading(name, field, *taken, hop, float(stated.get("step", 0)), options)


def _part(path: Path, name: str, plan: _WindowReading) -> tuple[FilePart, SignalRecording, int]:
    """Return the windows of a file, its recording, and how many samples are in none."""
    load = _loader(path, plan.options)
    recording = load()
    _check(recording, plan)
    window = plan.field.shape[0]
    held = whole_windows(recording.stretches, window)
    rows = [(n, row) for n, one in enumerate(held) for row in _filled(one, window, plan.hop)]
    if not rows:
        longest = max(map(len, recording.stretches))
        raise EdkitError(
            f"{str(path)!r}: expected windows of {window} samples, found none: the longest stretch "
            f"between two gaps has {longest}."
        )
    starts = np.array([held[n].times(np.array([row * plan.hop]))[0] for n, row in rows])
    ends = [(window_count(one, window, plan.hop) - 1) * plan.hop + window for one in held]
    used = sum(min(len(one), end) for one, end in zip(held, ends, strict=True))
    fields = Fields({plan.name: replace(plan.field, partial=plan.options.missing == "mask")})
    if plan.times:
        fields["time"] = Field((), "value", unit=recording.unit)
    if plan.calendar:
        check_dates(path, recording.unit, float(starts[0]))
        fields["calendar"] = Field((window, CALENDAR), "signal")

    def read(chosen: range) -> dict[str, np.ndarray]:
        stretches = whole_windows(load().stretches, window)
        few = [rows[row] for row in chosen]
        cut = [_window(stretches[n], row * plan.hop, window) for n, row in few]
        arrays = {plan.name: np.stack(cut)}
        if plan.times:
            arrays["time"] = starts[chosen.start : chosen.stop : chosen.step]
        if plan.calendar:
            begins = [(stretches[n], np.array([row * plan.hop])) for n, row in few]
            steps = [one.times(steps_of(begin, window, len(one))[0]) for one, begin in begins]
            arrays["calendar"] = calendar_of(np.stack(steps))
        return arrays

    part = FilePart(name, WindowTimes(starts, recording), read, fields)
    return part, recording, len(recording) - used


def _filled(one: Stretch, window: int, hop: int) -> Sequence[int]:
    """Return the numbers of the windows with a number in them."""
    count = window_count(one, window, hop)
    if not isinstance(one.samples, np.ndarray) or not np.isnan(one.samples).any():
        return range(count)
    return [
        row
        for row in range(count)
        if not np.isnan(one.samples[row * hop : row * hop + window]).all()
    ]


def _window(one: Stretch, first: int, window: int) -> np.ndarray:
    """Return the window (window, channels) that begins at a sample."""
    return np.asarray(windows(one.samples[first : first + window], window, window)[0])


def _loader(path: Path, options: ReadOptions) -> Callable[[], SignalRecording]:
    """Return what reads a recording: sounds in pieces where that is possible, tables as a whole.

    The table that was read last is kept.
    """
    if path.suffix.lower() not in WAVES:
        return lambda: _table(path, options)
    header = wav_header(path)
    if options.rate in (0, header.rate) and options.channels == "all":
        samples: Any = open_wav(path, header)
        if samples is not None:
            start = Stretch(samples, 0.0, 1 / header.rate)
            names = ("",) * header.channels
            recording = SignalRecording(
                path, (start,), names, header.rate, 1 / header.rate, "s", header.depth, True
            )
            return lambda: recording
    return lambda: _sound(path, options)


@lru_cache(maxsize=2)  # several threads read, and all in order
def _table(path: Path, options: ReadOptions) -> SignalRecording:
    return read_recording(path, None, options)


@lru_cache(maxsize=2)  # several threads read, and all in order
def _sound(path: Path, options: ReadOptions) -> SignalRecording:
    header = wav_header(path)
    recording = read_recording(path, header, options)
    if options.rate in (0, header.rate):
        return recording
    note = ("rate", f"resampled from {header.rate} Hz to {options.rate} Hz", "", 0, False)
    return replace(recording, notes=(*recording.notes, note))


def _check(recording: SignalRecording, plan: _WindowReading) -> None:
    """Raise EdkitError where a recording has other channels, or another step, than the run's."""
    path, channels = str(recording.path), plan.field.shape[1]
    if len(recording.names) != channels:
        raise EdkitError(
            f"{path!r} has {len(recording.names)} channels, and the run was trained on {channels}: "
            "give files with those channels."
        )
    step = recording.step
    if not recording.rate and step and plan.step and abs(step - plan.step) > 0.01 * plan.step:
        raise EdkitError(
            f"{path!r} has a step of {step:.6g} {recording.unit}, and the run was trained on one "
            f"of {plan.step:.6g}: resample it."
        )


class WindowTimes(Sequence[str]):
    """When windows begin, in words: seconds, a date, or the row where there is no clock.

    Args:
        starts: (windows,) float64.
        recording: of them.
    """

    def __init__(self, starts: np.ndarray, recording: SignalRecording) -> None:
        self._starts, self._unit = starts, recording.unit
        self._dates = self._unit == "s" and float(starts[0]) >= DATES

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, row: Any) -> Any:
        start = float(self._starts[row])
        if self._dates:
            return str(np.datetime64(round(1000 * start), "ms")).removesuffix(".000")
        return f"{start:.6f}".rstrip("0").rstrip(".") + f" {self._unit}".rstrip()
