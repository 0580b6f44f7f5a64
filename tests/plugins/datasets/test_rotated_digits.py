"""Digits turned by a known angle: the angle is right, and nothing else changes."""

from pathlib import Path

import numpy as np
import pytest

from ed_core import EdkitError
from ed_plugins.datasets._download import is_here
from ed_plugins.datasets.digits import digits
from ed_plugins.datasets.rotated_digits import rotate, rotated_digits


@pytest.fixture
def no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDKIT_DATA", str(tmp_path))
    monkeypatch.setattr(
        "ed_plugins.datasets._download.user_cache_dir", lambda _: str(tmp_path / "cache")
    )


def test_90_degrees_turn_anticlockwise_as_numpy_does() -> None:
    image = np.random.default_rng(0).random((3, 8, 8, 1), dtype="float32")
    turned = rotate(image, np.array([90.0, -90, 180]))
    for got, k, old in zip(turned, (1, -1, 2), image, strict=True):
        np.testing.assert_allclose(got[..., 0], np.rot90(old[..., 0], k), atol=1e-5)


def test_no_angle_is_no_change_and_an_angle_comes_back() -> None:
    y, x = np.mgrid[:32, :32] - 15.5
    bump = np.exp(-((x - 5) ** 2 + y**2) / 20)[None, ..., None].astype("float32")
    np.testing.assert_array_equal(rotate(bump, np.zeros(1)), bump)
    there = rotate(bump, np.array([30.0]))[0, ..., 0]
    row, column = (np.array([y, x]) * there).sum(axis=(1, 2)) / there.sum()
    assert np.rad2deg(np.arctan2(-row, column)) == pytest.approx(30, abs=0.5)
    back = rotate(there[None, ..., None], np.array([-30.0]))
    np.testing.assert_allclose(back, bump, atol=0.05)


def test_what_comes_in_from_outside_is_0() -> None:
    white = np.ones((1, 9, 9, 1), "float32")
    turned = rotate(white, np.array([45.0]))[0, ..., 0]
    assert turned[0, 0] == turned[-1, -1] == 0
    assert turned[4, 4] == 1


@pytest.mark.usefixtures("no_files")
def test_the_upright_digits_are_those_of_the_source() -> None:
    upright, turned = digits(), rotated_digits(degrees=0)
    for split, arrays in upright.splits.items():
        for name, array in arrays.items():
            np.testing.assert_array_equal(turned.splits[split][name], array)
    assert not turned.splits["train"]["angle"].any()


@pytest.mark.usefixtures("no_files")
def test_angles_are_uniform_seeded_and_apart_in_each_split() -> None:
    angle = {k: v["angle"] for k, v in rotated_digits(degrees=20, seed=3).splits.items()}
    again = rotated_digits(degrees=20, seed=3).splits
    other = rotated_digits(degrees=20, seed=-3).splits
    np.testing.assert_array_equal(angle["train"], again["train"]["angle"])
    assert abs(angle["train"] - other["train"]["angle"]).max() > 1
    assert abs(angle["train"][:360] - angle["test"]).max() > 1
    counts = np.histogram(angle["train"], bins=4, range=(-20, 20))[0]
    assert counts.sum() == 1437
    assert counts.min() > 300
    assert angle["train"].dtype == np.dtype("float32")


@pytest.mark.usefixtures("no_files")
@pytest.mark.parametrize("degrees", [-1.0, 181.0])
def test_an_angle_out_of_range_is_an_error(degrees: float) -> None:
    with pytest.raises(EdkitError, match="'degrees' is from 0 to 180, received"):
        rotated_digits(degrees=degrees)


@pytest.mark.usefixtures("no_files")
def test_auto_never_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(*_: object) -> None:
        raise AssertionError("fetched")

    monkeypatch.setattr("ed_plugins.datasets._download._fetch", fetch)
    assert not is_here("mnist")
    assert rotated_digits().fields["image"].shape == (32, 32, 1)


def test_auto_takes_mnist_where_its_files_are(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDKIT_DATA", str(data_folder))
    if not is_here("mnist"):
        pytest.skip(f"no mnist in {data_folder}")
    data = rotated_digits()
    train = data.splits["train"]
    assert train["image"].shape == (60000, 28, 28, 1)
    np.testing.assert_array_equal(train["label"][:10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
    # Turning keeps the ink: MNIST's mean is 33.3184 of 255.
    assert 255 * train["image"].mean() == pytest.approx(33.3184, rel=2e-3)
    assert 0 <= train["image"].min() <= train["image"].max() <= 1
