"""Bars of the rows of a table, and lines of signals, pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ed_core.palette import rgb
from ed_viewer.style.palette import LIGHT, class_colour
from ed_viewer.widgets.tiles.charts import bar_pixels, chart_levels, line_pixels

pytestmark = pytest.mark.viewer
BAR = (*rgb(class_colour(LIGHT, 0))[::-1], 255)


def is_colour(pixels: np.ndarray, colour: str) -> np.ndarray:
    return (pixels == (*rgb(colour)[::-1], 255)).all(axis=-1)


@given(arrays("f4", (3, 5), elements=st.floats(-2, 2, width=32)))
def test_a_bar_is_as_long_as_its_value_and_on_its_side_of_zero(rows: np.ndarray) -> None:
    drawn = bar_pixels(rows, (-2.0, 2.0), LIGHT, signed=True)
    height, width = drawn.shape[1:3]
    for colour, values in ((LIGHT.above, rows), (LIGHT.below, -rows)):
        bars = is_colour(drawn, colour)
        first = bars[:, :, :: width // 5]  # the first pixel of each column
        long = first.sum(axis=1)
        expected = np.maximum(values, 0) / 4 * (height - 1)
        assert (np.abs(long - expected)[values > 0] <= 2).all()
        assert not long[values <= 0].any()


def test_a_column_without_a_value_has_no_bar() -> None:
    rows = np.array([[1.0, np.nan, 1.0]], "f4")
    bars = is_colour(bar_pixels(rows, (0.0, 1.0), LIGHT), class_colour(LIGHT, 0)).any(axis=1)[0]
    third = len(bars) // 3
    assert bars[:third].any()
    assert bars[2 * third :].any()
    assert not bars[third : 2 * third].any()


@pytest.mark.parametrize("columns", [1, 7, 24, 300])
def test_every_column_of_a_table_is_a_bar_of_one_width(columns: int) -> None:
    drawn = bar_pixels(np.ones((2, columns), "f4"), (0.0, 1.0), LIGHT)
    assert drawn.shape[2] % columns == 0
    bars = is_colour(drawn, class_colour(LIGHT, 0))[0].any(axis=0).reshape(columns, -1)
    assert (bars.sum(axis=1) == bars[0].sum()).all()
    assert bars[:, 0].all()


def test_zero_is_among_the_levels_of_bars() -> None:
    assert chart_levels((0.5, 2.0)) == (0.0, 2.0)
    assert chart_levels((-3.0, -1.0)) == (-3.0, 0.0)


def test_a_line_goes_through_its_values_without_a_gap() -> None:
    wave = np.sin(np.linspace(0, 6, 60))[None, :, None].astype("f4")
    drawn = is_colour(line_pixels(wave, (-1.0, 1.0), LIGHT), class_colour(LIGHT, 0))[0]
    assert drawn.any(axis=0).all()
    height = len(drawn)
    top = drawn.argmax(axis=0)
    expected = (1 - wave[0, :, 0]) / 2 * (height - 1)
    assert (top <= np.round(expected)).all()
    assert (height - 1 - drawn[::-1].argmax(axis=0) >= np.round(expected)).all()


def test_a_line_has_a_gap_where_a_signal_has_one() -> None:
    wave = np.zeros((1, 40, 2), "f4")
    wave[0, 10:13, 0] = np.nan
    wave[..., 1] = 1
    drawn = line_pixels(wave, (-1.0, 1.0), LIGHT)
    first = is_colour(drawn, class_colour(LIGHT, 0))[0].any(axis=0)
    assert np.flatnonzero(~first).tolist() == [10, 11, 12]
    assert is_colour(drawn, class_colour(LIGHT, 1))[0].any(axis=0).all()
