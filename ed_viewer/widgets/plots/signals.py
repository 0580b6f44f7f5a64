"""Plots of signals: one a sample, input and output, the difference below."""

from dataclasses import dataclass
from functools import partial
from math import ceil

import numpy as np
import pyqtgraph
from PySide6.QtWidgets import QVBoxLayout, QWidget

from ed_viewer.style.palette import class_colour
from ed_viewer.style.pixels import Levels, finite_range
from ed_viewer.style.text import spelled
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.plots.plot import PlotHover, make_axes, paint_whole, style_axes

CHANNELS = 10  # that are drawn, at most
_SAMPLES, _ROWS = 6, 2
_AXIS = 46  # pixels of the numbers at the left, so that signal and difference stand in line
_STRETCH = (3, 1)  # heights of signal and difference


@dataclass(frozen=True, slots=True)
class SignalCaption:
    """Names of the curves and of the unit.

    Attributes:
        before, after: the quiet curve and the one in colour.
        one: what all curves of one plot belong to.
        unit: of the values.
        moments: the name of each moment, such as the column of a table; numbered where it has none.
    """

    before: str = "input"
    after: str = "output"
    one: str = "sample"
    unit: str = ""
    moments: tuple[str, ...] = ()

    def describe(
        self, before: np.ndarray | None, after: np.ndarray, at: np.ndarray, change: bool
    ) -> str:
        """Return the values at a moment, of the channel whose curve is nearest to the mouse.

        Moments are numbered as on the axis, from 0.

        Args:
            before: (time,) or (time, channels), or None.
            after: of the same shape.
            at: (2,) moment and value where the mouse is.
            change: whether it is in the plot of the difference.
        """
        time = round(float(at[0]))
        if not 0 <= time < len(after):
            return ""
        rows = {self.after: _channels(after, time)}
        if before is not None:
            rows = {self.before: _channels(before, time), **rows}
        difference = {"difference": rows[self.after] - rows.get(self.before, 0.0)}
        apart = np.abs(np.stack([*(difference if change else rows).values()]) - at[1])
        channel = int(np.where(np.isfinite(apart), apart, np.inf).min(axis=0).argmin())
        parts = [f"channel {channel + 1}"] if apart.shape[1] > 1 else []
        entries = rows | difference if change else rows
        unknown = before is not None and bool(np.isnan(rows[self.before][channel]))
        for name, row in entries.items():
            none = unknown and name != self.after  # else it was made, and is none
            parts.append(f"{name} {'–' if none else spelled(row[channel])}{_after(self.unit)}")
        moment = self.moments[time] if time < len(self.moments) else f"time {time}"
        return " · ".join([moment, *parts])


def _after(unit: str) -> str:
    return unit if unit in ("", "°") else f" {unit}"


def _channels(signal: np.ndarray, time: int) -> np.ndarray:
    """Return (channels,) of a moment."""
    return np.asarray(signal[time], np.float64).reshape(-1)[:CHANNELS]


class SignalPlot:
    """Plots of one sample: the signals and their difference.

    Args:
        signals: the plot of input and output.
        difference: the plot below it.
        first: whether it stands at the left: the scale is the same in all, and written there.
        plain: whether it has no axes at all.

    Attributes:
        shown: the input, or None, and the output.
    """

    def __init__(
        self,
        signals: pyqtgraph.PlotItem,
        difference: pyqtgraph.PlotItem,
        first: bool,
        plain: bool,
    ) -> None:
        self.signals, self.difference = signals, difference
        self.name = pyqtgraph.TextItem(anchor=(0, 0))
        self.zero = pyqtgraph.InfiniteLine(angle=0)
        signals.addItem(self.name, ignoreBounds=True)
        difference.addItem(self.zero, ignoreBounds=True)
        for plot in (signals, difference):
            plot.disableAutoRange()
            plot.hideButtons()
            plot.setMenuEnabled(False)
            left = plot.getAxis("left")
            left.setWidth(_AXIS if first else 12)
            left.setStyle(showValues=first)
            for side in ("left", "bottom") if plain else ():
                plot.hideAxis(side)
        signals.getAxis("bottom").setStyle(showValues=False)
        difference.getAxis("left").setTicks([[(0.0, "0")]])
        self.before: list[pyqtgraph.PlotDataItem] = []
        self.after: list[pyqtgraph.PlotDataItem] = []
        self.change: list[pyqtgraph.PlotDataItem] = []
        self.shown: tuple[np.ndarray | None, np.ndarray] = (None, np.empty(0))

    def show(self, before: np.ndarray | None, after: np.ndarray, levels: Levels) -> None:
        """Draw (time,) or (time, channels) of each, in the range of the signals."""
        self.shown = (before, after)
        low, high = levels
        half = (high - low) / 2 or 1.0
        output = _columns(after)
        _draw(self.signals, self.after, output)
        self.difference.setVisible(before is not None)
        if before is not None:
            _draw(self.signals, self.before, _columns(before))
            _draw(self.difference, self.change, output - _columns(before))
        last = max(len(after) - 1, 1)
        self.signals.setRange(xRange=(0, last), yRange=levels, padding=0.02)
        self.difference.setRange(xRange=(0, last), yRange=(-half, half), padding=0.02)
        self.name.setPos(0, high)

    def restyle(self, theme: Theme) -> None:
        """Take colours and type from the theme."""
        palette = theme.palette
        self.name.setColor(palette.text)
        self.name.setFont(theme.font(0.9))
        self.zero.setPen(pyqtgraph.mkPen(palette.line, width=1))
        for plot in (self.signals, self.difference):
            style_axes(plot, theme)
        for curve in self.before:
            curve.setPen(pyqtgraph.mkPen(palette.done, width=2))
            curve.setZValue(-1)
        for group in (self.after, self.change):
            for index, curve in enumerate(group):
                curve.setPen(pyqtgraph.mkPen(class_colour(palette, index), width=1))


class SignalPlots(QWidget):
    """Row of plots of the first samples of (samples, time, channels), all on one scale.

    Args:
        theme: colours and type.
        most: samples that are drawn.
        plain: draw them in one row, without axes.
        words: what the mouse reads out.
    """

    tells_values = True

    def __init__(
        self,
        theme: Theme,
        most: int = _SAMPLES,
        plain: bool = False,
        parent: QWidget | None = None,
        *,
        words: SignalCaption | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._most = most
        self._plain = plain
        self._view = pyqtgraph.GraphicsLayoutWidget()
        paint_whole(self._view)
        self._view.ci.layout.setVerticalSpacing(0)
        self.waves: list[SignalPlot] = []
        self._words = words or SignalCaption()
        self._names: tuple[str, ...] = ()
        self._whole = (0, 1)  # samples and channels that were given
        self._hover = PlotHover(self._view)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._view)

    @property
    def cut(self) -> list[str]:
        """How many samples and channels are drawn, in words; [] where all are."""
        count, channels = self._whole
        drawn = min(count, self._most)
        parts = [f"{drawn} shown"] if drawn < count else []
        return parts + ([f"first {CHANNELS} of {channels} channels"] if channels > CHANNELS else [])

    def show_signals(
        self,
        inputs: np.ndarray | None,
        output: np.ndarray,
        levels: Levels | None = None,
        names: tuple[str, ...] = (),
    ) -> None:
        """Draw curves.

        Args:
            inputs: (samples, time) or (samples, time, channels), or None.
            output: of the same shape.
            levels: the range of the axis; by default that of the inputs.
            names: of the samples.
        """
        self._names, self._whole = names, (len(output), int(np.prod(output.shape[2:])))
        levels = levels or finite_range(output if inputs is None else inputs)
        count, curves = min(len(output), self._most), self._curves()
        self._fill(count)
        for sample, wave in enumerate(self.waves[:count]):
            wave.show(None if inputs is None else inputs[sample], output[sample], levels)
            wave.name.setText(names[sample] if sample < len(names) else "")
        if self._curves() > curves:
            self.restyle()  # the new ones

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        self._view.setBackground(self._theme.palette.card)
        for wave in self.waves:
            wave.restyle(self._theme)

    def _curves(self) -> int:
        return sum(len(wave.before) + len(wave.after) for wave in self.waves)

    def _fill(self, count: int) -> None:
        deep = 1 if self._plain else min(count, _ROWS)
        wide = ceil(count / max(deep, 1))
        for number in range(len(self.waves), count):
            row, column = divmod(number, wide)
            plots = [
                self._view.addPlot(2 * row + part, column, axisItems=make_axes())
                for part in range(2)
            ]
            for part, stretch in enumerate(_STRETCH):
                self._view.ci.layout.setRowStretchFactor(2 * row + part, stretch)
            self.waves.append(SignalPlot(plots[0], plots[1], column == 0, self._plain))
            for part, plot in enumerate(plots):
                self._hover.watch(plot, partial(self._describe, number, part == 1))

    def _describe(self, number: int, change: bool, at: np.ndarray) -> str:
        text = self._words.describe(*self.waves[number].shown, at, change)
        name = self._names[number] if number < len(self._names) else ""
        whose = [f"{self._words.one} {number + 1}", name]
        return " · ".join(word for word in (*whose, text) if word) if text else ""


def _draw(
    plot: pyqtgraph.PlotItem, curves: list[pyqtgraph.PlotDataItem], columns: np.ndarray
) -> None:
    """Draw (channels, time) with curves that there are already, and new ones where needed."""
    while len(curves) < len(columns):
        curves.append(plot.plot(connect="finite"))
    for curve, values in zip(curves, columns, strict=True):
        curve.setData(values)


def _columns(signal: np.ndarray) -> np.ndarray:
    """Return the first channels (channels, time) of a signal; a gap where it is not finite."""
    values = np.asarray(signal, np.float32)
    values = np.where(np.isfinite(values), values, np.float32(np.nan))
    return values.reshape(len(values), -1).T[:CHANNELS]
