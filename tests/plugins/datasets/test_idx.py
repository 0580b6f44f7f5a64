"""MNIST and Fashion-MNIST: the layout of their files, and the real ones where they are."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ed_core import DATASETS, Dataset
from ed_plugins.datasets import _download
from ed_plugins.datasets._download import Remote
from ed_plugins.datasets.fashion_mnist import CLASSES, COARSE


def encode(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.astype("uint8").tobytes()


def test_decode_keeps_the_order_of_the_axes() -> None:
    array = np.arange(2 * 3 * 4).reshape(2, 3, 4)
    np.testing.assert_array_equal(_download.decode(encode(array)), array)
    labels = np.array([7, 0, 255])
    np.testing.assert_array_equal(_download.decode(encode(labels)), labels)


def test_every_file_goes_to_its_split(monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = {
        "train-images-idx3-ubyte.gz": np.array([[[0, 255]], [[51, 102]]]),
        "train-labels-idx1-ubyte.gz": np.array([3, 1]),
        "t10k-images-idx3-ubyte.gz": np.array([[[5, 10]]]),
        "t10k-labels-idx1-ubyte.gz": np.array([9]),
    }
    asked = []

    def content(folder: str, remote: Remote, mirrors: list[str]) -> bytes:
        asked.append((folder, remote.sha256, mirrors))
        return encode(arrays[remote.name])

    monkeypatch.setattr(_download, "content", content)
    splits = _download.read_splits("here", ["there/"], "abcd")
    assert asked == [("here", letter, ["there/"]) for letter in "abcd"]
    image = splits["train"]["image"]
    assert (image.dtype, image.shape) == (np.dtype("float32"), (2, 1, 2, 1))
    np.testing.assert_allclose(image[..., 0], [[[0, 1]], [[0.2, 0.4]]])
    assert image.max() == 1
    np.testing.assert_array_equal(splits["train"]["label"], [3, 1])
    np.testing.assert_array_equal(splits["test"]["label"], [9])


def load(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    monkeypatch.setenv("EDKIT_DATA", str(folder))
    if not (folder / name.replace("_", "-")).is_dir():
        pytest.skip(f"no {name} in {folder}")
    return DATASETS[name].load()


@pytest.mark.parametrize(
    ("name", "mean", "deviation", "labels", "images"),
    [
        ("mnist", 33.3184, 78.5675, "5041921314", "ba891046e6505d7a"),
        ("fashion_mnist", 72.9404, 90.0212, "9003027255", "c59f468a2f672dc8"),
    ],
)
def test_the_real_ones_have_their_known_constants(
    name: str,
    mean: float,
    deviation: float,
    labels: str,
    images: str,
    data_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = load(name, data_folder, monkeypatch)
    image, label = data.splits["train"]["image"], data.splits["train"]["label"]
    assert image.shape == (60_000, 28, 28, 1)
    assert data.splits["test"]["image"].shape == (10_000, 28, 28, 1)
    assert 255 * image.mean(dtype="float64") == pytest.approx(mean, abs=5e-5)
    assert 255 * image.std(dtype="float64") == pytest.approx(deviation, abs=5e-5)
    assert "".join(map(str, label[:10])) == labels
    assert np.unique(data.splits["test"]["label"]).tolist() == list(range(10))
    again = encode(np.round(image[..., 0] * 255))
    assert hashlib.sha256(again).hexdigest().startswith(images)


def test_coarse_classes_follow_the_fine_ones(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = load("fashion_mnist", data_folder, monkeypatch)
    fine, coarse = data.fields["label"].classes, data.fields["coarse"].classes
    assert (fine, coarse) == (tuple(CLASSES), COARSE)
    for arrays in data.splits.values():
        shares = np.bincount(arrays["coarse"]) / len(arrays["coarse"])
        assert shares.tolist() == [0.5, 0.1, 0.4]  # the fine classes are equally frequent
        pairs = {
            (fine[a], coarse[b]) for a, b in zip(arrays["label"], arrays["coarse"], strict=True)
        }
        assert pairs == set(CLASSES.items())


def test_importing_the_data_sets_is_cheap() -> None:
    code = (
        "import sys; from ed_plugins.datasets import digits, fashion_mnist, mnist;"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert not {"keras", "sklearn", "scipy"} & set(result.stdout.split())
