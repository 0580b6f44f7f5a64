"""Samples of a user's files for a run, read some at a time."""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import overload

import numpy as np

from ed_core import EdkitError, Fields, Findings
from ed_core.plugins.findings import Finding

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class FilePart:
    """Samples of one file.

    Args:
        path: of it, below the one that was opened, with `/` between folders.
        labels: what stands behind the path in the name of each sample, such as its row or its time;
            "" where the path is enough.
        read: from some rows of it to their arrays, field to (rows, ...).
        fields: what is read.
        error: why nothing can be; the file is then one sample.
    """

    path: str
    labels: Sequence[object] = ("",)
    read: Callable[[range], Arrays] | None = None
    fields: Fields | None = None
    error: EdkitError | None = None

    def samples(self, rows: range) -> list[dict[str, np.ndarray] | EdkitError]:
        """Return some samples of it; one that cannot be read is the error."""
        if self.error is not None or self.read is None:
            return [self.error or EdkitError(f"{self.path!r}: nothing can be read.")] * len(rows)
        try:
            arrays = self.read(rows)
        except EdkitError as error:
            if len(rows) == 1:
                return [error]
            return [one for row in rows for one in self.samples(range(row, row + 1))]
        return [{name: array[n] for name, array in arrays.items()} for n in range(len(rows))]


class SampleNames(Sequence[str]):
    """Names of samples, made when they are asked for: there may be millions of rows.

    Args:
        parts: of the files.
    """

    def __init__(self, parts: Sequence[FilePart]) -> None:
        self._parts = parts
        self._ends = [*accumulate(len(part.labels) for part in parts)]

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, key: int) -> str: ...

    @overload
    def __getitem__(self, key: slice) -> list[str]: ...

    def __getitem__(self, key: int | slice) -> str | list[str]:
        if isinstance(key, slice):
            return [self[row] for row in range(*key.indices(len(self)))]
        row = range(len(self))[key]
        part, first = self.place(row)
        path, label = self._parts[part].path, self._parts[part].labels[row - first]
        return f"{path} {label}" if label != "" else path

    def place(self, row: int) -> tuple[int, int]:
        """Return the number of a sample's file, and the row of that file's first sample."""
        part = bisect_right(self._ends, row)
        return part, self._ends[part - 1] if part else 0


class JoinedSamples:
    """Samples of several files, as `ed_core.FileSamples` has them.

    Args:
        parts: of the files; one of them can be read at least.
        findings: what was inferred, and what was left out.

    Raises:
        EdkitError: none can be read.
    """

    def __init__(self, parts: Sequence[FilePart], findings: Findings) -> None:
        readable = [part for part in parts if part.fields is not None]
        if not readable:
            raise next(part.error for part in parts if part.error is not None)
        self._parts = parts
        self._names = SampleNames(parts)
        self.names: Sequence[str] = self._names
        self.fields = _common([part.fields for part in readable if part.fields is not None])
        self.findings: tuple[Finding, ...] = tuple(findings)

    def read(self, rows: range) -> list[dict[str, np.ndarray] | EdkitError]:
        """Return the samples of these rows; one that cannot be read is the error itself."""
        samples: list[dict[str, np.ndarray] | EdkitError] = []
        there = range(len(self.names))[rows.start : rows.stop : rows.step]
        for number, own in self._by_file(there):
            samples.extend(self._parts[number].samples(own))
        return samples

    def place(self, row: int) -> None:
        """Return None: the samples are of no picture."""

    def _by_file(self, rows: range) -> Iterator[tuple[int, range]]:
        """Yield each file's number, and the rows of it; rows rise."""
        start = 0
        while start < len(rows):
            number, first = self._names.place(rows[start])
            end = first + len(self._parts[number].labels)
            count = len(range(rows[start], min(end, rows.stop), rows.step))
            yield number, range(rows[start] - first, min(end, rows.stop) - first, rows.step)
            start += count


def _common(fields: Sequence[Fields]) -> Fields:
    """Return the fields of all files; a length that differs between them is 0."""
    common = fields[0]
    for other in fields[1:]:
        common = Fields(
            {
                name: replace(field, shape=_same(field.shape, other[name].shape))
                for name, field in common.items()
                if name in other and len(field.shape) == len(other[name].shape)
            }
        )
    return common


def _same(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(one if one == two else 0 for one, two in zip(first, second, strict=True))


def files_of(path: Path, endings: Sequence[str], findings: Findings) -> list[tuple[Path, str]]:
    """Return a file, or all files of these endings in a folder and below, with their names.

    A name is the path below the one that is given, with `/` between folders.

    Raises:
        EdkitError: there is none.
    """
    if path.is_file():
        return [(path, path.name)]
    if not path.is_dir():
        what = "is no file that can be read" if path.exists() else "does not exist"
        raise EdkitError(f"{str(path)!r} {what}: expected a file or a folder of them.")
    every = [*walk(path)]
    chosen = [p for p in every if p.suffix.lower() in endings and p.name[0] != "." and p.is_file()]
    if not chosen:
        raise EdkitError(
            f"{str(path)!r}: expected files of {', '.join(endings)} in this folder, found "
            f"{len(every) or 'no'} others."
        )
    findings.leave_out("files", len(every) - len(chosen), f"not of {', '.join(endings)}")
    return [(one, one.relative_to(path).as_posix()) for one in chosen]


def walk(folder: Path, above: frozenset[tuple[int, int]] = frozenset()) -> Iterator[Path]:
    """Yield the files under a folder by name; no link to a folder above is followed."""
    facts = folder.stat()
    above |= {(facts.st_dev, facts.st_ino)}
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.name.startswith("."):
            facts = path.stat()
            if (facts.st_dev, facts.st_ino) not in above:
                yield from walk(path, above)
        elif not path.is_dir():
            yield path
