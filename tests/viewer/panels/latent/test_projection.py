"""From codes to the plane and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ed_viewer.panels.latent.projection import Axes, project, units

pytestmark = pytest.mark.viewer

_sizes = st.tuples(st.integers(3, 12), st.integers(1, 20), st.integers(0, 2**16))


@given(_sizes, st.tuples(st.floats(-9, 9), st.floats(-9, 9)))
def test_a_code_that_is_moved_to_a_point_lies_there(
    sizes: tuple[int, int, int], point: tuple[float, float]
) -> None:
    samples, latent, seed = sizes
    random = np.random.default_rng(seed)
    codes, code = random.normal(size=(samples, latent)), random.normal(size=latent)
    axes = project(codes)
    np.testing.assert_allclose(axes.place(codes)[:, 0], axes.points[:, 0], atol=1e-9)
    moved = axes.moved(code, np.array(point))
    reached = axes.place(moved)
    assert reached[0] == pytest.approx(point[0])
    if latent > 1:
        assert reached[1] == pytest.approx(point[1])
    change = moved - code  # nothing but what the plane needs
    np.testing.assert_allclose((change @ axes.directions.T) @ axes.directions, change, atol=1e-9)


@pytest.mark.parametrize(("samples", "latent"), [(40, 7), (6, 30), (3, 3), (2, 9)])
def test_principal_axes_are_those_of_the_singular_vectors(samples: int, latent: int) -> None:
    codes = np.random.default_rng(latent).normal(size=(samples, latent)) * np.arange(1, latent + 1)
    expected = np.linalg.svd(codes - codes.mean(0), full_matrices=False)[2][:2]
    found = project(codes).directions
    known = min(samples - 1, 2)
    agreement = np.abs((found * expected).sum(axis=1))
    np.testing.assert_allclose(agreement[:known], 1, atol=1e-6)


def test_codes_that_are_all_the_same_have_no_axes_and_no_harm() -> None:
    axes = project(np.ones((5, 4)))
    assert np.isfinite(axes.points).all()
    assert np.isfinite(axes.moved(np.ones(4), np.array([1.0, 1.0]))).all()


def test_one_unit_twice_moves_it_once() -> None:
    axes = units(np.zeros((3, 4)), (2, 2))
    assert axes.moved(np.zeros(4), np.array([1.5, 0.0])).tolist() == [0, 0, 1.5, 0]


def test_there_is_no_way_back_from_t_sne() -> None:
    axes = Axes(np.zeros((3, 2)), ("t-SNE 1", "t-SNE 2"))
    assert np.isnan(axes.place(np.ones(7))).all()
    assert axes.moved(np.ones(7), np.zeros(2)).tolist() == [1] * 7
