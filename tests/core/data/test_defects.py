"""Synthetic defects: where the mask says, nowhere else, and the same from the same seed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from ed_core.data.defects import pasted

SHAPES = {2: (16, 20, 3), 1: (40, 2), 0: (6, 5)}


def normal(positions: int, count: int = 6) -> np.ndarray:
    return np.random.default_rng(0).random((count, *SHAPES[positions]), "float32")


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), positions=st.sampled_from([0, 1, 2]))
def test_a_mask_says_where_a_defect_can_be_seen(seed: int, positions: int) -> None:
    samples = normal(positions)
    changed, masks = pasted(samples, np.random.default_rng(seed), positions=positions)
    off = np.abs(changed - samples)
    seen = off > 0.1 * samples.reshape(6, -1).std(axis=1).reshape(6, *[1] * (samples.ndim - 1))
    expected = seen if positions == 0 else seen.any(axis=-1, keepdims=True)
    np.testing.assert_array_equal(masks > 0, expected)
    assert changed.min() >= samples.min()
    assert changed.max() <= samples.max()
    assert changed.dtype == masks.dtype == np.float32


@pytest.mark.parametrize("positions", [0, 1, 2])
def test_nearly_every_sample_gets_a_defect_and_the_seed_says_which(positions: int) -> None:
    samples = normal(positions, 200)
    first, masks = pasted(samples, np.random.default_rng(1), positions=positions)
    again, _ = pasted(samples, np.random.default_rng(1), positions=positions)
    other, _ = pasted(samples, np.random.default_rng(2), positions=positions)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert masks.reshape(200, -1).any(axis=1).mean() > 0.99
    assert masks.mean() < 0.5


def test_a_share_of_the_samples_stays_as_it_is() -> None:
    samples = normal(2, 400)
    changed, masks = pasted(samples, np.random.default_rng(0), share=0.3)
    touched = (changed != samples).reshape(400, -1).any(axis=1)
    assert 0.2 < touched.mean() < 0.4
    assert not masks[~touched].any()


def test_a_video_has_its_defect_in_every_frame_and_small_images_have_one() -> None:
    video = np.random.default_rng(0).random((4, 3, 8, 8, 1), "float32")
    _, masks = pasted(video, np.random.default_rng(0))
    assert masks.reshape(12, -1).any(axis=1).all()
    tiny = np.random.default_rng(0).random((100, 1, 2, 1), "float32")
    assert pasted(tiny, np.random.default_rng(0))[0].shape == tiny.shape
    flat = np.zeros((2, 8, 8, 1), "float32")  # of one colour: nothing foreign is in range
    assert (pasted(flat, np.random.default_rng(0))[0] == 0).all()


def test_defects_are_small_and_large_thin_and_wide_hard_and_soft() -> None:
    grey = np.full((400, 32, 32, 1), 0.5, "float32") + normal_noise((400, 32, 32, 1))
    changed, masks = pasted(grey, np.random.default_rng(3))
    shares = masks.mean(axis=(1, 2, 3))
    assert np.quantile(shares, 0.05) < 0.03
    assert np.quantile(shares, 0.9) > 0.2
    widths = [gaussian_filter(mask[..., 0], 1.5).max() for mask in masks]  # 1 deep inside of one
    assert np.quantile(widths, 0.1) < 0.8
    assert np.quantile(widths, 0.5) > 0.9
    off = np.abs(changed - grey)[..., 0]
    steepest = [np.abs(np.diff(one, axis=0)).max() / one.max() for one in off]
    assert np.quantile(steepest, 0.1) < 0.7
    assert np.quantile(steepest, 0.7) > 0.85


def normal_noise(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 0.02, shape).astype("float32")
