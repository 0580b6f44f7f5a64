"""Tiles: every pixel is covered and counts once, and no picture is changed by being cut."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ed_core.data.tiles import ALIGNED, Tiling, in_tiles, shares, starts

pytestmark = [pytest.mark.backend, pytest.mark.once]

axes = st.tuples(
    st.integers(1, 400), st.integers(1, 90), st.floats(0, 0.95), st.sampled_from((1, 16))
)


@given(axes)
def test_tiles_cover_an_axis_and_overlap_as_much_as_was_asked(axis: Any) -> None:
    length, tile, share, multiple = axis
    overlap = int(share * tile)
    firsts = starts(length, tile, overlap, multiple)
    assert firsts[0] == 0
    assert firsts[-1] == max(length - tile, 0)
    gaps = np.diff(firsts)
    assert len(gaps) == 0 or (gaps.min() > 0 and gaps.max() <= tile - overlap)
    if tile - overlap >= multiple:
        assert not any(first % multiple for first in firsts[:-1])


@given(axes)
def test_the_shares_of_a_pixel_sum_to_one(axis: Any) -> None:
    length, tile, share, multiple = axis
    firsts = starts(length, tile, int(share * tile), multiple)
    total = np.zeros(max(length, tile))
    for first, weights in zip(firsts, shares(length, tile, firsts), strict=True):
        assert weights.min() >= 0
        total[first : first + tile] += weights
    np.testing.assert_allclose(total, 1, atol=1e-6)


def test_the_outer_quarter_of_an_overlap_counts_nothing_and_the_share_is_smooth() -> None:
    first, second = shares(112, 64, [0, 48])
    assert first[:48].tolist() == second[16:].tolist() == [1] * 48
    assert first[60:].max() == second[:4].max() == 0
    assert np.abs(np.diff(first)).max() < 0.2


@given(
    st.integers(1, 70),
    st.integers(1, 70),
    st.integers(4, 24),
    st.integers(4, 24),
    st.integers(0, 3),
)
def test_a_picture_that_nothing_is_done_to_stays_as_it_is(
    height: int, width: int, tall: int, wide: int, overlap: int
) -> None:
    random = np.random.default_rng(0)
    picture = random.random((height, width, 2), "float32")
    values = random.random((height, width), "float32")
    label = np.int32(3)
    sizes = set()

    def call(batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        sizes.add(len(batch["x"]))
        assert batch["x"].shape[1:] == (tall, wide, 2)
        assert (batch["label"] == 3).all()
        return {"x": batch["x"], "y": batch["y"], "mean": batch["x"].mean(axis=(1, 2))}

    inputs = {"x": picture, "y": values, "label": label}
    bands = [*in_tiles(call, inputs, Tiling((tall, wide), overlap))]
    assert [band.rows.start for band in bands] == starts(height, tall, overlap, ALIGNED)
    for name in ("x", "y"):
        whole = np.concatenate([band.maps[name] for band in bands])
        np.testing.assert_allclose(whole, inputs[name], atol=1e-6)
    assert len(sizes) == 1
    count = len(bands) * len(starts(width, wide, overlap, ALIGNED))
    assert sum(len(band.others["mean"]) for band in bands) == count
