"""Classes, missing labels and names of other programs: what is inferred is said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support.arrays import (
    CLASSES,
    RANDOM,
    SAVES,
    N,
    everything,
    load,
    pictures,
    said,
    save_hdf5,
    save_npz,
)

from ed_core import EdkitError

pytestmark = pytest.mark.usefixtures("no_child")


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
