"""Rows of a table as points on a line for each column."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from ed_viewer.style.theme import Theme
from ed_viewer.widgets.plots.rows import RowPlots, ticks
from ed_viewer.widgets.plots.signals import SignalCaption

pytestmark = pytest.mark.viewer
NAMES = ("pressure", "flow", "state=good")


@pytest.fixture
def plots(qtbot: QtBot, theme: Theme) -> RowPlots:
    widget = RowPlots(theme, SignalCaption(moments=NAMES))
    qtbot.addWidget(widget)
    widget.resize(QSize(600, 200))
    widget.show()
    rows = np.array([[-1, 0, 1], [0.5, np.nan, -0.5]], "f4")
    widget.show_signals(rows, np.zeros((2, 3), "f4"), (-1.0, 1.0), ("good", "bad"))
    return widget


def colour_at(plots: RowPlots, sample: int, column: int, value: float) -> QColor:
    box = plots._layout().boxes[sample]
    place = plots._place(box, column, value).toPoint()
    return plots.grab().toImage().pixelColor(place)


def test_input_and_output_stand_at_their_values(plots: RowPlots, theme: Theme) -> None:
    assert colour_at(plots, 0, 0, -1.0) == theme.colour("done")
    assert colour_at(plots, 0, 2, 1.0) == theme.colour("done")
    output = colour_at(plots, 0, 0, 0.0)
    assert output == colour_at(plots, 1, 1, 0.0) != theme.colour("done")
    assert colour_at(plots, 0, 0, -0.5).blue() > 120  # the line between both


def test_the_mouse_reads_out_column_input_and_output(plots: RowPlots) -> None:
    box = plots._layout().boxes[1]
    text = plots.describe(plots._place(box, 2, 0.3))
    assert text == "sample 2 · bad · state=good · input −0.5 · output 0 · difference 0.5"
    assert "input –" in plots.describe(plots._place(box, 1, 0.3))
    assert plots.describe(plots._layout().boxes[0].topLeft() * 0) == ""


def test_names_are_left_out_where_they_would_touch(qtbot: QtBot, theme: Theme) -> None:
    names = tuple(f"column {n}" for n in range(100))
    plots = RowPlots(theme, SignalCaption(moments=names))
    qtbot.addWidget(plots)
    plots.show_signals(None, np.zeros((1, 100), "f4"))
    plots.resize(400, 300)
    few = plots.shown_names()
    assert 5 < len(few) < 30
    assert few[0] == "column 0"
    plots.resize(400, 4000)
    assert plots.shown_names() == list(names)


def test_samples_without_room_are_counted(plots: RowPlots) -> None:
    assert plots.cut == []
    plots.resize(220, 200)
    assert plots.cut == ["1 sample shown"]


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.floats(60, 900))
def test_ticks_are_round_numbers_that_do_not_touch(low: float, span: float, width: float) -> None:
    values = ticks((low, low + span), width)
    apart = np.diff(values)
    if len(apart):
        assert (apart / span * width >= 29).all()
        assert f"{apart[0]:.3e}"[0] in "125"
    assert all(low - 1e-6 * span <= value <= low + span * (1 + 1e-6) for value in values)
