"""Results as pictures: at the size of the user's, with the numbers and the place of theirs."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from ed_core import EdkitError, Field, Fields, Place
from ed_core.inference.job import begun
from ed_core.inference.pictures import PictureWriter, Style, in_picture
from ed_core.inference.stream import Result

pytestmark = [pytest.mark.backend, pytest.mark.once]

FACTS = {"run": "r", "verb": "segment", "options": {}, "input": "i", "backend": "jax"}
MASK = Field((2, 2), "class", ("road", "grass"), ("#ff0000", "#00ff00"))
BLACK, RED, GREEN = [0, 0, 0], [255, 0, 0], [0, 255, 0]
CLASSES = np.array([[0, 1], [1, 0]], "i4")


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4))
def test_a_map_that_was_stretched_comes_back(height: int, width: int, times: int) -> None:
    array = np.arange(height * width).reshape(height, width)
    size = (height * times, width * times)
    whole = in_picture(array, Place(Path("x"), size, (0, 0, *size)), -1)
    np.testing.assert_array_equal(whole, array.repeat(times, 0).repeat(times, 1))


def test_what_was_cropped_away_is_outside_and_what_was_padded_is_cut_off() -> None:
    cropped = in_picture(CLASSES, Place(Path("x"), (2, 6), (0, 2, 2, 2)), -1)
    assert cropped.tolist() == [[-1, -1, 0, 1, -1, -1], [-1, -1, 1, 0, -1, -1]]
    tall = np.arange(16).reshape(4, 4)
    padded = in_picture(tall, Place(Path("x"), (4, 8), (-2, 0, 8, 8)), -1)
    assert padded.tolist() == tall[1:3].repeat(2, 0).repeat(2, 1).tolist()
    assert in_picture(CLASSES, None, -1) is CLASSES


def write(folder: Path, result: Any, outputs: Fields, style: Style, place: Any = None) -> Path:
    samples: Any = SimpleNamespace(names=["sub/a.jpg"], place=lambda row: place)
    with begun(folder, True, FACTS) as job:
        job.keep(0, *PictureWriter(samples, outputs, style).write(job, [result]))
        job.finish([])
    return folder / "sub"


def one(**outputs: Any) -> Result:
    return Result(0, "sub/a.jpg", {"image": np.full((2, 2, 3), 0.5, "f4")}, outputs)


def pixels(path: Path) -> list[Any]:
    with Image.open(path) as image:
        listed: list[Any] = np.asarray(image).tolist()
        return listed


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        (Style(), [[255, 0, 1], [255, 1, 0]]),
        (Style(ids={"mask": [7, 200]}), [[255, 7, 200], [255, 200, 7]]),
        (Style(ids={"mask": [7, 1000]}), [[65535, 7, 1000], [65535, 1000, 7]]),
        (Style(masks="colours"), [[BLACK, RED, GREEN], [BLACK, GREEN, RED]]),
    ],
)
def test_a_mask_has_the_numbers_or_the_colours_of_its_classes(
    tmp_path: Path, style: Style, expected: Any
) -> None:
    place = Place(Path("x"), (2, 3), (0, 1, 2, 2))
    folder = write(tmp_path / "out", one(mask=CLASSES), Fields(mask=MASK), style, place)
    assert pixels(folder / "a.png") == expected
    assert [path.name for path in folder.iterdir()] == ["a.png"]


def test_overlay_and_probabilities_stand_beside_the_mask(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    picture = np.random.default_rng(0).integers(0, 256, (4, 4, 3), "u1")
    Image.fromarray(picture).save(photo)
    shares = np.random.default_rng(1).dirichlet([1, 1], (2, 2)).astype("f4")
    outputs = Fields(mask=MASK, mask_probabilities=Field((2, 2, 2), "value", MASK.classes))
    folder = write(
        tmp_path / "out",
        one(mask=CLASSES, mask_probabilities=shares),
        outputs,
        Style(overlay=True),
        Place(photo, (4, 4), (0, 0, 4, 4)),
    )
    names = ["a.png", "a_overlay.png", "a_probabilities.tif"]
    assert sorted(path.name for path in folder.iterdir()) == names
    colours = np.array([[255, 0, 0], [0, 255, 0]])[CLASSES].repeat(2, 0).repeat(2, 1)
    np.testing.assert_allclose(pixels(folder / "a_overlay.png"), (picture + colours) / 2, atol=0.5)
    pages = tifffile.imread(folder / "a_probabilities.tif")
    np.testing.assert_array_equal(pages, np.moveaxis(shares, -1, 0).repeat(2, 1).repeat(2, 2))


def test_the_mask_of_a_geotiff_lies_at_its_place(tmp_path: Path) -> None:
    tags: list[Any] = [
        (33550, "d", 3, (10.0, 10.0, 0.0), True),
        (33922, "d", 6, (0.0, 0.0, 0.0, 500000.0, 4600000.0, 0.0), True),
        (34735, "H", 8, (1, 1, 0, 1, 1024, 0, 1, 1), True),
        (34737, "s", 0, "WGS 84 / UTM zone 32N|", True),
    ]
    scene = tmp_path / "scene.tif"
    tifffile.imwrite(scene, np.zeros((4, 4), "u2"), extratags=tags)
    place = Place(scene, (4, 4), (0, 0, 4, 4))
    folder = write(tmp_path / "out", one(mask=CLASSES), Fields(mask=MASK), Style(), place)
    with tifffile.TiffFile(folder / "a.tif") as mask, tifffile.TiffFile(scene) as original:
        assert mask.asarray().tolist() == CLASSES.repeat(2, 0).repeat(2, 1).tolist()
        for code, *_ in tags:
            assert mask.pages.first.tags[code].value == original.pages.first.tags[code].value
    again = write(tmp_path / "two", one(mask=CLASSES), Fields(mask=MASK), Style(), place)
    assert (again / "a.tif").read_bytes() == (folder / "a.tif").read_bytes()


def test_images_are_rounded_to_bytes_or_kept_whole(tmp_path: Path) -> None:
    image = np.array([[[-0.1], [0.5]], [[0.25], [1.2]]], "f4")
    outputs = Fields(image=Field((2, 2, 1)))
    png = write(tmp_path / "png", one(image=image), outputs, Style())
    assert pixels(png / "a.png") == [[0, 128], [64, 255]]
    tiff = write(tmp_path / "tiff", one(image=image), outputs, Style(form="tiff"))
    np.testing.assert_array_equal(tifffile.imread(tiff / "a.tif"), image[..., 0])
    film = np.random.default_rng(0).random((3, 2, 2, 3), dtype="f4")
    video = write(
        tmp_path / "video", one(film=film), Fields(film=Field(film.shape, "video")), Style()
    )
    np.testing.assert_array_equal(tifffile.imread(video / "a.tif"), film)


@pytest.mark.parametrize(
    ("names", "stems"),
    [
        (["a.jpg", "b/a.jpg", "c.v2.png"], ["a", "b/a", "c.v2"]),
        (["a.jpg", "a.png"], ["a.jpg", "a.png"]),
        (["x.npz 9", "x.npz 10", "7"], ["x 9", "x 10", "7"]),
    ],
)
def test_pictures_have_the_names_of_the_samples(names: list[str], stems: list[str]) -> None:
    samples: Any = SimpleNamespace(names=names)
    assert PictureWriter(samples, Fields(mask=MASK)).stems == stems


@pytest.mark.parametrize("name", ["/etc/x.png", "../x.png", "a/../../x.png"])
def test_no_picture_leaves_the_folder(name: str) -> None:
    samples: Any = SimpleNamespace(names=[name])
    with pytest.raises(EdkitError, match="is no name for a picture"):
        PictureWriter(samples, Fields(mask=MASK))


def test_a_code_is_no_picture() -> None:
    samples: Any = SimpleNamespace(names=["a"])
    with pytest.raises(EdkitError, match="'code' is no picture"):
        PictureWriter(samples, Fields(code=Field((2,), "value")))


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(EdkitError, match="not an empty folder"):
        write(tmp_path, one(mask=CLASSES), Fields(mask=MASK), Style())
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_folder_left_by_a_kill_is_made_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"
    samples: Any = SimpleNamespace(names=["sub/a.jpg"], place=lambda row: None)
    writer = PictureWriter(samples, Fields(mask=MASK))
    with begun(out, True, FACTS) as job:  # a picture was written, the next one in part
        writer.write(job, [one(mask=CLASSES)])
        (job.hidden / "b.png.part").write_bytes(b"half")
    before = (out / "sub" / "a.png").read_bytes()
    with begun(out, True, FACTS) as job:
        assert [number for number, _ in job.pending(samples.names, 32)] == [0]
        job.keep(0, *writer.write(job, [one(mask=CLASSES)]))
        job.finish([])
    assert sorted(path.name for path in (out / ".edkit").iterdir()) == ["job.json", "lock"]
    assert (out / "sub" / "a.png").read_bytes() == before
    with begun(out, True, FACTS) as job:
        assert not [*job.pending(samples.names, 32)]
    with pytest.raises(EdkitError, match="with another run"), begun(out, True, {**FACTS, "run": 0}):
        pass
