"""A run that is exported, read on the calling thread."""

from collections.abc import Mapping
from pathlib import Path

from ed_core.recording import EdkitError
from ed_viewer.messages import Frame, Growth, Request, RunInfo, Strip
from ed_viewer.tail import Tail


class OpenRun:
    """A run on the stage.

    Attributes:
        run, growth: what it holds, once `look` was called.
    """

    run: RunInfo
    growth: Growth

    def __init__(self, path: Path) -> None:
        self.path = path
        self._tail = Tail(path, 1)

    def look(self) -> None:
        """Find out what it holds; raises EdkitError if that is no frame."""
        self.run, self.growth = _look(self._tail)

    def close(self) -> None:
        """Let the files go."""
        self._tail.close()

    def read(
        self, number: int, probes: tuple[str, ...], strips: Mapping[str, Strip] | None = None
    ) -> Frame:
        """Return a frame, and strips of earlier ones; raises EdkitError where one is damaged."""
        known = {probe.name for probe in self.run.header.probes}
        wanted = tuple(name for name in probes if name in known)
        frame = self._tail.read(Request(1, 1, number, wanted, strips or {}))
        if frame.damaged:
            raise EdkitError("; ".join(sorted(frame.damaged.values())))
        return frame


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
