"""Rows of a table and signals, in every panel that shows what a model makes."""

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint

from ed_viewer.panels.base import Panel
from ed_viewer.widgets.plots.rows import RowPlots

pytestmark = pytest.mark.viewer
Make = Callable[..., Panel]
NAMES = ["pressure", "flow", "state=good"]
FIELDS = {"features": {"kind": "signal", "shape": [3], "names": NAMES}}
REFERENCE = {"features": np.array([[-1, 0, 1], [0.5, 2, -0.5]], "f4")}
ROWS = np.random.default_rng(0).normal(size=(100, 3)).astype("f4")


def said(made: Panel) -> str:
    """Return what the mouse reads out in the middle of the first tile."""
    cell = made.tiles.grid.cell(0, 0)
    return str(made.tiles.describe(cell.center() + QPoint(1, 0)))


def test_samples_of_a_table_are_bars_that_name_their_columns(make: Make) -> None:
    made = make("samples", {"images": ROWS}, REFERENCE, FIELDS)
    first = made.tiles.shown.rows[0]
    assert first.moments == tuple(NAMES)
    np.testing.assert_array_equal(first.values[0].ravel(), ROWS[0])
    assert "flow = " in said(made)
    assert sum(len(row.pixels) for row in made.tiles.shown.rows) == 100


def test_the_decoded_grid_of_a_table_is_bars(make: Make) -> None:
    axis = np.linspace(-1, 1, 15).astype("f4")
    grid = np.random.default_rng(0).normal(size=(15, 15, 3)).astype("f4")
    made = make("latent_scan", {"grid": grid, "x": axis, "y": axis}, REFERENCE, FIELDS)
    rows = made.tiles.shown.rows
    assert rows[0].moments == tuple(NAMES)
    assert "flow = " in said(made)
    assert made.tiles.shown.style.gap > 0  # else the bars of neighbours would touch


def test_signals_are_lines_over_time(make: Make) -> None:
    fields = {"signal": {"kind": "signal", "shape": [50, 2]}}
    reference = {"signal": np.zeros((4, 50, 2), "f4")}
    images = np.random.default_rng(0).normal(size=(6, 50, 2)).astype("f4")
    made = make("samples", {"images": images}, reference, fields)
    first = made.tiles.shown.rows[0]
    assert first.moments[:2] == ("time 0", "time 1")
    assert first.values.shape[1:] == (1, 50, 2)


def test_flat_units_of_a_picture_stay_squares(make: Make) -> None:
    made = make("samples", {"images": np.zeros((4, 64), "f4")}, {"image": np.zeros((4, 8, 8, 1))})
    assert made.tiles.shown.rows[0].values.shape[1:] == (8, 8, 1)


def test_a_reconstructed_row_is_drawn_against_its_input(make: Make) -> None:
    output, there = np.zeros((2, 3), "f4"), np.ones((2, 3), "f4")
    there[1, 0] = 0
    reference = {**REFERENCE, "features_present": there}
    options = {"field": "features"}
    made = make("reconstruction", {"output": output}, reference, FIELDS, options)
    plots = made.signals
    assert isinstance(plots, RowPlots)
    assert plots.shown_names() == NAMES
    np.testing.assert_array_equal(plots.inputs, [[-1, 0, 1], [np.nan, 2, -0.5]])
    error = np.square(np.array([-1, 0, 1, 2, -0.5])).mean()
    assert f"mean squared error {error:.3g} of 2 samples" in made.caption.text


def test_the_difference_of_two_tables_is_drawn_from_zero(make: Make) -> None:
    output = np.array([[0.25, -0.5, 0]], "f4")
    before = {"output": np.zeros((1, 3), "f4")}
    options = {"field": "features"}
    made = make("reconstruction", {"output": output}, REFERENCE, FIELDS, options, before)
    assert made.signals.inputs is None
    np.testing.assert_array_equal(made.signals.outputs, output)
