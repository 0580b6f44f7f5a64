"""The frames of the runs on a page, drawn in the ranges that the runs share."""

from collections.abc import Mapping

from ed_viewer.messages import Frame
from ed_viewer.panel_host import PanelHost
from ed_viewer.ranges import Levels
from ed_viewer.side import Side


class PageFrames:
    """A frame a run. One that widens a range has the other run drawn again in it.

    Args:
        sides: the panels of the runs, by "A" and "B"; they may come and go.
    """

    def __init__(self, sides: Mapping[str, Side]) -> None:
        self._sides = sides
        self._frames: dict[str, Frame] = {}

    def get(self, side: str) -> Frame | None:
        """Return what is drawn of a run, None if it must be drawn again."""
        return self._frames.get(side)

    def show(self, side: str, frame: Frame) -> None:
        """Draw a frame of a run."""
        if side in self._sides:
            self._frames[side] = frame
            self._draw(side, self._sides[side], frame)

    def show_again(self, side: str, host: PanelHost) -> None:
        """Draw the frame of a run on one of its panels, which has changed."""
        if side in self._frames:
            self._draw(side, host, self._frames[side])

    def drop(self, side: str) -> None:
        """Forget the frame of a run that is no longer there."""
        self._frames.pop(side, None)

    def forget(self) -> None:
        """Have every frame drawn again when it is shown next."""
        self._frames = {}

    def _draw(self, side: str, drawn: Side | PanelHost, frame: Frame) -> None:
        before = self._ranges()
        drawn.show_frame(frame)
        after = self._ranges()
        wider = {probe for probe, name in after if after[probe, name] != before.get((probe, name))}
        for other in self._sides.keys() & self._frames.keys() - {side}:
            hosts = self._sides[other].hosts
            for host in (hosts[probe] for probe in wider & hosts.keys()):
                if host.is_made:
                    host.show_frame(self._frames[other])

    def _ranges(self) -> dict[tuple[str, str], Levels]:
        return {
            (probe, name): levels
            for side in self._sides.values()
            for probe, source in side.sources.items()
            if not source.signed
            for name, levels in source.ranges.unions().items()
        }
