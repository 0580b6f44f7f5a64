"""WAV and CSV files as arrays (time, channels)."""

import re
import warnings
from fnmatch import fnmatch
from math import gcd
from pathlib import Path

import numpy as np
from scipy.io import wavfile

from ed_core import EdkitError

# A CSV column whose heading has none but these words is no channel. A "second lead", a "time to
# peak" and an "index finger" are.
_CLOCKS = {
    *("time", "times", "timestamp", "timestamps", "date", "datetime", "clock", "utc", "elapsed"),
    *("t", "s", "sec", "seconds", "ms", "milliseconds", "us", "ns", "min", "minutes", "hours"),
    *("sample", "samples", "index", "number", "in", "of", "day"),
}


def find_recordings(path: Path) -> list[Path]:
    """Return the file, the folder's WAV files or else its CSV files, or those of a pattern.

    Args:
        path: a file, a folder, or a folder and a pattern of names such as `ecg/*.wav`.

    Raises:
        EdkitError: there is none.
    """
    if path.is_file():
        return [path]
    if path.is_dir():
        for ending in (".wav", ".csv"):
            found = [p for p in _files(path) if p.suffix.lower() == ending]
            if found:
                return found
        raise EdkitError(f"{str(path)!r}: expected WAV or CSV files in this folder, found none.")
    if path.parent.is_dir():
        found = [p for p in _files(path.parent) if fnmatch(p.name, path.name)]
        if found:
            return found
    raise EdkitError(
        f"{str(path)!r} does not exist: expected a WAV or CSV file, a folder of them, or a pattern "
        "such as FOLDER/*.wav."
    )


def _files(folder: Path) -> list[Path]:
    """Return the files of a folder by name, and nothing that would hang whoever opens it."""
    return [path for path in sorted(folder.iterdir()) if path.is_file()]


def read_recordings(paths: list[Path], rate: int = 0) -> list[np.ndarray]:
    """Return each file's samples (time, channels) as float32.

    Args:
        paths: of the files.
        rate: resample WAV files to this many samples a second; 0 leaves them.

    Raises:
        EdkitError: a file cannot be read, holds something else than finite numbers, or differs
            from the first in its channels or in its rate.
    """
    from scipy.signal import resample_poly  # takes a third of a second

    found = []
    for path in paths:
        try:
            samples, own = _read_csv(path) if path.suffix.lower() == ".csv" else _read_wav(path)
        except Exception as error:  # a damaged file breaks the readers in many ways
            text = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
            raise EdkitError(f"{str(path)!r} cannot be read: {text}.") from error
        if not samples.size:
            raise EdkitError(f"{str(path)!r}: expected samples, found none.")
        if not np.isfinite(samples).all():
            row = int(np.argmin(np.isfinite(samples).all(axis=1)))
            raise EdkitError(
                f"{str(path)!r}: expected finite numbers, found {samples[row].min()} in row {row}."
            )
        if rate and own:
            common = gcd(rate, own)
            up, down = rate // common, own // common
            samples, own = resample_poly(samples, up, down, padtype="line"), rate
        found.append((samples.astype("float32"), own))
    first = _kind(*found[0])
    for path, (samples, own) in zip(paths, found, strict=True):
        if _kind(samples, own) != first:
            raise EdkitError(
                f"{str(path)!r} has {_kind(samples, own)}, but {paths[0].name!r} has {first}: "
                "expected files of one kind. Option 'rate' brings all to one rate."
            )
    return [samples for samples, _ in found]


def _kind(samples: np.ndarray, rate: int) -> str:
    at = f" at {rate} Hz" if rate else ""
    return f"{samples.shape[1]} channel{'s' * (samples.shape[1] > 1)}{at}"


def _read_wav(path: Path) -> tuple[np.ndarray, int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # chunks beside the samples, such as a title
        warnings.filterwarnings("error", "Reached EOF prematurely")
        rate, samples = wavfile.read(path)
    return samples.reshape(len(samples), -1).astype("float32"), rate


def _read_csv(path: Path) -> tuple[np.ndarray, int]:
    """Return the columns but the clock's; a first line that holds no numbers is a heading."""
    lines = path.read_text("utf-8-sig").splitlines()
    first = lines[0] if lines else ""
    delimiter = next((mark for mark in ";\t," if mark in first), None)
    names = [name.strip(" \"'").lower() for name in first.split(delimiter)]
    heading = not all(map(_is_number, names))
    columns = [i for i, name in enumerate(names) if not (heading and _is_clock(name))]
    columns = columns or [*range(len(names))]  # a clock alone is what was measured
    if not lines[heading:] or not columns:
        return np.empty((0, 1)), 0
    try:
        numbers = np.loadtxt(lines[heading:], delimiter=delimiter, usecols=columns, ndmin=2)
        with np.errstate(over="ignore"):  # what overflows is named below
            numbers = numbers.astype("float32")
    except ValueError as error:
        raise ValueError(_first_bad(lines, heading, delimiter, columns) or error) from error
    if not np.isfinite(numbers).all():
        raise ValueError(_first_bad(lines, heading, delimiter, columns))
    return numbers, 0


def _first_bad(lines: list[str], heading: bool, delimiter: str | None, columns: list[int]) -> str:
    """Return where the first cell is that holds no finite number, "" where there is none.

    Lines and columns count from 1, as an editor and a spreadsheet do, the heading among them.
    """
    for line, text in enumerate(lines[heading:], 1 + heading):
        cells = text.partition("#")[0].split(delimiter)
        for column in columns if "".join(cells).strip() else ():
            cell = cells[column].strip() if column < len(cells) else ""
            if not _is_number(cell) or not abs(float(cell)) <= float(np.finfo("float32").max):
                return (
                    f"line {line}, column {column + 1}: expected a finite number, found "
                    f"{cell[:40]!r}"
                )
    return ""


def _is_clock(name: str) -> bool:
    """Tell whether a heading in small letters names a clock: `time (s)`, `timestamp`, `t_ms`."""
    words = re.findall(r"[^\W_]+", re.sub(r"[(\[].*", "", name))  # without a unit in brackets
    return bool(words) and _CLOCKS.issuperset(words)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
