"""The recording's reader: one sequence of frames, live or finished, over all its segments."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ed_core.errors import EdkitError
from ed_core.recording.folder import RunFolder
from ed_core.recording.layout import TIME_COLUMNS, Event, Header
from ed_core.recording.preflight import preflight
from ed_core.recording.segment import DamagedError, Segment


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
        self._segments: list[Segment] = []
        self._refused: dict[str, str] = {}
        self._frames: list[tuple[int, int]] = []
        self._when = np.empty((0, TIME_COLUMNS))
        self.state = "waiting"
        self.problem = ""
        self.refresh()

    def __len__(self) -> int:
        return len(self._frames)

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
    def header(self) -> Header | None:
        """What was fixed before the first frame, or None while there is no segment."""
        return self._segments[-1].header if self._segments else None

    def refresh(self) -> bool:
        """Look for new frames, scalars and events; return whether anything changed."""
        before = (len(self._frames), self._rows(), self.state, self.problem)
        self.problem = ""
        self.state = self._look_at_state()
        self._open_segments()
        for segment in self._segments[-1:]:  # only the newest one can still grow
            try:
                segment.refresh()
            except DamagedError as error:
                self.problem = str(error)
        self.problem = self.problem or next((s.problem for s in self._segments if s.problem), "")
        self._stitch()
        return before != (len(self._frames), self._rows(), self.state, self.problem)

    def read(self, probe: str, frame: int) -> dict[str, np.ndarray]:
        """Return every array of a probe in one frame; raises DamagedError if one was damaged."""
        number, row = self._frames[frame]
        segment = self._segments[number]
        info = next((p for p in segment.header.probes if p.name == probe), None)
        if info is None:
            raise DamagedError(f"{segment.path.name}: no probe {probe!r} was recorded")
        return {name: segment.read(probe, name, row) for name in info.arrays}

    def reference(self) -> dict[str, np.ndarray]:
        """Return the fixed batch that the probes look at: field to (samples, ...)."""
        if not self._segments:
            return {}
        last = self._segments[-1]
        return {field: last.reference(field) for field in last.reference_fields()}

    def scalars(self) -> dict[str, np.ndarray]:
        """Return the table as columns (rows,): `step`, `epoch`, `seconds` and every scalar."""
        if not self._segments:
            return {}
        names = self._segments[-1].header.scalars
        same = [(s, end) for s, end in self._spans() if s.header.scalars == names]
        # A row tells of the step that it ends with: the one a resume starts from is the earlier's.
        rows = np.concatenate([s.scalars[s.scalars[:, 0] <= end] for s, end in same])
        return dict(zip(("step", "epoch", "seconds", *names), rows.T, strict=True))

    def events(self) -> tuple[Event, ...]:
        """Return what happened once, in the order in which it was written."""
        if len(self._segments) == 1:
            return self._segments[0].events
        return tuple(e for s, end in self._spans() for e in s.events if e.step <= end)

    def close(self) -> None:
        """Let the files go."""
        for segment in self._segments:
            segment.close()
        self._segments = []
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

    def _files(self) -> list[Path]:
        if self.path.is_file():
            return [self.path]
        return sorted((self.path / "recording").glob("[0-9][0-9][0-9][0-9].h5"))

    def _open_segments(self) -> None:
        files = self._files()
        if not files and not self._segments:
            self.problem = self.problem or self._why_nothing()
        if self._segments and not (set(files) >= {s.path for s in self._segments}):
            self.problem = f"{self._segments[-1].path} was deleted; showing what had been read"
            return
        if any(s.inode != _inode(s.path) for s in self._segments):
            self.close()  # replaced by another file of the same name
        known = {segment.path for segment in self._segments}
        for file in files:
            if file not in known:
                growing = self.state == "live" and file == files[-1]
                try:
                    self._open_segment(file, growing)
                except FileNotFoundError:
                    self.problem = f"{file.name} was deleted"
        self._segments.sort(key=lambda segment: segment.path)

    def _open_segment(self, file: Path, growing: bool) -> None:
        stamp = f"{file.stat().st_mtime_ns}/{file.stat().st_size}"
        if self._refused.get(file.name, "").startswith(f"{stamp} "):
            self.problem = self._refused[file.name].removeprefix(f"{stamp} ")
            return
        try:
            if not growing:
                preflight(file)
            self._segments.append(Segment(file))
        except DamagedError as error:
            self._refused[file.name] = f"{stamp} {error}"
            self.problem = str(error)

    def _why_nothing(self) -> str:
        if self.state == "live":
            return ""
        return f"{str(self.path)!r} holds no recording"

    def _spans(self) -> list[tuple[Segment, float]]:
        """Return each segment with the step from which a later one replaces it."""
        spans = []
        end = np.inf
        for segment in reversed(self._segments):
            spans.append((segment, end))
            end = min(end, _start(segment.header.run))
        return spans[::-1]

    def _stitch(self) -> None:
        self._frames = []
        when = [np.empty((0, TIME_COLUMNS))]
        for number, (segment, end) in enumerate(self._spans()):
            keep = np.flatnonzero(segment.index[:, 0] < end)
            self._frames += [(number, int(row)) for row in keep]
            when.append(segment.index[keep, :TIME_COLUMNS])
        self._when = np.concatenate(when)

    def _rows(self) -> int:
        return sum(len(segment.scalars) + len(segment.events) for segment in self._segments)


def _start(run: Mapping[str, object]) -> float:
    start = run.get("start_step", 0)
    return float(start) if isinstance(start, int) and 0 <= start < 2**53 else 0.0


def _inode(path: Path) -> int:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0
