"""Signals over time, cut into windows: WAV and CSV files, or a made electrocardiogram."""

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
    Groups,
    Standardisation,
    content_generator,
    dataset,
)
from ed_plugins._electrocardiogram import electrocardiogram
from ed_plugins._options import NO_FILE, check_least
from ed_plugins._recordings import find_recordings, read_recordings

Part = tuple[np.ndarray, int]  # a stretch of signal (time, channels), the number of its class

_TEST = 0.2
_RATE = 128  # Hz, of the made signal
_MADE = 3600 * _RATE  # samples of it, an hour


@dataset
def signals(
    *,
    path: FilePath = NO_FILE,
    window: int = 256,
    hop: int = 0,
    rate: int = 0,
    labels: bool = False,
    split: Literal["auto", "time", "files"] = "auto",
    test: str = "",
    seed: int = 0,
) -> Dataset:
    """Windows of WAV or CSV files (one column a channel); by default a made electrocardiogram.

    A CSV column whose heading names a clock, such as `time`, `Time (s)`, `ms`, is no channel.
    Each channel is scaled to mean 0 and deviation 1 of what is trained on. What is left at the end
    of a file is dropped; a file shorter than a window is filled up with the mean. Whole files are
    kept aside for validation where these are about a tenth, else the end of each.

    Args:
        path: a file, a folder of them, or a pattern such as FOLDER/*.wav.
        window: samples of a window.
        hop: samples from one window to the next; 0 is the window's length.
        rate: resample WAV files to this many samples a second; 0 leaves them as they are.
        labels: give the field `label`: what a file's name says before its first "_".
        split: time tests on the last fifth of each file; files tests on other files than it
            trains on; auto is files where there are several.
        test: pattern of the names of the test files, such as *_[0-4]; by default a fifth of the
            files of each class at random.
        seed: of the choice of files, and of the made signal.
    """
    check_least(2, window=window)
    check_least(0, hop=hop, rate=rate)
    if (labels or test or split == "files") and not path:
        raise EdkitError("options 'labels', 'test' and split=files are about files: give 'path'.")
    files, recordings = _read(path, rate, seed)
    classes, numbers = _classes(files) if labels else ((), [0] * len(files))
    parts = list(zip(recordings, numbers, strict=True))
    by_file = bool(test or split == "files" or (split == "auto" and len(files) > 1))
    if by_file:
        train, held_out = _by_file(parts, files, test, seed)
    else:
        train, held_out = _by_time(parts, files, window)
    cut = {
        name: _cut(part, window, hop or window)
        for name, part in (("train", train), ("test", held_out), ("", parts))
    }
    groups = Groups(cut["train"]["file"], in_time=True, overlap=-(-window // (hop or window)) - 1)
    fields = Fields(signal=Field((window, recordings[0].shape[1]), "signal"))
    if labels:
        fields["label"] = Field((), "class", classes)
    found = {name: {field: arrays[field] for field in fields} for name, arrays in cut.items()}
    whole = found.pop("")
    return Dataset(fields, found, whole=whole, groups=groups, preparation=Standardisation("signal"))


def _read(path: str, rate: int, seed: int) -> tuple[list[Path], list[np.ndarray]]:
    """Return the files and their signals; without a path, the made one."""
    if path:
        files = find_recordings(Path(path))
        return files, read_recordings(files, rate)
    made = electrocardiogram(content_generator(seed, 0), _MADE, rate or _RATE)
    return [Path("made")], [made]


def windows(signal: np.ndarray, window: int, hop: int) -> np.ndarray:
    """Return the windows (windows, window, channels) of a signal (time, channels) as float32.

    A rest at the end is dropped; a signal shorter than a window is filled up with NaN, which stands
    for no number.
    """
    short = max(0, window - len(signal))
    filled = np.pad(signal.astype("float32"), ((0, short), (0, 0)), constant_values=np.nan)
    views = np.lib.stride_tricks.sliding_window_view(filled, window, axis=0)[::hop]
    return np.ascontiguousarray(views.transpose(0, 2, 1))


def _cut(parts: list[Part], window: int, hop: int) -> dict[str, np.ndarray]:
    """Return the windows of all parts as `signal`, and the class and the part of each."""
    cut = [windows(signal, window, hop) for signal, _ in parts]
    counts = [len(windows_) for windows_ in cut]
    return {
        "signal": np.concatenate(cut),
        "label": np.repeat([number for _, number in parts], counts),
        "file": np.repeat(np.arange(len(parts)), counts),
    }


def _classes(files: list[Path]) -> tuple[tuple[str, ...], list[int]]:
    """Return the classes that the file names begin with, sorted, and each file's number."""
    for file in files:
        if "_" not in file.stem:
            raise EdkitError(
                f"{str(file)!r}: expected a name such as CLASS_..., for option labels."
            )
    names = [file.stem.partition("_")[0] for file in files]
    classes = tuple(sorted(set(names)))
    if len(classes) < 2:
        raise EdkitError(
            f"option 'labels' needs file names that begin with two classes or more, found "
            f"{classes[0]!r} alone in {files[0].name!r}."
        )
    return classes, [classes.index(name) for name in names]


def _by_file(
    parts: list[Part], files: list[Path], pattern: str, seed: int
) -> tuple[list[Part], list[Part]]:
    """Return the signals to train on, and those of the pattern, or a fifth of each class."""
    if pattern:
        tested = {i for i, file in enumerate(files) if fnmatch(file.stem, pattern)}
    else:
        random, tested = content_generator(seed, 1), set()
        for number in sorted({number for _, number in parts}):
            own = [i for i, part in enumerate(parts) if part[1] == number]
            few = max(1, round(_TEST * len(own))) if len(own) > 1 else 0
            tested.update(random.permutation(own)[:few].tolist())
    if not 0 < len(tested) < len(files):
        which = f"option 'test' takes {pattern!r}" if pattern else "no class has two files"
        raise EdkitError(
            f"{str(files[0].parent)!r}: expected files to train on and files to test, found "
            f"{len(tested)} of {len(files)} to test, the first being {files[0].name!r} ({which})."
        )
    chosen = [[p for i, p in enumerate(parts) if (i in tested) == test] for test in (False, True)]
    return chosen[0], chosen[1]


def _by_time(parts: list[Part], files: list[Path], window: int) -> tuple[list[Part], list[Part]]:
    """Return the first four fifths of every signal, and the last fifth."""
    train, test = [], []
    for (signal, number), file in zip(parts, files, strict=True):
        cut = len(signal) - int(_TEST * len(signal))
        if len(signal) - cut < window:
            raise EdkitError(
                f"{file.name!r} has {len(signal)} samples: expected at least {5 * window}, so that "
                f"its last fifth holds a window of {window}."
            )
        train.append((signal[:cut], number))
        test.append((signal[cut:], number))
    return train, test
