"""Reader of a recording: one sequence of frames, live or finished, over all segments."""

import os
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ed_core.errors import EdkitError
from ed_core.recording.checked_file import DamagedError
from ed_core.recording.folder import RunFolder
from ed_core.recording.layout import LARGEST_EXACT, TIME_COLUMNS, Event, Header
from ed_core.recording.preflight import preflight
from ed_core.recording.segment import Segment, open_segment

_TIMES = ("step", "epoch", "seconds")
_ROWS = 20_000  # of the curves


class SegmentFiles:
    """Opens the segments of a run, or one segment file alone; what was read stays readable.

    Args:
        path: a run folder, or a segment file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: dict[Path, Segment] = {}  # others may have opened one by another path
        self._refused: dict[str, str] = {}

    @property
    def segments(self) -> list[Segment]:
        """Those that could be opened, in their order."""
        return [self._held[path] for path in sorted(self._held)]

    def refresh(self, live: bool) -> str:
        """Open what is new, and see what the newest segment has gained.

        Args:
            live: whether a process writes here now.

        Returns:
            What is wrong with the files, in one line, or "".
        """
        newest = max(len(self._held) - 1, 0)
        problem = self._open_new(live)
        segments = self.segments
        # Only the newest one grows; that which was it may have grown before another came.
        for segment in segments[newest:]:
            try:
                segment.refresh(live and segment is segments[-1])
            except DamagedError as error:
                problem = str(error)
        return problem or next((s.problem for s in segments if s.problem), "")

    def close(self) -> None:
        """Let the files go."""
        for segment in self._held.values():
            segment.close()
        self._held = {}

    def _files(self) -> list[Path]:
        if self._path.is_file():
            return [self._path]
        return sorted((self._path / "recording").glob("[0-9][0-9][0-9][0-9].h5"))

    def _open_new(self, live: bool) -> str:
        files = self._files()
        problem = ""
        if gone := sorted(set(self._held) - set(files)):
            return f"{gone[-1]} was deleted; showing what had been read"
        if any(segment.inode != _inode(path) for path, segment in self._held.items()):
            self.close()  # replaced by another file of the same name
        for file in files:
            if file not in self._held:
                try:
                    problem = self._open(file, live and file == files[-1]) or problem
                except FileNotFoundError:
                    problem = f"{file.name} was deleted"
        return problem

    def _open(self, file: Path, growing: bool) -> str:
        """Open a segment; returns why it cannot be. What was refused is not tried again."""
        stamp = f"{file.stat().st_mtime_ns}/{file.stat().st_size}"
        if self._refused.get(file.name, "").startswith(f"{stamp} "):
            return self._refused[file.name].removeprefix(f"{stamp} ")
        try:
            if not growing:
                preflight(file)
            self._held[file] = open_segment(file, growing)
        except DamagedError as error:
            self._refused[file.name] = f"{stamp} {error}"
            return str(error)
        return ""


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


class Recording:
    """Everything a run recorded so far. Not thread-safe: one thread owns it.

    A resumed run has several segments; each replaces what earlier ones recorded at and after the
    step it started from. `refresh` looks for what is new and never raises on a bad file: what is
    wrong stands in `problem`, and what could be read stays readable.

    Args:
        path: a run folder, or a single segment file.

    Attributes:
        steps, epochs, seconds: (frames,) when each frame was taken; `epochs` in parts of an epoch.
        state: `waiting`, `live`, `crashed`, `finished`, `stopped`, `failed` or `unknown`.
        problem: what is wrong with the files, in one line, or "".
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        if not self.path.exists():
            raise EdkitError(f"{str(path)!r} does not exist: give a run folder or a recording.")
        self._files = SegmentFiles(self.path)
        self._ends: list[int] = []  # of each segment's frames among all that are shown
        self._when = np.empty((0, TIME_COLUMNS))
        self.state = "waiting"
        self.problem = ""
        self._seen: tuple[object, ...] = ()
        self.refresh()

    def __len__(self) -> int:
        return len(self._when)

    @property
    def steps(self) -> np.ndarray:
        """(frames,) the optimizer step of each frame."""
        return self._when[:, 0].astype(np.int64)

    @property
    def epochs(self) -> np.ndarray:
        """(frames,) the epoch of each frame, with its fraction."""
        return self._when[:, 1]

    @property
    def seconds(self) -> np.ndarray:
        """(frames,) seconds since the training began."""
        return self._when[:, 2]

    @property
    def _segments(self) -> list[Segment]:
        return self._files.segments

    @property
    def header(self) -> Header | None:
        """What was fixed before the first frame, or None while there is no segment."""
        return self._segments[-1].header if self._segments else None

    @property
    def unchecked(self) -> bool:
        """Whether a part of it is from before all of a recording was under checksums.

        There a changed byte of the reference batch, the scalars or the times goes unseen.
        """
        return not all(segment.summed for segment in self._segments)

    def refresh(self) -> bool:
        """Look for new frames, scalars and events; return whether anything changed."""
        self.problem = ""
        self.state = self._look_at_state()
        live = self.state == "live"
        self.problem = self._files.refresh(live) or self.problem
        if not (self.problem or self._segments or live):
            self.problem = f"{str(self.path)!r} holds no recording"
        self._stitch()
        # Not of what the files had before: another reader of this process may have looked at them.
        before, self._seen = self._seen, (len(self), self._rows(), self.state, self.problem)
        return before != self._seen

    def stamp(self) -> tuple[float, int] | None:
        """Return when the newest file was written to, in seconds since 1970, and its bytes.

        While it stays the same, `refresh` finds no new frame; None where there is no file.
        """
        return self._segments[-1].stamp() if self._segments else None

    def read(self, probe: str, frame: int) -> dict[str, np.ndarray]:
        """Return every array of a probe in one frame; raises DamagedError if one was damaged."""
        frame = range(len(self))[frame]
        number = bisect_right(self._ends, frame)
        segment = self._segments[number]
        row = frame - (self._ends[number - 1] if number else 0)
        info = next((p for p in segment.header.probes if p.name == probe), None)
        if info is None:
            raise DamagedError(f"{segment.path.name}: no probe {probe!r} was recorded")
        return {name: segment.read(probe, name, row) for name in info.arrays}

    def reference(self) -> dict[str, np.ndarray]:
        """Return the fixed batch that the probes look at: field to (samples, ...).

        A field that is not what was written is all NaN, or left out where its type has none;
        `problem` names it.
        """
        return self._segments[-1].reference() if self._segments else {}

    def scalars(self) -> dict[str, np.ndarray]:
        """Return the table as columns (rows,): `step`, `epoch`, `seconds` and every scalar.

        A scalar that one segment has and another has not is NaN in the rows of the other.
        """
        if not self._segments:
            return {}
        newest = self._segments[-1].header.scalars
        others = (name for s in self._segments for name in s.header.scalars)
        names = tuple(dict.fromkeys((*newest, *others)))
        # A row tells of the step that it ends with: the one a resume starts from is the earlier's.
        rows = [
            _in_columns(s.scalars[s.scalars[:, 0] <= end] if end < np.inf else s.scalars, s, names)
            for s, end in self._spans()
        ]
        return dict(zip((*_TIMES, *names), _joined(rows).T, strict=True))

    def curves(self) -> dict[str, np.ndarray]:
        """Return what was noted of every step, as columns (rows,).

        They are `step`, `epoch`, `seconds` and every curve, NaN in the rows of a segment that has
        it not. A row is the mean of the steps since the row before; there are 20,000 at most.
        """
        if not self._segments:
            return {}
        names = dict.fromkeys(name for s in self._segments[::-1] for name in s.header.curves)
        parts: dict[str, list[np.ndarray]] = {name: [] for name in (*_TIMES, *names)}
        for segment, end in self._spans():
            rows = segment.curves[segment.curves["step"] <= end]
            segment_columns = dict(zip(segment.header.curves, rows["values"].T, strict=True))
            segment_columns |= {name: rows[name] for name in _TIMES}
            for name, columns in parts.items():
                columns.append(segment_columns.get(name, np.full(len(rows), np.nan, "f4")))
        return thinned({name: np.concatenate(columns) for name, columns in parts.items()})

    def events(self) -> tuple[Event, ...]:
        """Return what happened once, in the order in which it was written."""
        if len(self._segments) == 1:
            return self._segments[0].events
        return tuple(e for s, end in self._spans() for e in s.events if e.step <= end)

    def close(self) -> None:
        """Let the files go."""
        self._files.close()
        self._stitch()

    def __enter__(self) -> "Recording":
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _look_at_state(self) -> str:
        if self.path.is_file():
            return "finished"
        try:
            return RunFolder(self.path).state()
        except EdkitError as error:
            self.problem = str(error)
            return "unknown"

    def _spans(self) -> list[tuple[Segment, float]]:
        """Return each segment with the step from which a later one replaces it."""
        spans = []
        end = np.inf
        for segment in reversed(self._segments):
            spans.append((segment, end))
            end = min(end, _start(segment.header.run))
        return spans[::-1]

    def _stitch(self) -> None:
        """Put the frames of all segments into one sequence; the steps of each are increasing."""
        self._ends, ranges = [], []
        for segment, end in self._spans():
            count = int(np.searchsorted(segment.index[:, 0], end))
            ranges.append(segment.index[:count, :TIME_COLUMNS])
            self._ends.append(count + (self._ends[-1] if self._ends else 0))
        self._when = _joined([np.empty((0, TIME_COLUMNS)), *ranges])

    def _rows(self) -> int:
        return sum(len(s.scalars) + len(s.curves) + len(s.events) for s in self._segments)


def thinned(columns: Mapping[str, np.ndarray], most: int = _ROWS) -> dict[str, np.ndarray]:
    """Return curves of at most so many rows: neighbours are averaged by twos, the ends are kept.

    Args:
        columns: `step`, `epoch`, `seconds` and the curves, (rows,) each.
        most: rows; at least 4.
    """
    result = dict(columns)
    while len(result["step"]) > most:
        for name, column in result.items():
            pairs = column[1 : len(column) - 1 - len(column) % 2].reshape(-1, 2)
            middle = pairs[:, 1] if name in _TIMES else _means(pairs)
            result[name] = np.concatenate([column[:1], middle, column[-1 - len(column) % 2 :]])
    return result


def _means(pairs: np.ndarray) -> np.ndarray:
    """Return (rows,) the mean of each pair, or the one of them that is a number."""
    first, second = np.where(np.isnan(pairs), pairs[:, ::-1], pairs).T
    return ((first + second) / 2).astype(pairs.dtype)


def _in_columns(rows: np.ndarray, segment: Segment, names: Sequence[str]) -> np.ndarray:
    """Return rows (rows, columns) of a segment with a column for each of these scalars."""
    names_of_segment = segment.header.scalars
    if names_of_segment == names:
        return rows
    wide = np.full((len(rows), TIME_COLUMNS + len(names)), np.nan)
    wide[:, :TIME_COLUMNS] = rows[:, :TIME_COLUMNS]
    for column, name in enumerate(names_of_segment):
        wide[:, TIME_COLUMNS + names.index(name)] = rows[:, TIME_COLUMNS + column]
    return wide


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Return tables (rows, columns) as one; without a copy where there are rows in one alone."""
    filled = [part for part in parts if len(part)]
    if len(filled) > 1:
        return np.concatenate([part.T for part in filled], axis=1).T  # a column in one piece
    return (filled or parts)[0]


def _start(run: Mapping[str, object]) -> float:
    start = run.get("start_step", 0)
    return float(start) if isinstance(start, int) and 0 <= start < LARGEST_EXACT else 0.0
