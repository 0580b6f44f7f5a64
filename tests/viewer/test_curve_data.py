"""What the curves are drawn from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ed_viewer.curve_data import Table, envelope

pytestmark = pytest.mark.viewer


@given(
    arrays(np.float64, st.integers(1, 3000), elements=st.floats(-1e6, 1e6, width=32)),
    st.integers(1, 400),
)
def test_a_long_curve_keeps_its_extremes_in_few_points(values: np.ndarray, columns: int) -> None:
    places = np.arange(len(values)) * 7.0
    where, kept = envelope(places, values, columns)
    assert len(where) == len(kept) <= 2 * columns or len(values) <= 2 * columns
    assert (kept.min(), kept.max()) == (values.min(), values.max())
    assert (np.diff(where) >= 0).all()
    width = 7.0 * len(values) / columns + 7.0
    for low, place in zip(kept, where, strict=True):
        near = np.abs(places - place) <= width
        assert low in values[near]


def test_the_value_at_a_place_is_the_last_that_was_known() -> None:
    nan = float("nan")
    table = Table(np.array([1.0, 2, 3, 4]), {"a": np.array([5.0, nan, 7, nan])})
    found = [table.at("a", place) for place in (0.5, 1, 2.5, 3 * (1 - 1e-12), 9)]
    assert np.isnan(found[0])
    assert found[1:] == [5.0, 5.0, 7.0, 7.0]
    assert np.isnan(table.at("b", 3))
