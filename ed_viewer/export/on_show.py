"""What a file says and holds of the run that is on show, or of the two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ed_viewer.comparison import Comparison
from ed_viewer.export.arrays import arrays_behind, of_two
from ed_viewer.export.figure import about, name_of, stand, where
from ed_viewer.known import Known
from ed_viewer.messages import Frame, Growth


@dataclass(frozen=True, slots=True, eq=False)
class OnShow:
    """A frame of a run, and what stands beside it.

    Attributes:
        run: the only one, or run A of two.
        frame: of it that is drawn.
        both: the two runs while they are compared, else None.
    """

    run: Known
    frame: Frame | None
    both: Comparison | None

    @property
    def about(self) -> str:
        """Which run and step it is, or which two, in words."""
        ours = stand(self.run, self.frame)
        if self.both is None:
            return ours
        theirs = self.both.shown("B")
        signed = self.both.subtracts and theirs is not None
        return about(ours, stand(self.both.runs["B"], theirs), signed)

    @property
    def where(self) -> str:
        """Which step is shown, or which of two runs, in words."""
        ours = where(self.run, self.frame)
        if self.both is None:
            return ours
        theirs = where(self.both.runs["B"], self.both.shown("B"))
        return f"A: {ours} \N{EN DASH} B: {theirs}" if theirs else f"A: {ours}"

    @property
    def about_runs(self) -> str:
        """Which run it is, or which two, in words."""
        ours = name_of(self.run)
        if self.both is None:
            return ours
        return about(ours, name_of(self.both.runs["B"]), self.both.subtracts)

    def arrays(self, probes: Sequence[str]) -> dict[str, np.ndarray]:
        """Return the arrays behind it; of two runs they are `A/...`, `B/...` and `B-A/...`."""
        ours = arrays_behind(self.run, self.frame, probes)
        if self.both is None:
            return ours
        theirs = arrays_behind(self.both.runs["B"], self.both.shown("B"), probes)
        return of_two(ours, theirs, self.both.difference, probes)

    def scalars(self) -> Mapping[str, np.ndarray]:
        """Return the curves as columns (rows,); of two runs they are `A/...` and `B/...`.

        What was recorded of every step has rows of its own, and is called `every_step/...`.
        """
        growth = self.both.runs["B"].growth if self.both else None
        ours = _columns(self.run.growth)
        return of_two(ours, _columns(growth)) if growth else ours


def _columns(growth: Growth | None) -> dict[str, np.ndarray]:
    if growth is None:
        return {}
    steps = {f"every_step/{name}": column for name, column in growth.curves.items()}
    return {**growth.scalars, **(steps if len(growth.curves.get("step", ())) else {})}
