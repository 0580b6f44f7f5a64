"""Generated terrain: it repeats, and colour and height tell more together than either alone."""

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier

from ed_core import Dataset, EdkitError
from ed_plugins.datasets.land_use import CLASSES, PIXEL, TREE_LINE, WATER, land_use, smooth_noise


@pytest.fixture(scope="module")
def terrain() -> Dataset:
    return land_use(samples=120, size=32)


def test_splits_and_ranges(terrain: Dataset) -> None:
    assert {split: len(a["mask"]) for split, a in terrain.splits.items()} == {
        "train": 84,
        "validation": 18,
        "test": 18,
    }
    for arrays in terrain.splits.values():
        assert arrays["image"].dtype == arrays["elevation"].dtype == np.dtype("float32")
        assert -0.5 < arrays["elevation"].min() < arrays["elevation"].max() < 4  # km
        assert 0.2 < arrays["image"].mean() < 0.6
    share = np.bincount(terrain.splits["train"]["mask"].ravel()) / (84 * 32 * 32)
    assert len(share) == len(CLASSES) == len(terrain.fields["mask"].colours)
    assert share.min() > 0.02


def test_lakes_are_level_and_meadows_keep_to_their_side_of_the_tree_line(terrain: Dataset) -> None:
    arrays = terrain.splits["train"]
    for height, mask in zip(arrays["elevation"][..., 0], arrays["mask"], strict=True):
        if (mask == WATER).any():
            assert np.ptp(height[mask == WATER]) == 0
            assert height[mask != WATER].min() >= height[mask == WATER].max()
    names = terrain.fields["mask"].classes
    height, mask = arrays["elevation"][..., 0], arrays["mask"]
    assert height[mask == names.index("meadow")].max() <= TREE_LINE
    assert height[mask == names.index("alpine meadow")].min() >= TREE_LINE


def features(arrays: dict[str, np.ndarray], which: str) -> np.ndarray:
    height = arrays["elevation"][..., 0]
    slope = np.linalg.norm(np.gradient(height, PIXEL, axis=(1, 2)), axis=0)
    parts = {"colour": arrays["image"], "height": np.stack([height, slope], axis=-1)}
    return np.concatenate([parts[k].reshape(slope.size, -1) for k in which.split("+")], axis=1)


def test_colour_and_height_help_each_other(terrain: Dataset) -> None:
    train, test = terrain.splits["train"], terrain.splits["test"]
    scores = {}
    for which in ("colour", "height", "colour+height"):
        tree = DecisionTreeClassifier(min_samples_leaf=20, random_state=0)
        tree.fit(features(train, which)[::4], train["mask"].ravel()[::4])
        right = tree.predict(features(test, which)) == test["mask"].ravel()
        scores[which] = right.mean()
    usual = np.bincount(test["mask"].ravel()).max() / test["mask"].size
    assert min(scores.values()) > usual + 0.1
    assert scores["colour+height"] > max(scores["colour"], scores["height"]) + 0.15


def test_a_seed_repeats_and_splits_differ() -> None:
    first, again, other = (land_use(samples=20, size=16, seed=s).splits for s in (1, 1, -1))
    for split, arrays in first.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, again[split][name])
            assert (array != other[split][name]).any()
    assert (first["validation"]["image"] != first["test"]["image"]).any()


@pytest.mark.parametrize("options", [{"samples": 7}, {"size": 7}])
def test_too_small_is_an_error(options: dict[str, int]) -> None:
    with pytest.raises(EdkitError, match="is at least 8, received 7"):
        land_use(**options)


def test_smooth_noise_is_standardised_and_smoother_with_the_exponent() -> None:
    fields = [smooth_noise(np.random.default_rng(0), (3, 32, 48), e) for e in (1.0, 3.0)]
    for field in fields:
        np.testing.assert_allclose(field.mean(axis=(1, 2)), 0, atol=1e-9)
        np.testing.assert_allclose(field.std(axis=(1, 2)), 1)
    rough, smooth = (np.abs(np.diff(field, axis=1)).mean() for field in fields)
    assert smooth < rough / 2


_LESS = {  # linear RGB as others see it: Machado et al. (2009), severity 1
    "deuteranope": (
        (0.367322, 0.860646, -0.227968),
        (0.280085, 0.672501, 0.047413),
        (-0.011820, 0.042940, 0.968881),
    ),
    "protanope": (
        (0.152286, 1.052583, -0.204868),
        (0.114503, 0.786281, 0.099216),
        (-0.003882, -0.048116, 1.051998),
    ),
}


def as_lab(colour: str, seen: np.ndarray) -> np.ndarray:
    """Return CIELAB of a colour as somebody sees it."""
    values = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(to_xyz @ np.clip(seen @ linear, 0, 1) / (0.9505, 1.0, 1.089))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eye", _LESS)
def test_the_classes_have_colours_that_the_colour_blind_tell_apart(eye: str) -> None:
    """Forest, alpine meadow and rock were one grey: 10 to 18 apart."""
    seen = [as_lab(colour, np.array(_LESS[eye])) for _, colour, _ in CLASSES]
    apart = [np.linalg.norm(a - b) for n, a in enumerate(seen) for b in seen[:n]]
    assert min(apart) > 24
