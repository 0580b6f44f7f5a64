"""`edkit view RUN --export FILE`: the stage of a run, or of two, without a window."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication

from ed_core.recording import EdkitError, written_whole
from ed_viewer.alignment import Alignment
from ed_viewer.comparison import Comparison
from ed_viewer.export.arrays import write_npz
from ed_viewer.export.couple import Couple
from ed_viewer.export.figure import Figure, head_of
from ed_viewer.export.movie import MOVIES, lack, thinned, to_array, write_movie
from ed_viewer.export.on_show import OnShow
from ed_viewer.export.open_run import OpenRun
from ed_viewer.export.picture import PAGE_MARGINS, PICTURES, picture, raster
from ed_viewer.export.targets import page_of
from ed_viewer.lookback import Lookback, spread, strips
from ed_viewer.messages import Frame
from ed_viewer.stage import Stage
from ed_viewer.theme import Theme
from ed_viewer.turn import flush

KINDS = (*PICTURES, *MOVIES, "npz")
_SPEED = 10  # frames a second of a movie
_ROUNDS = 4  # until what a panel wants no longer changes


@dataclass(frozen=True, slots=True)
class Wish:
    """What to export.

    Attributes:
        file: where to; its ending says as what.
        step: the newest frame at or before it; None is the last frame.
        preset: the title of a tab, in any case.
        size: of the picture, in pixels of the screen; a PNG has two for each.
        theme: "light" or "dark".
        over_time: whether earlier steps stand beside it, where the tab can show them.
        difference: whether the difference of two runs stands in the place of the second.
        align: what the two have in common.
    """

    file: Path
    step: int | None = None
    preset: str = "overview"
    size: tuple[int, int] = (1440, 900)
    theme: str = "light"
    over_time: bool = False
    difference: bool = False
    align: Alignment = Alignment.STEP

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
        beside: a second run, which is shown at the same point of its training.

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
        self._ours = runs[0]
        self._wish, self._app = wish, app
        self._frame = _frame_at(self._ours.growth.steps, wish.step)
        self._theme = Theme(app, wish.theme)
        self._stage = Stage(self._theme)
        self._probes: tuple[str, ...] = ()
        self._lookbacks: Mapping[str, Lookback] = {}
        self._drawn: Frame | None = None
        self._couple: Couple | None = None
        if len(runs) == 2:
            both = Comparison(runs[0], runs[1], wish.align, wish.difference)
            self._couple = Couple(both, runs[1], self._stage)
        self._stage.watched.connect(self._watch)

    def write(self) -> None:
        """Write the file, and let the stage go."""
        try:
            self._stage.show_run(self._ours.run)
            if self._couple is not None:
                self._couple.show()
            self._choose()
            self._stage.complete()
            self._stage.show()
            self._app.processEvents()
            # The tabs are not on the picture: it is as large as was wished without them.
            spare = self._stage.size() - page_of(self._stage).size()
            if self._wish.kind in MOVIES:  # which say their step above
                spare -= QSize(0, head_of(page_of(self._stage)))
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
        with suppress(EdkitError):  # it may be damaged, and the one that is asked for not
            self._draw(len(self._ours.growth.steps) - 1)
        if self._wish.over_time and not any(p.look_back(True) for p in self._stage.panels):
            raise EdkitError(f"the preset {self._wish.preset!r} shows nothing over time.")
        if kind in MOVIES:
            write_movie(part, kind, self._pictures(), _SPEED, self._shown.about_runs)
            return
        self._draw(self._frame)
        if kind == "npz":
            write_npz(part, self._shown.arrays(self._probes))
        else:
            picture(self._figure(), kind, background)(part)

    def _pictures(self) -> Iterator[np.ndarray]:
        frames = thinned(0, self._frame)
        self._stage.set_steady(True)
        for number in frames:  # after that, axes are wide enough for all
            self._draw(number)
        for number in frames:
            self._draw(number)
            figure = replace(self._figure(), line=self._shown.where)
            yield to_array(raster(figure, self._theme.colour("window")))

    def _figure(self) -> Figure:
        return Figure.of(page_of(self._stage), PAGE_MARGINS, self._shown.about)

    @property
    def _shown(self) -> OnShow:
        return OnShow(self._ours, self._drawn, self._couple.both if self._couple else None)

    def _draw(self, number: int) -> None:
        """Draw a frame; what a panel wants beside it may follow from its size, and so come late."""
        for _ in range(_ROUNDS):
            before = self._lookbacks
            wanted = strips(before, partial(spread, self._ours.growth.steps, number))
            self._drawn = self._ours.read(number, self._probes, wanted)
            self._stage.show_frame(self._drawn)
            if self._couple is not None:
                self._couple.draw(self._drawn, self._probes)
            self._app.processEvents()
            flush()
            if self._lookbacks == before:
                return

    def _choose(self) -> None:
        titles = [self._stage.tabText(i) for i in range(self._stage.count())]
        slugs, wished = [slug(title) for title in titles], slug(self._wish.preset)
        if wished == "overview" and len(slugs) == 1:  # of a run with one tab, that is all
            wished = slugs[0]
        if wished not in slugs:
            raise EdkitError(
                f"this run has no preset {self._wish.preset!r}: choose {', '.join(slugs)}."
            )
        self._stage.setCurrentIndex(slugs.index(wished))

    def _watch(self, probes: tuple[str, ...], lookbacks: Mapping[str, Lookback]) -> None:
        self._probes, self._lookbacks = probes, lookbacks


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
