"""A folder of images that is not as described: one line that names the file, and no step."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ed_core import EdkitError, Run


def remove(name: str) -> Any:
    return lambda root: (root / name).unlink()


def put(name: str, array: Any) -> Any:
    return lambda root: Image.fromarray(np.asarray(array, "uint8")).save(root / name)


def write(name: str, content: bytes) -> Any:
    return lambda root: (root / name).write_bytes(content)


def cut(name: str) -> Any:
    return lambda root: (root / name).write_bytes((root / name).read_bytes()[:-40])


def empty(name: str) -> Any:
    return lambda root: [path.unlink() for path in (root / name).iterdir()]


def ignored(root: Path) -> None:
    for name in ("a", "b"):
        put(f"val/labels/{name}.png", np.full((6, 8), 9))(root)


def no_tree(root: Path) -> None:
    for name in ("a", "b"):
        put(f"train/labels/{name}.png", np.eye(6, 8))(root)


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
            put("val/images/c.png", np.zeros((5, 5, 3)))(root),
            put("val/labels/c.png", np.zeros((5, 5)))(root),
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
        r"train/labels/a\.png': expected one class id a pixel, found colours \(3 bands\)",
    ),
    "grey among colours": (
        put("train/images/b.png", np.zeros((6, 8))),
        r"train/images/b\.png': expected 3 channels of 8 bits as in 'a\.png', found 1 channel"
        r" of 8 bits: say channels = 3, or 1 for grey\.",
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
def test_a_bad_folder_is_one_line_that_names_the_file(
    tmp_path: Path, what: str, make: Any, load: Any
) -> None:
    spoil, message = BROKEN_FILES[what]
    path = make(tmp_path)
    spoil(tmp_path)
    with pytest.raises(EdkitError, match=message) as caught:
        load(path)
    assert "\n" not in str(caught.value)


def test_jpeg_masks_are_told_to_be_png(tmp_path: Path, make: Any, save: Any, load: Any) -> None:
    path = make(tmp_path)
    noise = np.random.default_rng(0)
    for file in (tmp_path / "train" / "labels").iterdir():
        save(file.with_suffix(".jpg"), noise.integers(0, 256, (6, 8), dtype="uint8"))
        file.unlink()
    with pytest.raises(EdkitError, match=r"\.jpg': .*\(JPEG changes them: use PNG\)"):
        load(path)


# Of each kind of mistake one, as the commands say it: of a file, a size, a folder, a name.
COMMANDS = {
    **{
        what: BROKEN_FILES[what]
        for what in (
            "label out of range",
            "mask of another size",
            "image of another size",
            "field without a folder",
            "lone image",
        )
    },
    "no such field": (
        lambda root: (root / "my.toml").write_text('[fields.image]\nfolder = "images"\n'),
        r"^(?=.*my\.toml')(?=.* field 'mask')",
    ),
}
TRAIN = ("train", "unet", "--filters", "4,8", "--data", "folder:my.toml")
FAST = ("--epochs", "1", "--batch-size", "4", "--out", "runs")


@pytest.mark.backend
@pytest.mark.once
@pytest.mark.parametrize("what", COMMANDS)
def test_a_folder_that_does_not_fit_is_neither_trained_nor_measured_on(
    what: str, unet: Run, tmp_path: Path, make: Any, refused: Any, monkeypatch: Any
) -> None:
    spoil, message = COMMANDS[what]
    monkeypatch.chdir(tmp_path)
    make(tmp_path)
    spoil(tmp_path)
    for command in (
        (*TRAIN, *FAST),
        ("evaluate", str(unet.path), "--data", "folder:my.toml"),
    ):
        assert re.search(message, refused(*command))


@pytest.mark.backend
@pytest.mark.once
def test_a_class_without_a_pixel_to_train_on_is_named(
    tmp_path: Path, make: Any, refused: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path)
    no_tree(tmp_path)
    said = refused(*TRAIN, *FAST)
    assert "class 'tree' is in split 'validation' but has no labelled pixel" in said
