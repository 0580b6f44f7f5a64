"""`edkit view RUN --export FILE`: the stage of one run, without a window."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication

from ed_core.recording import EdkitError, written_whole
from ed_viewer.export.arrays import arrays_behind, write_npz
from ed_viewer.export.movie import MOVIES, lack, thinned, to_array, write_movie
from ed_viewer.export.picture import PAGE_MARGINS, PICTURES, picture, raster
from ed_viewer.export.targets import page_of
from ed_viewer.messages import Frame, Growth, Request, RunInfo
from ed_viewer.stage import Stage
from ed_viewer.tail import Tail
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


def export_stage(run: Path, wish: Wish) -> None:
    """Draw the stage of a run into a file; all or nothing.

    A movie shows the frames up to the step. Everything is read and drawn on the calling thread.

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
    tail = Tail(run, 1)
    try:
        _Drawing(app, tail, wish).write()
    finally:
        tail.close()


class _Drawing:
    """A run's stage, drawn frame by frame."""

    def __init__(self, app: QApplication, tail: Tail, wish: Wish) -> None:
        self._tail, self._wish, self._app = tail, wish, app
        self._run, self._growth = _look(tail)
        self._frame = _frame_at(self._growth.steps, wish.step)
        self._theme = Theme(app, wish.theme)
        self._stage = Stage(self._theme)
        self._probes: tuple[str, ...] = ()
        self._stage.watched.connect(self._watch)

    def write(self) -> None:
        """Write the file, and let the stage go."""
        try:
            self._stage.show_run(self._run)
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
        self._draw(len(self._growth.steps) - 1)
        if kind in MOVIES:
            write_movie(part, kind, self._pictures(), _SPEED)
            return
        frame = self._draw(self._frame)
        if kind == "npz":
            write_npz(part, arrays_behind(frame, self._run, self._growth, self._probes))
        else:
            picture(page_of(self._stage), kind, background, PAGE_MARGINS)(part)

    def _pictures(self) -> Iterator[np.ndarray]:
        for number in thinned(0, self._frame):
            self._draw(number)
            background = self._theme.colour("window")
            yield to_array(raster(page_of(self._stage), background, PAGE_MARGINS))

    def _draw(self, number: int) -> Frame:
        frame = self._tail.read(Request(1, 1, number, self._probes))
        if frame.damaged:
            raise EdkitError("; ".join(sorted(frame.damaged.values())))
        self._stage.show_frame(frame)
        self._app.processEvents()
        return frame

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


def _frame_at(steps: np.ndarray, step: int | None) -> int:
    if step is None:
        return len(steps) - 1
    if not steps[0] <= step <= steps[-1]:
        raise EdkitError(
            f"step {step} was not recorded: choose one from {steps[0]} to {steps[-1]}."
        )
    return int(np.searchsorted(steps, step, side="right")) - 1
