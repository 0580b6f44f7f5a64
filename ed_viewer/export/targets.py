"""What of a window can be taken away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QWidget

from ed_viewer.compare import Compare
from ed_viewer.export.arrays import arrays_behind, of_two
from ed_viewer.export.figure import Figure, about, stand
from ed_viewer.export.movie import MOVIES
from ed_viewer.export.picture import PAGE_MARGINS, PICTURES
from ed_viewer.messages import Frame
from ed_viewer.page import Page
from ed_viewer.side import Side
from ed_viewer.stage import Stage

if TYPE_CHECKING:
    from ed_viewer.window import Window


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
    figure: Figure
    arrays: Callable[[], Mapping[str, np.ndarray]] | None = None
    tab: str = ""

    @property
    def kinds(self) -> tuple[str, ...]:
        """As what it can be exported."""
        return (*PICTURES, *MOVIES, *(("npz",) if self.arrays else ()))


def targets(window: Window, frame: Frame) -> list[Target]:
    """Return the stage, its panels, the curves and the window, which show a frame."""
    stage, said = window.stage, _about(window, frame)
    tab = tab_of(stage)
    page = page_of(stage)
    panels = _panels(page, said)
    every = partial(_arrays, window, frame, tuple(panels))
    whole = Figure.of(page, PAGE_MARGINS, said)
    found = [Target(f"stage/{tab}", f"Stage: {tab}", whole, every, tab)]
    if len(panels) > 1:
        for name, figure in panels.items():
            arrays = partial(_arrays, window, frame, (name,))
            words = f"Panel: {figure.widgets[-1].accessibleName()}"
            found.append(Target(f"panel/{tab}/{name}", words, figure, arrays, tab))
    curves = Figure.of(window.curves, about=said)
    found.append(Target("curves", "Curves", curves, partial(_scalars, window)))
    found.append(Target("window", "Whole window", Figure.of(window, about=said)))
    return found


def tab_of(stage: Stage) -> str:
    """Return the title of the visible tab."""
    return stage.tabText(stage.currentIndex()).replace("&&", "&")


def page_of(stage: Stage) -> QWidget:
    """Return the panels of the visible tab together."""
    return stage.currentWidget() or stage


def about_runs(window: Window) -> str:
    """Return which run is on show, or which two."""
    pair, path = window.part(Compare).pair, window.session.path
    ours = path.name if path else ""
    return about(ours, pair.beside.path.name, pair.signed) if pair else ours


def _about(window: Window, frame: Frame) -> str:
    """Return which step of the run is on show, and of the run beside it."""
    pair, session = window.part(Compare).pair, window.session
    if session.path is None or session.growth is None:
        return ""
    ours = stand(session.path, session.growth, frame.request.frame)
    if pair is None:
        return ours
    theirs = pair.theirs
    if theirs is None:
        return about(ours, f"{pair.beside.path.name}, no frame")
    shown, run, growth = theirs
    return about(ours, stand(run.path, growth, shown.request.frame), pair.signed)


def _panels(page: QWidget, said: str) -> dict[str, Figure]:
    """Return the panels of a page by their probe; of two runs each below the run's name."""
    if not isinstance(page, Page):
        return {}
    sides = [side for side in map(page.side, "AB") if side is not None]
    names = [name for name in page.probes if any(name in side.hosts for side in sides)]
    if len(sides) == 1:
        return {name: Figure.of(sides[0].hosts[name].panel, about=said) for name in names}
    return {
        name: Figure(tuple(_column(side, name) for side in sides), about=said) for name in names
    }


def _column(side: Side, name: str) -> tuple[QWidget, ...]:
    shown = side.shown(name)
    return (side.head,) if shown is None else (side.head, shown)


def _arrays(window: Window, frame: Frame, names: Sequence[str]) -> Mapping[str, np.ndarray]:
    run, growth = window.session.run, window.session.growth
    if run is None or growth is None:
        return {}
    ours = arrays_behind(frame, run, growth, names)
    pair = window.part(Compare).pair
    if pair is None:
        return ours
    theirs = arrays_behind(*pair.theirs, names) if pair.theirs else {}
    return of_two(ours, theirs, pair.difference, names)


def _scalars(window: Window) -> Mapping[str, np.ndarray]:
    ours = window.session.growth.scalars if window.session.growth else {}
    pair = window.part(Compare).pair
    growth = pair.beside.session.growth if pair else None
    return of_two(ours, growth.scalars) if growth else ours
