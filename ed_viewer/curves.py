"""Curves of the scalars: a small plot a head and the total, with the cursor across all."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QScrollArea, QVBoxLayout, QWidget

from ed_viewer.messages import Growth, RunInfo
from ed_viewer.theme import Theme
from ed_viewer.widgets.toggle import Toggle

if TYPE_CHECKING:
    from ed_viewer.curve_plot import CurvePlot

_EVERY = 0.2  # seconds between two updates at least: new ranges are the costly part
_NARROW = 190  # pixels


def curves_of(scalars: Sequence[str], heads: Sequence[str]) -> list[str]:
    """Return the scalars that get a plot: the total, the heads' losses, then the metrics.

    Weights stand in the title of their head, validation in the plot of its training curve.
    """
    hidden = ("val_", "weighted_")
    told = ("learning_rate", "dropped_frames")  # elsewhere
    names = [s for s in scalars if not s.startswith(hidden) and not s.endswith("_weight")]
    first = [n for n in ("loss", *(f"{head}_loss" for head in heads)) if n in names]
    rest = [n for n in names if n not in (*first, *told)]
    only_validated = [
        s for s in scalars if s.startswith("val_") and s.removeprefix("val_") not in scalars
    ]
    return first + rest + only_validated


class Curves(QWidget):
    """A row of plots over the step.

    Signals:
        scrubbed: the step to which a cursor line was dragged.
    """

    scrubbed = Signal(float)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._plots: dict[str, CurvePlot] = {}
        self._scalars: Mapping[str, np.ndarray] = {}
        self._step = 0.0
        self._updated = 0.0
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._update)
        self.log = Toggle("log", "accent", theme)
        self.log.setToolTip("Logarithmic scale (L)")
        self.log.setAccessibleName("Logarithmic scale")
        self.log.toggled.connect(self._set_log)
        self._row = QWidget()
        self._grid = QGridLayout(self._row)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self._row)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 8)
        layout.addWidget(scroll)
        theme.changed.connect(self._restyle)

    @property
    def plots(self) -> Mapping[str, CurvePlot]:
        """The plots by the name of their scalar."""
        return self._plots

    def show_run(self, run: RunInfo) -> None:
        """Make the plots of a run."""
        from ed_viewer.curve_plot import CurvePlot  # with pyqtgraph, after the first paint

        self.clear_run()
        heads = run.header.run.get("heads")
        names = curves_of(run.header.scalars, [str(h) for h in heads] if heads else [])
        for column, name in enumerate(names):
            plot = CurvePlot(name, self._theme)
            plot.setMinimumWidth(_NARROW)
            plot.scrubbed.connect(self.scrubbed)
            plot.set_log(self.log.isChecked())
            self._plots[name] = plot
            self._grid.addWidget(plot, 0, column)

    def clear_run(self) -> None:
        """Take all plots away."""
        for plot in self._plots.values():
            self._grid.removeWidget(plot)
            plot.deleteLater()
        self._plots = {}
        self._scalars = {}

    def show_growth(self, growth: Growth) -> None:
        """Draw the table as it is now, a few times a second at the most."""
        self._scalars = growth.scalars
        wait = _EVERY - (time.monotonic() - self._updated)
        if wait <= 0 and not self._later.isActive():
            self._update()
        elif not self._later.isActive():
            self._later.start(int(wait * 1000) + 1)

    def set_step(self, step: float) -> None:
        """Put the cursor lines on a step and the values there into the titles."""
        self._step = step
        for plot in self._plots.values():
            plot.set_step(step)

    def _update(self) -> None:
        self._updated = time.monotonic()
        for plot in self._plots.values():
            plot.show_columns(self._scalars)
        self.set_step(self._step)

    def _set_log(self, on: bool) -> None:
        for plot in self._plots.values():
            plot.set_log(on)

    def _restyle(self) -> None:
        for plot in self._plots.values():
            plot.restyle()
