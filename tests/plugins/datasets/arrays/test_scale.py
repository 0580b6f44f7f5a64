"""Scale of the numbers of other programs: inferred and said, or asked for."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support.arrays import CLASSES, RANDOM, N, everything, load, pictures, said, save_hdf5, save_npz

from ed_core import EdkitError
from ed_core.data.checks import check_data, check_values
from ed_core.data.lazy import is_checked
from ed_core.data.preparation import as_trained, prepared
from ed_core.plugins.spec import InputRecord
from ed_core.testing import check_dataset
from ed_plugins.datasets._lazy import LazyView

pytestmark = pytest.mark.usefixtures("no_child")


def _float(low: float, high: float) -> np.ndarray:
    array = RANDOM.uniform(low, high, (N, 8, 8, 1)).astype("float32")
    array.flat[0], array.flat[1] = low, high
    return array


SCALES: dict[str, tuple[np.ndarray, float, float, str]] = {
    "bytes": (pictures(8, 8, 1), 0, 255, ""),
    "dark bytes": (pictures(8, 8, 1, high=20), 0, 255, ""),
    "very dark bytes": (pictures(8, 8, 1, high=9), 0, 255, "range=image:0..8"),
    "0 and 1": (pictures(8, 8, 1, high=2), 0, 1, "bits=8"),
    "10 bits": (pictures(8, 8, 1, high=1000, dtype="uint16"), 0, 1023, "bits=16"),
    "12 bits": (pictures(8, 8, 1, high=4096, dtype="uint16"), 0, 4095, "bits=16"),
    "12 bits of int32": (pictures(8, 8, 1, high=4096, dtype="int32"), 0, 4095, "bits=16"),
    "16 bits": (pictures(8, 8, 1, high=40000, dtype="uint16"), 0, 65535, ""),
    "0..4080": (16.0 * pictures(8, 8, 1), 0, 4095, "range=0..4080"),
    "0..1": (_float(0, 1), 0, 1, ""),
    "-1..1": (_float(-1, 1), -1, 1, "range=0..1"),
    "bytes as floats": (pictures(8, 8, 1).astype("float32"), 0, 255, "range=0..255"),
}


@pytest.mark.parametrize("case", SCALES)
def test_scale_is_that_of_the_numbers(case: str, tmp_path: Path) -> None:
    array, low, high, option = SCALES[case]
    path = save_npz(tmp_path, {"image": array})
    data = load(path)
    right = (array.astype("float64") - low) / (high - low)
    np.testing.assert_allclose(everything(data, "image"), right, atol=1e-6)
    assert [one for _, one in said(data, "image")] == [option] * bool(option)
    if option:  # what is said to have it otherwise does so, and says nothing more
        name, _, value = option.partition("=")
        other = load(path, **{name: int(value) if name == "bits" else value})
        assert not [text for text, _ in said(other, "image") if "beyond" not in text]


def test_numbers_a_hair_beyond_are_cut_and_counted(tmp_path: Path) -> None:
    array = _float(0, 1)
    array[3, 0, 0, 0], array[4, 0, 0, 0] = 1.0000002, -1e-6
    data = load(save_npz(tmp_path, {"image": array}))
    found = everything(data, "image")
    assert (found.min(), found.max()) == (0, 1)
    np.testing.assert_allclose(found, array, atol=2e-6)
    assert said(data, "image")[0][0] == "2 numbers a hair beyond 0..1 are cut"


@pytest.mark.parametrize(
    ("array", "option"),
    [
        (_float(-2, 2), {"range": "-2..2"}),
        (_float(0, 3.5), {"range": "image:0..3.5"}),
        (_float(-0.5, 0.5), {"range": "-.5..0.5"}),
        (pictures(8, 8, 1, high=17).astype("float32"), {"range": "0..16"}),
        (pictures(8, 8, 1, high=100, dtype="uint16"), {"bits": 8}),
        (pictures(8, 8, 1, high=2000, dtype="int16") - 1000, {"range": "-1000..999"}),
        (pictures(8, 8, 1, high=2**20, dtype="int32"), {"range": "0..1048575"}),
    ],
)
def test_a_scale_that_may_be_another_is_asked_for(
    array: np.ndarray, option: dict[str, Any], tmp_path: Path
) -> None:
    path = save_npz(tmp_path, {"image": array, "label": CLASSES})
    with pytest.raises(EdkitError, match=r"say which numbers are black and white, range=LOW..HIGH"):
        load(path)
    found = everything(load(path, **option), "image")
    assert found.min() >= 0
    assert 0.3 < found.max() <= 1


def test_beyond_a_stated_range_is_cut_and_bits_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    array = pictures(8, 8, 1, high=4096, dtype="uint16")
    path = save_npz(tmp_path, {"image": array})
    data = load(path, range="100..200")
    np.testing.assert_allclose(
        everything(data, "image"), np.clip((array - 100.0) / 100, 0, 1), atol=1e-6
    )
    assert "numbers beyond 100..200 are cut" in said(data, "image")[0][0]
    with pytest.raises(EdkitError, match=r"bits=10 is for numbers from 0 to 1023, found 0 to 4095"):
        load(path, bits=10)
    with pytest.raises(EdkitError, match="found uint8: leave bits out, or say range=image:"):
        load(save_npz(tmp_path, {"image": array.astype("uint8")}), bits=10)


@pytest.mark.parametrize(
    ("train", "test", "options"),
    [("uint8", "uint16", {"range": "x:0..255"}), ("uint8", "float32", {"range": "x:0..255"})],
)
def test_splits_of_two_types_have_one_scale_or_are_refused(
    train: str, test: str, options: dict[str, Any], tmp_path: Path
) -> None:
    images = pictures(8, 8, 1)
    path = save_npz(tmp_path, {"x_train": images.astype(train), "x_test": images.astype(test)})
    with pytest.raises(EdkitError, match="save both alike, or, if their numbers mean the same, s"):
        load(path)
    for split in load(path, **options).splits.values():
        np.testing.assert_allclose(split["image"][:], images / 255, rtol=1e-6)


def test_splits_whose_depths_seem_to_differ_are_said(tmp_path: Path) -> None:
    image = pictures(8, 8, 1, high=4096, dtype="uint16")
    data = load(save_npz(tmp_path, {"x_train": image, "x_test": image * 16}))
    assert "splits are 4,095, 65,520" in said(data, "image")[0][0]


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_numbers_are_read_once_and_a_bad_one_is_found(
    dtype: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = pictures(8, 8, 3, high=2 if dtype == "float32" else 200, dtype=dtype)
    arrays = {f"{split}/{n}": image for split in ("train", "val") for n in ("image", "depth")}
    path = save_hdf5(tmp_path, arrays)
    data = load(path, kind="depth:value")
    for name in ("image", "depth"):
        assert is_checked(data.splits["train"][name])
        check_values(data.splits["train"][name], data.fields[name], name)
    with monkeypatch.context() as patched:
        patched.setattr(LazyView, "__getitem__", lambda *_: pytest.fail("it is read again"))
        check_data(data, "my", ["image", "depth"], [])
    if dtype == "float32":
        arrays["val/image"] = np.where(np.arange(3) == 2, np.nan, image)
        arrays["val/depth"] = arrays["val/image"]
        data = load(save_hdf5(tmp_path, arrays), kind="depth:value", range="image:0..1")
        assert said(data, "depth")[0][0].endswith(" of NaN are no value")
        for name in ("image", "depth"):
            with pytest.raises(EdkitError, match=f"my/validation/{name}: sample 0 holds nan; exp"):
                check_data(data, "my", [name], [])


@pytest.mark.parametrize("kind", ["image", "value", "signal", "label"])
def test_a_damaged_piece_is_named_before_training(kind: str, tmp_path: Path) -> None:
    shape = {"image": (8, 8, 3), "value": (8, 8), "signal": (64,), "label": ()}[kind]
    array = pictures(*shape, high=250).astype("uint8" if kind in ("image", "label") else "float32")
    with h5py.File(tmp_path / "my.h5", "w") as file:
        for split in ("train", "val"):
            name = f"{split}/{kind}"
            piece = file.create_dataset(
                name, data=array, chunks=(5, *shape), compression="gzip", fletcher32=True
            )
        place = piece.id.get_chunk_info(2).byte_offset
    with (tmp_path / "my.h5").open("r+b") as raw:
        raw.seek(place)
        raw.write(b"\xff" * 8)
    with pytest.raises(EdkitError, match=rf"my.h5', array 'val/{kind}' cannot be read: it is dam"):
        check_data(
            load(tmp_path / "my.h5", kind=f"{kind}:{kind}".replace(":label", ":class")),
            "my",
            [kind],
            [],
        )


def test_classes_that_are_never_trained_on_are_said(tmp_path: Path) -> None:
    arrays = {"x_train": pictures(8, 8), "x_test": pictures(8, 8), "y_train": CLASSES}
    data = load(save_npz(tmp_path, arrays | {"y_test": CLASSES + 1}))
    assert said(data, "label") == [("3 in other splits alone, never in 'y_train'", "")]


@pytest.mark.parametrize("save", [save_npz, save_hdf5])
@pytest.mark.parametrize(("void", "dtype"), [(-9999, "float64"), (65535, "uint16")])
def test_what_stands_for_no_value_is_asked_about(
    void: int, dtype: str, save: Callable[..., Path], tmp_path: Path
) -> None:
    height = pictures(6, 6, high=90).astype(dtype)
    height[:, 0] = void
    path = save(tmp_path, {"height": height, "image": pictures(6, 6, 3)})
    left = said(load(path, kind="height:value", ignore="height:7"), "height")
    assert not left  # 7 is none where the user says so, and 65535 a number
    with pytest.raises(EdkitError, match=f"say ignore=height:{void} if it is none, ignore=h"):
        load(path, kind="height:value")
    data = load(path, kind="height:value", ignore=f"height:{void}")
    assert data.fields["height"].partial
    right = np.where(height == void, np.nan, height)
    np.testing.assert_array_equal(everything(data, "height").reshape(height.shape), right)
    zero = save(tmp_path, {"height": np.where(height == void, 0, height + 700)})
    (text, option) = said(load(zero, kind="height:value"), "height")[-1]
    assert text.startswith("0 is a value, though the other numbers are 700 to 789")
    assert load(zero, kind="height:value", ignore=option[7:]).fields["height"].partial
    lost = save(tmp_path, {"height": np.where(height == void, np.inf, height)})
    with pytest.raises(EdkitError, match="found 180 infinite ones: write NaN where there is no"):
        load(lost, kind="height:value")
    path = save(tmp_path, {"height": height, "image": pictures(6, 6, 3)})
    data = load(path, kind="height:value", ignore="height:none")
    np.testing.assert_array_equal(everything(data, "height").reshape(height.shape), height)


def test_images_of_another_file_are_read_on_the_scale_of_the_run(tmp_path: Path) -> None:
    """A darker file would be brightened by its own largest number."""
    bright = pictures(8, 8, 1, high=4096, dtype="uint16")
    run = prepared(load(save_npz(tmp_path, {"image": bright})), InputRecord())
    np.testing.assert_allclose(everything(run, "image"), bright / 4095, rtol=1e-5)
    for other, white, options in (
        (bright // 8, 4095, {}),
        (bright // 8, 1023, {"bits": 10}),
        ((bright // 16).astype("uint8"), 255, {}),
        (bright / 4096, 1, {}),
    ):
        data = load(save_npz(tmp_path, {"image": other}), **options)
        data = as_trained(data, run.fields, run.input, run.preparation)
        np.testing.assert_allclose(everything(data, "image"), other / white, rtol=1e-5)
    data = load(save_npz(tmp_path, {"image": bright * 15}))
    with pytest.raises(EdkitError, match="goes beyond 4095, which was white in what the run was"):
        everything(as_trained(data, run.fields, run.input, run.preparation), "image")
    check_dataset("arrays", path=str(save_npz(tmp_path, {"image": bright, "label": CLASSES})))
