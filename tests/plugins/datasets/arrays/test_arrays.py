"""Arrays in npz and HDF5: the same data set from both, and no file that is not what it says."""

import io
import os
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ed_core import Dataset, EdkitError, Field, load_data
from ed_core.data.lazy import Rows, chunk_of
from ed_core.data.selection import select
from ed_core.plugins.options import FilePath
from ed_plugins.datasets._lazy import LazyView
from ed_plugins.datasets.arrays import hdf5
from ed_plugins.datasets.arrays.loader import arrays

RANDOM = np.random.default_rng(0)
Save = Callable[..., Path]


def save_npz(path: Path, named: dict[str, Any], facts: dict[str, dict[str, Any]]) -> Path:
    extra = {f"{name}.{key}": value for name, fact in facts.items() for key, value in fact.items()}
    np.savez_compressed(path / "my.npz", **named, **extra)
    return path / "my.npz"


def save_hdf5(path: Path, named: dict[str, Any], facts: dict[str, dict[str, Any]]) -> Path:
    with h5py.File(path / "my.h5", "w") as file:
        for name, array in named.items():
            array = np.asarray(array)
            file.create_dataset(name, data=array, compression="gzip" if array.ndim else None)
            file[name].attrs.update(facts.get(name, {}))
    return path / "my.h5"


@pytest.fixture(params=[save_npz, save_hdf5], ids=["npz", "hdf5"])
def save(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Save:
    # Another process for each of these files takes time, and has tests of its own below.
    monkeypatch.setattr("ed_plugins.datasets.arrays.files.try_hdf5", lambda _: None)
    return lambda named, **facts: request.param(tmp_path, named, facts)


def load(path: Path, **options: Any) -> Dataset:
    return arrays(path=FilePath(str(path)), **options)


def both(array: np.ndarray, name: str = "x") -> dict[str, np.ndarray]:
    return {f"train/{name}": array, f"test/{name}": array}


def test_splits_and_fields_are_those_of_the_names(save: Save) -> None:
    image = RANDOM.integers(0, 256, (9, 4, 5, 3), dtype="uint8")
    label = RANDOM.integers(0, 3, 9)
    label[:3] = [0, 1, 2]
    path = save(
        {"train/image": image, "train/label": label, "val/image": image[:4], "val/label": label[:4]}
    )
    data = load(path)
    assert list(data.splits) == ["train", "validation"]
    assert data.fields["image"] == Field((4, 5, 3))
    assert data.fields["label"] == Field((), "class", ("0", "1", "2"))
    np.testing.assert_allclose(data.splits["train"]["image"][:], image / 255, rtol=1e-6)
    np.testing.assert_array_equal(data.splits["validation"]["label"], label[:4])
    rows = np.array([1, 5, 7])
    np.testing.assert_allclose(data.splits["train"]["image"][rows], image[rows] / 255, rtol=1e-6)


def test_without_splits_a_fifth_is_drawn_for_the_test_and_rows_stay_together(save: Save) -> None:
    number = np.arange(50)
    path = save({"image": np.tile(number[:, None, None, None], (1, 2, 2, 1)).astype("uint8"),
                 "angle": number.astype("float32"), "label": number % 5})  # fmt: skip
    data = load(path, seed=4)
    train, test = data.splits["train"], data.splits["test"]
    assert (len(train["image"]), len(test["image"])) == (40, 10)
    np.testing.assert_array_equal(np.sort(np.concatenate([train["angle"], test["angle"]])), number)
    for arrays_ in (train, test):
        rows = np.asarray(arrays_["angle"])
        np.testing.assert_allclose(255 * arrays_["image"][:][:, 0, 0, 0], rows, rtol=1e-5)
        np.testing.assert_array_equal(arrays_["label"], rows % 5)
        np.testing.assert_allclose(255 * arrays_["image"][2:4][:, 0, 0, 0], rows[2:4], rtol=1e-5)
    again, other = load(path, seed=4), load(path, seed=5)
    np.testing.assert_array_equal(test["angle"][:], again.splits["test"]["angle"][:])
    assert (test["angle"][:] != other.splits["test"]["angle"][:]).any()


def test_all_samples_stay_in_their_order_beside_the_drawn_splits(save: Save) -> None:
    image = RANDOM.integers(0, 256, (20, 4, 5, 3), dtype="uint8")
    path = save({"image": image, "label": np.arange(20) % 3})
    whole = load(path, seed=4).whole
    assert whole is not None
    np.testing.assert_allclose(whole["image"][:], image / 255, rtol=1e-6)
    np.testing.assert_array_equal(whole["label"][:], np.arange(20) % 3)


def test_what_came_in_splits_has_no_whole(save: Save) -> None:
    assert load(save(both(np.arange(6)))).whole is None


@pytest.mark.parametrize(("split", "known"), [("test", "test"), ("val", "validation")])
def test_a_file_of_one_split_can_be_measured_on(save: Save, split: str, known: str) -> None:
    data = load(save({f"{split}/image": RANDOM.random((5, 4, 4, 1)).astype("float32")}))
    assert {name: len(arrays["image"]) for name, arrays in data.splits.items()} == {known: 5}


def test_a_single_sample_can_be_measured_on(save: Save) -> None:
    single = load(save({"image": RANDOM.random((1, 4, 4, 1)).astype("float32")}))
    assert {name: len(arrays["image"]) for name, arrays in single.splits.items()} == {"test": 1}


@pytest.mark.parametrize("stride", [1, 3, 40])
def test_rows_of_a_file_are_read_as_slices_of_what_lies_between(stride: int) -> None:
    array = RANDOM.integers(0, 99, (400, 3))
    view = Rows(LazyView(array), np.arange(0, 400, stride))
    np.testing.assert_array_equal(view[2:7], array[::stride][2:7])
    np.testing.assert_array_equal(view[:], array[::stride])
    np.testing.assert_array_equal(view[5:5], array[:0])


F4, U1, I8 = "float32", "uint8", "int64"


@pytest.mark.parametrize(
    ("name", "shape", "dtype", "kind", "sample"),
    [
        ("x", (6,), I8, "class", ()),
        ("x", (6,), "bool", "class", ()),
        ("x", (6, 4, 5), U1, "class", (4, 5)),
        ("x", (6, 4, 5, 1), I8, "class", (4, 5)),
        ("mask", (6, 4, 5, 1), I8, "class", (4, 5)),
        ("x", (6, 4, 5, 1), U1, "image", (4, 5, 1)),
        ("x", (6, 4, 5, 3), "uint16", "image", (4, 5, 3)),
        ("x", (6, 2, 4, 5, 1), U1, "video", (2, 4, 5, 1)),
        ("x", (6,), F4, "value", ()),
        ("x", (6, 30), F4, "signal", (30, 1)),
        ("x", (6, 30, 2), F4, "signal", (30, 2)),
        ("x", (6, 4, 5, 3), F4, "image", (4, 5, 3)),
        ("x", (6, 2, 4, 5, 1), F4, "video", (2, 4, 5, 1)),
        ("image", (6, 4, 5), U1, "image", (4, 5, 1)),
        ("image", (6, 4, 5), "float64", "image", (4, 5, 1)),
        ("video", (6, 2, 4, 5), U1, "video", (2, 4, 5, 1)),
        ("signal", (6, 30), "int16", "signal", (30, 1)),
        ("mask", (6, 4, 5), F4, "class", (4, 5)),
    ],
)
def test_the_kind_follows_from_name_type_and_shape(
    save: Save, name: str, shape: tuple[int, ...], dtype: str, kind: str, sample: tuple[int, ...]
) -> None:
    most = np.iinfo(dtype).max if kind in ("image", "video") and dtype in (U1, "uint16") else 1
    array = RANDOM.random(shape) if dtype == F4 and name != "mask" else RANDOM.integers(0, 2, shape)
    array = (array * most).astype(dtype)
    data = load(save(both(array, name)))
    field = data.fields[name]
    assert (field.kind, field.shape) == (kind, sample)
    found = data.splits["train"][name]
    assert found.shape == (6, *sample)
    assert found.dtype == np.asarray(found[:]).dtype
    scale = np.iinfo(dtype).max if dtype in (U1, "uint16") and kind in ("image", "video") else 1
    np.testing.assert_allclose(found[:], array.reshape(found.shape) / scale, rtol=1e-6)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(
    ("name", "dtype", "white"),
    [("image", "u2", 65535), ("image", "f4", 1), ("x", "f8", 1), ("signal", "i2", 1)],
)
def test_either_byte_order_is_read(
    save: Save, name: str, dtype: str, white: int, order: str
) -> None:
    shape = (6, 9, 2) if name == "signal" else (6, 4, 5, 3)
    array = np.asarray(RANDOM.random(shape) * white, order + dtype)
    found = load(save(both(array, name))).splits["train"][name]
    assert found.dtype.isnative
    assert found[2:4].dtype.isnative
    np.testing.assert_allclose(found[:], array / white, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "float32", ">i4"])
def test_labels_in_a_column_are_labels(save: Save, dtype: str) -> None:
    array = np.array([[2], [0], [1], [2]]).astype(dtype)
    data = load(save(both(array, "label")))
    assert data.fields["label"] == Field((), "class", ("0", "1", "2"))
    assert data.splits["train"]["label"].tolist() == [2, 0, 1, 2]


def test_255_far_above_the_classes_of_pixels_is_no_class(save: Save) -> None:
    mask = RANDOM.integers(0, 3, (6, 4, 5)).astype("uint8")
    mask[0, 0, 0] = 2
    mask[1, 1] = 255
    field = load(save(both(mask, "mask"))).fields["mask"]
    assert (len(field.classes), field.partial) == (3, True)
    assert len(load(save(both(mask, "mask")), ignore="none").fields["mask"].classes) == 256
    names = {f"{split}/mask": {"classes": [str(n) for n in range(256)]} for split in ("train",)}
    assert len(load(save(both(mask, "mask"), **names)).fields["mask"].classes) == 256
    marked = np.where(mask == 255, -1, mask.astype("int16"))
    field = load(save(both(marked, "mask"))).fields["mask"]
    assert (len(field.classes), field.partial) == (3, True)
    full = np.arange(256, dtype="uint8").reshape(1, 16, 16)
    assert len(load(save(both(full, "mask"))).fields["mask"].classes) == 256


def test_floats_outside_0_to_1_are_values(save: Save) -> None:
    height = RANDOM.normal(size=(4, 3, 3, 1)).astype("float32")
    height[0, 0] = np.nan
    data = load(save(both(height)))
    assert data.fields["x"] == Field((3, 3, 1), "value", partial=True)
    np.testing.assert_array_equal(data.splits["test"]["x"][:], height)


def test_the_file_may_state_kind_and_classes(save: Save) -> None:
    named = {"x": np.arange(10.0), "y": np.arange(10) % 2, "z": RANDOM.random((10, 8))}
    path = save(
        named,
        x={"kind": "class"},
        y={"classes": np.array(["off", "on", "broken"], "S")},
        z={"kind": "value"},
    )
    fields = load(path).fields
    assert fields["x"] == Field((), "class", tuple("0123456789"))
    assert fields["y"] == Field((), "class", ("off", "on", "broken"))
    assert fields["z"] == Field((8,), "value")


@settings(max_examples=25, suppress_health_check=[*HealthCheck])
@given(st.lists(st.integers(-1, 4), min_size=2, max_size=30), st.sampled_from([I8, "int8", F4]))
def test_labels_of_the_lecture_are_numbers(tmp_path: Path, labels: list[int], dtype: str) -> None:
    numbers = np.array(labels)
    rows = np.where(numbers[:, None] < 0, -1, np.eye(5)[numbers]).astype(dtype)
    path = save_npz(tmp_path, both(rows), {})
    if max(labels) < 0:
        with pytest.raises(EdkitError, match=r"x': expected labels, found none"):
            load(path)
        return
    data = load(path)
    assert data.fields["x"] == Field((), "class", tuple("01234"), partial=min(labels) < 0)
    np.testing.assert_array_equal(data.splits["train"]["x"], numbers)
    if set(labels) == {-1, 1}:  # alone they are two classes
        return
    plain = load(save_npz(tmp_path, both(numbers), {}))
    np.testing.assert_array_equal(plain.splits["test"]["x"], numbers)
    assert plain.fields["x"].partial == (min(labels) < 0)
    assert len(plain.fields["x"].classes) == max(labels) + 1


def test_hdf5_is_read_when_it_is_sliced(tmp_path: Path) -> None:
    path = save_hdf5(tmp_path, both(RANDOM.integers(0, 256, (50, 8, 8, 3), dtype="uint8")), {})
    image = load(path).splits["train"]["x"]
    assert isinstance(image.array, h5py.Dataset)
    assert image[10:12].shape == (2, 8, 8, 3)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({}, "expected arrays SPLIT/FIELD or FIELD, found none"),
        ({"train/a": [1], "test/a": np.zeros(0)}, "'a' is left out: expected samples, found none"),
        ({"a": [1, 2], "train/a": [1]}, "expected FIELD alone, or train/FIELD"),
        ({"train/a": [1, 2]}, "expected FIELD alone, or train/FIELD"),
        ({"train/a": [1], "test/b": [1]}, "expected the same fields in all splits, but not 'a'"),
        ({"a b": [1, 2]}, "of letters, digits and _; found 'a b'"),
        ({"a": 3}, "array 'a': expected (samples, ...), found a single number"),
        ({"a": np.zeros((2, 2), complex)}, "array 'a': expected numbers, found complex128"),
        ({"label": [0, -2]}, "array 'label': expected labels 0, 1, ... or -1 for none, found -2"),
        ({"label": [0, 0.5]}, "found 0.5 in sample 1"),
        ({"label": [0, np.inf]}, "found inf in sample 1"),
        ({"label": [0, 10**9]}, "found 1000000000 in sample 1"),
        ({"label": [-1, -1]}, "expected labels, found none"),
        ({"label": [[0, 1], [1, 1]]}, "expected rows with a single 1, or of -1 alone"),
        ({"image": np.full((3, 3, 3, 1), -9)}, "found int64 from -9 to -9: say which numbers are"),
        ({"image": np.zeros((3, 4), "uint8")}, "expected 4 axes for kind image"),
        ({"x": np.zeros((2,) * 6, "uint8")}, "expected 1 to 5 axes, found 6"),
        (
            {"train/x": np.zeros((2, 3, 1)), "test/x": np.zeros((2, 4, 1))},
            "array 'test/x': expected samples of shape (3, 1) as in the other split, found (4, 1)",
        ),
    ],
)
def test_what_does_not_fit_is_one_line(save: Save, named: dict[str, Any], message: str) -> None:
    path = save(named)
    with pytest.raises(EdkitError, match=re.escape(message)) as caught:
        load(path)
    assert str(caught.value).startswith(f"'{path}'")
    assert "\n" not in str(caught.value)


def test_stated_facts_are_checked(save: Save) -> None:
    with pytest.raises(EdkitError, match=r"kind is image, video, .*; found 'picture'"):
        load(save({"a": [1, 2]}, a={"kind": "picture"}))
    with pytest.raises(EdkitError, match=r"expected labels from 0 to 0, found 2"):
        load(save({"a": [1, 2]}, a={"classes": np.array(["one"], "S")}))


class Trap:
    """Unpickling it would be a crime."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return exec, ("raise SystemExit('unpickled')",)


def archive(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in files.items():
            file.writestr(name.replace("_", "."), content)
    return buffer.getvalue()


def npy(array: Any, **options: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, **options)
    return buffer.getvalue()


HUGE = npy(np.zeros(4)).replace(b"(4,), }", b"(40000000000000,), }"[: 7 + 13])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"text", id="text"),
        pytest.param(archive(a_npy=npy(np.zeros(3)))[:-30], id="cut_zip"),
        pytest.param(archive(a_npy=b"no array"), id="no_array"),
        pytest.param(archive(a_npy=npy(np.zeros(100))[:200]), id="cut_array"),
        pytest.param(archive(a_npy=npy(np.array([Trap()], object))), id="pickle"),
        pytest.param(archive(a_npy=HUGE), id="huge"),
        pytest.param(archive(a_txt=b"x"), id="other_file"),
        pytest.param(b"\x89HDF\r\n\x1a\n" + bytes(500), id="hdf5_signature"),
    ],
)
def test_a_hostile_or_wrong_file_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(EdkitError) as caught:
        load(path)
    assert re.fullmatch(rf"'{path}'( cannot be read|, array 'a.*'): [^\n]*\.", str(caught.value))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (archive(a_npy=npy(np.zeros(3)))[:-30], "a zip archive that is cut off: fetch"),
        (archive(data_pkl=b"x", version=b"3"), "a zip archive of data.pkl, version: save"),
        (b"\x1f\x8b\x08", "what gzip packed: unpack it first"),
        (b"<!DOCTYPE html>", "a page of the web or XML: fetch the file itself"),
        (b"a,b\n1,2\n", "text: tables of numbers are read as signals:FILE.csv"),
        (b"MATLAB 5.0 MAT-file", "what MATLAB wrote: let its name end in .mat"),
    ],
)
def test_a_file_of_another_kind_is_named(tmp_path: Path, content: bytes, found: str) -> None:
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(EdkitError, match=f"found {found}"):
        load(path)


def spoil_link(file: h5py.File, folder: Path) -> None:
    with h5py.File(folder / "other.h5", "w") as other:
        other["b"] = np.arange(5)
    file["b"] = h5py.ExternalLink(str(folder / "other.h5"), "b")


def spoil_soft(file: h5py.File, _: Path) -> None:
    file["b"] = h5py.SoftLink("/a")


def spoil_external(file: h5py.File, folder: Path) -> None:
    (folder / "secret").write_bytes(bytes(40))
    file.create_dataset("b", (5,), "i8", external=[(str(folder / "secret"), 0, 40)])


def spoil_virtual(file: h5py.File, _: Path) -> None:
    layout = h5py.VirtualLayout((5,), "i8")
    layout[:] = h5py.VirtualSource(file["a"])
    file.create_virtual_dataset("b", layout)


def spoil_size(file: h5py.File, _: Path) -> None:
    file.create_dataset("b", (10**12, 100), "u1", chunks=(1000, 100))


def spoil_filter(file: h5py.File, _: Path) -> None:
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((5,))
    plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL)
    space = h5py.h5s.create_simple((5,))
    h5py.h5d.create(file.id, b"b", h5py.h5t.IEEE_F32LE, space, plist)


def spoil_depth(file: h5py.File, _: Path) -> None:
    file["b/c/d"] = np.arange(5)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_link, "it is a link, which is not followed"),
        (spoil_soft, "it is a link, which is not followed"),
        (spoil_external, "it is stored in another file, which is not read"),
        (spoil_virtual, "it is stored in another file, which is not read"),
        (spoil_size, "it says (1000000000000, 100), more than there is memory"),
        (spoil_depth, "it is a group in a group"),
        (spoil_filter, "it is packed by the filter number 32015: write it with compression='gzip'"),
    ],
)
def test_hdf5_is_read_from_its_own_file_alone(tmp_path: Path, spoil: Any, message: str) -> None:
    with h5py.File(tmp_path / "my.h5", "w") as file:
        file["a"] = np.arange(5)
        spoil(file, tmp_path)
    data = load(tmp_path / "my.h5")
    assert set(data.fields) == {"a"}
    left = next(one for one in data.input.findings if one.left_out)
    assert left.text.startswith(message)
    assert left.about == ("c" if spoil is spoil_depth else "b")
    with h5py.File(tmp_path / "my.h5", "r+") as file:
        del file["a"]
    with pytest.raises(EdkitError, match=re.escape(message)):
        load(tmp_path / "my.h5")


def test_hdf5_that_never_opens_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save_hdf5(tmp_path, both(np.arange(4)), {})
    monkeypatch.setattr(hdf5, "_SECONDS", 1e-6)  # over before it is looked at
    with pytest.raises(ValueError, match="it could not be opened within 0 seconds"):
        hdf5.try_hdf5(path)


def test_a_slow_start_of_the_process_is_no_fault_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_hdf5(tmp_path, both(np.arange(4)), {})
    (tmp_path / "sitecustomize.py").write_text("import time\ntime.sleep(2.5)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(hdf5, "_SECONDS", 2.0)
    assert load(path).splits["train"]["x"].shape == (4,)


def test_damaged_hdf5_never_harms_this_process(tmp_path: Path) -> None:
    content = save_hdf5(tmp_path, both(np.arange(400.0)), {}).read_bytes()
    path = tmp_path / "bad.h5"
    refused = 0
    for seed in range(8):
        random = np.random.default_rng(seed)
        spoilt = bytearray(content)
        for place in random.integers(8, len(content), 60):
            spoilt[place] = random.integers(256)
        path.write_bytes(spoilt)
        try:
            load(path)
        except EdkitError:
            refused += 1
    assert refused


def test_a_file_that_is_not_there_or_not_named_is_one_line(tmp_path: Path) -> None:
    for text, message in {
        "arrays": "data set 'arrays' needs an npz, npy, HDF5 or MATLAB file: arrays:FILE.npz",
        f"arrays:{tmp_path}/none.npz": "expected an npz, npy, HDF5 or MATLAB file, found none",
        f"arrays:{tmp_path}": "expected an npz, npy, HDF5 or MATLAB file, found a folder",
    }.items():
        with pytest.raises(EdkitError, match=message):
            load_data(text)


@pytest.mark.parametrize("splits", [True, False])
def test_samples_of_a_group_stay_together(tmp_path: Path, splits: bool) -> None:
    """Frames of one film: whole films are tested and validated on."""
    film = np.repeat(np.arange(20), 6)
    named = {"image": film[:, None, None, None].astype("uint8") * np.ones((1, 4, 4, 1), "uint8")}
    named["group"] = film
    if splits:
        named = {f"{split}/{name}": a for split in ("train", "test") for name, a in named.items()}
    np.savez(tmp_path / "a.npz", **named)
    data = select(load_data(f"arrays:{tmp_path / 'a.npz'}"), (), {})
    assert set(data.fields) == {"image"}
    parts = {
        split: {int(one) for one in np.unique(np.round(np.asarray(arrays["image"][:]) * 255))}
        for split, arrays in data.splits.items()
    }
    assert len(parts["validation"]) == 2
    assert not parts["train"] & parts["validation"]
    assert splits or not parts["test"] & (parts["train"] | parts["validation"])


def test_a_group_that_is_none_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", image=np.zeros((5, 4, 4, 1), "uint8"), group=np.zeros((5, 2)))
    with pytest.raises(EdkitError, match="which group it belongs to"):
        load_data(f"arrays:{tmp_path / 'a.npz'}")


def test_rows_of_a_turned_array_are_unpacked_a_chunk_at_a_time(tmp_path: Path) -> None:
    numbers = np.arange(4 * 5 * 900, dtype="float32").reshape(4, 5, 900)
    with h5py.File(tmp_path / "some.h5", "w") as file:
        file.create_dataset("x", data=numbers, chunks=(2, 3, 100))
    with h5py.File(tmp_path / "some.h5") as file:
        view = LazyView(file["x"], order=(2, 1, 0))
        rows = Rows(view, np.arange(0, 900, 3))
        assert chunk_of(file["x"]) == 2
        assert [chunk_of(array) for array in (view, LazyView(view), rows)] == [100] * 3
        assert np.array_equal(rows[:], numbers.transpose(2, 1, 0)[::3])
