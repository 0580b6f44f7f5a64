"""Arrays as they are stored: memory, damage and layout, before anything is read."""

import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ed_core import Dataset, EdkitError
from ed_core.plugins.options import FilePath
from ed_plugins.datasets._lazy import LazyView
from ed_plugins.datasets.arrays import files
from ed_plugins.datasets.arrays.loader import arrays

RANDOM = np.random.default_rng(0)
N = 30


@pytest.fixture(autouse=True)
def no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process for each of these files takes time, and has tests of its own."""
    monkeypatch.setattr("ed_plugins.datasets.arrays.files.try_hdf5", lambda _: None)


def load(path: Path, **options: Any) -> Dataset:
    return arrays(path=FilePath(str(path)), **options)


def everything(data: Dataset, name: str) -> np.ndarray:
    """Return the samples of a field in the order of the file."""
    assert data.whole is not None
    return np.asarray(data.whole[name][:])


def said(data: Dataset, about: str) -> list[tuple[str, str]]:
    return [(one.text, one.option) for one in data.input.findings if one.about == about]


def pictures(*shape: int) -> np.ndarray:
    return RANDOM.integers(0, 256, (N, *shape), dtype="uint8")


def test_what_is_left_out_is_not_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "my.npz"
    np.savez(path, image=pictures(8, 8, 1), mean=np.arange(1000.0))
    content = path.read_bytes()
    place = content.index(np.arange(1000.0)[500:520].tobytes())
    path.write_bytes(content[:place] + b"damaged!" + content[place + 8 :])
    assert set(load(path).fields) == {"image"}
    path.write_bytes(content.replace(b"(1000,)", b"(0030,)"))
    with pytest.raises(EdkitError, match="is damaged or incomplete; fetch or write the file again"):
        load(path)


@pytest.mark.parametrize("ending", ["npz", "mat"])
def test_what_would_fill_the_memory_is_refused_before_it_is_unpacked(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zeros, path = np.zeros((N, 200, 200), "uint8"), tmp_path / f"bomb.{ending}"
    if ending == "npz":
        np.savez_compressed(path, image=zeros)
    else:
        scipy.io.savemat(path, {"image": zeros}, do_compression=True)
    load(path, axes="NHW")
    monkeypatch.setattr(files.Packed, "whole", lambda _: pytest.fail("it was unpacked"))
    monkeypatch.setattr("ed_core.data.memory.available", lambda: 10**5)
    with pytest.raises(EdkitError, match=r"would take 1 MB of memory, .*: save it as HDF5"):
        load(path, axes="NHW")
    monkeypatch.setattr(files, "_LARGE", 10**5)
    with pytest.raises(EdkitError, match=r"to 1,200,000, which is not tried: save it with"):
        load(path, axes="NHW")


def test_a_claim_of_an_npz_is_held_to_what_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "my.npz"
    np.savez(path, image=pictures(8, 8, 1))
    with zipfile.ZipFile(path) as archive:
        content = archive.read("image.npy").replace(b"(30, 8, 8, 1)", b"(90, 8, 8, 1)")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("image.npy", content)
    with pytest.raises(EdkitError, match=r"says uint8 \(90, 8, 8, 1\), but holds 1,920 bytes"):
        load(path)


def test_a_mask_of_which_few_chunks_were_written_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "my.h5"
    with h5py.File(path, "w") as file:
        file["image"] = pictures(8, 8, 3)
        shape = (N, 600, 600)
        mask = file.create_dataset("mask", shape, "u1", chunks=(10, 600, 600), compression="gzip")
        mask[3, 5, 6] = 2
        assert mask.nbytes > 2000 * (mask.id.get_storage_size() + 64)
    found = everything(load(path), "mask")
    assert found[3, 5, 6] == found.sum() == 2
    monkeypatch.setattr("ed_core.data.memory.available", lambda: 10**6)
    with pytest.raises(EdkitError, match=r"would take 10 MB of memory, .*fewer samples"):
        load(path)


def test_a_layout_that_reads_slowly_is_said_and_the_remedy_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "_SMALL", 0)
    path, image = tmp_path / "my.h5", pictures(8, 8, 1)
    with h5py.File(path, "w") as file:
        file.create_dataset("image", data=image, chunks=image.shape, compression="gzip")
    data = load(path)
    ((text, option),) = said(data, "image")
    assert text == "stored so that single samples are read slowly"
    assert option == "create_dataset(..., chunks=(1, 8, 8, 1))"
    path = tmp_path / "mended.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("image", data=image, chunks=(1, 8, 8, 1), compression="gzip")
    assert not said(load(path), "image")


@pytest.mark.parametrize("chunks", [None, (1, 4, 3), (16, 4, 3), (64, 4, 3)])
@settings(max_examples=20, suppress_health_check=[*HealthCheck], deadline=None)
@given(
    st.lists(st.integers(0, 63), min_size=1, unique=True).map(sorted), st.permutations([0, 1, 2])
)
def test_rows_are_the_same_in_any_layout(
    tmp_path: Path, chunks: Any, rows: list[int], order: list[int]
) -> None:
    array = RANDOM.integers(0, 256, (64, 4, 3)).astype("uint8")
    with h5py.File(tmp_path / "my.h5", "w") as file:
        stored = file.create_dataset("x", data=array, chunks=chunks)
        turned, view = array.transpose(order), LazyView(stored, order=tuple(order))
        some = np.array([row for row in rows if row < len(turned)] or [0])
        for key in (some, slice(1, 3), 0, slice(None)):
            np.testing.assert_array_equal(view[key], turned[key])
        assert view.shape == turned.shape
        np.testing.assert_array_equal(LazyView(stored)[np.array(rows)], array[rows])
