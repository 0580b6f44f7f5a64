"""The embedded data set: its split, its scale, its enlargement."""

import numpy as np
import pytest

from ed_core import DATASETS, Dataset
from ed_plugins.datasets.digits import enlarge


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return DATASETS["digits"].load()


def test_the_split_is_stratified_and_complete(digits: Dataset) -> None:
    train, test = digits.splits["train"], digits.splits["test"]
    assert train["image"].shape == (1437, 32, 32, 1)
    assert test["image"].shape == (360, 32, 32, 1)
    counts = np.bincount(test["label"])
    assert len(counts) == 10
    assert counts.min() >= 34
    assert np.bincount(np.concatenate([train["label"], test["label"]])).sum() == 1797
    rows = {image.tobytes() for image in train["image"]}
    assert not any(image.tobytes() in rows for image in test["image"])


def test_images_are_floats_from_0_to_1(digits: Dataset) -> None:
    image = digits.splits["train"]["image"]
    assert image.dtype == np.dtype("float32")
    assert (image.min(), image.max()) == (0, 1)
    assert 16 * image.mean() == pytest.approx(4.884, abs=0.02)  # scikit-learn's own: 4.8842


def test_the_split_is_always_the_same(digits: Dataset) -> None:
    again = DATASETS["digits"].load()
    for split, arrays in digits.splits.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(again.splits[split][name], array)


def test_images_belong_to_their_labels(digits: Dataset) -> None:
    image, label = digits.splits["train"]["image"][..., 0], digits.splits["train"]["label"]
    centre = np.array([image[label == k, 14:18, 14:18].mean() for k in range(10)])
    assert np.argmin(centre) == 0  # only a 0 is empty in the middle


def test_enlarging_keeps_a_plane_a_plane() -> None:
    rows, columns = np.mgrid[:4, :4]
    plane = (10.0 * rows + columns)[None]
    large = enlarge(plane, 4)[0]
    assert large.shape == (16, 16)
    inner = large[2:-2, 2:-2]  # outside the outermost centres it goes on as it ends
    np.testing.assert_allclose(np.diff(inner, axis=0), 2.5)
    np.testing.assert_allclose(np.diff(inner, axis=1), 0.25)
    np.testing.assert_allclose(large.mean(), plane.mean())
    np.testing.assert_allclose(large[0, 0], plane[0, 0, 0])
