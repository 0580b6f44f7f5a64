"""Row of loss plots, one for the total and one a head, of one run or of two."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QGridLayout, QScrollArea, QVBoxLayout, QWidget

from ed_viewer.curves.data import CurveData, CurveTable, width_of
from ed_viewer.event_loop import StaggeredRestyle, Task
from ed_viewer.reading.messages import Frame, RunInfo, RunProgress
from ed_viewer.session.alignment import Alignment
from ed_viewer.style.palette import Side
from ed_viewer.style.text import counted, muted, plain
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.controls import Toggle, make_choice, push_button
from ed_viewer.widgets.labels import ElidingLabel

if TYPE_CHECKING:
    from ed_viewer.curves.plot import CurvePlot

_NARROW = 190  # pixels
_EVERY = 0.2  # seconds between two updates at least: new ranges are the costly part
_ALONE = "{} · dashed: validation · λ: weight"
_EVERY_STEP = "training: each step (pale), mean of {} (line), of epochs (dots)"
_FEW_STEPS = "training: each step (line), mean of epochs (dots)"
_RUNNING = "line: training (mean since the epoch began)"
_BOTH = "x: {} · A solid, B dashed · dots: validation"
_OVER = {
    Alignment.STEP: "step",
    Alignment.EPOCH: "epoch",
    Alignment.SHARE: "share of the training",
}
_AXES = (Alignment.STEP, Alignment.EPOCH, Alignment.TIME)  # of one run alone


class CurveRow(QScrollArea):
    """Row of plots, one a scalar; each is made in its own event-loop turn (some 15 ms).

    Signals:
        scrubbed: the place to which a cursor line was dragged.
        made: the last plot that was missing is there.
        narrowed: whether a part alone is on show: of the axis, or of the plots.

    Attributes:
        plots: those that are made, by the name of their scalar.
    """

    narrowed = Signal(bool)

    scrubbed = Signal(float)
    made = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plots: dict[str, CurvePlot] = {}
        self._theme = theme
        self._names: Sequence[str] = ()
        self._missing: list[str] = []
        self._compared = self._log = False
        self._large = ""
        self._part: tuple[float, float] | None = None
        self._making = Task(self._make_next, self)
        self._restyling = StaggeredRestyle(self)
        row = QWidget()
        self._grid = QGridLayout(row)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(row)
        theme.changed.connect(self._restyle)

    @property
    def whole(self) -> bool:
        """Whether every plot is made."""
        return not self._missing and not self._making.waiting

    def lay(self, names: Sequence[str], compared: bool) -> None:
        """Have a plot of each of these scalars, of one run or of two; those that there are stay."""
        for name in [name for name in self.plots if name not in names]:
            self.plots.pop(name).deleteLater()
        self._names, self._compared = names, compared
        if self._large not in names:
            self._large = ""
        self._missing = [name for name in names if name not in self.plots]
        for column in range(max(self._grid.columnCount(), len(names))):
            # A place for each from the beginning: none that is made makes the others narrower.
            visible = column < len(names) and self._large in ("", names[column])
            self._grid.setColumnStretch(column, 1 if visible else 0)
            self._grid.setColumnMinimumWidth(column, _NARROW if visible else 0)
        for name in self.plots:
            self._put(name)
        if self._missing:
            self._making.ask()
        else:
            self._making.drop()
            self.plots = {name: self.plots[name] for name in names}

    def show_all(self) -> None:
        """Show all plots over the whole axis."""
        self._large = ""
        self._zoom(None)
        self.lay(self._names, self._compared)

    def _zoom(self, part: tuple[float, float] | None) -> None:
        """Show a part of the axis in every plot."""
        self._part = part
        for plot in self.plots.values():
            plot.show_part(part)
        self.narrowed.emit(bool(self._large or self._part))

    def _enlarge(self, name: str) -> None:
        """Show one plot alone, or all again."""
        self._large = "" if self._large == name else name
        self.lay(self._names, self._compared)
        self.narrowed.emit(bool(self._large or self._part))

    def set_log(self, on: bool) -> None:
        """Draw the logarithm of the values, or the values."""
        self._log = on
        for plot in self.plots.values():
            plot.set_log(on)

    def _make_next(self) -> None:
        from ed_viewer.curves.plot import CurvePlot  # with pyqtgraph: slow to import

        if not self._missing:
            self.plots = {name: self.plots[name] for name in self._names}  # from left to right
            self.made.emit()
            return
        name = self._missing.pop(0)
        plot = self.plots[name] = CurvePlot(name, self._theme)
        plot.scrubbed.connect(self.scrubbed)
        plot.zoomed.connect(lambda first, last: self._zoom((first, last)))
        plot.enlarged.connect(lambda: self._enlarge(name))
        plot.part = self._part
        plot.set_log(self._log)
        self._put(name)
        self._making.ask()

    def _put(self, name: str) -> None:
        plot = self.plots[name]
        plot.set_compared(self._compared)
        self._grid.addWidget(plot, 0, self._names.index(name))
        plot.setVisible(self._large in ("", name))

    def _restyle(self) -> None:
        for plot in self.plots.values():
            self._restyling.ask(plot, plot.restyle)


class Curves(QWidget):
    """A row of plots over the step; with a run beside it, over what the two are aligned by.

    Signals:
        scrubbed: the frame of run A nearest to where a cursor line was dragged.

    Attributes:
        log: the toggle of the logarithmic scale.
        over: what the plots of one run are drawn over.
        all: ends a zoom, and shows the plots beside one that is large.
        about: a line that says how to read the plots.
    """

    scrubbed = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: dict[Side, CurveData] = {}
        self._how = Alignment.STEP
        self._frame = -1
        self._updated = 0.0
        self._tables: Mapping[Side, CurveTable] = {}
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._update_in_turns)
        self._due: list[CurvePlot] = []
        self._updating = Task(self._update_next, self)
        self._placing = Task(self._place_lines, self)
        self.log = Toggle("log", "accent", theme)
        self.log.setToolTip("Logarithmic scale")
        self.log.setAccessibleName("Logarithmic scale")
        self.over = make_choice("x axis of the curves", [one.value for one in _AXES])
        self.over.currentIndexChanged.connect(self._change_axis)
        self.about = muted(plain(ElidingLabel()))
        self._row = CurveRow(theme)
        self._row.scrubbed.connect(self._scrub)
        self.all = push_button("all", "Show all curves in full", theme)
        self.all.clicked.connect(self._row.show_all)
        self.all.hide()
        self._row.narrowed.connect(self.all.setVisible)
        self._row.made.connect(self._update_in_turns)
        self.log.toggled.connect(self._row.set_log)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 8)
        layout.addWidget(self._row)
        self._lay_plots()

    @property
    def plots(self) -> Mapping[str, CurvePlot]:
        """The plots that are made, by the name of their scalar."""
        return self._row.plots

    @property
    def whole(self) -> bool:
        """Whether every plot of the runs on show is made."""
        return self._row.whole

    def show_run(self, run: RunInfo | None, side: Side = Side.A) -> None:
        """Make the plots of a run; None takes it away."""
        self._shown.pop(side, None)
        if run is not None:
            self._shown[side] = CurveData(run)
        self._lay_plots()

    def clear_run(self, _: object = None) -> None:
        """Take run A away."""
        self._frame = -1
        self.show_run(None)

    def show_growth(self, growth: RunProgress, side: Side = Side.A) -> None:
        """Draw the table as it is now, a few times a second at the most."""
        if side not in self._shown:
            return
        self._shown[side].growth = growth
        wait = _EVERY - (time.monotonic() - self._updated)
        if wait <= 0 and not self._later.isActive():
            self._update_in_turns()
        elif not self._later.isActive():
            self._later.start(int(wait * 1000) + 1)

    def set_alignment(self, how: Alignment) -> None:
        """Draw over the step, the epoch or the share of the training, if two runs are on show."""
        if how is not self._how:
            self._how = how
            self._row.show_all()
            self._lay_plots()

    def show_frame(self, frame: Frame) -> None:
        """Put the cursor lines on a frame of run A and the values there into the titles, soon.

        The frame itself is painted before: to paint the plots anew takes as long again.
        """
        self._frame = frame.request.frame
        self._placing.ask()

    def _place_lines(self) -> None:
        for plot in self.plots.values():
            self._place_line(plot)

    def _place_line(self, plot: CurvePlot) -> None:
        places = self._shown[Side.A].places(self._axis) if Side.A in self._shown else ()
        if 0 <= self._frame < len(places):
            plot.set_place(float(places[self._frame]))

    @property
    def _axis(self) -> Alignment:
        return self._how if Side.B in self._shown else _AXES[self.over.currentIndex()]

    def _change_axis(self) -> None:
        self._row.show_all()
        self._update()
        for plot in self.plots.values():
            self._place_line(plot)

    def _words(self) -> str:
        """Return how the plots are read."""
        if Side.B in self._shown:
            return _BOTH.format(_OVER[self._axis])
        table = self._tables.get(Side.A)
        if table is None or table.steps is None:
            return _ALONE.format(_RUNNING)
        width = width_of(len(table.steps.places))
        parts = _EVERY_STEP.format(counted(width, "step")) if width > 1 else _FEW_STEPS
        return _ALONE.format(parts)

    def _lay_plots(self) -> None:
        """Have a plot of every scalar."""
        both = Side.B in self._shown
        self.over.setVisible(not both)
        runs = self._shown if Side.A in self._shown else {}
        shown_runs = [run for _, run in sorted(runs.items())]
        names = list(dict.fromkeys(name for run in shown_runs for name in run.names()))
        self.about.setVisible(bool(names))
        self.log.setEnabled(bool(names))
        self._row.lay(names, both)
        self._update()

    def _update(self) -> None:
        """Draw all plots now."""
        self._update_in_turns()
        while self._due:
            self._update_next()

    def _update_in_turns(self) -> None:
        """Draw one plot a turn of the event loop: of a long run, all of them take 40 ms."""
        self._updated = time.monotonic()
        self._tables = {
            side: curve_data.table(self._axis) for side, curve_data in self._shown.items()
        }
        self.about.setText(self._words())
        plots = list(self.plots.values())
        waiting = [plot for plot in self._due if plot in plots]  # first: else they would for ever
        self._due = waiting + [plot for plot in plots if plot not in waiting]
        self._updating.ask()

    def _update_next(self) -> None:
        if self._due:
            plot = self._due.pop(0)
            plot.how = self._axis
            plot.show_tables(self._tables)
            self._place_line(plot)
        if self._due:
            self._updating.ask()

    def _scrub(self, place: float) -> None:
        places = self._shown[Side.A].places(self._axis) if Side.A in self._shown else ()
        if len(places):
            finite_places = np.where(np.isfinite(places), places, np.inf)
            self.scrubbed.emit(int(np.abs(finite_places - place).argmin()))
