"""Reader of a user's pictures: they are read as those of the run were."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ed_core import DATASETS, Dataset, EdkitError, Field, Fields

HEIGHT = """
[fields.height]
kind = "value"
scale = 0.1
missing = 1000
fill = "nearest"
"""


def samples(data: Dataset, path: Path, *names: str, **shapes: tuple[int, ...]) -> Any:
    """Open a path for a run on these data, with the record as `run.json` keeps it."""
    reader = DATASETS["folder"].files
    assert reader is not None
    reading = json.loads(json.dumps(dict(data.input.reading or {}), allow_nan=False))
    fields = Fields({name: data.fields[name] for name in names})
    for name, shape in shapes.items():
        fields[name] = Field(shape, data.fields[name].kind)
    return reader.open(path, fields, reading)


def anew(path: Path, fields: Fields) -> Any:
    """Open a path for a run that was trained on another kind of data."""
    reader = DATASETS["folder"].files
    assert reader is not None
    return reader.open(path, fields, {})


def read_all(opened: Any) -> list[Any]:
    return list(opened.read(range(len(opened.names))))


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "size = [5, 7]",
        'size = [4, 4]\nfit = "crop"',
        'size = [9, 7]\nfit = "pad"',
        "standardise = true",
        'size = [5, 4]\nfit = "pad"\nstandardise = true',
    ],
)
@pytest.mark.parametrize("kind", ["colour", "grey", "deep", "binary"])
def test_the_files_of_a_run_come_back_as_it_was_shown_them(
    tmp_path: Path, save: Any, load: Any, lines: str, kind: str
) -> None:
    random = np.random.default_rng(0)
    shape, high, number = {
        "colour": ((6, 8, 3), 256, "uint8"),
        "grey": ((6, 8), 256, "uint8"),
        "deep": ((6, 8), 3000, "uint16"),
        "binary": ((6, 8), 2, "uint8"),
    }[kind]
    for split in ("train", "test"):
        for name in "ab":
            pixels = random.integers(0, high, shape).astype(number)
            save(tmp_path / split / "image" / f"{name}.png", pixels)
    (tmp_path / "my.toml").write_text(f"{lines}\n[fields.image]\n")
    data = load(tmp_path / "my.toml")
    opened = samples(data, tmp_path / "train" / "image", "image")
    assert [*opened.names] == ["a.png", "b.png"]
    got = np.stack([one["image"] for one in read_all(opened)])
    np.testing.assert_array_equal(got, np.asarray(data.splits["train"]["image"]))
    assert got.dtype == np.dtype("float32")
    for path, one in zip(
        sorted((tmp_path / "train" / "image").iterdir()), read_all(opened), strict=True
    ):
        if "standardise" in lines and "size" not in lines:
            factor, offset = one["image_own_scale"]
            stored = np.atleast_3d(np.asarray(Image.open(path), "f4"))
            white = {"deep": 2**12 - 1, "binary": 1}.get(kind, 255)
            np.testing.assert_allclose(one["image"] * factor + offset, stored / white, atol=1e-6)


def test_values_and_images_of_one_sample_lie_in_folders_of_their_fields(
    tmp_path: Path, make: Any, save: Any, load: Any
) -> None:
    toml = make(tmp_path)
    heights = np.arange(48, dtype="uint16").reshape(6, 8)
    for split in ("train", "val"):
        for name in "ab":
            save(tmp_path / split / "height" / f"{name}.png", np.where(heights == 9, 1000, heights))
    toml.write_text(toml.read_text() + HEIGHT)
    data = load(toml)
    opened = samples(data, tmp_path / "val", "image", "height")
    assert [*opened.names] == ["images/a.png", "images/b.png"]
    for row, one in enumerate(read_all(opened)):
        for name in ("image", "height"):
            np.testing.assert_array_equal(one[name], data.splits["validation"][name][row])
    assert any("labels" in finding.text for finding in opened.findings)
    # One input: its folder is taken, and not the masks beside it.
    assert [*samples(data, tmp_path / "val", "image").names] == ["images/a.png", "images/b.png"]
    (tmp_path / "val" / "height" / "b.png").unlink()
    good, bad = read_all(samples(data, tmp_path / "val", "image", "height"))
    assert isinstance(good, dict)
    assert isinstance(bad, EdkitError)
    assert "b.png" in str(bad)
    with pytest.raises(EdkitError, match="sub-folder for each"):
        samples(data, tmp_path / "val" / "images", "image", "height")


def test_other_pictures_are_brought_to_the_field(tmp_path: Path, save: Any) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype="uint8")
    save(tmp_path / "in" / "deep" / "colour.png", pixels)
    save(tmp_path / "in" / "grey.png", np.full((9, 9), 51, "uint8"))
    save(tmp_path / "in" / "deep.tif", np.full((9, 9), 13107, "uint16"))
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    opened = anew(tmp_path / "in", Fields(image=Field((8, 6, 1))))
    assert [*opened.names] == ["deep/colour.png", "deep.tif", "grey.png"]
    got = [one["image"] for one in read_all(opened)]
    assert {one.shape for one in got} == {(8, 6, 1)}
    np.testing.assert_allclose(got[1], 0.2, rtol=1e-5)
    np.testing.assert_allclose(got[2], 0.2, rtol=1e-5)
    grey = np.asarray(Image.fromarray(pixels).convert("L").resize((6, 8), 2)) / 255
    np.testing.assert_allclose(got[0][..., 0], grey, atol=1e-6)
    assert any(one.left_out == 1 and ".txt" in one.text for one in opened.findings)
    own = read_all(anew(tmp_path / "in", Fields(image=Field((0, 0, 3)))))
    assert [one["image"].shape for one in own] == [(20, 30, 3), (9, 9, 3), (9, 9, 3)]


def test_a_bad_file_is_refused_by_name_and_the_others_go_on(tmp_path: Path, save: Any) -> None:
    good = np.full((8, 8), 255, "uint8")
    save(tmp_path / "a.png", good)
    (tmp_path / "text.png").write_text("no picture")
    save(tmp_path / "whole.jpg", np.random.default_rng(0).integers(0, 256, (64, 64), "uint8"))
    content = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "whole.jpg").rename(tmp_path / "z.jpg")
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) // 2])
    (tmp_path / "empty.png").touch()
    opened = anew(tmp_path, Fields(image=Field((8, 8, 1))))
    got = dict(zip(opened.names, read_all(opened), strict=True))
    refused = {name for name, one in got.items() if isinstance(one, EdkitError)}
    assert refused == {"text.png", "cut.jpg", "empty.png"}
    for name in refused:
        assert name in str(got[name])
        assert "\n" not in str(got[name])
    assert (got["a.png"]["image"] == 1).all()


def test_numbers_whose_white_is_not_known_are_refused(
    tmp_path: Path, make: Any, save: Any, load: Any
) -> None:
    data = load(make(tmp_path))
    save(tmp_path / "new" / "deep.png", np.zeros((6, 8), "uint16"))
    (error,) = read_all(samples(data, tmp_path / "new", "image"))
    assert "uint16" in str(error)
    assert "deep.png" in str(error)


def test_a_class_that_the_run_takes_is_the_name_of_the_folder(tmp_path: Path, save: Any) -> None:
    for name in ("cat/a.png", "dog/b.png", "c.png"):
        save(tmp_path / name, np.zeros((4, 4), "uint8"))
    fields = Fields(image=Field((4, 4, 1)), label=Field((), "class", ("dog", "cat")))
    opened = anew(tmp_path, fields)
    error, *others = read_all(opened)
    assert [*opened.names] == ["c.png", "cat/a.png", "dog/b.png"]
    assert [int(one["label"]) for one in others] == [1, 0]
    assert "dog, cat" in str(error)


@pytest.mark.parametrize(
    ("name", "text"),
    [("none", "found nothing"), ("empty", "expected images"), ("notes.txt", ".txt")],
)
def test_what_holds_no_picture_is_refused_at_once(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").touch()
    with pytest.raises(EdkitError, match=text):
        anew(tmp_path / name, Fields(image=Field((8, 8, 1))))
    with pytest.raises(EdkitError, match="signal"):
        anew(tmp_path / "empty", Fields(signal=Field((8, 1), "signal")))


@pytest.mark.parametrize(
    ("fit", "box"),
    [
        ("stretch", (0, 0, 20, 40)),
        ("crop", (0, 10, 20, 20)),
        ("pad", (-10, 0, 40, 40)),
    ],
)
def test_a_sample_knows_its_place_in_its_picture(
    tmp_path: Path, save: Any, load: Any, fit: str, box: tuple[float, ...]
) -> None:
    for split in ("train", "test"):
        save(tmp_path / split / "image" / "a.png", np.full((20, 40), 255, "uint8"))
    (tmp_path / "my.toml").write_text(f'size = [8, 8]\nfit = "{fit}"\n[fields.image]\n')
    data = load(tmp_path / "my.toml")
    opened = samples(data, tmp_path / "test", "image")
    image = opened.read(range(1))[0]["image"]
    np.testing.assert_array_equal(image, data.splits["test"]["image"][0])
    assert image.mean() == (0.5 if fit == "pad" else 1)
    place = opened.place(0)
    assert (place.file, place.size) == (tmp_path / "test" / "image" / "a.png", (20, 40))
    np.testing.assert_allclose(place.box, box)


def test_a_run_knows_the_ids_of_its_masks(tmp_path: Path, make: Any, load: Any) -> None:
    reading = load(make(tmp_path)).input.reading
    assert reading["ids"] == {"mask": [0, 1, 2]}
