"""What of a window can be taken away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtWidgets import QWidget

from ed_viewer.compare import Compare
from ed_viewer.export.figure import Figure
from ed_viewer.export.movie import MOVIES
from ed_viewer.export.on_show import OnShow
from ed_viewer.export.picture import PAGE_MARGINS, PICTURES
from ed_viewer.messages import Frame
from ed_viewer.page import Page
from ed_viewer.side import Side
from ed_viewer.stage import Stage

if TYPE_CHECKING:
    from ed_viewer.window import Window


WINDOW = "window"
"""The name of the whole window."""


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
    window.stage.complete()
    stage, shown = window.stage, on_show(window, frame)
    said, tab = shown.about, tab_of(stage)
    page = page_of(stage)
    panels = _panels(page, said)
    every = partial(shown.arrays, tuple(panels))
    whole = Figure.of(page, PAGE_MARGINS, said)
    found = [Target(f"stage/{tab}", f"Stage: {tab}", whole, every, tab)]
    if len(panels) > 1:
        for name, figure in panels.items():
            arrays = partial(shown.arrays, (name,))
            words = f"Panel: {figure.name}"
            found.append(Target(f"panel/{tab}/{name}", words, figure, arrays, tab))
    curves = Figure.of(window.curves, about=said)
    found.append(Target("curves", "Curves", curves, shown.scalars))
    found.append(Target(WINDOW, "Whole window", Figure.of(window, about=said)))
    return found


def tab_of(stage: Stage) -> str:
    """Return the title of the visible tab."""
    return stage.tabText(stage.currentIndex()).replace("&&", "&")


def on_show(window: Window, frame: Frame | None) -> OnShow:
    """Return what a window shows of its run, and of the run beside it."""
    pair = window.part(Compare).pair
    return OnShow(window.session, frame, pair.comparison if pair else None)


def page_of(stage: Stage) -> QWidget:
    """Return the panels of the visible tab together."""
    return stage.currentWidget() or stage


def _panels(page: QWidget, said: str) -> dict[str, Figure]:
    """Return the panels of a page by their probe; of two runs each below the run's name."""
    if not isinstance(page, Page):
        return {}
    sides = [side for side in map(page.side, "AB") if side is not None]
    names = [name for name in page.probes if any(name in side.hosts for side in sides)]
    if len(sides) == 1:
        return {name: Figure.of(sides[0].hosts[name], about=said) for name in names}
    return {
        name: Figure(tuple(_column(side, name) for side in sides), about=said) for name in names
    }


def _column(side: Side, name: str) -> tuple[QWidget, ...]:
    shown = side.shown(name)
    return (side.head,) if shown is None else (side.head, shown)
