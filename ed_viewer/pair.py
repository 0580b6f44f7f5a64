"""Two runs on the stage: B goes where the cursor of A is, and each says which step it shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from ed_viewer.alignment import Alignment, aligned
from ed_viewer.beside import Beside, marks, session_times
from ed_viewer.difference import Difference, difference_of, other_samples
from ed_viewer.headings import Reading, Standing, begins_later, headings_of
from ed_viewer.messages import Frame, Growth, RunInfo
from ed_viewer.run_title import what_differs

if TYPE_CHECKING:
    from ed_viewer.window import Window

_WAITING = "Waiting for its first frame …"


class Pair(QObject):
    """Run A, which is the window's, and run B beside it.

    Args:
        window: with its stage and its curves.
        path: of run B.
        how: what the two have in common.
        signed: whether the difference B - A stands in the place of B.
    """

    def __init__(self, window: Window, path: Path, how: Alignment, signed: bool) -> None:
        super().__init__(window)
        self._window = window
        self._how = how
        self._signed = signed
        self._frames: dict[str, Frame] = {}
        self._difference: Difference | None = None
        self._remark = ""
        self._options = ("", "")
        self._late = False  # B has no frame where A is: what was drawn of it last is of elsewhere
        self.beside = Beside(path, self)
        self._sessions = {"A": window.session, "B": self.beside.session}
        ours, theirs = self._sessions.values()
        theirs.columns = self._columns
        self._wires = (
            (ours.opened, self._on_opened),
            (ours.described, self._on_described),
            (ours.grew, self._on_ours_grew),
            (ours.moved, self._align),
            (ours.drawn, self._on_ours_drawn),
            (theirs.described, self._on_described),
            (theirs.grew, self._on_theirs_grew),
            (theirs.drawn, self._on_theirs_drawn),
            (window.stage.watched, theirs.watch),
        )
        for signal, slot in self._wires:
            signal.connect(slot)
        window.stage.show_run(None, "B")
        self._align()
        self._mark()
        self._show_headings()

    @property
    def theirs(self) -> tuple[Frame, RunInfo, Growth] | None:
        """What is on show of run B, its run, and when it was recorded; None while nothing is."""
        session, frame = self._sessions["B"], self._shown("B")
        if frame is None or session.run is None or session.growth is None:
            return None
        return frame, session.run, session.growth

    @property
    def signed(self) -> bool:
        """Whether the difference B - A stands in the place of B."""
        return self._signed and self._difference is not None

    @property
    def difference(self) -> Frame | None:
        """The difference that is shown, None if none is."""
        ours, theirs = self._frames.get("A"), self._frames.get("B")
        if ours is None or theirs is None or self._difference is None or not self._signed:
            return None
        return self._difference.of(ours, theirs) if self._belong(ours, theirs) else None

    def end(self) -> None:
        """Leave run A alone; the thread of B ends when it can."""
        for signal, slot in self._wires:
            signal.disconnect(slot)
        self.beside.leave()
        self._window.stage.end_beside()
        self._window.timeline.set_beside(None)
        self._window.curves.show_run(None, "B")
        self._window.set_problem("B", "")

    def align_by(self, how: Alignment) -> None:
        """Align by something else."""
        self._how = how
        self._window.curves.set_alignment(how)
        self._align()
        self._mark()
        self._show_headings()

    def set_signed(self, on: bool) -> None:
        """Show the difference B - A in the place of B, or B."""
        self._signed = on
        self._show_theirs()

    def _on_opened(self, _: Path) -> None:
        self._frames.pop("A", None)
        self._difference = None

    def _on_described(self, run: RunInfo) -> None:
        self._frames.pop("B" if run is self._sessions["B"].run else "A", None)
        ours, theirs = (session.run for session in self._sessions.values())
        if theirs is None:
            return
        if run is theirs:
            self._window.curves.set_alignment(self._how)
            self._window.curves.show_run(theirs, "B")
        if ours is not None:
            self._difference = difference_of(ours, theirs)
            self._remark = other_samples(ours, theirs)
            self._options = what_differs(ours, theirs)
        self._show_theirs()

    def _on_ours_grew(self, _: Growth) -> None:
        self._align()
        self._mark()

    def _on_theirs_grew(self, growth: Growth) -> None:
        self._window.curves.show_growth(growth, "B")
        self._show_problem(growth.problem)
        self._align()
        self._mark()

    def _on_ours_drawn(self, frame: Frame) -> None:
        self._frames["A"] = frame
        if self._signed:
            self._draw_theirs()
        self._show_headings()

    def _on_theirs_drawn(self, frame: Frame) -> None:
        self._frames["B"] = frame
        growth = self._sessions["B"].growth
        damaged = "; ".join(sorted(set(frame.damaged.values())))
        self._show_problem((growth.problem if growth else "") or damaged)
        self._draw_theirs()
        self._show_headings()

    def _show_theirs(self) -> None:
        """Make the panels of B, or those of the difference."""
        difference = self._difference if self._signed else None
        run = difference.run if difference else self._sessions["B"].run
        self._window.stage.show_run(run, "B", difference is not None)
        self._draw_theirs()
        self._show_headings()

    def _draw_theirs(self) -> None:
        theirs = self.difference if self.signed else self._frames.get("B")
        if theirs is not None:
            self._window.stage.show_frame(theirs, "B")

    def _belong(self, ours: Frame, theirs: Frame) -> bool:
        """Tell whether two frames are of the same point: either may be drawn before the other."""
        here, there = (session_times(session) for session in self._sessions.values())
        if here is None or there is None:
            return False
        return aligned(here, ours.request.frame, there, self._how) == theirs.request.frame

    def _align(self, _: object = None) -> None:
        here, there = (session_times(session) for session in self._sessions.values())
        frame = self._sessions["A"].cursor.frame
        self._late = False
        if here is None or there is None or frame < 0 or not len(there.steps):
            self._window.stage.say("B", _WAITING)
        elif self.beside.follow(here, frame, self._how) < 0:
            self._late = True
            self._window.stage.say("B", begins_later(there))
        else:
            self._window.stage.say("B", "")
            self._sessions["B"].look_back()

    def _columns(self, columns: int) -> tuple[int, ...]:
        """Return the frames of B that lie beside those of A; -1 where B has none yet."""
        here, there = (session_times(session) for session in self._sessions.values())
        if here is None or there is None:
            return ()
        frames = self._sessions["A"].spread(columns)
        return tuple(aligned(here, frame, there, self._how) for frame in frames)

    @property
    def settled(self) -> bool:
        """Whether both runs are drawn where their cursors are, or B cannot be."""
        ours, theirs = self._sessions.values()
        growth = theirs.growth
        known = growth is not None and (theirs.run is not None or bool(growth.problem))
        return known and ours.settled and (self._late or theirs.settled)

    def _mark(self) -> None:
        """Show on the timeline where the frames and the checkpoints of B lie."""
        self._window.timeline.set_beside(marks(self._sessions["A"], self._sessions["B"], self._how))

    def _show_problem(self, problem: str) -> None:
        self._window.set_problem("B", f"B, {self.beside.path.name}: {problem}" if problem else "")

    def _show_headings(self) -> None:
        reading = Reading(self._options, self._remark, self._signed, self._how)
        standing = {side: self._standing(side) for side in self._sessions}
        for heading in headings_of(standing, reading):
            self._window.stage.set_heading(heading)

    def _shown(self, side: str) -> Frame | None:
        return None if side == "B" and self._late else self._frames.get(side)

    def _standing(self, side: str) -> Standing:
        session, frame = self._sessions[side], self._shown(side)
        number = frame.request.frame if frame else None
        return Standing(session.path, session_times(session), number, session.cursor.live)
