"""Residual maps and distances of codes, against other ways to the same numbers."""

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis

from ed_core.nn.residuals import (
    CodeDistribution,
    dissimilarity,
    flat_codes,
    multiscale,
    smoothed,
    squared,
)

pytestmark = pytest.mark.backend


def pair() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    first = random.random((3, 20, 24, 2), "float32")
    return first, first + 0.1 * random.standard_normal(first.shape).astype("float32")


@pytest.mark.once
def test_maps_are_zero_where_both_are_the_same_and_add_up_the_channels() -> None:
    x, y = pair()
    for one in (smoothed, multiscale, dissimilarity):
        assert one(x, x, 2) == pytest.approx(np.zeros((3, 20, 24)), abs=1e-9)
        assert one(x, y, 2).shape == (3, 20, 24)
        assert (one(x, y, 2) >= 0).all()
    assert squared(x, y) == pytest.approx(((x - y).astype("f8") ** 2).sum(axis=-1), rel=1e-4)


@pytest.mark.once
def test_nothing_is_smoothed_across_samples_or_channels() -> None:
    x = np.zeros((3, 9, 9, 2))
    y = x.copy()
    y[1, 4, 4, 1] = 1
    marks = smoothed(x, y, 2)
    assert not marks[[0, 2]].any()
    assert marks[1].argmax() == 4 * 9 + 4
    signal = smoothed(np.zeros((2, 9, 3)), np.eye(9)[None, :, :3].repeat(2, 0), 1)
    assert signal.shape == (2, 9)


@pytest.mark.once
def test_white_noise_counts_alike_at_every_scale() -> None:
    noise = np.random.default_rng(0).standard_normal((4, 256, 256, 1))  # edges are mirrored
    means = [s**2 * smoothed(noise, 0 * noise, 2, s).mean() for s in (1.0, 2.0, 4.0)]
    assert means == pytest.approx([1 / (4 * np.pi)] * 3, rel=0.1)


@pytest.mark.once
def test_structure_is_told_from_contrast() -> None:
    """A change of structure is less similar than one of brightness of the same squared error."""
    x = np.tile(np.linspace(0, 1, 32)[None, :, None, None], (1, 1, 32, 1))
    shifted = x + 0.1
    odd = x + 0.1 * np.where(np.indices((32, 32)).sum(0) % 2, 1, -1)[None, ..., None]
    assert dissimilarity(x, odd, 2).mean() > 5 * dissimilarity(x, shifted, 2).mean()


@pytest.mark.once
def test_the_distance_of_a_code_is_that_of_mahalanobis() -> None:
    random = np.random.default_rng(0)
    codes = random.standard_normal((500, 4)) @ random.standard_normal((4, 4))
    normal = CodeDistribution.fit(codes)
    expected = [mahalanobis(one, normal.mean, normal.precision) ** 2 for one in codes[:9]]
    assert normal.distance(codes[:9]) == pytest.approx(expected)
    assert normal.distance(codes).mean() == pytest.approx(4, rel=0.1)
    few = CodeDistribution.fit(random.standard_normal((5, 60)))  # fewer samples than numbers
    assert np.isfinite(few.distance(random.standard_normal((3, 60)))).all()
    assert flat_codes(np.ones((2, 3, 3, 5))).shape == (2, 5)
    assert flat_codes(np.ones((2, 5))).shape == (2, 5)
