"""Arrays of other programs: what is inferred is said; what may be read in two ways is refused."""

from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from ed_core import Dataset, EdkitError
from ed_core.data.checks import check_data, check_values
from ed_core.data.lazy import is_checked
from ed_core.data.preparation import as_trained, prepared
from ed_core.plugins.options import FilePath
from ed_core.plugins.spec import InputRecord
from ed_core.testing import check_dataset
from ed_plugins.datasets._lazy import LazyView
from ed_plugins.datasets.arrays.loader import arrays

RANDOM = np.random.default_rng(0)
N = 30
CLASSES = np.arange(N) % 3
Named = dict[str, np.ndarray]


def load(path: Path, **options: Any) -> Dataset:
    return arrays(path=FilePath(str(path)), **options)


def save_npz(folder: Path, named: Named) -> Path:
    np.savez_compressed(folder / "my.npz", **named)
    return folder / "my.npz"


def save_hdf5(folder: Path, named: Named) -> Path:
    path = folder / f"my{len(list(folder.iterdir()))}.h5"  # what is loaded stays open
    with h5py.File(path, "w") as file:
        for name, array in named.items():
            file[name] = array.astype(object) if array.dtype.kind == "U" else array
    return path


def save_mat(folder: Path, named: Named) -> Path:
    scipy.io.savemat(folder / "my5.mat", named)
    return folder / "my5.mat"


def save_mat73(folder: Path, named: Named) -> Path:
    """Write what MATLAB writes with -v7.3: axes in the opposite order, and a block before HDF5."""
    path = folder / f"my{len(list(folder.iterdir()))}.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in named.items():
            file[name] = (array[:, None] if array.ndim == 1 else array).T
            kind = {"float64": "double", "float32": "single"}.get(array.dtype.name)
            file[name].attrs["MATLAB_class"] = np.bytes_(kind or array.dtype.name)
        file["#refs#/a"] = np.arange(3)
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file".ljust(128))
    return path


SAVES = [save_npz, save_hdf5, save_mat, save_mat73]


@pytest.fixture(autouse=True)
def no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process for each of these files takes time, and has tests of its own."""
    monkeypatch.setattr("ed_plugins.datasets.arrays.files.try_hdf5", lambda _: None)


def everything(data: Dataset, name: str) -> np.ndarray:
    """Return the samples of a field in the order of the file."""
    if data.whole is not None:
        return np.asarray(data.whole[name][:])
    return np.concatenate([np.asarray(split[name][:]) for split in data.splits.values()])


def said(data: Dataset, about: str) -> list[tuple[str, str]]:
    return [(one.text, one.option) for one in data.input.findings if one.about == about]


def pictures(*shape: int, high: int = 256, dtype: str = "uint8") -> np.ndarray:
    array = RANDOM.integers(0, high, (N, *shape)).astype(dtype)
    array.flat[0], array.flat[1] = high - 1, 0
    return array


@pytest.mark.parametrize("save", SAVES)
@pytest.mark.parametrize("order", ["NHWC", "NCHW", "HWCN"])
@pytest.mark.parametrize("channels", [1, 3, 7])
def test_axes_that_can_be_read_in_one_way_are_turned(
    save: Callable[..., Path], order: str, channels: int, tmp_path: Path
) -> None:
    right = pictures(16, 20, channels)
    array = right.transpose([*map("NHWC".index, order)])
    path = save(tmp_path, {"image": array, "label": CLASSES[:, None].astype("uint8")})
    data = load(path)
    np.testing.assert_allclose(everything(data, "image"), right / 255, rtol=1e-6)
    np.testing.assert_array_equal(everything(data, "label"), CLASSES)
    rows = np.array([1, 4, 5, 11])
    whole = data.whole
    assert whole is not None
    np.testing.assert_allclose(whole["image"][rows], right[rows] / 255, rtol=1e-6)
    np.testing.assert_allclose(whole["image"][7], right[7] / 255, rtol=1e-6)
    turned = [option for _, option in said(data, "image")]
    assert turned == ([] if order == "NHWC" else ["axes=NHWC"])


@pytest.mark.parametrize(
    ("shape", "beside", "found"),
    [
        ((5, 6, 7), {"mask": (6, 7)}, (6, 7, 5)),
        ((6, 7, 5), {"mask": (6, 7)}, (6, 7, 5)),
        ((3, 3, 3), {"mask": (3, 3), "elevation": (1, 3, 3)}, None),
        ((6, 16, 6), {}, None),
        ((16, 17, 18), {}, None),
        ((3, 16, 3), {}, None),
    ],
)
def test_maps_decide_which_axis_holds_the_channels(
    shape: tuple[int, ...], beside: dict[str, tuple[int, ...]], found: Any, tmp_path: Path
) -> None:
    named = {name: pictures(*one, high=3) for name, one in beside.items()}
    path = save_npz(tmp_path, {"image": pictures(*shape), **named})
    if found:
        assert load(path).fields["image"].shape == found
        return
    with pytest.raises(EdkitError, match=r"two axes or none may hold them: say axes=LETTERS, such"):
        load(path)
    assert load(path, axes="image:NCHW").fields["image"].shape == (*shape[1:], shape[0])


@pytest.mark.parametrize("save", SAVES)
@settings(max_examples=12, suppress_health_check=[*HealthCheck], deadline=None)
@given(
    st.tuples(st.integers(2, 9), *[st.integers(1, 9)] * 3),
    st.sampled_from([*permutations("NHWC")]),
    st.sampled_from(["uint8", "uint16", "float32", "float16"]),
)
def test_stated_axes_read_back_equal_in_any_order(
    save: Callable[..., Path], tmp_path: Path, shape: Any, order: Any, dtype: str
) -> None:
    array = RANDOM.random(shape)
    white = np.iinfo(dtype).max if dtype[0] == "u" else 1
    array = (array * white).astype(dtype)
    array.flat[0] = white
    assume(dtype != "float16" or save is not save_mat73)  # which MATLAB has not
    assume(min(shape) > 1 or save in (save_npz, save_hdf5))  # MATLAB keeps no last axis of one
    letters = "".join(order)
    path = save(tmp_path, {"image": array.transpose([*map("NHWC".index, order)])})
    found = everything(load(path, axes=letters, bits=8 * (white > 1) * array.itemsize), "image")
    np.testing.assert_allclose(found, array.astype("float64") / white, rtol=1e-3)


@pytest.mark.parametrize("save", SAVES)
@settings(max_examples=15, suppress_health_check=[*HealthCheck], deadline=None)
@given(
    st.integers(5, 40),
    st.integers(1, 40),
    st.integers(1, 40),
    st.integers(1, 5),
    st.sampled_from(["NHWC", "NCHW", "HWCN"]),
)
def test_no_order_is_read_wrongly_in_silence(
    save: Callable[..., Path], tmp_path: Path, n: int, h: int, w: int, c: int, order: str
) -> None:
    """Equal, or refused with `axes=`, or turned otherwise and said."""
    array = RANDOM.integers(0, 256, (n, h, w, c)).astype("uint8")
    array.flat[0] = 255
    path = save(tmp_path, {"image": array.transpose([*map("NHWC".index, order)])})
    try:
        data = load(path)
    except EdkitError as error:
        refusal = str(error)
        assume("axes=" not in refusal and "axes for kind image" not in refusal)
        raise
    found = everything(data, "image")
    if said(data, "image") or found.shape != array.shape:
        assert said(data, "image") or order != "NHWC"
    else:
        np.testing.assert_allclose(found, array / 255, rtol=1e-6)


VIDEO = pictures(6, 9, 11, 3)


@pytest.mark.parametrize("order", ["NTHWC", "NTCHW", "NCTHW", "HWCTN"])
def test_videos_are_turned_alike(order: str, tmp_path: Path) -> None:
    array = VIDEO.transpose([*map("NTHWC".index, order)])
    data = load(save_npz(tmp_path, {"video": array, "label": CLASSES}))
    np.testing.assert_allclose(everything(data, "video"), VIDEO / 255, rtol=1e-6)
    grey = VIDEO[..., 0].transpose([*map("NTHW".index, "HWTN" if order[-1] == "N" else "NTHW")])
    data = load(save_npz(tmp_path, {"video": grey, "label": CLASSES}))
    np.testing.assert_allclose(everything(data, "video"), VIDEO[..., :1] / 255, rtol=1e-6)


def test_floats_beside_images_of_their_size_are_maps_of_values(tmp_path: Path) -> None:
    depth = RANDOM.normal(size=(N, 16, 20)).astype("float32")
    for order in ("NHWC", "NCHW"):
        image = pictures(16, 20, 3).transpose([*map("NHWC".index, order)])
        data = load(save_npz(tmp_path, {"image": image, "elevation": depth}))
        assert data.fields["elevation"].words == "value (16, 20, 1)"
        np.testing.assert_array_equal(everything(data, "elevation")[..., 0], depth)


def test_videos_whose_time_may_come_first_are_asked_about(tmp_path: Path) -> None:
    path = save_npz(tmp_path, {"video": pictures(2, 4, 5).transpose(1, 0, 2, 3)})
    with pytest.raises(EdkitError, match="say axes=video:TNHW if time comes first, axes=video:NT"):
        load(path)
    assert load(path, axes="video:TNHW").fields["video"].shape == (2, 4, 5, 1)
    assert load(path, axes="video:NTHW").fields["video"].shape == (N, 4, 5, 1)


def test_frames_of_no_colour_are_a_video_where_time_is_said(tmp_path: Path) -> None:
    for name, frames in (("images", pictures(8, 8, 8)), ("film", pictures(40, 16, 16)[:10])):
        path = save_npz(tmp_path, {f"train_{name}": frames, f"test_{name}": frames[:5]})
        with pytest.raises(EdkitError, match=r"say axes=LETTERS, .* axes=\w+:NTHW of videos"):
            load(path)
        (field,) = load(path, axes=f"{name}:NTHW").fields.values()
        assert field.words == f"video {(*frames.shape[1:], 1)}"


@pytest.mark.parametrize(
    ("kind", "shape", "letters"), [("image", (8, 8, 3), "NTHW"), ("video", (5, 8, 8), "NHWC")]
)
def test_letters_of_another_kind_are_refused(
    kind: str, shape: tuple[int, ...], letters: str, tmp_path: Path
) -> None:
    path = save_npz(tmp_path, {"x": pictures(*shape)})
    with pytest.raises(EdkitError, match=f"T for kind {kind}, received {letters}"):
        load(path, kind=f"x:{kind}", axes=f"x:{letters}")


def test_columns_are_the_samples_only_where_rows_cannot_be(tmp_path: Path) -> None:
    """A table of pandas lies beside its index, and beside the names of its columns twice."""
    names = np.array(["a", "b"])
    table = {"values": RANDOM.normal(size=(N, 2)), "index": np.arange(N), "a": names, "b": names}
    path = save_npz(tmp_path, table)
    with pytest.raises(EdkitError, match="say axes=values:NT if its rows are the samples, axes=va"):
        load(path)
    assert load(path, axes="values:NT").fields["values"].shape == (2, 1)
    assert load(path, axes="values:TN").fields["values"].shape == (N, 1)


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


def test_named_numbers_of_hdf5_are_classes(tmp_path: Path) -> None:
    path = save_hdf5(tmp_path, {"image": pictures(8, 8, 1)})
    kinds = h5py.enum_dtype({"emu": 2, "cat": 0, "dog": 1}, basetype="u1")
    with h5py.File(path, "a") as file:
        file.create_dataset("what", data=CLASSES, dtype=kinds)
    assert load(path).fields["what"].classes == ("cat", "dog", "emu")


NONE = np.where(np.arange(N) % 2, CLASSES, 255)
TEXTS = np.array(["emu", "cat", ""])
LABELS: dict[str, tuple[np.ndarray, tuple[str, ...], np.ndarray, str]] = {
    "255": (NONE.astype("uint8"), ("0", "1", "2"), np.where(NONE == 255, -1, NONE), "ignore=none"),
    "255 of int64": (NONE, ("0", "1", "2"), np.where(NONE == 255, -1, NONE), "ignore=none"),
    "65535": (np.where(NONE == 255, 65535, NONE).astype("uint16"), ("0", "1", "2"),
              np.where(NONE == 255, -1, NONE), ""),
    "NaN": (np.where(NONE == 255, np.nan, NONE), ("0", "1", "2"), np.where(NONE == 255, -1, NONE),
            ""),
    "-1, 0, 1": (CLASSES - 1, ("0", "1"), CLASSES - 1, "ignore=none"),
    "from 1": (CLASSES + 1, ("0", "1", "2", "3"), CLASSES + 1, ""),
    "-1 and 1": (np.where(CLASSES, 1, -1), ("-1", "1"), np.where(CLASSES, 1, 0), "ignore=-1"),
    "0 and 255": (np.where(CLASSES, 255, 0), ("0", "255"), np.where(CLASSES, 1, 0), "ignore=255"),
    "texts": (TEXTS[CLASSES], ("cat", "emu"), np.array([1, 0, -1])[CLASSES], ""),
    "bytes": (np.array([b"b", b"a", b"c"])[CLASSES], ("a", "b", "c"), np.array([1, 0, 2])[CLASSES],
              ""),
    "column": (CLASSES.reshape(N, 1, 1, 1), ("0", "1", "2"), CLASSES, "-"),
}  # fmt: skip


@pytest.mark.parametrize("save", [save_npz, save_hdf5])
@pytest.mark.parametrize("case", LABELS)
def test_labels_are_those_that_are_meant(
    case: str, save: Callable[..., Path], tmp_path: Path
) -> None:
    array, classes, right, option = LABELS[case]
    path = save(tmp_path, {"image": pictures(8, 8, 1), "label": array})
    data = load(path)
    assert data.fields["label"].classes == classes
    assert data.fields["label"].partial == bool((right < 0).any())
    np.testing.assert_array_equal(everything(data, "label"), right)
    assert bool(said(data, "label")) == (option != "-")
    if "=" in option:
        assert option in [one for _, one in said(data, "label")]
        other = load(path, ignore=option.partition("=")[2])
        assert (everything(other, "label") != right).any()


def test_pixels_of_255_are_none_or_a_class_or_asked_for(tmp_path: Path) -> None:
    grey = np.choose(pictures(8, 8, high=3), [0, 128, 255]).astype("uint8")
    path = save_npz(tmp_path, {"image": pictures(8, 8, 3), "mask": grey})
    with pytest.raises(EdkitError, match="say ignore=255 if 255 marks what has no label, ignore=n"):
        load(path)
    assert load(path, ignore="255").fields["mask"].partial
    assert len(load(path, ignore="mask:none").fields["mask"].classes) == 256
    for order in ("NHWC", "NCHW"):
        rows = np.eye(5, dtype="uint8")[pictures(10, 12, high=5)]
        path = save_npz(
            tmp_path, {"mask": rows.transpose([*map("NHWC".index, order)]), "label": CLASSES}
        )
        np.testing.assert_array_equal(everything(load(path), "mask"), rows.argmax(-1))


@pytest.mark.parametrize(
    ("name", "array", "message", "option"),
    [
        (
            "label",
            CLASSES * 40 - 60,
            "found -60 in sample 0; if they are values, say",
            "value",
        ),
        ("label", CLASSES * 99999, "found 99999 in sample 1; if they are values, say", "value"),
        ("mask", pictures(8, 8, 3), "in row 0; say kind=mask:image if they are no", "image"),
        ("image", pictures(4, 8, 8, 3), "say kind=image:video", "video"),
        ("frames", pictures(8, 8), "say kind=frames:image or kind=frames:class", "image"),
        ("key", np.arange(N).astype(str), "say kind=key:class if they are classes", "class"),
    ],
)
def test_the_kind_that_a_message_names_is_taken(
    name: str, array: np.ndarray, message: str, option: str, tmp_path: Path
) -> None:
    path = save_npz(tmp_path, {name: array})
    with pytest.raises(EdkitError, match=message):
        load(path)
    assert load(path, kind=f"{name}:{option}").fields[name].kind == option


def test_whole_degrees_are_said_to_be_classes_and_are_values_where_asked(tmp_path: Path) -> None:
    path = save_npz(tmp_path, {"image": pictures(8, 8, 1), "angle": np.arange(N) * 9})
    data = load(path)
    text = "262 classes, unless they are values: 232 of them never occur"
    assert (text, "kind=angle:value") in said(data, "angle")
    data = load(path, kind="angle:value")
    assert data.fields["angle"].kind == "value"
    np.testing.assert_array_equal(everything(data, "angle"), np.arange(N) * 9.0)
    assert not said(data, "angle")


@pytest.mark.parametrize(
    "named",
    [
        {"x_train": "x", "y_train": "y", "x_test": "x", "y_test": "y"},
        {"X_train": "x", "y_train": "y", "X_val": "x", "y_val": "y"},
        {"train_set_x": "x", "train_set_y": "y", "test_set_x": "x", "test_set_y": "y"},
        {"train_images": "x", "train_labels": "y", "val_images": "x", "val_labels": "y",
         "test_images": "x", "test_labels": "y"},
        {"trainX": "x", "trainy": "y", "testX": "x", "testy": "y"},
        {"x_test": "x", "y_test": "y"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_names_of_other_data_sets_say_split_and_field(
    named: dict[str, str], dtype: str, tmp_path: Path
) -> None:
    image = pictures(12, 12)
    image = image if dtype == "uint8" else (image / 255).astype(dtype)
    arrays_ = {"x": image, "y": CLASSES[:, None].astype("uint8")}
    data = load(save_npz(tmp_path, {name: arrays_[which] for name, which in named.items()}))
    assert {n: f.kind for n, f in data.fields.items()} == {"image": "image", "label": "class"}
    assert data.fields["image"].shape == (12, 12, 1)
    splits = {"train", "validation", "test"}
    wanted = {s for s in splits if any(s[:3] in name.lower() for name in named)}
    assert set(data.splits) == wanted
    assert said(data, "split")
    assert "in the file" in said(data, "names")[0][0]


@pytest.mark.parametrize("save", SAVES)
def test_svhn_and_scikit_learn_name_inputs_and_targets(
    save: Callable[..., Path], tmp_path: Path
) -> None:
    image = pictures(32, 32, 3)
    path = save(tmp_path, {"X": image.transpose(1, 2, 3, 0), "y": CLASSES[:, None] + 1.0})
    data = load(path)
    np.testing.assert_allclose(everything(data, "image"), image / 255, rtol=1e-6)
    np.testing.assert_array_equal(everything(data, "label"), CLASSES + 1)
    table = save(tmp_path, {"data": RANDOM.normal(size=(N, 13)), "target": RANDOM.normal(size=N)})
    assert {n: f.kind for n, f in load(table).fields.items()} == {
        "signal": "signal",
        "value": "value",
    }


OBJECTS = np.empty(N, object)
OBJECTS[:] = [[1], [2, 3]] * (N // 2)


@pytest.mark.parametrize(
    ("name", "array", "reason"),
    [
        ("mean", np.zeros(7), "expected as many samples as 'image', 30, found (7,)"),
        ("label", CLASSES[:-1], "expected as many samples as 'image', 30, found (29,)"),
        (
            "boxes",
            OBJECTS,
            "it holds Python objects, which are not read, as they can run",
        ),
        ("epoch", np.array(3), "expected (samples, ...), found a single number"),
        ("rows", np.zeros(N, [("x", "f4"), ("y", "f4")]), "expected numbers, found a table: save"),
        ("k", np.zeros(N, complex), "expected numbers, found complex128"),
        ("day", np.zeros(N, "M8[s]"), "expected numbers, found datetime64[s]"),
        ("key", np.arange(N).astype(str), "expected labels, found 30 different texts in 30"),
        ("angle", CLASSES - 90, "expected labels 0, 1, ... or -1 for none, found -90"),
        ("big", np.zeros((N, 2, 2, 2, 2, 2)), "expected 1 to 5 axes, found 6"),
        ("label", pictures(14, high=2), "expected rows with a single 1, or of -1 alone"),
        ("a b", CLASSES, "a b, such as 'a b': expected a name of letters, digits and _"),
    ],
)
def test_what_no_model_asks_for_is_left_out_and_said(
    name: str, array: np.ndarray, reason: str, tmp_path: Path
) -> None:
    path = save_npz(tmp_path, {"image": pictures(8, 8, 1), name: array})
    data = load(path)
    assert set(data.fields) == {"image"}
    (left,) = [one for one in data.input.findings if one.left_out]
    assert left.about == (name if name.isidentifier() else "arrays")
    assert left.text.startswith(reason)


def test_groups_and_structs_that_are_no_split_are_left_out(tmp_path: Path) -> None:
    path = save_hdf5(tmp_path, {"image": pictures(8, 8, 1), "meta/day": np.arange(5)})
    data = load(path)
    assert set(data.fields) == {"image"}
    assert said(data, "day")[0][0].startswith("the group 'meta' is no split")
    lone = save_hdf5(tmp_path, {"all/image": pictures(8, 8, 1), "all/label": CLASSES})
    assert set(load(lone).fields) == {"image", "label"}


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("axes", "HWC", "option 'axes' is the letters of the axes in their order, N for"),
        ("axes", "NCTHW", "axes=NCTHW is of 5 axes, but no array has as many: image (30, 8, 8, 1)"),
        ("axes", "picture:NHWC", "option 'axes' names the field 'picture', but .* has only: image"),
        ("axes", "image:NHW", "option axes=NHW is of 3 axes, found"),
        ("axes", "NHWC+NCHW", "option 'axes' says two things of one field"),
        ("range", "0-255", "option 'range' is the two numbers that stand for black and white, suc"),
        ("range", "5..5", "received '5..5'"),
        ("range", "0..nan", "received '0..nan'"),
        ("bits", 40, "option 'bits' is from 1 to 32"),
        ("kind", "image", "option 'kind' is such as angle:value"),
        ("ignore", "white", "option 'ignore' is the class that means no label"),
    ],
)
def test_an_option_that_is_none_is_one_line(
    option: str, value: Any, message: str, tmp_path: Path
) -> None:
    path = save_npz(tmp_path, {"image": pictures(8, 8, 1)})
    with pytest.raises(EdkitError, match=message.replace("(", r"\(").replace(")", r"\)")):
        load(path, **{option: value})


def test_patients_by_name_stay_together(tmp_path: Path) -> None:
    group = np.array(["anna", "bert", "cleo", "dora", "emil"])[np.arange(N) // 6]
    data = load(save_npz(tmp_path, {"value": np.arange(N) // 6 + 0.5, "group": group}))
    train, test = ({*np.asarray(data.splits[s]["value"])} for s in ("train", "test"))
    assert len(test) == 1
    assert not train & test
    assert "whole groups" in said(data, "split")[0][0]
    with pytest.raises(EdkitError, match="which group each sample belongs to: expected as many"):
        load(save_npz(tmp_path, {"value": np.arange(N) / 7, "group": group[:-1]}))


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
