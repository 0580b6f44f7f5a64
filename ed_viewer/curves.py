"""Curves of the scalars: a small plot a head and the total, of one run or of two."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from ed_viewer.alignment import Alignment
from ed_viewer.curve_data import CurveData
from ed_viewer.messages import Frame, Growth, RunInfo
from ed_viewer.theme import Theme
from ed_viewer.widgets.text import muted, plain
from ed_viewer.widgets.toggle import Toggle

if TYPE_CHECKING:
    from ed_viewer.curve_plot import CurvePlot

_EVERY = 0.2  # seconds between two updates at least: new ranges are the costly part
_NARROW = 190  # pixels
_ALONE = "over the step · solid: training · dashed (in brackets): validation · λ: weight"
_BOTH = "over the {} · A solid, B dashed · dots: validation"
_OVER = {
    Alignment.STEP: "step",
    Alignment.EPOCH: "epoch",
    Alignment.SHARE: "share of the training",
}


class Curves(QWidget):
    """A row of plots over the step; with a run beside it, over what the two are aligned by.

    Signals:
        scrubbed: the frame of run A nearest to where a cursor line was dragged.
        hovered: the values under the mouse, in words, or "".

    Attributes:
        log: the toggle of the logarithmic scale.
        about: a line that says how to read the plots.
    """

    scrubbed = Signal(int)
    hovered = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._plots: dict[str, CurvePlot] = {}
        self._shown: dict[str, CurveData] = {}
        self._how = Alignment.STEP
        self._frame = -1
        self._updated = 0.0
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._update)
        self._columns: list[str] = []  # the names of all plots, from left to right
        self._missing: list[str] = []  # those that are not made yet
        self._make = QTimer(self)  # at once, but in turns of their own: each takes some 15 ms
        self._make.timeout.connect(self._make_next)
        self.log = Toggle("log", "accent", theme)
        self.log.setToolTip("Logarithmic scale (L)")
        self.log.setAccessibleName("Logarithmic scale")
        self.log.toggled.connect(self._set_log)
        self.about = muted(plain(QLabel(_ALONE)))
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
        self._lay_plots()

    @property
    def plots(self) -> Mapping[str, CurvePlot]:
        """The plots that are made, by the name of their scalar."""
        return self._plots

    @property
    def whole(self) -> bool:
        """Whether every plot of the runs on show is made."""
        return not self._missing

    def show_run(self, run: RunInfo | None, side: str = "A") -> None:
        """Make the plots of a run; None takes it away."""
        self._shown.pop(side, None)
        if run is not None:
            self._shown[side] = CurveData(run)
        self._lay_plots()

    def clear_run(self, _: object = None) -> None:
        """Take run A away."""
        self._frame = -1
        self.show_run(None)

    def show_growth(self, growth: Growth, side: str = "A") -> None:
        """Draw the table as it is now, a few times a second at the most."""
        if side not in self._shown:
            return
        self._shown[side].growth = growth
        wait = _EVERY - (time.monotonic() - self._updated)
        if wait <= 0 and not self._later.isActive():
            self._update()
        elif not self._later.isActive():
            self._later.start(int(wait * 1000) + 1)

    def set_alignment(self, how: Alignment) -> None:
        """Draw over the step, the epoch or the share of the training, if two runs are on show."""
        if how is not self._how:
            self._how = how
            self._lay_plots()

    def show_frame(self, frame: Frame) -> None:
        """Put the cursor lines on a frame of run A and the values there into the titles."""
        self._frame = frame.request.frame
        self._place_lines()

    def _place_lines(self) -> None:
        places = self._shown["A"].places(self._axis) if "A" in self._shown else ()
        if 0 <= self._frame < len(places):
            for plot in self._plots.values():
                plot.set_place(float(places[self._frame]))

    @property
    def _axis(self) -> Alignment:
        return self._how if "B" in self._shown else Alignment.STEP

    def _lay_plots(self) -> None:
        """Have a plot of every scalar; those that there are stay, to make one is costly."""
        both = "B" in self._shown
        self.about.setText(_BOTH.format(_OVER[self._axis]) if both else _ALONE)
        shown = [self._shown[side] for side in sorted(self._shown)] if "A" in self._shown else []
        names = dict.fromkeys(name for run in shown for name in run.names())
        for name in [name for name in self._plots if name not in names]:
            self._plots.pop(name).deleteLater()
        self._columns = list(names)
        self._missing = [name for name in names if name not in self._plots]
        self.about.setVisible(bool(names))
        self.log.setEnabled(bool(names))
        for name, plot in self._plots.items():
            self._put(plot, name)
        self._update()
        self._make.start(0) if self._missing else self._make.stop()

    def _make_next(self) -> None:
        from ed_viewer.curve_plot import CurvePlot  # with pyqtgraph, after the first paint

        name = self._missing.pop(0)
        plot = self._plots[name] = CurvePlot(name, self._theme)
        plot.setMinimumWidth(_NARROW)
        plot.scrubbed.connect(self._scrub)
        plot.hovered.connect(self.hovered)
        plot.set_log(self.log.isChecked())
        self._put(plot, name)
        if not self._missing:
            self._make.stop()
            self._update()

    def _put(self, plot: CurvePlot, name: str) -> None:
        """Put a plot into its place in the row."""
        plot.set_compared("B" in self._shown)
        self._grid.addWidget(plot, 0, self._columns.index(name))

    def _update(self) -> None:
        self._updated = time.monotonic()
        tables = {side: shown.table(self._axis) for side, shown in self._shown.items()}
        for plot in self._plots.values():
            plot.how = self._axis
            plot.show_tables(tables)
        self._place_lines()

    def _scrub(self, place: float) -> None:
        places = self._shown["A"].places(self._axis) if "A" in self._shown else ()
        if len(places):
            known = np.where(np.isfinite(places), places, np.inf)
            self.scrubbed.emit(int(np.abs(known - place).argmin()))

    def _set_log(self, on: bool) -> None:
        for plot in self._plots.values():
            plot.set_log(on)

    def _restyle(self) -> None:
        for plot in self._plots.values():
            plot.restyle()
