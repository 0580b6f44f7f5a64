"""Files that are decoded when they are needed: the same numbers, and errors that name the file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ed_core import Dataset, EdkitError
from ed_core.data.lazy import is_checked, is_slow

RANDOM = np.random.default_rng(0)


@pytest.fixture(params=["kept", "read again"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder that fits into what is kept, or does not; three files are looked at before."""
    monkeypatch.setattr("ed_plugins.datasets.folder.read._WHOLE", 0)
    monkeypatch.setattr("ed_plugins.datasets.folder.read._LOOKED", 3)
    if request.param != "kept":
        monkeypatch.setattr("ed_plugins.datasets.folder.loader.KEPT", 0)
    return str(request.param)


def texts(data: Dataset) -> str:
    return "\n".join(f"{one.about}: {one.text}" for one in data.input.findings)


def ten(root: Path, save: Any, high: int = 256, kind: str = "uint8") -> list[np.ndarray]:
    images = [RANDOM.integers(0, high, (5, 6, 3)).astype(kind) for _ in range(10)]
    images[1][0, 0] = high - 1
    for number, image in enumerate(images):
        save(root / f"{number}.png", image)
    return images


def test_rows_are_those_of_the_files_in_any_order(
    tmp_path: Path, save: Any, load: Any, memory: str
) -> None:
    expected = np.stack(ten(tmp_path, save)) / np.float32(255)
    data = load(tmp_path)
    whole = data.whole["image"]
    for key in (slice(2, 7), np.array([7, 2, 2]), 3, -1, np.arange(10) % 2 == 0, slice(None)):
        np.testing.assert_array_equal(whole[key], expected[key])
    np.testing.assert_array_equal(np.asarray(whole), expected)
    assert is_checked(whole)
    assert is_slow(whole) == (memory != "kept")
    assert "3 of 10 files were looked at" in texts(data)
    assert ("read from the files in every epoch" in texts(data)) == (memory != "kept")


def test_a_bad_file_is_named_when_it_is_read_and_the_others_are_read(
    tmp_path: Path, save: Any, load: Any, memory: str
) -> None:
    ten(tmp_path, save)
    path = tmp_path / "6.png"
    content = bytearray(path.read_bytes())
    content[60:90] = bytes(
        30
    )  # its pixels, not its header: the first, middle and last are looked at
    path.write_bytes(content)
    whole = load(tmp_path).whole["image"]
    assert np.asarray(whole[:6]).shape == (6, 5, 6, 3)
    with pytest.raises(EdkitError, match=r"6\.png"):
        whole[5:8]
    assert np.asarray(whole[7:]).shape == (3, 5, 6, 3)


def test_a_file_that_ends_too_early_is_named_at_once(
    tmp_path: Path, save: Any, load: Any, memory: str
) -> None:
    ten(tmp_path, save)
    path = tmp_path / "6.png"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(EdkitError, match=r"6\.png.*cut off"):
        load(tmp_path)


def test_all_files_say_what_is_white_where_some_leave_it_open(
    tmp_path: Path, save: Any, load: Any, memory: str
) -> None:
    images = ten(tmp_path, save, high=2)
    data = load(tmp_path)
    assert "white is 1: the largest number is 1" in texts(data)
    np.testing.assert_array_equal(np.asarray(data.whole["image"]), np.stack(images))
    images[6][2, 2] = 200
    save(tmp_path / "6.png", images[6])
    data = load(tmp_path)
    np.testing.assert_array_equal(data.whole["image"][6], images[6] / np.float32(255))


def test_deep_images_are_all_looked_at(tmp_path: Path, save: Any, load: Any, memory: str) -> None:
    for number in range(10):
        save(tmp_path / f"{number}.png", np.full((4, 4), 4095 if number == 6 else 90, "uint16"))
    data = load(tmp_path)
    assert "12 bits" in texts(data)
    assert data.whole["image"][6].max() == 1
