"""Loader of signals cut into windows: WAV and CSV files, or a synthetic electrocardiogram."""

import re
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal

import numpy as np

from ed_core import (
    Dataset,
    EdkitError,
    Field,
    Fields,
    FilePath,
    Findings,
    Groups,
    InputRecord,
    Standardisation,
    content_generator,
    dataset,
)
from ed_core.data.lazy import Later
from ed_core.data.memory import check_memory
from ed_plugins.datasets._options import NO_FILE, SPLITS, check_least
from ed_plugins.datasets.signals.calendars import (
    CALENDAR,
    DATES,
    ODD,
    calendar_of,
    check_dates,
    is_odd,
    read_stretches,
)
from ed_plugins.datasets.signals.electrocardiogram import electrocardiogram
from ed_plugins.datasets.signals.files import find_recordings, plain
from ed_plugins.datasets.signals.reader import READER, reading_of
from ed_plugins.datasets.signals.recordings import read_recordings, report
from ed_plugins.datasets.signals.stretches import ReadOptions, SignalRecording, Stretch
from ed_plugins.datasets.signals.windows import (
    steps_of,
    whole_windows,
    window_count,
    windows,
)
from ed_plugins.datasets.table.csv_layout import TextOptions

Arrays = dict[str, np.ndarray]

_TEST = 0.2
_RATE = 128  # Hz, of the synthetic signal
_SYNTHETIC = 3600 * _RATE  # samples of it, an hour


@dataclass(frozen=True, slots=True)
class _Part:
    """Part of one file to be cut into windows.

    Args:
        stretches: of its signal.
        label: the number of its class.
    """

    stretches: tuple[Stretch, ...]
    label: int

    def __len__(self) -> int:
        return sum(map(len, self.stretches))

    def between(self, first: int, last: int) -> "_Part":
        """Return the samples from `first` to before `last`, gaps not counted."""
        parts, start = [], 0
        for one in self.stretches:
            a, b = max(first - start, 0), min(last - start, len(one))
            parts.extend([one.part(a, b)] if b > a else [])
            start += len(one)
        return _Part(tuple(parts), self.label)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Plan of the windows and splits; see the options of `signals`.

    `share` is that of the samples to test on; `stretches` are the odd ones, (lines, 2), or None.
    """

    window: int
    hop: int
    labels: bool
    split: str
    test: str
    seed: int
    calendar: bool = False
    stretches: np.ndarray | None = None
    share: float = _TEST


@dataset(files=READER)
def signals(
    *,
    path: FilePath = NO_FILE,
    window: int = 256,
    hop: int = 0,
    rate: int = 0,
    channels: Literal["all", "mono", "first"] = "all",
    columns: str = "",
    clock: str = "",
    decimal: Literal["auto", ".", ","] = "auto",
    missing: Literal["refuse", "drop", "fill", "mask"] = "refuse",
    gap: str = "",
    heading: Literal["auto", "yes", "no"] = "auto",
    encoding: str = "",
    labels: bool = False,
    split: Literal["auto", "time", "files"] = "auto",
    test: str = "",
    seed: int = 0,
    calendar: bool = False,
    odd: FilePath = NO_FILE,
) -> Dataset:
    """Windows of WAV, CSV or Parquet files (a column a channel), or a synthetic electrocardiogram.

    Whole numbers of a WAV file are scaled to -1..1, full scale being 1. In a table, columns of
    numbers are channels, except row numbers and the clock: a column headed `time`, `Time (s)` or
    the like, dates, or a first column that rises steadily. No window crosses a gap of the clock.
    The field `time` is the start of each window, in the file or since 1970, in seconds if the unit
    is known.

    Each channel is scaled to mean 0 and deviation 1 over the training samples. The rest at the end
    of a file is dropped; a file shorter than a window is padded with the mean. The validation split
    is whole files if these can be about a tenth, else the end of each.

    Args:
        path: a file, a folder of them and of folders, or a pattern such as FOLDER/*.wav.
        window: samples of a window.
        hop: samples from one window to the next; 0 is the window's length.
        rate: resample WAV files to this many samples a second; 0 leaves them as they are.
        channels: all, their mean (mono), or the first.
        columns: of a table, as channels: names or numbers from 1, joined by commas.
        clock: name of the column of times, or none: rows at equal distances.
        decimal: the decimal mark of a CSV file; auto infers it from the numbers.
        missing: refuse empty cells, drop such rows, fill by straight lines, or mask: no target.
        gap: the number for no value in a table, such as -9999; none if there is none.
        heading: whether a CSV file's first line names its columns; auto infers it.
        encoding: of a CSV file; by default UTF-8, or UTF-16 by its mark, else cp1252.
        labels: add the field `label`: the name of each file's folder, or, if all share one, its
            name up to the first "_".
        split: time tests on the last fifth of each file; files tests on other files than it
            trains on; auto is files if there are several.
        test: pattern of the names of the test files, such as *_[0-4], or the share of the files of
            each class, or of each file, to test on; by default 0.2, or a folder `test`.
        seed: of the choice of files, and of the synthetic signal.
        calendar: add the field `calendar` (window, 4): sine and cosine of the time of the day and
            of the week at each step, which models such as signal_autoencoder take as well.
        odd: a CSV file of odd stretches, a line each, with the columns start and end: the field
            `label` says of each window whether it is normal, or odd: it overlaps one.
    """
    check_least(2, window=window)
    check_least(0, hop=hop, rate=rate)
    if (labels or test or split == "files") and not path:
        raise EdkitError("options 'labels', 'test' and split=files are about files: give 'path'.")
    if labels and odd:
        raise EdkitError("expected option 'labels' or option 'odd', received both: leave one out.")
    text = TextOptions(decimal, heading, encoding)
    _check_gap(gap)
    options = ReadOptions(rate, channels, columns, clock, missing, gap, text)
    share = float(test) if re.fullmatch(r"0?\.\d*[1-9]\d*", test) else None
    plan = _Plan(
        *(window, hop or window, labels, split, "" if share else test, seed),
        calendar=calendar,
        stretches=read_stretches(Path(odd)) if odd else None,
        share=share or _TEST,
    )
    return _load(path, options, plan)


def _check_gap(gap: str) -> None:
    if gap not in ("", "none") and not re.fullmatch(r"[+-]?\d+\.?\d*", gap):
        raise EdkitError(f"option 'gap' is a number such as -9999, or none, received {gap!r}.")


def _load(path: str, options: ReadOptions, plan: _Plan) -> Dataset:
    """Return the windows of the files at a path, or of the synthetic signal."""
    findings = Findings()
    if path:
        files = find_recordings(Path(path), findings)
        recordings = read_recordings(files, options, findings)
        files = [one.path for one in recordings]
        report(recordings, findings)
    else:
        files, recordings = [Path("made")], [_synthetic(options.rate or _RATE, plan.seed)]
    folders = _folders(Path(path), files)
    named = not plan.test and plan.split == "auto"
    split_names, folders = _given_splits(folders) if named else ([], folders)
    classes: tuple[str, ...] = ()
    numbers = [0] * len(files)
    if plan.labels:
        classes, numbers = _classes(files, _without_common(folders), findings)
    parts = [_Part(one.stretches, n) for one, n in zip(recordings, numbers, strict=True)]
    for one in recordings if plan.calendar else ():
        check_dates(one.path, one.unit, float(one.stretches[0].times(np.zeros(1, int))[0]))
    splits = _by_folder(parts, split_names) if split_names else _drawn(parts, files, plan)
    cut = {name: _cut(part, plan) for name, part in splits.items()}
    _check_windows(cut, recordings, plan.window)
    if path:
        _report_split(splits, bool(split_names), files, plan, findings)
        _report_times(recordings, cut, plan, findings)
        _report_windows([p for each in splits.values() for p in each], plan, findings)
    gaps = options.missing == "mask"
    fields = Fields(
        signal=Field((plan.window, len(recordings[0].names)), "signal", partial=gaps),
        time=Field((), "value", unit=recordings[0].unit),
    )
    if plan.calendar:
        fields["calendar"] = Field((plan.window, CALENDAR), "signal")
    if plan.labels or plan.stretches is not None:
        fields["label"] = Field((), "class", classes or ODD)
    overlap = -(-plan.window // plan.hop) - 1
    reading = reading_of(recordings[0], options, plan.window, plan.hop)
    return Dataset(
        fields,
        {name: {field: arrays[field] for field in fields} for name, arrays in cut.items()},
        whole=None if split_names else Later(lambda: _cut(parts, plan), list(fields)),
        groups=Groups(cut["train"]["file"], in_time=True, overlap=overlap),
        preparation=_preparation(recordings, gaps),
        input=InputRecord(findings=tuple(findings), reading={"signals": reading}),
    )


def _by_folder(parts: list[_Part], split_names: list[str]) -> dict[str, list[_Part]]:
    """Return the signals of each split, by the names of their folders."""
    order = sorted(set(split_names), key=list(SPLITS.values()).index)
    return {
        name: [p for p, of in zip(parts, split_names, strict=True) if of == name] for name in order
    }


def _drawn(parts: list[_Part], files: list[Path], plan: _Plan) -> dict[str, list[_Part]]:
    """Return the training and the test signals, split by files or by time."""
    by_file = plan.test or plan.split == "files" or (plan.split == "auto" and len(files) > 1)
    if by_file:
        return _by_file(parts, files, plan)
    return _by_time(parts, files, plan)


def _synthetic(rate: int, seed: int) -> SignalRecording:
    """Return the synthetic signal."""
    signal = electrocardiogram(content_generator(seed, 0), _SYNTHETIC, rate)
    return SignalRecording(
        Path("made"), (Stretch(signal, step=1 / rate),), ("",), rate, 1 / rate, "s"
    )


def _preparation(recordings: list[SignalRecording], gaps: bool) -> Standardisation:
    """Return the scaling of the channels; earlier versions did not scale whole numbers of WAV."""
    waves = any(one.depth for one in recordings)
    whole = any(one.whole for one in recordings)
    return Standardisation("signal", gaps, "full scale" if waves else "", whole)


def _cut(parts: list[_Part], plan: _Plan) -> Arrays:
    """Return the windows of all parts as `signal`, with the time, class and part of each.

    Windows without any number are left out.
    """
    window, hop = plan.window, plan.hop
    held = [
        (i, one) for i, part in enumerate(parts) for one in whole_windows(part.stretches, window)
    ]
    counts = [window_count(one, window, hop) for _, one in held]
    channels = held[0][1].samples.shape[1] if held else 1
    kind = np.result_type("float32", *(one.samples.dtype for _, one in held))
    size = sum(counts) * window * channels * kind.itemsize
    check_memory(2 * size, f"{sum(counts):,} windows of {window}", "give a larger 'hop'")
    signal = np.empty((sum(counts), window, channels), kind)
    time = np.empty(sum(counts), "float64")
    last = np.empty_like(time)
    calendar = np.empty((sum(counts) if plan.calendar else 0, window, CALENDAR), "float32")
    first = 0
    for (_, one), count in zip(held, counts, strict=True):
        rows = slice(first, first + count)
        signal[rows] = windows(one.samples, window, hop)
        begins = np.arange(count) * hop
        time[rows] = one.times(begins)
        last[rows] = one.times(np.minimum(begins + window, len(one)) - 1)
        if plan.calendar:
            calendar[rows] = calendar_of(one.times(steps_of(begins, window, len(one))))
        first += count
    of = np.repeat([number for number, _ in held], counts).astype(int)
    label = np.array([part.label for part in parts], int)[of]
    if plan.stretches is not None:
        label = is_odd(time, last, plan.stretches).astype(int)
    arrays = {"signal": signal, "time": time, "label": label, "file": of}
    if plan.calendar:
        arrays["calendar"] = calendar
    begins_empty = np.flatnonzero(np.isnan(signal[:, 0]).all(axis=1))
    empty = [row for row in begins_empty if np.isnan(signal[row]).all()]
    return {name: np.delete(x, empty, axis=0) for name, x in arrays.items()} if empty else arrays


def _check_windows(cut: dict[str, Arrays], recordings: list[SignalRecording], window: int) -> None:
    """Raise an error if gaps leave no window to train on or to test."""
    for name, arrays in cut.items():
        if not len(arrays["signal"]):
            longest = max(len(one) for each in recordings for one in each.stretches)
            raise EdkitError(
                f"{str(recordings[0].path)!r}: expected windows of {window} samples for split "
                f"{name!r}, found none: the longest stretch between two gaps has {longest}; give a "
                "smaller 'window', clock=none to cross the gaps of the clock, or missing=fill."
            )


def _report_split(
    splits: dict[str, list[_Part]],
    folders: bool,
    files: list[Path],
    plan: _Plan,
    findings: Findings,
) -> None:
    """Report the choice of training and test signals, unless the user made it."""
    counts = ", ".join(f"{len(part)} {name}" for name, part in splits.items())
    if folders:
        findings.infer("split", f"by folders: {counts} files", "split=files")
    elif len(splits["train"]) == len(files):
        several = len(files) > 1
        last = "fifth" if plan.share == _TEST else f"{100 * plan.share:.3g} %"
        text = f"the last {last}{' of each file' * several} is the test"
        findings.infer("split", text, "test=SHARE" + ", split=files" * several)
    elif not plan.test:
        findings.infer("split", f"by files, at random: {counts}", "split=time")


def _report_times(
    recordings: list[SignalRecording], cut: dict[str, Arrays], plan: _Plan, findings: Findings
) -> None:
    """Report the odd windows, and that the times of the day and the week may be an input.

    Raises:
        EdkitError: no window is odd.
    """
    first = recordings[0]
    starts = float(first.stretches[0].times(np.zeros(1, int))[0])
    if first.unit == "s" and starts >= DATES and not plan.calendar:
        text = "the time of the day and of the week is no input"
        findings.infer("calendar", text, "calendar=yes")
    if plan.stretches is None:
        return
    odd = {split: int(arrays["label"].sum()) for split, arrays in cut.items()}
    if not any(odd.values()):
        raise EdkitError(
            f"{str(first.path)!r}: no window lies in a stretch that option 'odd' names: write its "
            "times as those of the recording."
        )
    counts = ", ".join(f"{split} {count:,}" for split, count in odd.items())
    text = f"windows that overlap one of {len(plan.stretches)} stretches are odd: {counts}"
    findings.infer("label", text)


def _report_windows(parts: list[_Part], plan: _Plan, findings: Findings) -> None:
    """Report samples outside all windows, and padded files."""
    window, hop = plan.window, plan.hop
    rest = short = 0
    for part in parts:
        held = whole_windows(part.stretches, window)
        used = [min(max(len(one) - window, 0) // hop * hop + window, len(one)) for one in held]
        rest += len(part) - sum(used)
        short += sum(len(one) < window for one in held)
    share = 100 * rest / max(sum(map(len, parts)), 1)
    findings.leave_out("samples", rest, f"less than a window, at the ends ({share:.2g} %)")
    if short:
        text = f"{short:,} of {len(parts):,} files are shorter than one: filled up with the mean"
        findings.infer("windows", text, f"window={max(2, min(map(len, parts)))}")


def _folders(path: Path, files: list[Path]) -> list[tuple[str, ...]]:
    """Return the folders between a path and each of its files."""
    if not path.is_dir():
        return [()] * len(files)
    return [tuple(map(plain, file.relative_to(path).parts[:-1])) for file in files]


def _given_splits(folders: list[tuple[str, ...]]) -> tuple[list[str], list[tuple[str, ...]]]:
    """Return the split of each file if folders such as train and test state it, else nothing.

    Also return the folders without those.
    """
    for level in range(min(map(len, folders), default=0)):
        named = [SPLITS.get(one[level].lower(), "") for one in folders]
        if all(named) and {"train"} < set(named):
            return named, [one[:level] + one[level + 1 :] for one in folders]
    return [], folders


def _without_common(folders: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return folders without the common ones above all files, if there are others below."""
    while all(len(one) > 1 for one in folders) and len({one[0] for one in folders}) == 1:
        folders = [one[1:] for one in folders]
    return folders


def _classes(
    files: list[Path], folders: list[tuple[str, ...]], findings: Findings
) -> tuple[tuple[str, ...], list[int]]:
    """Return the sorted classes from folders or file names, and each file's class number."""
    inside = [file for file, folder in zip(files, folders, strict=True) if folder]
    if inside and len(inside) < len(files):
        beside = next(f for f, folder in zip(files, folders, strict=True) if not folder)
        raise EdkitError(
            f"{str(beside)!r} lies beside folders: expected each file in the folder of its class, "
            "or all in one folder, for option labels; move it."
        )
    for file in () if inside else files:
        if "_" not in file.stem:
            raise EdkitError(
                f"{str(file)!r}: expected a name such as CLASS_..., or a folder a class, for "
                "option labels."
            )
    names = [
        f[0] if inside else plain(file.stem).partition("_")[0]
        for file, f in zip(files, folders, strict=True)
    ]
    classes = tuple(sorted(set(names)))
    if len(classes) < 2:
        what = "folders" if inside else "file names that begin with"
        raise EdkitError(
            f"option 'labels' needs {what}{' of' * bool(inside)} two classes or more, found "
            f"{classes[0]!r} alone in {files[0].name!r}."
        )
    source = "the names of folders" if inside else "what file names say before _"
    findings.infer("label", f"{len(classes)} classes by {source}", "labels=no")
    return classes, [classes.index(name) for name in names]


def _by_file(parts: list[_Part], files: list[Path], plan: _Plan) -> dict[str, list[_Part]]:
    """Return training and test signals: tests match the pattern, or are a share of each class."""
    pattern = plan.test
    if pattern:
        plain_pattern = plain(pattern)
        tested = {i for i, file in enumerate(files) if fnmatch(plain(file.stem), plain_pattern)}
    else:
        random, tested = content_generator(plan.seed, 1), set()
        for number in sorted({part.label for part in parts}):
            own = [i for i, part in enumerate(parts) if part.label == number]
            few = max(1, round(plan.share * len(own))) if len(own) > 1 else 0
            tested.update(random.permutation(own)[:few].tolist())
    if not 0 < len(tested) < len(files):
        which = f"option 'test' takes {pattern!r}" if pattern else "no class has two files"
        remedy = "give another pattern" if pattern else "say split=time, or give more files"
        raise EdkitError(
            f"{str(files[0].parent)!r}: expected files to train on and files to test, found "
            f"{len(tested)} of {len(files)} to test, the first being {files[0].name!r} ({which}): "
            f"{remedy}."
        )
    return {
        "train": [part for i, part in enumerate(parts) if i not in tested],
        "test": [part for i, part in enumerate(parts) if i in tested],
    }


def _by_time(parts: list[_Part], files: list[Path], plan: _Plan) -> dict[str, list[_Part]]:
    """Return the first part and the last part, by default a fifth, of every signal."""
    window = plan.window
    splits: dict[str, list[_Part]] = {"train": [], "test": []}
    for part, file in zip(parts, files, strict=True):
        cut = len(part) - int(plan.share * len(part))
        smaller = f", such as window={len(part) // 5}" if len(part) >= 10 else ""
        if len(part) - cut < window:
            raise EdkitError(
                f"{file.name!r} has {len(part)} samples: expected at least {5 * window}, so that "
                f"its last fifth holds a window of {window}: say a smaller 'window'{smaller}."
            )
        splits["train"].append(part.between(0, cut))
        splits["test"].append(part.between(cut, len(part)))
    return splits
