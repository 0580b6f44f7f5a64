"""Export without a window, for `edkit view RUN --export FILE`."""

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
from ed_viewer.compare.comparison import Comparison
from ed_viewer.event_loop import flush
from ed_viewer.export.movie import MOVIES, missing_dependency, thinned, to_array, write_movie
from ed_viewer.export.picture import PAGE_MARGINS, PICTURES, ExportFigure, head_of, picture, raster
from ed_viewer.export.targets import ExportSource, page_of, write_npz
from ed_viewer.reading.messages import (
    Frame,
    FrameRequest,
    HistoryRequest,
    Lookback,
    RunInfo,
    RunProgress,
    spread,
    strips,
)
from ed_viewer.reading.tail import Tail
from ed_viewer.session.alignment import Alignment
from ed_viewer.stage.stage import Stage
from ed_viewer.style.palette import Side
from ed_viewer.style.theme import Theme

KINDS = (*PICTURES, *MOVIES, "npz")
_SPEED = 10  # frames a second of a movie
_ROUNDS = 4  # until what a panel wants no longer changes


class HeadlessRun:
    """A run on the stage.

    Attributes:
        run, growth: what it holds, once `look` was called.
        frame: that was read last.
    """

    run: RunInfo
    growth: RunProgress

    def __init__(self, path: Path) -> None:
        self.path = path
        self.frame: Frame | None = None
        self._tail = Tail(path, 1)

    def look(self) -> None:
        """Find out what it holds; raises EdkitError if that is no frame."""
        self.run, self.growth = _look(self._tail)

    def close(self) -> None:
        """Let the files go."""
        self._tail.close()

    def read(
        self,
        number: int,
        probes: tuple[str, ...],
        strips: Mapping[str, HistoryRequest] | None = None,
    ) -> Frame:
        """Return a frame, and strips of earlier ones; raises EdkitError where one is damaged."""
        names = {probe.name for probe in self.run.header.probes}
        available = tuple(name for name in probes if name in names)
        frame = self._tail.read(FrameRequest(1, 1, number, available, strips or {}))
        if frame.damaged:
            raise EdkitError("; ".join(sorted(frame.damaged.values())))
        self.frame = frame
        return frame


def _look(tail: Tail) -> tuple[RunInfo, RunProgress]:
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


class HeadlessSecondRun:
    """The second of two runs, drawn beside the first.

    Args:
        both: run A, which somebody else draws, and run B.
        theirs: run B.
        stage: that shows both.
    """

    def __init__(self, both: Comparison, theirs: HeadlessRun, stage: Stage) -> None:
        self.both, self._theirs, self._stage = both, theirs, stage

    def show(self) -> None:
        """Make the panels of run B."""
        self._stage.show_run(self.both.run, Side.B, self.both.subtracts)

    def draw(self, ours: Frame, probes: tuple[str, ...]) -> None:
        """Draw run B where run A is, whose frame is drawn already."""
        both = self.both
        both.at = ours.request.frame
        self._stage.say(Side.B, both.notice)
        if both.found >= 0:
            requests = {
                probe: HistoryRequest(both.beside(strip.frames), strip.samples)
                for probe, strip in ours.request.strips.items()
            }
            self._theirs.read(both.found, probes, requests)
            if both.frame is not None:
                self._stage.show_frame(both.frame, Side.B)
        for heading in both.headings:
            self._stage.set_heading(heading)


@dataclass(frozen=True, slots=True)
class ExportSpec:
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


def export_stage(run: Path, wish: ExportSpec, beside: Path | None = None) -> None:
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
        endings = ", ".join(f".{kind}" for kind in KINDS)
        raise EdkitError(f"{str(wish.file)!r}: expected a file that ends in {endings}.")
    if missing_dependency(wish.kind):
        raise EdkitError(missing_dependency(wish.kind))
    if not wish.file.parent.is_dir():
        raise EdkitError(f"{str(wish.file.parent)!r} is not a folder: make it first.")
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    with ExitStack() as stack:
        runs = [HeadlessRun(path) for path in (run, beside) if path is not None]
        for one in runs:
            stack.callback(one.close)
            one.look()
        _Drawing(app, runs, wish).write()


class _Drawing:
    """The stage of a run, or of two, drawn frame by frame."""

    def __init__(self, app: QApplication, runs: Sequence[HeadlessRun], wish: ExportSpec) -> None:
        self._ours = runs[0]
        self._wish, self._app = wish, app
        self._frame = _frame_at(self._ours.growth.steps, wish.step)
        self._theme = Theme(app, wish.theme)
        self._stage = Stage(self._theme)
        self._probes: tuple[str, ...] = ()
        self._lookbacks: Mapping[str, Lookback] = {}
        self._couple: HeadlessSecondRun | None = None
        if len(runs) == 2:
            both = Comparison(runs[0], runs[1], wish.align, wish.difference)
            self._couple = HeadlessSecondRun(both, runs[1], self._stage)
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

    def _figure(self) -> ExportFigure:
        return ExportFigure.of(page_of(self._stage), PAGE_MARGINS, self._shown.about)

    @property
    def _shown(self) -> ExportSource:
        return ExportSource(self._ours, self._couple.both if self._couple else None)

    def _draw(self, number: int) -> None:
        """Draw a frame; what a panel wants beside it may follow from its size, and so come late."""
        for _ in range(_ROUNDS):
            before = self._lookbacks
            requests = strips(before, partial(spread, self._ours.growth.steps, number))
            drawn = self._ours.read(number, self._probes, requests)
            self._stage.show_frame(drawn)
            if self._couple is not None:
                self._couple.draw(drawn, self._probes)
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
