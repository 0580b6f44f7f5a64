"""Two runs on a stage that is no window's: B where A is, or B - A in its place."""

from ed_viewer.comparison import Comparison
from ed_viewer.export.open_run import OpenRun
from ed_viewer.messages import Frame, Strip
from ed_viewer.stage import Stage


class Couple:
    """The second of two runs, drawn beside the first.

    Args:
        both: run A, which somebody else draws, and run B.
        theirs: run B.
        stage: that shows both.
    """

    def __init__(self, both: Comparison, theirs: OpenRun, stage: Stage) -> None:
        self.both, self._theirs, self._stage = both, theirs, stage

    def show(self) -> None:
        """Make the panels of run B."""
        self._stage.show_run(self.both.run, "B", self.both.subtracts)

    def draw(self, ours: Frame, probes: tuple[str, ...]) -> None:
        """Draw run B where run A is, whose frame is drawn already."""
        both = self.both
        both.at, both.frames["A"] = ours.request.frame, ours
        self._stage.say("B", both.notice)
        if both.found >= 0:
            wanted = {
                probe: Strip(both.beside(strip.frames), strip.samples)
                for probe, strip in ours.request.strips.items()
            }
            both.frames["B"] = self._theirs.read(both.found, probes, wanted)
            if both.frame is not None:
                self._stage.show_frame(both.frame, "B")
        for heading in both.headings:
            self._stage.set_heading(heading)
