"""Pixel AUROC and AUPRO, by hand."""

import numpy as np
import pytest
from scipy.ndimage import label

from ed_core.evaluation.localisation import per_region_overlap, pixel_auroc

pytestmark = [pytest.mark.backend, pytest.mark.once]


def masks() -> np.ndarray:
    array = np.zeros((3, 24, 24), bool)
    array[0, 2:4, 2:4] = array[0, 10:20, 10:20] = array[1, 5, :] = True
    return array


def by_hand(maps: np.ndarray, mask: np.ndarray, most: float) -> float:
    """At every threshold there is; integrated in steps of the false alarms."""
    regions = [
        maps[i][labels == n]
        for i, one in enumerate(mask)
        for labels, count in [label(one, np.ones((3, 3)))]
        for n in range(1, count + 1)
    ]
    points = [
        ((maps[~mask] > t).mean(), np.mean([(one > t).mean() for one in regions]))
        for t in [np.inf, *np.unique(maps)[::-1], -np.inf]
    ]
    rates, overlaps = np.array(points).T
    at = np.linspace(0, most, 4001)
    return float(np.interp(at, rates, overlaps).mean())


@pytest.mark.parametrize("most", [0.3, 0.05])
def test_the_overlap_is_that_of_every_region_alike(most: float) -> None:
    random = np.random.default_rng(0)
    maps = random.random((3, 24, 24)) + 0.3 * masks()
    found = per_region_overlap(maps, masks(), most)
    assert found == pytest.approx(by_hand(maps, masks(), most), abs=3e-3)


def test_the_ends_of_the_scale() -> None:
    right = masks().astype(float)
    assert per_region_overlap(right, masks()) == pytest.approx(1)
    assert pixel_auroc(right, masks()) == 1
    assert per_region_overlap(-right, masks()) == pytest.approx(0, abs=1e-6)
    chance = per_region_overlap(np.zeros(right.shape), masks())  # the straight line up to 0.3
    assert chance == pytest.approx(0.15, abs=1e-6)


def test_a_missed_small_region_counts_as_much_as_a_large_one() -> None:
    right = masks().astype(float)
    right[0, 2:4, 2:4] = 0
    found = per_region_overlap(right, masks())
    assert 2 / 3 <= found < 0.75  # one of three is never above what is normal
    assert pixel_auroc(right, masks()) > 0.95
