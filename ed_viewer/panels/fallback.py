"""Fallback panel for probes without a panel of their own: images, curve, map, table or text."""

import numpy as np
import pyqtgraph
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QHeaderView,
    QLabel,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from ed_core.recording import ArrayInfo
from ed_viewer.panels.base import FALLBACK, Panel, panel
from ed_viewer.reading.messages import Arrays
from ed_viewer.style.palette import activation_table, grey_table
from ed_viewer.style.pixels import finite_range, image_levels, pixels
from ed_viewer.style.text import number, plain, spelled
from ed_viewer.widgets.plots.plot import PlotHover, make_plot, style_plot
from ed_viewer.widgets.tiles.tile_set import TileRow, TileSet, TileStyle
from ed_viewer.widgets.tiles.tiles import Tiles

_CELLS = 144  # largest matrix shown as numbers
_IMAGES = 64


def form_of(info: ArrayInfo) -> str:
    """Return the form of an array: `images`, `curve`, `table`, `map` or `words`."""
    shape = info.shape
    if len(shape) == 4 and shape[-1] in (1, 3):
        return "images"
    if len(shape) == 3:
        return "images"
    if len(shape) == 1 and shape[0] > 1:
        return "curve"
    if len(shape) == 2:
        return "table" if shape[0] * shape[1] <= _CELLS else "map"
    return "words"


@panel(FALLBACK)
class FallbackPanel(Panel):
    """Panel that shows any array in a form chosen by its axes."""

    no_difference = ""

    def build(self) -> None:
        """One widget a form; a choice of the array if there are several."""
        self._array = QComboBox()
        self._array.setAccessibleName("Array")
        self._array.setToolTip("Array")
        self._array.addItems(list(self.source.probe.arrays))
        self.tools.addWidget(self._array)
        self._array.setVisible(self._array.count() > 1)
        self.tiles = Tiles(self.source.theme)
        self.plot = make_plot()
        self.curve = self.plot.getPlotItem().plot(connect="finite")
        hover = PlotHover(self.plot)
        hover.watch(self.plot.getPlotItem(), self.describe)
        self._label = ""
        self._table = QTableWidget()
        self._table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self._table.setAccessibleName("Values")
        self._words = plain(QLabel())
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._words.setWordWrap(True)
        self._widgets: dict[str, QWidget] = {
            "images": self.tiles,
            "map": self.tiles,
            "curve": self.plot,
            "table": self._table,
            "words": self._words,
        }
        self._stack = QStackedWidget()  # a layout would show its first widget as a window
        for widget in (self.tiles, self.plot, self._table, self._words):
            self._stack.addWidget(widget)
        self.body.addWidget(self._stack, 1)
        self.arrays: Arrays = {}
        self._array.currentTextChanged.connect(self._draw)

    def show_frame(self, arrays: Arrays) -> None:
        """Draw the chosen array."""
        self.arrays = arrays
        self._draw()

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        super().restyle()
        theme = self.source.theme
        style_plot(self.plot, theme)
        self.curve.setPen(pyqtgraph.mkPen(theme.palette.accent, width=1))

    def _draw(self) -> None:
        name = self._array.currentText()
        if name not in self.arrays:
            return
        info = self.source.probe.arrays[name]
        values = np.asarray(self.arrays[name], np.float32)
        form = form_of(info)
        self._stack.setCurrentWidget(self._widgets[form])
        axes = " × ".join(f"{a} {n}" for a, n in zip(info.axes, info.shape, strict=True))
        low, high = finite_range(values)
        kind = self.source.probe.kind
        parts = [kind, axes or name, f"{number(low)} to {number(high)}"]
        parts += [f"first {_IMAGES} shown"] if form == "images" and len(values) > _IMAGES else []
        self.set_caption(" · ".join(parts))
        if form == "curve":
            self._show_curve(name, values, info)
        elif form == "table":
            self._show_table(values)
        elif form == "words":
            self._show_words(name, values, axes)
        else:
            self._show_images(name, values, form)

    def _show_curve(self, name: str, values: np.ndarray, info: ArrayInfo) -> None:
        self.curve.setData(np.where(np.isfinite(values), values, np.float32(np.nan)))
        alone = (finite_range(values), activation_table())
        levels, _ = self.source.scale(name, alone, values, steady=True)
        self.plot.setRange(xRange=(0, len(values) - 1), yRange=levels, padding=0.04)
        label = plain_axis(info.axes[0])
        if label != self._label:  # a label costs a new axis
            self._label = label
            self.plot.getPlotItem().setLabel("bottom", label)

    def describe(self, at: np.ndarray) -> str:
        """Return the value under the mouse, its place numbered as on the axis, from 0."""
        name, place = self._array.currentText(), round(float(at[0]))
        values = self.arrays.get(name, ())
        if not 0 <= place < len(values):
            return ""
        axis = self.source.probe.arrays[name].axes[0]
        return f"{name} · {axis} {place} = {spelled(float(values[place]))}"

    def _show_table(self, values: np.ndarray) -> None:
        rows, columns = values.shape
        self._table.setRowCount(rows)
        self._table.setColumnCount(columns)
        self._table.setHorizontalHeaderLabels([str(n + 1) for n in range(columns)])
        for row in range(rows):
            for column in range(columns):
                item = QTableWidgetItem(spelled(float(values[row, column])))
                item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                self._table.setItem(row, column, item)
        mode = QHeaderView.ResizeMode.Stretch
        self._table.horizontalHeader().setSectionResizeMode(mode)

    def _show_words(self, name: str, values: np.ndarray, axes: str) -> None:
        if values.size == 1:
            self._words.setText(f"{name} = {spelled(float(values.ravel()[0]))}")
            return
        finite_values = values[np.isfinite(values)].astype(np.float64)
        mean = float(finite_values.mean()) if finite_values.size else float("nan")
        self._words.setText(f"{name}: {axes}\nmean {number(mean)}")

    def _show_images(self, name: str, values: np.ndarray, form: str) -> None:
        if form == "map":
            images = self.source.images(values[None])
            alone = (finite_range(values), activation_table())
        else:
            images = self.source.images(values[:_IMAGES])
            alone = (image_levels(images), grey_table())
        scale = self.source.scale(name, alone, images)
        row = TileRow(pixels(images, *scale), "", images)
        self.tiles.show_tiles(TileSet((row,), style=TileStyle(wrap=True, smallest=8)))


def plain_axis(name: str) -> str:
    """Return an axis name that pyqtgraph, which writes labels as HTML, shows as it is."""
    return name.replace("&", "&amp;").replace("<", "&lt;")
