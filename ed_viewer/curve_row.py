"""The plots of the scalars in a row, made one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QScrollArea, QWidget

from ed_viewer.one_by_one import OneByOne
from ed_viewer.theme import Theme
from ed_viewer.turn import Turn

if TYPE_CHECKING:
    from ed_viewer.curve_plot import CurvePlot

_NARROW = 190  # pixels


class CurveRow(QScrollArea):
    """A plot a scalar. Each is made in a turn of its own: it takes some 15 ms.

    Signals:
        scrubbed: the place to which a cursor line was dragged.
        hovered: the values under the mouse, in words, or "".
        made: the last plot that was missing is there.
        narrowed: whether a part alone is on show: of the axis, or of the plots.

    Attributes:
        plots: those that are made, by the name of their scalar.
    """

    narrowed = Signal(bool)

    scrubbed = Signal(float)
    hovered = Signal(str)
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
        self._making = Turn(self._make_next, self)
        self._restyling = OneByOne(self)
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
            shown = column < len(names) and self._large in ("", names[column])
            self._grid.setColumnStretch(column, 1 if shown else 0)
            self._grid.setColumnMinimumWidth(column, _NARROW if shown else 0)
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
        from ed_viewer.curve_plot import CurvePlot  # with pyqtgraph: slow to import

        if not self._missing:
            self.plots = {name: self.plots[name] for name in self._names}  # from left to right
            self.made.emit()
            return
        name = self._missing.pop(0)
        plot = self.plots[name] = CurvePlot(name, self._theme)
        plot.scrubbed.connect(self.scrubbed)
        plot.hovered.connect(self.hovered)
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
