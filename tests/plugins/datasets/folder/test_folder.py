"""Folders of images that a TOML file describes: what is read is what is in the files."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ed_core import EdkitError, load_data
from ed_core.data.selection import select

BASIC = (Path(__file__).parents[3] / "support" / "scenes.toml").read_text("utf-8")
HEIGHT = """
[fields.height]
kind = "value"
scale = 0.1
offset = -5.0
missing = 1000
"""


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_images_and_classes_are_those_of_the_files_in_the_order_of_their_names(
    tmp_path: Path, make: Any, load: Any
) -> None:
    data = load(make(tmp_path))
    image, mask = data.fields["image"], data.fields["mask"]
    assert (image.shape, image.kind, image.partial) == ((6, 8, 3), "image", False)
    assert (mask.shape, mask.kind, mask.partial) == ((6, 8), "class", True)
    assert mask.classes == ("sky", "road", "tree")
    for split, name in (("train", "train"), ("validation", "val")):
        arrays = data.splits[split]
        for row, stem in enumerate("ab"):
            expected = pixels(tmp_path / name / "images" / f"{stem}.png") / 255
            np.testing.assert_allclose(arrays["image"][row], expected, rtol=1e-6)
            ids = pixels(tmp_path / name / "labels" / f"{stem}.png").astype(int)
            np.testing.assert_array_equal(arrays["mask"][row], np.where(ids == 9, -1, ids))
        assert arrays["image"].dtype == np.asarray(arrays["image"]).dtype == np.dtype("float32")
        assert arrays["image"].shape == (2, 6, 8, 3)


def test_an_image_slices_like_an_array(tmp_path: Path, make: Any, load: Any) -> None:
    lazy = load(make(tmp_path)).splits["train"]["image"]
    whole = np.asarray(lazy)
    for key in (slice(None), slice(1, 9), np.array([0, 1]), np.array([True, False]), 1, -1):
        np.testing.assert_array_equal(lazy[key], whole[key])
    assert (len(lazy), lazy.ndim) == (2, 4)
    assert 0 <= whole.min() <= whole.max() <= 1


CLASSES = """
[fields.mask]
kind = "class"
ignore = [{ignore}]
[fields.mask.classes]
{classes}
"""


@settings(max_examples=20, suppress_health_check=[*HealthCheck])
@given(
    st.lists(st.lists(st.integers(0, 255), min_size=1, max_size=3), min_size=1, max_size=6),
    st.lists(st.integers(0, 255), max_size=2),
    st.sampled_from(["L", "P", "colour"]),
)
def test_any_merge_of_ids_or_colours_comes_back(
    tmp_path: Path,
    save: Any,
    load: Any,
    groups: list[list[int]],
    ignore: list[int],
    mode: str,
) -> None:
    class_of = {}
    for number, ids in [*enumerate(groups), (-1, ignore)]:
        class_of.update({pixel: number for pixel in ids if pixel not in class_of})
    used = {n: [p for p, m in class_of.items() if m == n] for n in range(-1, len(groups))}
    names = {n: f"class {n}" for n in range(len(groups)) if used[n]}
    shown = (lambda p: f'"#{p:02x}{255 - p:02x}07"') if mode == "colour" else str
    lines = [f'"{name}" = [{", ".join(map(shown, used[n]))}]' for n, name in names.items()]
    toml = CLASSES.format(ignore=", ".join(map(shown, used[-1])), classes="\n".join(lines))
    (tmp_path / "my.toml").write_text(toml)
    ids = np.random.default_rng(0).choice(np.array(list(class_of), "uint8"), (4, 5))
    ids[0, 0] = used[next(iter(names))][0]  # not ignored everywhere
    for split in ("train", "test"):
        path = tmp_path / split / "mask" / "a.png"
        if mode == "colour":
            save(path, np.stack([ids, 255 - ids, np.full_like(ids, 7)], axis=-1))
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            image = Image.fromarray(ids)
            if mode == "P":
                image = Image.frombytes("P", (5, 4), ids.tobytes())
                image.putpalette(list(range(256)) * 3)
            image.save(path)
    mask = load(tmp_path / "my.toml").splits["train"]["mask"][0]
    order = {n: k for k, n in enumerate(names)}
    expected = [[order.get(class_of[p], -1) for p in row] for row in ids.tolist()]
    np.testing.assert_array_equal(mask, expected)
    assert mask.dtype == np.dtype("int8")


def test_deep_images_read_as_0_to_1(tmp_path: Path, save: Any, load: Any) -> None:
    raw = np.array([[0, 1000, 4095]], "uint16")
    for split in ("train", "test"):
        save(tmp_path / split / "image" / "a.png", raw)
    for line, white in (
        ("", 4095),
        ("bits = 16", 65535),
        ("bits = 12", 4095),
        ("channels = 3", 4095),
        ("range = [-1000, 9000]", None),
    ):
        (tmp_path / "my.toml").write_text(f"[fields.image]\n{line}\n")
        data = load(tmp_path / "my.toml")
        image = data.splits["train"]["image"]
        assert image.shape == (1, 1, 3, 3 if "channels" in line else 1)
        expected = raw / white if white else (raw + 1000.0) / 10000
        np.testing.assert_allclose(image[0, ..., 0], expected, rtol=1e-6)
        told = "12 bits (white is 4,095): the largest number is 4,095" in str(data.input.findings)
        assert told == (line in ("", "channels = 3"))
    (tmp_path / "my.toml").write_text("[fields.image]\nbits = 10\n")
    with pytest.raises(
        EdkitError, match=r"a.png': expected numbers from 0 to 1023, found 0 to 4095: correct bits"
    ):
        load(tmp_path / "my.toml")


def test_what_has_8_bits_has_no_12(tmp_path: Path, save: Any, load: Any) -> None:
    for split in ("train", "test"):
        save(tmp_path / split / "image" / "a.png", np.zeros((2, 3), "uint8"))
    (tmp_path / "my.toml").write_text("[fields.image]\nbits = 12\n")
    with pytest.raises(EdkitError, match=r"a\.png': expected bits = 12, found 8 bits: leave bits"):
        load(tmp_path / "my.toml")
    (tmp_path / "my.toml").write_text("[fields.image]\nbits = 7\nchannels = 1\n")
    assert load(tmp_path / "my.toml").splits["test"]["image"][:].max() == 0


def test_a_size_averages_images_and_values_and_picks_classes(
    tmp_path: Path, save: Any, load: Any
) -> None:
    toml = "size = [2, 2]\n" + BASIC + HEIGHT
    board = np.kron([[0, 2], [1, 0]], np.ones((4, 4))).astype("uint8")
    for split, factor in (("train", 1), ("val", 2)):  # of mixed sizes
        many = np.kron(board, np.ones((factor, factor), "uint8")).astype("uint8")
        save(tmp_path / split / "images" / "a.png", np.stack([many * 100] * 3, axis=-1))
        save(tmp_path / split / "labels" / "a.png", many)
        save(tmp_path / split / "height" / "a.png", many.astype("uint16") * 256)
    (tmp_path / "my.toml").write_text(toml)
    data = load(tmp_path / "my.toml")
    for arrays in data.splits.values():
        np.testing.assert_array_equal(arrays["mask"][0], [[0, 2], [1, 0]])
        assert arrays["image"].shape == (1, 2, 2, 3)
        for name, scale, offset in (("image", 100 / 255, 0), ("height", 25.6, -5)):
            found = arrays[name][0, ..., 0]
            blurred = np.array([[0, 2], [1, 0]]) * scale + offset
            assert abs(found - blurred).max() < 0.3 * 2 * scale


def test_a_turned_photo_is_upright(tmp_path: Path, save: Any, load: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned a quarter: 4 by 2 pixels in the file are 2 by 4 on the screen
    for split in ("train", "test"):
        path = tmp_path / split / "image" / "a.png"
        save(path, np.array([[10, 20], [30, 40], [50, 60], [70, 80]], "uint8"), exif=exif)
    (tmp_path / "my.toml").write_text("[fields.image]\n")
    image = load(tmp_path / "my.toml").splits["train"]["image"]
    np.testing.assert_allclose(
        image[0, ..., 0] * 255, [[70, 50, 30, 10], [80, 60, 40, 20]], rtol=1e-5
    )


@pytest.mark.parametrize(
    ("name", "train", "shape", "first"),
    [
        ("camvid", 367, (180, 240), 0.1675),
        ("dubai_landuse", 482, (256, 256), 0.2536),
        ("zion_landcover", 59, (128, 128), 0.0918),
    ],
)
def test_the_real_sets(
    name: str,
    train: int,
    shape: tuple[int, int],
    first: float,
    data_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not list(data_folder.glob(f"{name}*")):
        pytest.skip(f"no {name} in {data_folder}")
    monkeypatch.setenv("EDKIT_DATA", str(data_folder))
    data = load_data(f"folder:{name}")
    mask = data.splits["train"]["mask"]
    assert mask.shape == (train, *shape)
    assert data.fields["image"].shape == (*shape, 3)
    assert len(data.fields["mask"].classes) == len(data.fields["mask"].colours)
    assert np.mean(mask == 0) == pytest.approx(first, abs=1e-4)
    assert 0.1 < np.asarray(data.splits["train"]["image"][:20]).mean() < 0.8
    if name == "zion_landcover":
        height = data.splits["train"]["elevation"]
        assert 1.0 < height.min() < height.max() < 2.9  # km
        assert not data.fields["elevation"].partial
        assert data.fields["nir"].shape == (128, 128, 1)


def test_frames_of_a_film_stay_together(tmp_path: Path, save: Any) -> None:
    for film in range(20):
        for frame in range(3):
            name = f"film{film}_{frame}.png"
            save(tmp_path / "train" / "image" / name, np.full((4, 4), film, "uint8"))
    save(tmp_path / "test" / "image" / "a_0.png", np.zeros((4, 4), "uint8"))
    (tmp_path / "folder.toml").write_text('group = "_"\n[fields.image]\n')
    data = select(load_data(f"folder:{tmp_path}"), (), {})
    films = {
        split: np.unique(np.round(np.asarray(data.splits[split]["image"][:]) * 255)).tolist()
        for split in ("train", "validation")
    }
    assert sorted(films["train"] + films["validation"]) == list(range(20))
    assert len(films["validation"]) == 2


def test_a_folder_of_a_test_split_alone_can_be_measured_on(tmp_path: Path, save: Any) -> None:
    save(tmp_path / "test" / "image" / "a.png", np.zeros((4, 4), "uint8"))
    (tmp_path / "folder.toml").write_text("[fields.image]\n")
    assert list(load_data(f"folder:{tmp_path}").splits) == ["test"]
