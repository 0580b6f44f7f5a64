"""What the curves are drawn from."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ed_viewer.curves.data import (
    CurveTable,
    Mark,
    _best,
    at_cursor,
    describe,
    envelope,
    marks_of,
    smoothed,
    width_of,
)
from ed_viewer.session.alignment import Alignment
from ed_viewer.style.palette import Side
from ed_viewer.style.text import number

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
    table = CurveTable(np.array([1.0, 2, 3, 4]), {"a": np.array([5.0, nan, 7, nan])})
    found = [table.at("a", place) for place in (0.5, 1, 2.5, 3 * (1 - 1e-12), 9)]
    assert np.isnan(found[0])
    assert found[1:] == [5.0, 5.0, 7.0, 7.0]
    assert np.isnan(table.at("b", 3))


def every_step(rows: int = 936) -> CurveTable:
    """A run of 936 steps, three epochs, with 4 rows of scalars, and a weight moved by hand."""
    steps = np.arange(1, rows + 1)
    losses = np.random.default_rng(0).random(rows) + 1
    curves = {"step": steps, "epoch": steps / 312, "loss": losses, "kl_loss": losses / 2}
    ends = np.array([0, 312, 624, 936])
    means = np.array([np.nan, *losses.reshape(3, -1).mean(axis=1)])
    scalars = {
        "step": ends,
        "epoch": ends / 312,
        "loss": means,
        "kl_loss": means / 2,
        "val_loss": np.array([np.nan, 3.0, 1.0, 2.0]),
        "val_kl_loss": np.array([np.nan, 1.0, 4.0, 2.0]),
        "kl_weight": np.array([1.0, 1.0, 1.0, 0.25]),
    }
    marks = (Mark(400.0, "kl", "weight of kl 1 -> 0.25"), Mark(500.0, "", "learning rate 1 -> 2"))
    return CurveTable(ends * 1.0, scalars, CurveTable(steps * 1.0, curves), marks, 936.0)


def test_the_loss_of_a_step_is_that_of_the_step_and_a_dot_is_the_mean_of_an_epoch() -> None:
    table = every_step()
    losses = table.steps.columns["loss"]
    assert len(table.training("loss")[0]) == 936
    assert table.at("loss", 400) == losses[399]
    places, means = table.ends("loss")
    assert places.tolist() == [312, 624, 936]
    np.testing.assert_allclose(means, losses.reshape(3, -1).mean(axis=1))
    assert not table.every("val_loss")
    said, about = at_cursor("kl_loss", {Side.A: table}, 400.0, False)
    assert said == f"val {number(1.0)}  λ 1  train {number(losses[399] / 2)}"
    assert "the loss of that step" in about
    running = CurveTable(table.places, table.columns)
    assert (
        "running mean since the epoch began"
        in at_cursor("loss", {Side.A: running}, 400.0, False)[1]
    )
    assert at_cursor("loss", {Side.A: running}, 400.0, False)[0].endswith(
        number(table.columns["loss"][1])
    )


def test_what_was_changed_by_hand_stands_in_the_curves_that_follow_it() -> None:
    table = every_step()
    assert [mark.place for mark in marks_of("kl_loss", table)] == [400, 500]
    assert [mark.place for mark in marks_of("image_loss", table)] == [500]
    assert [mark.place for mark in marks_of("loss", table)] == [400, 500]
    said = describe("kl_loss", {Side.A: table}, Alignment.STEP, 400.2)
    assert said.endswith("weight of kl 1 -> 0.25")
    assert describe("loss", {Side.A: table}, Alignment.STEP, 936.0).endswith("best epoch")


def test_the_best_epoch_is_best_at_the_weights_that_hold_in_the_end() -> None:
    places = np.array([1.0, 2.0, 3.0])
    columns = {
        "val_loss": np.array([3.0, 5.0, 4.0]),  # while the weight rose
        "val_kl_loss": np.array([3.0, 2.0, 2.5]),
        "kl_weight": np.array([1.0, 2.5, 2.0]),
    }
    assert _best(places, columns) == 2.0
    assert _best(places, {"val_loss": columns["val_loss"]}) == 1.0
    assert np.isnan(_best(places, {"loss": places}))


def test_a_smoothed_line_is_the_mean_around_each_step() -> None:
    values = np.random.default_rng(1).random(500)
    width = width_of(500)
    assert width == 11
    found = smoothed(values)
    assert found[250] == pytest.approx(values[245:256].mean())
    assert found[0] == pytest.approx(values[:6].mean())
    assert smoothed(np.array([3.0])).tolist() == [3.0]
    assert smoothed(np.empty(0)).size == 0
