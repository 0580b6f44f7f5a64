"""Folders without a description: what they amount to, and that its TOML file reads the same."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from ed_core import Dataset, EdkitError, resume, train
from ed_core.cli import main
from ed_core.data.loading import described, load_data
from ed_core.nn.submodels import to_numpy
from ed_core.testing import check_dataset

RANDOM = np.random.default_rng(0)


def put(root: Path, name: str, array: Any = None) -> None:
    """Write an image; by default one of random colours."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = RANDOM.integers(0, 256, (6, 8, 3), "uint8") if array is None else np.asarray(array)
    Image.fromarray(pixels).save(path)


def said(data: Dataset) -> str:
    return "\n".join(f"{f.about}: {f.left_out} {f.text} ({f.option})" for f in data.input.findings)


def sizes(data: Dataset) -> dict[str, int]:
    return {split: len(next(iter(arrays.values()))) for split, arrays in data.splits.items()}


def assert_same(one: Mapping[str, Any], other: Mapping[str, Any]) -> None:
    assert list(one) == list(other)
    for name in one:
        np.testing.assert_array_equal(np.asarray(one[name]), np.asarray(other[name]))


def loaded_twice(root: Path, options: str = "") -> Dataset:
    """Load a folder as it is, and by the TOML file that it amounts to: both are the same."""
    text = f"folder:{root}{options}"
    data = load_data(text)
    stated = described(text)
    assert stated is not None
    path, content = stated
    assert path == root / "folder.toml"
    path.write_text(content, "utf-8")
    again = load_data(f"folder:{root}")
    path.unlink()
    assert dict(again.fields) == dict(data.fields)
    assert again.input.reading == data.input.reading
    for split in data.splits:
        assert_same(again.splits[split], data.splits[split])
    return data


def test_images_at_any_depth_are_enough(tmp_path: Path) -> None:
    for number in range(10):
        put(tmp_path, f"{number}.png")
    put(tmp_path, "more/and/more/x.jpg")
    put(tmp_path, ".hidden/x.png")
    (tmp_path / "notes.txt").touch()
    data = loaded_twice(tmp_path)
    assert list(data.fields) == ["image"]
    assert sizes(data) == {"train": 9, "test": 2}
    assert data.whole is not None
    assert len(data.whole["image"]) == 11
    assert "1 .txt" in said(data)
    assert "a fifth at random" in said(data)


def test_folders_are_classes_and_each_keeps_its_share(tmp_path: Path) -> None:
    for name, count in (("cat", 10), ("dog", 5)):
        for number in range(count):
            put(tmp_path, f"{name}/{number}.png")
    data = loaded_twice(tmp_path)
    assert data.fields["label"].classes == ("cat", "dog")
    assert np.bincount(data.splits["test"]["label"]).tolist() == [2, 1]
    assert "labels=no" in said(data)
    assert "label" not in loaded_twice(tmp_path, ",labels=no").fields
    assert sizes(loaded_twice(tmp_path, ",split=last")) == {"train": 12, "test": 3}
    assert sizes(loaded_twice(tmp_path, ",test=cat/*")) == {"train": 5, "test": 10}
    other = loaded_twice(tmp_path, ",seed=1").splits["test"]["image"]
    assert not np.array_equal(np.asarray(other), np.asarray(data.splits["test"]["image"]))


def test_folders_of_splits_hold_classes_that_others_lack(tmp_path: Path) -> None:
    for name in ("training/good", "testing/good", "testing/scratch"):
        for number in range(3):
            put(tmp_path, f"data/{name}/{number}.png")
    put(tmp_path, "data/more/x.png")
    data = loaded_twice(tmp_path)
    assert sizes(data) == {"train": 3, "test": 6}
    assert data.fields["label"].classes == ("good", "scratch")
    assert np.asarray(data.splits["test"]["label"]).tolist() == [0, 0, 0, 1, 1, 1]
    assert "1 images outside of training, testing" in said(data)


def test_folders_of_splits_are_no_classes_where_another_split_is_asked_for(tmp_path: Path) -> None:
    for name in ("train/cat", "train/dog", "test/cat"):
        put(tmp_path, f"{name}/a.png")
        put(tmp_path, f"{name}/b.png")
    data = loaded_twice(tmp_path, ",split=last")
    assert [*data.fields] == ["image"]
    assert sizes(data) == {"train": 5, "test": 1}
    assert "folders test, train are read as one set" in said(data)


@pytest.mark.parametrize("layout", ["{f}/{s}", "{s}/{f}", "{f}"])
def test_masks_of_the_same_names_lie_in_a_sibling_folder(tmp_path: Path, layout: str) -> None:
    ids = np.array([0, 3, 255], "uint8")
    masks = {}
    for split in ("train", "test"):
        for number in range(3):
            for folder, suffix in (("images", ""), ("masks", "_mask"), ("depth", "")):
                name = f"{split}{number}{suffix}.png"
                array = None
                if folder == "masks":
                    array = masks[f"{split}{number}"] = ids[RANDOM.integers(0, 3, (6, 8))]
                elif folder == "depth":
                    array = np.full((6, 8), 300 + number, "uint16")
                put(tmp_path, f"{layout.format(f=folder, s=split)}/{name}", array)
    data = loaded_twice(tmp_path)
    kinds = {name: field.kind for name, field in data.fields.items()}
    assert kinds == {"image": "image", "depth": "value", "mask": "class"}
    assert data.fields["mask"].classes == ("0", "3")
    assert data.fields["mask"].partial
    assert "255 is no class" in said(data)
    if layout != "{f}":
        number_of = np.full(256, -1)
        number_of[[0, 3]] = 0, 1
        expected = [number_of[masks[f"train{number}"]] for number in range(3)]
        np.testing.assert_array_equal(data.splits["train"]["mask"], expected)


def test_masks_of_colours_are_classes_by_their_colours(tmp_path: Path) -> None:
    colours = np.array([[255, 0, 0], [0, 0, 255]], "uint8")
    for number in range(5):
        put(tmp_path, f"images/{number}.png")
        put(tmp_path, f"labels/{number}.png", colours[RANDOM.integers(0, 2, (6, 8))])
    data = loaded_twice(tmp_path)
    assert data.fields["mask"].classes == data.fields["mask"].colours == ("#0000ff", "#ff0000")


def test_masks_with_too_many_numbers_are_refused(tmp_path: Path) -> None:
    for number in range(5):
        put(tmp_path, f"images/{number}.png")
        put(tmp_path, f"masks/{number}.png", RANDOM.integers(0, 256, (30, 40), "uint8"))
    with pytest.raises(EdkitError, match=r"more than 64 .* kind = \"value\""):
        load_data(f"folder:{tmp_path}")


def test_a_table_names_files_in_their_order_with_labels_that_may_be_missing(
    tmp_path: Path,
) -> None:
    for number in range(10):
        put(tmp_path, f"images/{number}.png")
    order = (7, 3, 1, 0, 2, 4, 5, 6)
    lines = [
        f"images/{n}.png,{'' if n == 1 else 'ab'[n % 2]},{n * 1.5 if n else ''}" for n in order
    ]
    (tmp_path / "labels.csv").write_text("\n".join(["file,species,weight", *lines, "x.png,a,1"]))
    data = loaded_twice(tmp_path, ",split=last")
    species, weight = data.fields["species"], data.fields["weight"]
    assert (species.kind, species.classes, species.partial) == ("class", ("a", "b"), True)
    assert (weight.kind, weight.partial) == ("value", True)
    train = data.splits["train"]
    assert np.asarray(train["species"]).tolist() == [1, 1, -1, 0, 0, 0, 1, 0]
    np.testing.assert_array_equal(train["weight"], [10.5, 4.5, 1.5, np.nan, 3, 6, 7.5, 9])
    first = np.asarray(Image.open(tmp_path / "images" / "7.png")) / np.float32(255)
    np.testing.assert_array_equal(train["image"][0], first)
    assert np.asarray(data.splits["test"]["species"]).tolist() == [-1, -1]
    assert "2 of 10 files are not in labels.csv" in said(data)
    assert "1 lines of labels.csv without their file" in said(data)
    elsewhere = tmp_path.parent / f"{tmp_path.name}.csv"
    (tmp_path / "labels.csv").rename(elsewhere)
    again = load_data(f"folder:{tmp_path},split=last,labels={elsewhere}")
    assert_same(again.splits["train"], train)


@pytest.mark.parametrize("between", [",", ";", "\t", "  "])
@pytest.mark.parametrize("first_is_there", [True, False])
def test_a_table_without_headings_loses_no_line(
    tmp_path: Path, between: str, first_is_there: bool
) -> None:
    for number in range(1 - first_is_there, 8):
        put(tmp_path, f"images/{number}.png")
    lines = [between.join((f"images/{n}.png", f"{n / 4}", "ab"[n % 2])) for n in range(8)]
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    data = loaded_twice(tmp_path, ",split=last")
    assert data.fields["column_3"].classes == ("a", "b")
    values = np.concatenate([np.asarray(split["column_2"]) for split in data.splits.values()])
    assert values.tolist() == [n / 4 for n in range(1 - first_is_there, 8)]
    assert ("1 lines of labels.csv without their file" in said(data)) is not first_is_there


@pytest.mark.parametrize(
    ("files", "heading", "line"),
    [
        ("s{}/image.png", "image,label,score", "s{0}/image.png,{1},{0}.5"),
        ("{}.png", "file,score,1", "{0},{2},{2}"),  # as of one-hot, and names without their ending
        ("p{}.png", "rgb.png,label", "p{0}.png,{1}"),
        ("{}.png", "number,file,label", "{3},{0}.png,{1}"),
    ],
)
def test_headings_are_told_from_names(tmp_path: Path, files: str, heading: str, line: str) -> None:
    for number in range(6):
        put(tmp_path, files.format(number))
    put(tmp_path, "label.png")
    lines = [line.format(n, "ab"[n % 2], n % 2, 5 - n) for n in range(6)]
    (tmp_path / "labels.csv").write_text("\n".join([heading, *lines]))
    data = loaded_twice(tmp_path, ",split=last")
    own = [name for name in heading.split(",") if name.isidentifier()]
    for name in {"label", "score"} & {*own}:
        assert name in data.fields
    assert not any(name.startswith("column_") for name in data.fields)
    if "label" in own:
        label = data.fields["label"]
        assert label.classes == ("a", "b")
        numbers = [np.asarray(split["label"]) for split in data.splits.values()]
        assert np.concatenate(numbers).tolist() == [0, 1, 0, 1, 0, 1, -1]


def test_a_first_line_that_may_be_data_is_said_to_be_taken_for_headings(tmp_path: Path) -> None:
    for number in range(1, 8):
        put(tmp_path, f"p{number}.png")
    lines = [f"p{n},{n / 4},{'ab'[n % 2]}" for n in range(8)]  # the file of the first is missing
    (tmp_path / "labels.csv").write_text("\n".join(lines))
    data = load_data(f"folder:{tmp_path}")
    assert "first line of labels.csv is taken for headings, though 0.0, a may be data" in said(data)


@pytest.mark.parametrize("text", ["taken on day 1\ntaken on day 2", "digit 0\ndigit 1\ndigit 2"])
def test_a_text_of_words_is_no_table_of_labels(tmp_path: Path, text: str) -> None:
    for number in range(8):
        put(tmp_path, f"{number}.png")
    (tmp_path / "labels.csv").write_text(text)
    data = load_data(f"folder:{tmp_path}")
    assert [*data.fields] == ["image"]
    assert "labels.csv, which does not name the images" in said(data)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["file,label", "a.png,1", "a.png,2"], "expected one line a file"),
        (["a.png,1", "b.png"], "line 2: expected 2 cells as in the first line, found 1"),
        (["name,label", "x.png,1"], "a column with the names of the images"),
        (["file,label"], "headings of different names"),
        (["file,label", "a.png,1,2"], "line 2: expected 2 cells"),
        (["file", "a.png", "b.png"], "expected a column of labels"),
    ],
)
def test_a_table_that_does_not_fit_is_refused(
    tmp_path: Path, lines: list[str], message: str
) -> None:
    for name in "abc":
        put(tmp_path, f"{name}.png")
    (tmp_path / "t.csv").write_text("\n".join(lines))
    with pytest.raises(EdkitError, match=message):
        load_data(f"folder:{tmp_path},labels=t.csv")


def test_mixed_sizes_are_asked_about_and_brought_to_one(tmp_path: Path) -> None:
    for number in range(6):
        put(tmp_path, f"{number}.png", RANDOM.integers(0, 256, (6 + number % 2, 8, 3), "uint8"))
    with pytest.raises(EdkitError, match=r"Say size=6x8, .* fit=crop"):
        load_data(f"folder:{tmp_path}")
    data = loaded_twice(tmp_path, ",size=5x4,fit=pad,channels=1,standardise=yes")
    assert data.fields["image"].shape == (5, 4, 1)
    image = np.asarray(data.splits["train"]["image"])
    np.testing.assert_allclose(image.mean(axis=(1, 2, 3)), 0.5, atol=1e-6)
    np.testing.assert_allclose(image.std(axis=(1, 2, 3)), 1 / 8, atol=1e-6)
    for options, message in (
        ("size=0", "such as 64 or 48x64"),
        ("fit=crop", "there is no size"),
        ("size=4,channels=2", "1 or 3"),
        ("size=4,test=nothing*", "files to test"),
    ):
        with pytest.raises(EdkitError, match=message):
            load_data(f"folder:{tmp_path},{options}")


def test_what_a_toml_says_is_not_said_by_options(tmp_path: Path, make: Any) -> None:
    path = make(tmp_path)
    assert load_data(f"folder:{path},size=3").fields["mask"].shape == (3, 3)
    with pytest.raises(EdkitError, match="leave the options"):
        load_data(f"folder:{path},split=last")


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    with pytest.raises(EdkitError, match=r"expected a folder with images, .* found 1 \.txt"):
        load_data(f"folder:{tmp_path}")


@pytest.mark.backend
@pytest.mark.once
def test_the_command_looks_at_a_bare_path_and_writes_its_description(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], refused: Any
) -> None:
    for name in ("cat/a.png", "cat/b.png", "dog/c.png", "dog/d.png"):
        put(tmp_path / "pets", name)
    root = tmp_path / "pets"
    check_dataset("folder", path=str(root), standardise=True)
    assert main(["data", str(root)]) == 0
    said_of_it = capsys.readouterr().out
    assert f"folder:path={root}" in said_of_it
    assert 'layout = "{class}"' in said_of_it
    assert main(["data", str(root), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    before = load_data(facts["data"])
    assert main(["data", f"folder:{root},split=last,size=3", "--write"]) == 0
    assert 'classes = ["cat", "dog"]' in (root / "folder.toml").read_text("utf-8")
    assert facts["description"] != (root / "folder.toml").read_text("utf-8")
    assert load_data(facts["data"]).fields["label"] == before.fields["label"]
    assert load_data(facts["data"]).fields["image"].shape == (3, 3, 3)
    capsys.readouterr()
    assert "exists already" in refused("data", str(root), "--write")
    (tmp_path / "notes.xyz").touch()
    assert "found .xyz" in refused("data", str(tmp_path / "notes.xyz"))


@pytest.mark.backend
def test_a_training_that_meets_a_bad_file_says_which_and_goes_on_once_it_is_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ed_plugins.datasets.folder.read._WHOLE", 0)
    monkeypatch.setattr("ed_plugins.datasets.folder.read._LOOKED", 2)
    monkeypatch.setattr("ed_plugins.datasets.folder.loader.KEPT", 0)
    for number in range(12):
        put(tmp_path, f"pictures/{number:02}.png")
    options: dict[str, Any] = {"hidden": (4,), "batch_size": 2, "out": tmp_path / "runs"}
    text = f"folder:{tmp_path / 'pictures'},split=last"
    whole = train("dense_autoencoder", text, epochs=2, seed=1, **options)
    bad = tmp_path / "pictures" / "05.png"
    good = bad.read_bytes()

    def damage(epoch: int, logs: Any = None) -> None:
        bad.write_bytes(good[:60] + bytes(30) + good[90:])

    damaging = keras.callbacks.LambdaCallback(on_epoch_end=damage)
    with pytest.raises(EdkitError, match=r"05\.png"):
        train("dense_autoencoder", text, epochs=2, seed=1, callbacks=[damaging], **options)
    bad.write_bytes(good)
    (stopped,) = [one for one in (tmp_path / "runs").iterdir() if one != whole.path]
    went_on = resume(stopped)
    for one, other in zip(whole.model.weights, went_on.model.weights, strict=True):
        np.testing.assert_array_equal(to_numpy(one), to_numpy(other))


def test_folders_of_fields_may_lie_in_several_folders(tmp_path: Path) -> None:
    for place in ("north", "south"):
        for number in range(5):
            bright = 50 if place == "north" else 200
            put(tmp_path, f"{place}/rgb/{number}.png", np.full((6, 8, 3), bright, "uint8"))
            put(tmp_path, f"{place}/disp/{number}.png", np.full((6, 8), 300 + bright, "uint16"))
            put(tmp_path, f"{place}/label/{number}.png", RANDOM.integers(0, 2, (6, 8), "uint8"))
            put(tmp_path, f"{place}/disp_colour/{number}.png")  # no number a pixel
        (tmp_path / place / "ptcloud").mkdir()
        (tmp_path / place / "ptcloud" / "0.mat").write_text("points")
    data = loaded_twice(tmp_path)
    kinds = {name: field.kind for name, field in data.fields.items()}
    assert kinds == {"image": "image", "disp": "value", "disp_colour": "image", "mask": "class"}
    assert sizes(data) == {"train": 8, "test": 2}
    whole = data.whole or {}
    bright = np.asarray(whole["image"])[:, 0, 0, 0] * 255
    np.testing.assert_allclose(bright, [50] * 5 + [200] * 5, rtol=1e-6)
    np.testing.assert_allclose(np.asarray(whole["disp"])[:, 0, 0, 0], 300 + bright, rtol=1e-6)
    found = described(f"folder:{tmp_path}")
    assert found is not None
    assert 'layout = "{group}/{field}"' in found[1]
    (tmp_path / "south" / "label" / "0.png").unlink()
    with pytest.raises(EdkitError, match="has no partner"):
        load_data(f"folder:{tmp_path}")


def test_a_table_says_the_splits_where_no_folder_does(tmp_path: Path) -> None:
    names = [f"{number}.png" for number in range(8)]
    for name in names:
        put(tmp_path, name)
    of = ["train", "test", "Train", "train", "val", "train", "test"]
    lines = [f"{name},{split},{len(split) % 2}" for name, split in zip(names, of, strict=False)]
    table = tmp_path / "labels.csv"
    table.write_text("\n".join(["file,subset,label", *lines]))
    data = loaded_twice(tmp_path)
    assert sizes(data) == {"train": 4, "validation": 1, "test": 2}
    assert {*data.fields} == {"image", "label"}
    assert "by column subset of labels.csv" in said(data)
    assert "split: 1 files of no split" in said(data)
    drawn = loaded_twice(tmp_path, ",split=last")
    assert sizes(drawn) == {"train": 6, "test": 2}
    assert "column subset: the splits are said otherwise" in said(drawn)
    table.write_text(table.read_text().replace(",test,", ",tets,"))
    assert "column subset: too many texts" in said(load_data(f"folder:{tmp_path}"))
