"""Recordings with the same channels at the same rate, from WAV files or tables."""

from collections import Counter
from dataclasses import replace
from math import gcd
from pathlib import Path

import numpy as np

from ed_core import EdkitError, Findings
from ed_core.data.memory import check_memory
from ed_plugins.datasets.signals.files import WAVES
from ed_plugins.datasets.signals.stretches import (
    Channels,
    ReadOptions,
    SignalRecording,
    Stretch,
    stretches_of,
)
from ed_plugins.datasets.signals.tables import read_table
from ed_plugins.datasets.signals.wav import WavHeader, read_wav, wav_header
from ed_plugins.datasets.table.csv_layout import NoNumbersError, Note

_LISTED = 80  # characters of channel names in a message
_MANY = 16  # unnamed channels from which on each row may have been meant as a signal


def read_recordings(
    paths: list[Path], options: ReadOptions, findings: Findings
) -> list[SignalRecording]:
    """Return the recordings of files, all with the same channels at the same rate.

    Among several files, those without numbers are left out, such as a list of labels.

    Raises:
        EdkitError: a file cannot be read, holds other than finite numbers, or differs from the
            first in channels or rate, or all need too much memory.
    """
    waves = [path.suffix.lower() in WAVES for path in paths]
    _check_options(options, any(waves), not all(waves))
    headers = [wav_header(p) if wave else None for p, wave in zip(paths, waves, strict=True)]
    _check_headers(paths, headers, options)
    recordings: list[SignalRecording] = []
    empty: list[NoNumbersError] = []
    for path, header in zip(paths, headers, strict=True):
        try:
            recording = read_recording(path, header, options)
        except NoNumbersError as error:
            empty.append(error)
            if len(empty) == len(paths):
                raise empty[0] from None
            continue
        recordings.append(recording)
    named = ", ".join(error.name for error in empty[:4])
    findings.leave_out("files", len(empty), f"without numbers: {named}")
    return _alike(recordings, bool(options.columns))


def read_recording(path: Path, header: WavHeader | None, options: ReadOptions) -> SignalRecording:
    """Return the recording of a WAV file, by its header, or of a table.

    Raises:
        EdkitError: it cannot be read, or holds other than finite numbers, or none.
    """
    recording = _of_wav(path, header, options) if header else read_table(path, options)
    if not len(recording):
        raise EdkitError(f"{str(path)!r}: expected samples, found none.")
    return with_channels(recording, options.channels)


def _check_options(options: ReadOptions, waves: bool, tables: bool) -> None:
    """Raise an error about an option that has no effect on these files."""
    default = ReadOptions()
    stated = {
        "columns": options.columns != default.columns,
        "clock": options.clock != default.clock,
        "gap": options.gap != default.gap,
        "decimal": options.text.decimal != default.text.decimal,
        "heading": options.text.heading != default.text.heading,
        "encoding": options.text.encoding != default.text.encoding,
    }
    for name in (name for name, is_given in stated.items() if is_given and not tables):
        raise EdkitError(
            f"option {name!r} is about tables, received with WAV files alone: leave it out."
        )
    if options.rate and not waves:
        raise EdkitError(
            "option 'rate' is about WAV files, received with tables alone: leave it out."
        )


def _check_headers(
    paths: list[Path], headers: list[WavHeader | None], options: ReadOptions
) -> None:
    """Raise an error for sounds of different rates or channels, or too large, before reading."""
    waves = [(path, header) for path, header in zip(paths, headers, strict=True) if header]
    if not waves:
        return
    needed = sum(header.memory * max(1, options.rate // header.rate) for _, header in waves)
    what = repr(str(waves[0][0])) if len(waves) == 1 else f"{len(waves):,} WAV files"
    check_memory(needed, what, "give less of it, or a smaller 'rate'")
    path, first = waves[0]
    for other, header in waves:
        remedies = []
        if not options.rate and header.rate != first.rate:
            least = min(one.rate for _, one in waves)
            remedies.append(f"rate={least} brings all to one rate")
        if options.channels == "all" and header.channels != first.channels:
            remedies.append("channels=mono takes the mean of each file's channels, first the first")
        if remedies:
            raise EdkitError(
                f"{str(other)!r} has {_sound(header)}, but {path.name!r} has {_sound(first)}: "
                f"expected files of one kind; {' and '.join(remedies)}."
            )


def _sound(header: WavHeader) -> str:
    return f"{header.channels} channel{'s' * (header.channels > 1)} at {header.rate} Hz"


def _of_wav(path: Path, header: WavHeader, options: ReadOptions) -> SignalRecording:
    """Return a WAV file's recording; times are seconds in the file."""
    samples = read_wav(path, header)
    notes: list[Note] = []
    largest = float(np.nanmax(np.abs(samples))) if header.floats and samples.size else 0.0
    if np.isfinite(largest) and largest > 1:
        notes.append(("signal", f"floats beyond 1, up to {largest:.3g}, as they are", "", 0, False))

    def where(row: int, channel: int) -> tuple[str, str]:
        return f"frame {row}, channel {channel + 1}", str(samples[row, channel])

    start = Stretch(samples, 0.0, 1 / header.rate)
    parts = stretches_of(path, start, options.missing, where, notes)
    rate = options.rate or header.rate
    if rate != header.rate:
        parts = [_resampled(path, part, header.rate, rate) for part in parts]
    return SignalRecording(
        path,
        tuple(parts),
        ("",) * header.channels,
        rate,
        1 / rate,
        "s",
        header.depth,
        not header.floats,
        tuple(notes),
    )


def _resampled(path: Path, part: Stretch, own: int, rate: int) -> Stretch:
    from scipy.signal import resample_poly  # its import takes a third of a second

    if np.isnan(part.samples).any():
        raise EdkitError(
            f"{str(path)!r}: a signal with gaps cannot be resampled: say missing=fill, or leave "
            "'rate' out."
        )
    common = gcd(rate, own)
    up, down = rate // common, own // common
    samples = resample_poly(part.samples, up, down, padtype="line").astype("float32", copy=False)
    return Stretch(samples, part.start, 1 / rate)


def with_channels(recording: SignalRecording, channels: Channels) -> SignalRecording:
    """Return a recording with all of its channels, the first, or their mean."""
    if channels == "all" or len(recording.names) == 1:
        return recording
    first = channels == "first"
    parts = [
        replace(one, samples=one.samples[:, :1].copy() if first else _mean(one.samples))
        for one in recording.stretches
    ]
    names = recording.names[:1] if first else ("",)
    return replace(recording, stretches=tuple(parts), names=names)


def _mean(samples: np.ndarray) -> np.ndarray:
    return samples.mean(axis=1, keepdims=True, dtype=samples.dtype)


def _alike(recordings: list[SignalRecording], chosen: bool) -> list[SignalRecording]:
    """Return recordings with channels in one order; raise an error for other channels or steps.

    Chosen columns may have any name.
    """
    first = recordings[0]
    result = []
    for one in recordings:
        order = list(range(len(one.names)))
        if one.names != first.names and all(one.names) and not chosen:
            if sorted(one.names) == sorted(first.names) and len({*one.names}) == len(one.names):
                order = [one.names.index(name) for name in first.names]
            elif all(first.names):
                raise _other_channels(one, first)
        if len(one.names) != len(first.names):
            raise _other_channels(one, first)
        if abs(one.step - first.step) > 0.01 * max(one.step, first.step):
            raise EdkitError(
                f"{str(one.path)!r} has {_step(one)}, but "
                f"{first.path.name!r} has {_step(first)}: expected files of one "
                "rate; bring them to one, or say clock=none to take the rows as they come."
            )
        if order != list(range(len(order))):
            parts = [replace(part, samples=part.samples[:, order]) for part in one.stretches]
            text = "in another order, turned by their names"
            note: Note = ("columns", text, "", 0, False)
            one = replace(one, stretches=tuple(parts), names=first.names, notes=(*one.notes, note))
        result.append(one)
    return result


def _other_channels(one: SignalRecording, first: SignalRecording) -> EdkitError:
    both = [name for name in first.names if name and name in one.names]
    same = [number for number in one.numbers if number in first.numbers]
    remedy = f"columns={','.join(map(str, same or [1]))} takes those, however they are called"
    if both:
        remedy = f"columns={','.join(both)} takes what both have"
    elif len(one.names) != len(first.names):
        remedy += ", or say channels=mono or channels=first"
    return EdkitError(
        f"{str(one.path)!r} has {_named(one)}, but {first.path.name!r} has {_named(first)}: "
        f"expected files with the same channels; {remedy}."
    )


def _step(one: SignalRecording) -> str:
    return f"a step of {one.step:.6g} {one.unit}".rstrip() if one.step else "no clock"


def _named(one: SignalRecording) -> str:
    count = len(one.names)
    text = f"{count} channel{'s' * (count > 1)}"
    if not any(one.names):
        return text + ", a column each" * (count > _MANY)
    lengths = np.cumsum([len(name) + 2 for name in one.names])
    names = one.names[: max(1, int((lengths <= _LISTED).sum()))]
    return f"{text} ({', '.join(name[:_LISTED] for name in names)}{', ...' * (len(names) < count)})"


def report(recordings: list[SignalRecording], findings: Findings) -> None:
    """Report what was inferred and left out, joining equal findings of several files."""
    first = recordings[0]
    if first.depth:
        depths = Counter(one.depth for one in recordings)
        kinds = ", ".join(depths) if len(depths) < 4 else f"{len(depths)} types of numbers"
        full = "; full scale is 1" if any(one.whole for one in recordings) else ""
        count = len(first.names)
        plural = "s" * (count > 1)
        text = f"{count} channel{plural} at {first.rate} Hz, {kinds}{full}"
        findings.infer("signal", text, "channels=mono" if count > 1 else "")
    elif len(first.names) > 1 or any(first.names):
        same = all(first.labels[0] in one.labels for one in recordings)
        option = first.labels[0] if same else first.numbers[0]
        findings.infer("signal", _named(first), f"columns={option}")
    counts: dict[tuple[str, str, str, bool], list[int]] = {}
    for one in recordings:
        for about, text, option, count, left_out in one.notes:
            if count or not left_out:
                counts.setdefault((about, text, option, left_out), []).append(count)
    for (about, text, option, left_out), each in counts.items():
        total = sum(each)
        some = f" in {len(each):,} of {len(recordings):,} files" * (len(each) < len(recordings))
        message = text.replace("{n}", f"{total:,}") + some
        if left_out:
            findings.leave_out(about, total, message, option)
        else:
            findings.infer(about, message, option)
