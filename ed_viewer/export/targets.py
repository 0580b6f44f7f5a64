"""Targets of an export: the parts of a window with their widgets and arrays."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QWidget

from ed_viewer.compare.comparison import Comparison
from ed_viewer.export.movie import MOVIES
from ed_viewer.export.picture import (
    PAGE_MARGINS,
    PICTURES,
    ExportFigure,
    about,
    describe_position,
    name_of,
    where,
)
from ed_viewer.reading.messages import Frame, RunProgress
from ed_viewer.session.alignment import RunView
from ed_viewer.stage.page import Page
from ed_viewer.stage.run_column import RunColumn
from ed_viewer.stage.stage import Stage
from ed_viewer.style.palette import Side
from ed_viewer.window.workbench import Workbench

WINDOW = "window"
"""The name of the whole window."""


def arrays_behind(
    view: RunView, frame: Frame | None, probes: Sequence[str]
) -> dict[str, np.ndarray]:
    """Return what was drawn: `probe/array`, `reference/field`, the run, and when it was taken.

    Earlier frames that stand beside it are `probe/over_time/array` (columns, samples, ...).

    Args:
        view: the run.
        frame: of it that is drawn; without one there is nothing.
        probes: by name; those that were not read are left out.
    """
    run, growth = view.run, view.growth
    if frame is None or run is None or growth is None:
        return {}
    number = frame.request.frame
    arrays = _drawn(frame, probes)
    arrays |= {f"reference/{field}": array for field, array in run.reference.items()}
    when = {"frame": number, "step": growth.steps[number], "epoch": growth.epochs[number]}
    about = {"run": run.path.name, **when}
    return arrays | {name: np.asarray(value) for name, value in about.items()}


def of_two(
    ours: Mapping[str, np.ndarray],
    theirs: Mapping[str, np.ndarray],
    difference: Frame | None = None,
    probes: Sequence[str] = (),
) -> dict[str, np.ndarray]:
    """Return the arrays of two runs side by side: `A/...` and `B/...`.

    Args:
        ours: of run A.
        theirs: of run B.
        difference: B - A where it is shown, which becomes `B-A/probe/array`.
        probes: of the difference, by name.
    """
    sides = {"A": ours, "B": theirs}
    if difference is not None:
        sides["B-A"] = _drawn(difference, probes)
    return {
        f"{side}/{name}": array for side, arrays in sides.items() for name, array in arrays.items()
    }


def _drawn(frame: Frame, probes: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the arrays of probes, those that were not read left out."""
    arrays = {
        f"{probe}/{name}": array
        for probe in probes
        for name, array in frame.arrays.get(probe, {}).items()
    }
    for probe in probes:
        past = frame.past.get(probe)
        if past is not None:
            facts = {"steps": past.steps, "samples": np.asarray(past.samples), **past.arrays}
            arrays |= {f"{probe}/over_time/{name}": array for name, array in facts.items()}
    return arrays


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by name, compressed; the file's name is kept as it is."""
    with open(path, "wb") as file:
        np.savez_compressed(file, **dict(arrays))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, eq=False)
class ExportSource:
    """The frame of a run that is on show, and what stands beside it.

    Attributes:
        run: the only one, or run A of two.
        both: the two runs while they are compared, else None.
    """

    run: RunView
    both: Comparison | None

    @property
    def about(self) -> str:
        """Which run and step it is, or which two, in words."""
        ours = describe_position(self.run, self.run.frame)
        if self.both is None:
            return ours
        theirs = self.both.shown(Side.B)
        signed = self.both.subtracts and theirs is not None
        return about(ours, describe_position(self.both.runs[Side.B], theirs), signed)

    @property
    def where(self) -> str:
        """Which step is shown, or which of two runs, in words."""
        ours = where(self.run, self.run.frame)
        if self.both is None:
            return ours
        theirs = where(self.both.runs[Side.B], self.both.shown(Side.B))
        return f"A: {ours} \N{EN DASH} B: {theirs}" if theirs else f"A: {ours}"

    @property
    def about_runs(self) -> str:
        """Which run it is, or which two, in words."""
        ours = name_of(self.run)
        if self.both is None:
            return ours
        return about(ours, name_of(self.both.runs[Side.B]), self.both.subtracts)

    def arrays(self, probes: Sequence[str]) -> dict[str, np.ndarray]:
        """Return the arrays behind it; of two runs they are `A/...`, `B/...` and `B-A/...`."""
        ours = arrays_behind(self.run, self.run.frame, probes)
        if self.both is None:
            return ours
        theirs = arrays_behind(self.both.runs[Side.B], self.both.shown(Side.B), probes)
        return of_two(ours, theirs, self.both.difference, probes)

    def scalars(self) -> Mapping[str, np.ndarray]:
        """Return the curves as columns (rows,); of two runs they are `A/...` and `B/...`.

        What was recorded of every step has rows of its own, and is called `every_step/...`.
        """
        growth = self.both.runs[Side.B].growth if self.both else None
        ours = _columns(self.run.growth)
        return of_two(ours, _columns(growth)) if growth else ours


def _columns(growth: RunProgress | None) -> dict[str, np.ndarray]:
    if growth is None:
        return {}
    steps = {f"every_step/{name}": column for name, column in growth.curves.items()}
    return {**growth.scalars, **(steps if len(growth.curves.get("step", ())) else {})}


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A thing that can be exported.

    Attributes:
        name: the same for the same thing, whatever else can be exported and in which order.
        words: what it is.
        figure: the widgets that draw it, of two runs those of both.
        arrays: returns the arrays behind it; None if there are none.
        tab: on which it is drawn, "" for what every tab shows.
    """

    name: str
    words: str
    figure: ExportFigure
    arrays: Callable[[], Mapping[str, np.ndarray]] | None = None
    tab: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """As what it can be exported."""
        return (*PICTURES, *MOVIES, *(("npz",) if self.arrays else ()))


def targets(bench: Workbench, source: ExportSource) -> list[Target]:
    """Return the stage, its panels, the curves and the window, which show a frame."""
    bench.stage.complete()
    stage = bench.stage
    description, tab = source.about, tab_of(stage)
    page = page_of(stage)
    panels = _panels(page, description)
    every = partial(source.arrays, tuple(panels))
    whole = ExportFigure.of(page, PAGE_MARGINS, description)
    result = [Target(f"stage/{tab}", f"Stage: {tab}", whole, every, tab)]
    if len(panels) > 1:
        for name, figure in panels.items():
            arrays = partial(source.arrays, (name,))
            words = f"Panel: {figure.name}"
            result.append(Target(f"panel/{tab}/{name}", words, figure, arrays, tab))
    curves = ExportFigure.of(bench.curves, about=description)
    result.append(Target("curves", "Curves", curves, source.scalars))
    result.append(Target(WINDOW, "Whole window", ExportFigure.of(bench, about=description)))
    return result


def tab_of(stage: Stage) -> str:
    """Return the title of the visible tab."""
    return stage.tabText(stage.currentIndex()).replace("&&", "&")


def page_of(stage: Stage) -> QWidget:
    """Return the panels of the visible tab together."""
    return stage.currentWidget() or stage


def _panels(page: QWidget, description: str) -> dict[str, ExportFigure]:
    """Return the panels of a page by their probe; of two runs each below the run's name."""
    if not isinstance(page, Page):
        return {}
    sides = [side for side in map(page.side, Side) if side is not None]
    names = [name for name in page.probes if any(name in side.hosts for side in sides)]
    if len(sides) == 1:
        return {name: ExportFigure.of(sides[0].hosts[name], about=description) for name in names}
    return {
        name: ExportFigure(tuple(_column(side, name) for side in sides), about=description)
        for name in names
    }


def _column(side: RunColumn, name: str) -> tuple[QWidget, ...]:
    figure = side.shown(name)
    return (side.head,) if figure is None else (side.head, figure)
