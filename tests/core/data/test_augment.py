"""Augmentation: what is done to an image is done to its maps, and follows from the generator."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ed_core import augment

pytestmark = [pytest.mark.backend, pytest.mark.once]

CHANGES = (augment.mirrored, augment.turned, augment.zoomed)


def scene(samples: int, height: int, width: int, seed: int = 0) -> dict[str, np.ndarray]:
    """An image that is the class of each pixel, the class itself, and a value that says it."""
    classes = np.random.default_rng(seed).integers(-1, 4, (samples, height, width))
    value = np.where(classes < 0, np.nan, classes).astype("float32")
    return {
        "image": (classes / 4).astype("float32")[..., None],
        "mask": classes.astype("int32"),
        "elevation": value[..., None],
        "label": np.arange(samples),
    }


@given(st.integers(1, 4), st.integers(2, 9), st.integers(2, 9), st.integers(0, 99))
def test_maps_stay_together(samples: int, height: int, width: int, seed: int) -> None:
    batch = scene(samples, height, width, seed)
    for change in (augment.mirrored, augment.turned):
        found = change(batch, np.random.default_rng(seed))
        assert np.array_equal(found["image"][..., 0] * 4, found["mask"])
        value = np.nan_to_num(found["elevation"][..., 0], nan=-1)
        assert np.array_equal(value, found["mask"])
        assert found["label"] is batch["label"]
        assert sorted(found["mask"].ravel()) == sorted(batch["mask"].ravel())


@given(st.integers(0, 99))
def test_an_enlarged_window_keeps_classes_whole_and_missing_values_missing(seed: int) -> None:
    batch = scene(3, 12, 10, seed)
    found = augment.zoomed(batch, np.random.default_rng(seed), largest=2.0)
    for name, array in batch.items():
        assert found[name].shape == array.shape
    assert found["mask"].dtype == "int32"
    assert set(np.unique(found["mask"])) <= set(np.unique(batch["mask"]))
    assert np.nanmin(found["elevation"]) >= 0
    assert np.nanmax(found["elevation"]) <= 3 + 1e-5


def test_a_limits_around_a_plane_is_a_plane() -> None:
    y, x = np.mgrid[:20, :30].astype("float32")
    batch = {"image": (y + 2 * x)[None, ..., None]}
    found = augment.zoomed(batch, np.random.default_rng(3), largest=1.8)["image"][0, ..., 0]
    inside = found[2:-2, 2:-2]
    np.testing.assert_allclose(np.diff(inside, axis=0, n=2), 0, atol=1e-3)
    np.testing.assert_allclose(np.diff(inside, axis=1, n=2), 0, atol=1e-3)
    steps = np.diff(inside, axis=1).mean() / np.diff(inside, axis=0).mean()
    assert steps == pytest.approx(2 * 1.0, rel=1e-3)
    assert 1 / 1.8 - 1e-3 <= np.diff(inside, axis=0).mean() <= 1


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_the_same_generator_gives_the_same_batch_and_another_one_another(change: Any) -> None:
    batch = scene(8, 16, 16)
    first, again = (change(batch, np.random.default_rng(5)) for _ in range(2))
    other = change(batch, np.random.default_rng(6))
    for name in batch:
        assert np.array_equal(first[name], again[name], equal_nan=name == "elevation")
    assert not np.array_equal(first["mask"], other["mask"])
    assert np.array_equal(batch["mask"], scene(8, 16, 16)["mask"])  # the batch itself is untouched
