"""A run that is exported: what it holds, and the frame that was drawn last."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ed_core.recording import EdkitError
from ed_viewer.alignment import times_of
from ed_viewer.export.arrays import arrays_behind
from ed_viewer.export.figure import stand
from ed_viewer.headings import Standing
from ed_viewer.messages import Frame, Growth, Request, RunInfo, Strip
from ed_viewer.tail import Tail


class OpenRun:
    """A run on the stage, read on the calling thread.

    Attributes:
        info, growth, times: what it holds, once `look` was called.
        frame: what was drawn last.
    """

    info: RunInfo
    growth: Growth
    frame: Frame | None = None

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tail = Tail(path, 1)

    def look(self) -> None:
        """Find out what it holds; raises EdkitError if that is no frame."""
        self.info, self.growth = _look(self._tail)
        self.times = times_of(self.info, self.growth)

    def close(self) -> None:
        """Let the files go."""
        self._tail.close()

    def read(
        self, number: int, probes: tuple[str, ...], strips: Mapping[str, Strip] | None = None
    ) -> Frame:
        """Return a frame, and strips of earlier ones; raises EdkitError where one is damaged."""
        known = {probe.name for probe in self.info.header.probes}
        wanted = tuple(name for name in probes if name in known)
        frame = self.frame = self._tail.read(Request(1, 1, number, wanted, strips or {}))
        if frame.damaged:
            raise EdkitError("; ".join(sorted(frame.damaged.values())))
        return frame

    def arrays(self, probes: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Return the arrays behind the frame that was drawn last, {} for none."""
        if self.frame is None:
            return {}
        return arrays_behind(self.frame, self.info, self.growth, probes)

    @property
    def about(self) -> str:
        """Which run it is, and the step that was drawn last, in words."""
        if self.frame is None:
            return f"{self.path.name}, no frame"
        return stand(self.path, self.growth, self.frame.request.frame)

    @property
    def standing(self) -> Standing:
        """Where it stands, for its heading."""
        number = self.frame.request.frame if self.frame else None
        return Standing(self.path, self.times, number)


def _look(tail: Tail) -> tuple[RunInfo, Growth]:
    """Return what a run holds; raises EdkitError if that is no frame."""
    run, growth = None, None
    for news in tail.poll():
        if isinstance(news, RunInfo):
            run = news
        else:
            growth = news
    if run is None or growth is None or not len(growth.steps):
        why = growth.problem if growth and growth.problem else "it holds no frame yet"
        raise EdkitError(f"{str(tail.path)!r} cannot be shown: {why}.")
    return run, growth
