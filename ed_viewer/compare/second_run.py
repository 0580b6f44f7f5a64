"""Two runs on the stage: B goes where the cursor of A is, and each says which step it shows."""

from pathlib import Path

from PySide6.QtCore import QObject

from ed_viewer.compare.comparison import Comparison
from ed_viewer.reading.messages import Frame, RunInfo, RunProgress
from ed_viewer.reading.reader import Reader
from ed_viewer.session.alignment import Alignment
from ed_viewer.session.session import Session
from ed_viewer.style.palette import Side
from ed_viewer.window.workbench import Workbench


class SecondRun(QObject):
    """Run B. Its thread is its own, so that a disk that hangs holds only this run up.

    Attributes:
        session: what is known of the run, and what is drawn.
    """

    def __init__(self, path: Path, parent: QObject) -> None:
        super().__init__(parent)
        self._reader = Reader(None, parent=self)  # found by who asks for the window's threads
        self.session = Session(self._reader, self)
        self._reader.start()
        self.session.open(path)

    @property
    def path(self) -> Path:
        """The run that was asked for."""
        assert self.session.path is not None
        return self.session.path

    def go(self, frame: int) -> None:
        """Go to a frame; others may stand beside it now even where it is the same."""
        if frame != self.session.cursor.frame:
            self.session.scrub(frame)
        self.session.look_back()

    def leave(self) -> None:
        """End its thread, without waiting for it; nothing more is heard of it."""
        self.session.blockSignals(True)
        self._reader.leave()

    def stop(self) -> bool:
        """End its thread; returns whether it ended within two seconds."""
        return self._reader.stop()

    @property
    def ended(self) -> bool:
        """Whether its thread has ended."""
        return self._reader.isFinished()


class RunPair(QObject):
    """Run A, which is the window's, and run B beside it.

    Args:
        bench: with its stage and its curves.
        path: of run B.
        how: what the two have in common.
        signed: whether the difference B - A stands in the place of B.

    Attributes:
        beside: run B, and who reads it.
        comparison: what is known of the two together.
    """

    def __init__(self, bench: Workbench, path: Path, how: Alignment, signed: bool) -> None:
        super().__init__(bench)
        self._bench, self._stage = bench, bench.stage
        self.beside = SecondRun(path, self)
        self._ours, self._theirs = ours, theirs = bench.session, self.beside.session
        self.comparison = Comparison(ours, theirs, how, signed)
        theirs.columns = self._columns
        self._wires = (
            (ours.described, self._on_described),
            (ours.grew, self._place),
            (ours.moved, self._align),
            (ours.drawn, self._on_ours_drawn),
            (theirs.described, self._on_described),
            (theirs.grew, self._on_theirs_grew),
            (theirs.drawn, self._on_theirs_drawn),
            (self._stage.watched, theirs.watch),
            (self._stage.watched, self._show_headings),
        )
        for signal, slot in self._wires:
            signal.connect(slot)
        self._stage.show_run(None, Side.B)
        self._place()
        self._show_headings()

    @property
    def settled(self) -> bool:
        """Whether both runs are drawn where their cursors are, or B cannot be."""
        growth = self._theirs.growth
        known = growth is not None and (self._theirs.run is not None or bool(growth.problem))
        return known and self._ours.settled and (self.comparison.late or self._theirs.settled)

    def end(self) -> None:
        """Leave run A alone; the thread of B ends when it can."""
        for signal, slot in self._wires:
            signal.disconnect(slot)
        self.beside.leave()
        self._stage.end_beside()
        self._bench.timeline.set_beside(None)
        self._bench.curves.show_run(None, Side.B)
        self._bench.set_problem("B", "")

    def align_by(self, how: Alignment) -> None:
        """Align by something else."""
        self.comparison.how = how
        self._bench.curves.set_alignment(how)
        self._place()
        self._show_headings()

    def set_signed(self, on: bool) -> None:
        """Show the difference B - A in the place of B, or B."""
        self.comparison.signed = on
        self._show_theirs()

    def _on_described(self, run: RunInfo) -> None:
        theirs = self._theirs.run
        if theirs is None:
            return
        if run is theirs:
            self._bench.curves.set_alignment(self.comparison.how)
            self._bench.curves.show_run(theirs, Side.B)
        self._show_theirs()

    def _on_theirs_grew(self, growth: RunProgress) -> None:
        self._bench.curves.show_growth(growth, Side.B)
        self._show_problem(growth.problem)
        self._place()

    def _on_ours_drawn(self, _: Frame) -> None:
        if self.comparison.signed:
            self._draw_theirs()
        self._show_headings()

    def _on_theirs_drawn(self, frame: Frame) -> None:
        growth = self._theirs.growth
        damaged = "; ".join(sorted(set(frame.damaged.values())))
        self._show_problem((growth.problem if growth else "") or damaged)
        self._draw_theirs()
        self._show_headings()

    def _show_theirs(self) -> None:
        """Make the panels of B, or those of the difference."""
        self._stage.show_run(self.comparison.run, Side.B, self.comparison.subtracts)
        self._draw_theirs()
        self._show_headings()

    def _draw_theirs(self) -> None:
        frame = self.comparison.frame
        if frame is not None:
            self._stage.show_frame(frame, Side.B)

    def _place(self, _: object = None) -> None:
        """Find B where A is, and where its frames and checkpoints lie on the timeline of A."""
        self._align()
        self._bench.timeline.set_beside(self.comparison.marks)

    def _align(self) -> None:
        both = self.comparison
        both.at = self._ours.cursor.frame
        if both.found >= 0:
            self.beside.go(both.found)
        self._stage.say(Side.B, both.notice)

    def _columns(self, columns: int) -> tuple[int, ...]:
        return self.comparison.beside(self._ours.spread(columns))

    def _show_problem(self, problem: str) -> None:
        self._bench.set_problem("B", f"B, {self.beside.path.name}: {problem}" if problem else "")

    def _show_headings(self) -> None:
        self.comparison.drawn = {side: self._stage.drawn(side) for side in Side}
        for heading in self.comparison.headings:
            self._stage.set_heading(heading)
