"""Follower of one recording: polls for news and reads frames on request. No Qt here."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ed_core.recording import DamagedError, EdkitError, Event, Header, Recording, RunFolder
from ed_viewer.reading.channels import (
    arrays_channels_last,
    header_channels_last,
    reference_channels_last,
)
from ed_viewer.reading.messages import (
    CHECKPOINT,
    Arrays,
    Frame,
    FrameHistory,
    FrameRequest,
    HistoryRequest,
    RunInfo,
    RunProgress,
    best_step,
)

_NONE = np.empty(0)
_WHOLE = 0.2  # seconds between two whole looks while the file is not written to
_TICK = 0.02  # seconds: the date of a file may be as old as a tick of the kernel's clock


class Tail:
    """One recording, owned by the thread that made this.

    Faults of the files become `RunProgress.problem` or `Frame.damaged`: no file may end the viewer.

    Args:
        path: a run folder or a segment file; it may be missing.
        opening: the number that every message carries.
    """

    def __init__(self, path: Path, opening: int) -> None:
        self.path = path
        self.opening = opening
        self.live = True
        self._recording: Recording | None = None
        self._described: Header | None = None
        self._said = ""
        self._frames = 0
        self._newest = 0.0
        self._stamp: tuple[float, int] | None = None
        self._next_whole = 0.0
        self._asked: FrameRequest | None = None  # the last request
        self._ahead: Frame | None = None

    def poll(self) -> list[RunInfo | RunProgress]:
        """Return the messages about changes since the last call.

        As long as the file is not written to, most calls cost a look at its date.
        """
        if self._calm():
            return []
        changed, problem = self._refresh()
        recording = self._recording
        if recording is None:
            self.live = False
            return [self._nothing(problem)] if changed else []
        self.live = recording.state == "live"
        if not changed:
            return []
        news: list[RunInfo | RunProgress] = []
        header = recording.header
        if header is not None and header is not self._described:
            reference_fields = _undamaged(_columns(recording.reference))
            reference = reference_channels_last(reference_fields, header.fields)
            shown_header = header_channels_last(header)
            news.append(RunInfo(self.opening, self.path, shown_header, reference, _info(self.path)))
            self._described = header
        if len(recording) != self._frames:
            self._newest = _modified(self.path)
            self._frames = len(recording)
        scalars = _columns(recording.scalars)
        when = (recording.steps, recording.epochs, recording.seconds)
        how = (recording.state, problem, self._newest)
        old = recording.unchecked
        events = recording.events()
        checkpoints, curves = _kept(self.path, events), _columns(recording.curves)
        growth = RunProgress(self.opening, *when, scalars, *how, events, unchecked=old)
        news.append(replace(growth, kept=checkpoints, curves=curves))
        return news

    def read(self, request: FrameRequest) -> Frame:
        """Return the arrays of a frame, probe by probe."""
        self._asked, self._ahead = request, None
        arrays, damaged, past = {}, {}, {}
        for probe in request.probes:
            try:
                if self._recording is None:
                    raise DamagedError("the recording is not open")
                header = self._recording.header
                arrays_of_probe = self._recording.read(probe, request.frame)
                arrays[probe] = arrays_channels_last(arrays_of_probe, header, probe)
                if probe in request.strips:
                    past[probe] = read_strip(self._recording, probe, request.strips[probe])
            except (DamagedError, OSError, LookupError) as error:
                damaged[probe] = str(error)
        return Frame(request, arrays, damaged, past)

    def read_ahead(self, growth: RunProgress) -> RunProgress:
        """Return progress with the newest frame, if the window follows the run."""
        asked, newest = self._asked, len(growth.steps) - 1
        if asked is None or not asked.follow or asked.strips or newest < 0:
            return growth
        if self._ahead is None or self._ahead.request.frame != newest:
            self._ahead = self.read(replace(asked, frame=newest))
        return replace(growth, ahead=self._ahead)

    def close(self) -> None:
        """Let the files go."""
        if self._recording is not None:
            self._recording.close()

    def _calm(self) -> bool:
        """Tell whether nothing was written since the last whole look, which was a moment ago."""
        try:
            stamp = self._recording.stamp() if self._recording else None
        except (OSError, ValueError):  # ValueError: the file was closed
            stamp = None
        now = time.monotonic()
        if stamp is not None and stamp == self._stamp and now < self._next_whole:
            return True
        settled = stamp is not None and time.time() - stamp[0] > _TICK
        self._stamp = stamp if settled else None
        self._next_whole = now + _WHOLE
        return False

    def _refresh(self) -> tuple[bool, str]:
        """Return whether anything changed, and what is wrong."""
        try:
            changed = False
            if self._recording is None:
                self._recording = Recording(self.path)
                changed = True
            changed = self._recording.refresh() or changed
            problem = self._recording.problem
        except (DamagedError, EdkitError, OSError) as error:  # a file that goes while looked at
            changed, problem = False, str(error)
        changed = changed or problem != self._said
        self._said = problem
        return changed, problem

    def _nothing(self, problem: str) -> RunProgress:
        none = _NONE
        return RunProgress(self.opening, none, none, none, {}, "unknown", problem, 0.0)


def read_strip(recording: Recording, probe: str, strip: HistoryRequest) -> FrameHistory:
    """Return samples of several frames; no more than these is kept of a frame.

    Raises:
        DamagedError: one of the frames is damaged.
    """
    taken = {
        n: _rows(
            arrays_channels_last(recording.read(probe, n), recording.header, probe), strip.samples
        )
        for n in set(strip.frames) - {-1}
    }
    arrays: Arrays = {}
    for name in next(iter(taken.values()), {}):
        none = np.full_like(next(iter(taken.values()))[name], np.nan)
        arrays[name] = np.stack([taken[n][name] if n >= 0 else none for n in strip.frames])
    steps = recording.steps
    when = np.array([steps[n] if n >= 0 else -1 for n in strip.frames], np.int64)
    count = min((array.shape[1] for array in arrays.values()), default=0)
    return FrameHistory(when, strip.samples[:count], arrays)


def _rows(arrays: Arrays, samples: tuple[int, ...]) -> Arrays:
    """Return samples (n, ...) of each array as float32, those that there are."""
    return {
        name: np.asarray(array[[n for n in samples if n < len(array)]], np.float32)
        for name, array in arrays.items()
        if array.ndim
    }


def _info(path: Path) -> Mapping[str, Any]:
    """Return what `run.json` of a run folder says, {} where there is none."""
    try:
        return {} if path.is_file() else RunFolder.open(path).read()
    except (EdkitError, OSError):
        return {}


def _modified(path: Path) -> float:
    """Return when a recording was last written to."""
    files = [path] if path.is_file() else list((path / "recording").glob("*.h5"))
    return max((file.stat().st_mtime for file in files), default=0.0)


def _kept(path: Path, events: Sequence[Event]) -> frozenset[int] | None:
    """Return the steps of the checkpoints of a run folder, None of a file alone."""
    folder = path / "checkpoints"
    if not folder.is_dir():
        return None
    steps = {int(file.stem) for file in folder.glob("[0-9]*.h5") if file.stem.isdecimal()}
    best = best_step([event for event in events if event.kind == CHECKPOINT])
    there = best is not None and (folder / "best.h5").exists()
    return frozenset(steps | ({best} if best is not None and there else set()))


def _undamaged(reference: Arrays) -> Arrays:
    """Return the undamaged fields: in a damaged one every value is NaN."""
    return {
        name: array
        for name, array in reference.items()
        if array.dtype.kind != "f" or not np.isnan(array).all()
    }


def _columns(read: Callable[[], Arrays]) -> Arrays:
    try:
        return read()
    except (DamagedError, OSError, ValueError):
        return {}  # panels do without; `problem` says what is wrong
