"""Plots as this window has them: no menus, no buttons, ranges set by hand, the theme's colours.

The only way to pyqtgraph that is not a panel: it takes a third of a second to import, and the
window is painted before that.
"""

import pyqtgraph
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGraphicsItem

from ed_viewer.theme import Theme


def make_plot() -> pyqtgraph.PlotWidget:
    """Return an empty plot; its owner sets the ranges and calls `style_plot`."""
    pyqtgraph.setConfigOptions(antialias=True, imageAxisOrder="row-major")
    view = pyqtgraph.PlotWidget()
    view.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # no key does anything in it
    item = view.getPlotItem()
    item.setMenuEnabled(False)
    item.hideButtons()
    item.disableAutoRange()
    return view


def style_plot(view: pyqtgraph.PlotWidget, theme: Theme) -> None:
    """Give a plot the theme's colours and type; pyqtgraph does not follow the palette."""
    view.setBackground(theme.palette.card)
    style_axes(view.getPlotItem(), theme)


def style_axes(item: pyqtgraph.PlotItem, theme: Theme) -> None:
    """Give the axes of a plot the theme's colours and type."""
    for side in ("left", "bottom"):
        axis = item.getAxis(side)
        # An axis is mostly text, the dearest thing to paint; it seldom changes.
        axis.setCacheMode(QGraphicsItem.CacheMode.DeviceCoordinateCache)
        axis.setPen(theme.colour("line"))
        axis.setTextPen(theme.colour("muted"))
        axis.setTickFont(theme.font(0.9))
        axis.label.setFont(theme.font(0.95))
