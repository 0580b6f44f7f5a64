"""Two runs on a stage that is no window's: B at the step of A, or B - A in its place."""

from collections.abc import Mapping

import numpy as np

from ed_viewer.alignment import Alignment, aligned
from ed_viewer.difference import difference_of, other_samples
from ed_viewer.export.arrays import of_two
from ed_viewer.export.figure import about
from ed_viewer.export.open_run import OpenRun
from ed_viewer.headings import Reading, begins_later, headings_of
from ed_viewer.messages import Frame, Strip
from ed_viewer.run_title import what_differs
from ed_viewer.stage import Stage

_HOW = Alignment.STEP


class Couple:
    """The second of two runs, drawn beside the first.

    Args:
        ours: run A, which somebody else draws.
        theirs: run B.
        stage: that shows both.
        signed: whether the difference stands in the place of B.
    """

    def __init__(self, ours: OpenRun, theirs: OpenRun, stage: Stage, signed: bool) -> None:
        self._ours, self._theirs, self._stage, self._signed = ours, theirs, stage, signed
        self._difference = difference_of(ours.info, theirs.info)
        self._made: Frame | None = None

    def show(self) -> None:
        """Make the panels of run B."""
        run = self._difference.run if self._signed else self._theirs.info
        self._stage.show_run(run, "B", self._signed)

    def draw(self, number: int, probes: tuple[str, ...], strips: Mapping[str, Strip]) -> None:
        """Draw run B where run A is at a frame, which is drawn already."""
        there = self._beside(number)
        if there < 0:
            self._theirs.frame = self._made = None
            self._stage.say("B", begins_later(self._theirs.times))
        else:
            self._stage.say("B", "")
            wanted = {
                probe: Strip(tuple(map(self._beside, strip.frames)), strip.samples)
                for probe, strip in strips.items()
            }
            frame = self._theirs.read(there, probes, wanted)
            if self._signed and self._ours.frame is not None:
                frame = self._made = self._difference.of(self._ours.frame, frame)
            self._stage.show_frame(frame, "B")
        self._show_headings()

    def arrays(self, probes: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Return the arrays behind what was drawn last, `A/...`, `B/...` and `B-A/...`."""
        ours, theirs = self._ours.arrays(probes), self._theirs.arrays(probes)
        return of_two(ours, theirs, self._made, probes)

    @property
    def about(self) -> str:
        """Which runs and steps were drawn last, in words."""
        return about(self._ours.about, self._theirs.about, self._signed)

    @property
    def about_runs(self) -> str:
        """Which runs these are, in words."""
        return about(self._ours.path.name, self._theirs.path.name, self._signed)

    def _beside(self, number: int) -> int:
        return aligned(self._ours.times, number, self._theirs.times, _HOW)

    def _show_headings(self) -> None:
        ours, theirs = self._ours.info, self._theirs.info
        remark = other_samples(ours, theirs)
        reading = Reading(what_differs(ours, theirs), remark, self._signed, _HOW)
        standing = {"A": self._ours.standing, "B": self._theirs.standing}
        for heading in headings_of(standing, reading):
            self._stage.set_heading(heading)
