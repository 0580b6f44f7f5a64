"""What of a window can be taken away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QMargins
from PySide6.QtWidgets import QWidget

from ed_viewer.compare import Compare
from ed_viewer.export.arrays import arrays_behind, of_two
from ed_viewer.export.movie import MOVIES
from ed_viewer.export.picture import PAGE_MARGINS, PICTURES
from ed_viewer.messages import Frame
from ed_viewer.panel import Panel
from ed_viewer.stage import Stage

if TYPE_CHECKING:
    from ed_viewer.window import Window


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A thing that can be exported.

    Attributes:
        words: what it is.
        widget: that draws it.
        arrays: returns the arrays behind it; None if there are none.
        margins: left free around it.
    """

    words: str
    widget: QWidget
    arrays: Callable[[], Mapping[str, np.ndarray]] | None = None
    margins: QMargins = field(default_factory=QMargins)

    @property
    def kinds(self) -> tuple[str, ...]:
        """As what it can be exported."""
        return (*PICTURES, *MOVIES, *(("npz",) if self.arrays else ()))


def targets(window: Window, frame: Frame) -> list[Target]:
    """Return the stage, its panels, the curves and the window, which show a frame."""
    stage = window.stage
    tab = stage.tabText(stage.currentIndex()).replace("&&", "&")
    panels = stage.panels
    every = partial(_arrays, window, frame, panels)
    found = [Target(f"Stage: {tab}", page_of(stage), every, PAGE_MARGINS)]
    if len(panels) > 1:
        names = [f"Panel: {panel.accessibleName()}" for panel in panels]
        for name, panel in zip(names, panels, strict=True):
            found.append(Target(name, panel, partial(_arrays, window, frame, [panel])))
    found.append(Target("Curves", window.curves, partial(_scalars, window)))
    found.append(Target("Whole window", window))
    return found


def page_of(stage: Stage) -> QWidget:
    """Return the panels of the visible tab together."""
    return stage.currentWidget() or stage


def _arrays(window: Window, frame: Frame, panels: list[Panel]) -> Mapping[str, np.ndarray]:
    run, growth = window.session.run, window.session.growth
    if run is None or growth is None:
        return {}
    names = [panel.source.probe.name for panel in panels]
    ours = arrays_behind(frame, run, growth, names)
    pair = window.part(Compare).pair
    if pair is None:
        return ours
    return of_two(ours, arrays_behind(*pair.theirs, names) if pair.theirs else {})


def _scalars(window: Window) -> Mapping[str, np.ndarray]:
    return window.session.growth.scalars if window.session.growth else {}
