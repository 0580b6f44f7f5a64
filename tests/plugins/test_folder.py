"""Folders of images that a TOML file describes: what is read is what is in the files."""

import inspect
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from ed_core import Dataset, EdkitError, load_data
from ed_core.options import FilePath
from ed_plugins._folder_plan import read_plan
from ed_plugins.folder import folder

BASIC = """
[fields.image]
folder = "images"
[fields.mask]
kind = "class"
folder = "labels"
ignore = 9
classes = ["sky", "road", "tree"]
"""
SEED = np.random.default_rng(0)


def save(path: Path, array: Any, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array)).save(path, **options)


def make(root: Path, toml: str = BASIC, splits: tuple[str, ...] = ("train", "val")) -> Path:
    """Write two samples a split of 6 by 8 pixels, and the TOML file; return its path."""
    for split in splits:
        for name in ("b", "a"):
            image = SEED.integers(0, 256, (6, 8, 3), dtype="uint8")
            save(root / split / "images" / f"{name}.png", image)
            mask = SEED.choice(np.array([0, 1, 2, 9], "uint8"), (6, 8))
            save(root / split / "labels" / f"{name}.png", mask)
    (root / "my.toml").write_text(toml, "utf-8")
    return root / "my.toml"


def load(path: Path) -> Dataset:
    return folder(path=FilePath(str(path)))


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_images_and_classes_are_those_of_the_files_in_the_order_of_their_names(
    tmp_path: Path,
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


def test_an_image_slices_like_an_array(tmp_path: Path) -> None:
    lazy = load(make(tmp_path)).splits["train"]["image"]
    whole = np.asarray(lazy)
    for key in (slice(None), slice(1, 9), np.array([0, 1]), np.array([True, False]), 1, -1):
        np.testing.assert_array_equal(lazy[key], whole[key])
    assert (len(lazy), lazy.ndim) == (2, 4)
    assert 0 <= whole.min() <= whole.max() <= 1


def test_the_toml_may_lie_in_the_folder_and_splits_may_have_other_names(tmp_path: Path) -> None:
    toml = '[splits]\ntrain = "one"\ntest = "two"\n' + BASIC
    make(tmp_path, toml, ("one", "two")).rename(tmp_path / "folder.toml")
    assert list(load_data(f"folder:{tmp_path}").splits) == ["train", "test"]


def test_a_layout_puts_the_field_first(tmp_path: Path) -> None:
    path = make(tmp_path / "x", 'layout = "{field}/{split}"\n' + BASIC)
    for split in ("train", "val"):
        for name in ("images", "labels"):
            (tmp_path / "x" / name).mkdir(exist_ok=True)
            (tmp_path / "x" / split / name).rename(tmp_path / "x" / name / split)
    assert len(load(path).splits["train"]["mask"]) == 2


def test_the_root_is_looked_for_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "data" / "scenes")
    path = tmp_path / "my.toml"
    path.write_text('root = "scenes"\n' + BASIC)
    monkeypatch.setenv("EDKIT_DATA", str(tmp_path / "data"))
    assert len(load(path).splits["train"]["mask"]) == 2
    monkeypatch.setenv("EDKIT_DATA", str(tmp_path))
    with pytest.raises(EdkitError, match=r"expected a folder 'scenes' beside it or in EDKIT_DATA"):
        load(path)


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
    tmp_path: Path, groups: list[list[int]], ignore: list[int], mode: str
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


VALUES = """
[fields.height]
kind = "value"
scale = 0.1
offset = -5.0
missing = 0
"""


def make_values(root: Path, toml: str, array: np.ndarray) -> Path:
    for split in ("train", "test"):
        save(root / split / "height" / "a.tif", array)
    (root / "my.toml").write_text(toml)
    return root / "my.toml"


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32"])
def test_values_are_scaled_and_missing_ones_are_nan(tmp_path: Path, dtype: str) -> None:
    raw = np.array([[0, 10, 20], [200, 0, 30]], dtype)
    data = load(make_values(tmp_path, VALUES, raw))
    field = data.fields["height"]
    assert (field.shape, field.kind, field.partial) == ((2, 3, 1), "value", True)
    height = data.splits["train"]["height"]
    assert height.dtype == np.dtype("float32")
    expected = [[np.nan, -4, -3], [15, np.nan, -2]]
    np.testing.assert_allclose(height[0, ..., 0], expected, rtol=1e-6)


@pytest.mark.parametrize(("fill", "expected"), [('"nearest"', [-4, 15]), ("7", [7, 7])])
def test_missing_values_are_filled_on_request(
    tmp_path: Path, fill: str, expected: list[float]
) -> None:
    raw = np.array([[0, 10, 20, 20], [200, 30, 30, 30], [0, 200, 30, 30]], "uint16")
    data = load(make_values(tmp_path, VALUES + f"fill = {fill}\n", raw))
    assert not data.fields["height"].partial
    height = data.splits["train"]["height"][0, ..., 0]
    known = raw > 0
    np.testing.assert_allclose(height[known], raw[known] * 0.1 - 5, rtol=1e-6)
    assert height[2, 0] == pytest.approx(expected[1])
    assert height[0, 0] in (pytest.approx(expected[0]), pytest.approx(expected[1]))


def test_deep_images_read_as_0_to_1(tmp_path: Path) -> None:
    raw = np.array([[0, 1000, 4095]], "uint16")
    for split in ("train", "test"):
        save(tmp_path / split / "image" / "a.png", raw)
    for bits, white in (("", 65535), ("bits = 12", 4095), ("channels = 3", 65535)):
        (tmp_path / "my.toml").write_text(f"[fields.image]\n{bits}\n")
        image = load(tmp_path / "my.toml").splits["train"]["image"]
        assert image.shape == (1, 1, 3, 3 if "channels" in bits else 1)
        np.testing.assert_allclose(image[0, ..., 0], raw / white, rtol=1e-6)
    (tmp_path / "my.toml").write_text("[fields.image]\nbits = 10\n")
    with pytest.raises(
        EdkitError, match=r"a.png': expected numbers from 0 to 1023, found 0 to 4095"
    ):
        load(tmp_path / "my.toml")


def test_a_size_averages_images_and_values_and_picks_classes(tmp_path: Path) -> None:
    toml = "size = [2, 2]\n" + BASIC + VALUES.replace("missing = 0", "missing = 1000")
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


def test_a_turned_photo_is_upright(tmp_path: Path) -> None:
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
    ("toml", "message"),
    [
        ("fields = [", "cannot be read as TOML"),
        ("[fields]\n", "expected a table such as [fields.image], found none"),
        ("", "expected a table such as [fields.image], found none"),
        ("fields = 3", "fields is tables such as [fields.image]; found 3"),
        ("[fields]\nimage = 3", "field 'image': expected a table of its own, found '3'"),
        ('rot = "x"\n' + BASIC, "Did you mean 'root'?"),
        (BASIC + 'colour = ["#000000"]', "field 'mask': 'colour'. Did you mean 'colours' or"),
        (
            "[fields.image]\nscale = 2",
            "field 'image': 'scale'. Known: bits, channels, folder, kind",
        ),
        ('[fields.a]\nkind = "picture"', "kind is image or class or value, found 'picture'"),
        ("[fields.a]\nkind = []", "field 'a': kind is"),
        ('[fields."a/b"]', "field 'a/b': expected a name of letters"),
        ('[fields.a]\nkind = "class"', "field 'a': expected classes, found none"),
        ("size = [3]\n" + BASIC, "size is [HEIGHT, WIDTH] in pixels; found [3]"),
        ("size = [0, 3]\n" + BASIC, "size is [HEIGHT, WIDTH]"),
        ("root = 3\n" + BASIC, "root is a folder; found 3"),
        ('layout = "{split}"\n' + BASIC, "layout is a text with {split} and {field}"),
        ("[splits]\ntrain = 1\n" + BASIC, "splits is a table such as"),
        ('[splits]\ntrain = "train"\n' + BASIC, "expected the splits train and validation or test"),
        (BASIC + 'colours = ["#000000"]', "a colour for each of 3 classes, found 1"),
        (BASIC + 'colours = ["red"]', "colours is colours such as"),
        (BASIC.replace("ignore = 9", "ignore = 1"), "1 is given twice"),
        (BASIC.replace("ignore = 9", 'ignore = "#000000"'), "ids alone or colours alone"),
        (BASIC.replace("ignore = 9", "ignore = -1"), "ignore is ids from 0 to 65535"),
        (BASIC.replace('"tree"', '"sky"'), "classes is names in the order of their ids"),
        ("[fields.a]\nkind = 'value'\nscale = 0", "scale is a number other than 0; found 0"),
        ("[fields.a]\nkind = 'value'\nfill = 'mean'", "fill is a number or"),
        ("[fields.image]\nchannels = 2", "channels is 1 or 3; found 2"),
        ("[fields.image]\nbits = true", "bits is a whole number from 1 to 16; found True"),
        ("a = " + "[" * 5000, "cannot be read as TOML"),
    ],
)
def test_a_wrong_description_is_one_line_with_its_file(
    tmp_path: Path, toml: str, message: str
) -> None:
    path = make(tmp_path, toml)
    with pytest.raises(EdkitError, match=re.escape(message)) as caught:
        load(path)
    assert "my.toml'" in str(caught.value)
    assert "\n" not in str(caught.value)


def remove(name: str) -> Any:
    return lambda root: (root / name).unlink()


def put(name: str, array: Any) -> Any:
    return lambda root: save(root / name, np.asarray(array, "uint8"))


def write(name: str, content: bytes) -> Any:
    return lambda root: (root / name).write_bytes(content)


def cut(name: str) -> Any:
    return lambda root: (root / name).write_bytes((root / name).read_bytes()[:-40])


def empty(name: str) -> Any:
    return lambda root: [path.unlink() for path in (root / name).iterdir()]


def ignored(root: Path) -> None:
    for path in (root / "val" / "labels").iterdir():
        save(path, np.full((6, 8), 9, "uint8"))


def no_folder(root: Path) -> None:
    (root / "val" / "labels").rename(root / "val" / "lables")


BROKEN_FILES = {
    "label out of range": (
        put("val/labels/a.png", np.full((6, 8), 3)),
        r"val/labels/a\.png': expected the ids 0, 1, 2, 9, found 3 in 48 pixels and 0 others",
    ),
    "mask of another size": (
        put("train/labels/b.png", np.zeros((8, 6))),
        r"train/labels/b\.png' has 8x6 pixels .* partner '.*train/images/b\.png' has 6x8",
    ),
    "image of another size": (
        lambda root: [
            save(root / "val" / kind / "c.png", np.zeros((5, 5, 3)[:n], "uint8"))
            for kind, n in (("images", 3), ("labels", 2))
        ],
        r"val/images/c\.png' has 5x5 pixels .*expected 6x8 as 4 others; 2 sizes in all\. "
        r"A line size = \[HEIGHT, WIDTH\] in '.*my\.toml'",
    ),
    "field without a folder": (
        no_folder,
        r"val/labels': expected a folder with the images of field 'mask', found images, lables",
    ),
    "lone image": (
        remove("train/labels/b.png"),
        r"train/images/b\.png' \(image\) has no partner in '.*train/labels' .* found 2 and 1 files",
    ),
    "lone mask": (
        remove("train/images/a.png"),
        r"train/labels/a\.png' \(mask\) has no partner in '.*train/images'",
    ),
    "two files of one name": (
        put("train/images/a.bmp", np.zeros((6, 8, 3))),
        r"train/images/a\.png': expected one file a name, found 'a\.bmp' as well",
    ),
    "colours for ids": (
        put("train/labels/a.png", np.zeros((6, 8, 3))),
        r"train/labels/a\.png': expected one class id a pixel, found colours \(mode RGB\)",
    ),
    "grey among colours": (
        put("train/images/b.png", np.zeros((6, 8))),
        r"train/images/b\.png': expected 3 channels of 8 bits as in 'a\.png', found 1 channel",
    ),
    "truncated image": (
        cut("train/images/a.png"),
        r"train/images/a\.png' cannot be read as an image",
    ),
    "no image": (
        write("train/images/a.png", b"no image"),
        r"train/images/a\.png': expected an image file, found something else",
    ),
    "empty file": (write("val/labels/a.png", b""), r"val/labels/a\.png': expected an image file"),
    "empty folder": (
        empty("val/labels"),
        r"val/labels': expected the images of field 'mask', found no file",
    ),
    "all ignored": (
        ignored,
        r"val/labels': expected pixels of a class, found ignored ones alone \(9\)",
    ),
}


@pytest.mark.parametrize("what", BROKEN_FILES)
def test_a_bad_folder_is_one_line_that_names_the_file(tmp_path: Path, what: str) -> None:
    spoil, message = BROKEN_FILES[what]
    path = make(tmp_path)
    spoil(tmp_path)
    with pytest.raises(EdkitError, match=message) as caught:
        load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.array([[0, np.nan]], "float32"), "found nan in 1 pixels: say missing = nan"),
        (np.array([[0, np.inf]], "float32"), "found inf in 1 pixels"),
        (np.zeros((2, 2, 3), "uint8"), "expected one value a pixel, found an image of mode RGB"),
    ],
)
def test_bad_values_are_named(tmp_path: Path, array: np.ndarray, message: str) -> None:
    path = make_values(tmp_path, '[fields.height]\nkind = "value"\n', array)
    with pytest.raises(EdkitError, match=rf"a\.tif': .*{message}"):
        load(path)


def test_a_field_without_any_value_cannot_be_filled(tmp_path: Path) -> None:
    path = make_values(tmp_path, VALUES + 'fill = "nearest"', np.zeros((2, 2), "uint16"))
    with pytest.raises(EdkitError, match=r"a\.tif': expected a value to fill with, found none"):
        load(path)


def test_jpeg_masks_are_told_to_be_png(tmp_path: Path) -> None:
    path = make(tmp_path)
    for file in (tmp_path / "train" / "labels").iterdir():
        save(file.with_suffix(".jpg"), SEED.integers(0, 256, (6, 8), dtype="uint8"))
        file.unlink()
    with pytest.raises(EdkitError, match=r"\.jpg': .*\(JPEG changes them: use PNG\)"):
        load(path)


def test_what_the_documents_show_is_a_description(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    for text, size in ((readme, ()), (inspect.getdoc(inspect.getmodule(folder)) or "", (180, 240))):
        (block,) = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        (tmp_path / "my.toml").write_text(block)
        plan = read_plan(tmp_path / "my.toml")
        assert plan.size == size
        assert [*plan.fields] == ["image", "mask", "elevation"]
        assert plan.fields["elevation"].scale == 1e-4


def test_other_files_in_a_folder_are_left_alone(tmp_path: Path) -> None:
    path = make(tmp_path)
    for name in ("Thumbs.db", "._a.png", "index.csv"):
        (tmp_path / "train" / "images" / name).write_bytes(b"x")
    assert len(load(path).splits["train"]["image"]) == 2


def test_without_a_path_it_says_what_to_do(tmp_path: Path) -> None:
    for text, message in {
        "folder": "needs the TOML file that describes a folder: folder:FILE.toml, or one of fold",
        f"folder:{tmp_path}/none.toml": "or one of camvid, dubai_landuse, zion_landcover; found n",
        f"folder:{tmp_path}": "found a folder without folder.toml",
    }.items():
        with pytest.raises(EdkitError, match=re.escape(message)):
            load_data(text)


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
