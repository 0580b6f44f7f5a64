"""`edkit view RUN --export FILE`: the stage of a run, or of two, without a window."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication

from ed_core.recording import EdkitError, written_whole
from ed_viewer.alignment import Alignment, aligned
from ed_viewer.difference import other_samples
from ed_viewer.export.arrays import of_two, write_npz
from ed_viewer.export.movie import MOVIES, lack, thinned, to_array, write_movie
from ed_viewer.export.open_run import OpenRun
from ed_viewer.export.picture import PAGE_MARGINS, PICTURES, picture, raster
from ed_viewer.export.targets import page_of
from ed_viewer.headings import Reading, begins_later, headings_of
from ed_viewer.run_title import what_differs
from ed_viewer.stage import Stage
from ed_viewer.theme import Theme

KINDS = (*PICTURES, *MOVIES, "npz")
_SPEED = 10  # frames a second of a movie


@dataclass(frozen=True, slots=True)
class Wish:
    """What to export.

    Attributes:
        file: where to; its ending says as what.
        step: the newest frame at or before it; None is the last frame.
        preset: the title of a tab, in any case.
        size: of the picture, in pixels of the screen; a PNG has two for each.
        theme: "light" or "dark".
    """

    file: Path
    step: int | None = None
    preset: str = "overview"
    size: tuple[int, int] = (1440, 900)
    theme: str = "light"

    @property
    def kind(self) -> str:
        """The ending of the file."""
        return self.file.suffix.lower().removeprefix(".")


def export_stage(run: Path, wish: Wish, beside: Path | None = None) -> None:
    """Draw the stage of a run into a file; all or nothing.

    A movie shows the frames up to the step. Everything is read and drawn on the calling thread.

    Args:
        run: its folder.
        wish: what is drawn, and where to.
        beside: a second run, which is shown at the same step.

    Raises:
        EdkitError: no such ending, preset or step, or the run cannot be read.
        OSError: the file cannot be written.
    """
    if wish.kind not in KINDS:
        known = ", ".join(f".{kind}" for kind in KINDS)
        raise EdkitError(f"{str(wish.file)!r}: expected a file that ends in {known}.")
    if lack(wish.kind):
        raise EdkitError(lack(wish.kind))
    if not wish.file.parent.is_dir():
        raise EdkitError(f"{str(wish.file.parent)!r} is not a folder: make it first.")
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    with ExitStack() as stack:
        runs = [OpenRun(path) for path in (run, beside) if path is not None]
        for one in runs:
            stack.callback(one.close)
            one.look()
        _Drawing(app, runs, wish).write()


class _Drawing:
    """The stage of a run, or of two, drawn frame by frame."""

    def __init__(self, app: QApplication, runs: Sequence[OpenRun], wish: Wish) -> None:
        self._ours, self._theirs = runs[0], runs[1] if len(runs) > 1 else None
        self._wish, self._app = wish, app
        self._frame = _frame_at(self._ours.growth.steps, wish.step)
        self._theme = Theme(app, wish.theme)
        self._stage = Stage(self._theme)
        self._probes: tuple[str, ...] = ()
        self._stage.watched.connect(self._watch)

    def write(self) -> None:
        """Write the file, and let the stage go."""
        try:
            self._stage.show_run(self._ours.info)
            if self._theirs is not None:
                self._stage.show_run(self._theirs.info, "B")
            self._choose()
            self._stage.show()
            self._app.processEvents()
            # The tabs are not on the picture: it is as large as was wished without them.
            spare = self._stage.size() - page_of(self._stage).size()
            self._stage.resize(QSize(*self._wish.size).shrunkBy(PAGE_MARGINS) + spare)
            self._app.processEvents()
            with written_whole(self._wish.file) as part:
                self._write(part)
        finally:
            self._stage.close()
            self._stage.deleteLater()
            self._app.processEvents()

    def _write(self, part: Path) -> None:
        kind, background = self._wish.kind, self._theme.colour("window")
        # Levels are those of all that was seen: after the last frame they are the same at any step.
        self._draw(len(self._ours.growth.steps) - 1)
        if kind in MOVIES:
            write_movie(part, kind, self._pictures(), _SPEED)
            return
        self._draw(self._frame)
        if kind == "npz":
            write_npz(part, self._arrays())
        else:
            picture(page_of(self._stage), kind, background, PAGE_MARGINS)(part)

    def _pictures(self) -> Iterator[np.ndarray]:
        for number in thinned(0, self._frame):
            self._draw(number)
            background = self._theme.colour("window")
            yield to_array(raster(page_of(self._stage), background, PAGE_MARGINS))

    def _arrays(self) -> dict[str, np.ndarray]:
        ours = self._ours.arrays(self._probes)
        return of_two(ours, self._theirs.arrays(self._probes)) if self._theirs else ours

    def _draw(self, number: int) -> None:
        self._stage.show_frame(self._ours.read(number, self._probes))
        if self._theirs is not None:
            self._draw_beside(self._theirs, number)
        self._app.processEvents()

    def _draw_beside(self, theirs: OpenRun, number: int) -> None:
        there = aligned(self._ours.times, number, theirs.times, Alignment.STEP)
        if there < 0:
            theirs.frame = None
            self._stage.say("B", begins_later(theirs.times))
        else:
            self._stage.say("B", "")
            self._stage.show_frame(theirs.read(there, self._probes), "B")
        options = what_differs(self._ours.info, theirs.info)
        remark = other_samples(self._ours.info, theirs.info)
        reading = Reading(options, remark, signed=False, how=Alignment.STEP)
        for heading in headings_of({"A": self._ours.standing, "B": theirs.standing}, reading):
            self._stage.set_heading(heading)

    def _choose(self) -> None:
        titles = [self._stage.tabText(i) for i in range(self._stage.count())]
        slugs = [slug(title) for title in titles]
        if slug(self._wish.preset) not in slugs:
            raise EdkitError(
                f"this run has no preset {self._wish.preset!r}: choose {', '.join(slugs)}."
            )
        self._stage.setCurrentIndex(slugs.index(slug(self._wish.preset)))

    def _watch(self, probes: tuple[str, ...]) -> None:
        self._probes = probes


def slug(title: str) -> str:
    """Return a tab's title as it is typed: `Latent codes` becomes `latent-codes`."""
    return "-".join(title.replace("&&", "&").lower().split())


def _frame_at(steps: np.ndarray, step: int | None) -> int:
    if step is None:
        return len(steps) - 1
    if not steps[0] <= step <= steps[-1]:
        raise EdkitError(
            f"step {step} was not recorded: choose one from {steps[0]} to {steps[-1]}."
        )
    return int(np.searchsorted(steps, step, side="right")) - 1
