"""Bad input: one line with what was found and expected, before the first step, on any backend."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ed_core import Run, train
from ed_core.command import main

pytestmark = pytest.mark.backend

RANDOM = np.random.default_rng(0)
SIDE, TRAIN, TEST = 16, 24, 12
TOML = """
[fields.image]
folder = "images"
[fields.mask]
kind = "class"
folder = "labels"
ignore = 9
classes = ["sky", "road", "tree"]
"""
NAMED = {"train/label.classes": ("a", "b", "c")}
FAST = ("--epochs", "1", "--batch-size", "4", "--out", "runs")
UNET = ("unet", "--filters", "4,8")

Arrays = dict[str, Any]


def bytes_of(*shape: int, high: int = 256) -> np.ndarray:
    return RANDOM.integers(0, high, shape, dtype="uint8")


def images(channels: int = 1, side: int = SIDE) -> Arrays:
    return {
        f"{split}/image": bytes_of(samples, side, side, channels)
        for split, samples in (("train", TRAIN), ("test", TEST))
    }


def labels(**changed: Mapping[int, float]) -> Arrays:
    """Three classes in turn, but for the samples of a split that are given."""
    made: Arrays = {}
    for split, samples in (("train", TRAIN), ("test", TEST)):
        made[f"{split}/label"] = (np.arange(samples) % 3).astype("float64")
        for row, value in changed.get(split, {}).items():
            made[f"{split}/label"][row] = value
        if np.array_equal(made[f"{split}/label"], made[f"{split}/label"].round()):
            made[f"{split}/label"] = made[f"{split}/label"].astype("int64")
    return made


def masks(side: int = SIDE, train: int = 3) -> Arrays:
    """Masks of three classes; of those to train on, as many as are said."""
    return {
        "train/mask": bytes_of(TRAIN, side, side, high=train),
        "test/mask": bytes_of(TEST, side, side, high=3),
    }


def without(arrays: Arrays, *names: str) -> Arrays:
    return {name: array for name, array in arrays.items() if name not in names}


CLASSIFIER = ("autoencoder_classifier", "--data", "arrays:my.npz")
ARRAYS: dict[str, tuple[tuple[str, ...], Arrays, tuple[str, ...]]] = {
    "label too high": (
        CLASSIFIER,
        {**images(), **labels(train={4: 7}), **NAMED},
        ("my.npz', array 'train/label'", "expected labels from 0 to 2", "found 7"),
    ),
    "label below -1": (
        CLASSIFIER,
        {**images(), **labels(train={4: -3})},
        ("my.npz', array 'train/label'", "expected labels 0, 1, ...", "-3 in sample 4"),
    ),
    "label between two": (
        CLASSIFIER,
        {**images(), **labels(test={4: 0.5})},
        ("my.npz', array 'test/label'", "expected labels 0, 1, ...", "0.5 in sample 4"),
    ),
    "class never seen": (
        CLASSIFIER,
        {**images(), **labels(test={4: 3})},
        ("my.npz'", "class '3' is in split 'test'", "no labelled sample to train on"),
    ),
    "class of pixels never seen": (
        (*UNET, "--data", "arrays:my.npz"),
        {**images(3), **masks(train=2)},
        ("my.npz'", "class '2' is in split 'test'", "no labelled pixel to train on"),
    ),
    "pixel out of range": (
        (*UNET, "--data", "arrays:my.npz"),
        {**images(3), **masks(train=7), "train/mask.classes": ("a", "b", "c")},
        ("my.npz', array 'train/mask'", "expected labels from 0 to 2", "found 6"),
    ),
    "mask of another size": (
        (*UNET, "--data", "arrays:my.npz"),
        {**images(3), **masks(8)},
        ("my.npz'", "field 'mask'", "which is (16, 16, 3)", "received (8, 8)"),
    ),
    "field missing in one split": (
        CLASSIFIER,
        without({**images(), **labels()}, "test/label"),
        ("my.npz'", "expected the same fields in all splits", "not 'label'"),
    ),
    "field missing": (
        CLASSIFIER,
        images(),
        ("my.npz'", "needs a field 'label'", "has only: image"),
    ),
    "fewer labels than images": (
        CLASSIFIER,
        {**images(), **labels(), "test/label": np.arange(5) % 3},
        ("my.npz', split 'test'", "expected as many samples", "'image': 12, 'label': 5"),
    ),
    "one of two inputs missing": (
        ("fusion_unet", "--data", "arrays:my.npz"),
        {**images(3), **masks()},
        ("my.npz'", "needs a field 'elevation'", "has only: image, mask"),
    ),
    "one of two outputs missing": (
        ("unet_land_use_and_elevation", "--data", "arrays:my.npz"),
        {**images(3), **masks()},
        ("my.npz'", "needs a field 'elevation'", "has only: image, mask"),
    ),
    "encoder of other images": (
        ("classifier", "--encoder", "{base}", "--data", "arrays:my.npz"),
        {**images(side=8), **labels()},
        ("my.npz'", "{base}", "takes 'image', image (16, 16, 1)", "has image (8, 8, 1)"),
    ),
    "base of other images": (
        ("stacked_autoencoder", "--base", "{base}", "--data", "arrays:my.npz"),
        images(side=8),
        ("my.npz'", "{base}", "takes 'image', image (16, 16, 1)", "has image (8, 8, 1)"),
    ),
    "encoder of images with other channels": (
        ("classifier", "--encoder", "{base}", "--data", "arrays:my.npz"),
        {**images(3), **labels()},
        ("my.npz'", "{base}", "takes 'image', image (16, 16, 1)", "has image (16, 16, 3)"),
    ),
    "base without a decoder of images": (
        ("stacked_autoencoder", "--base", "{unet}", "--data", "arrays:my.npz"),
        images(3),
        ("option 'base'", "{unet}", "expected an auto-encoder from image to image"),
    ),
    "encoder that is not there": (
        ("classifier", "--encoder", "gone", "--data", "arrays:my.npz"),
        {**images(), **labels()},
        ("option 'encoder'", "gone' is not a run folder"),
    ),
}


def picture(path: Path, array: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array, "uint8")).save(path)


def scenes(root: Path) -> None:
    """Write two images and masks a split, and what describes them."""
    for split in ("train", "val"):
        for name in ("a", "b"):
            picture(root / split / "images" / f"{name}.png", bytes_of(SIDE, SIDE, 3))
            picture(root / split / "labels" / f"{name}.png", bytes_of(SIDE, SIDE, high=3))
    (root / "my.toml").write_text(TOML)


def smaller(root: Path) -> None:
    picture(root / "val/images/b.png", np.zeros((8, 8, 3)))
    picture(root / "val/labels/b.png", np.zeros((8, 8)))


def no_tree(root: Path) -> None:
    for name in ("a", "b"):
        picture(root / f"train/labels/{name}.png", bytes_of(SIDE, SIDE, high=2))


FOLDERS: dict[str, tuple[Callable[[Path], Any], tuple[str, ...]]] = {
    "class id out of range": (
        lambda root: picture(root / "train/labels/b.png", np.full((SIDE, SIDE), 5)),
        ("train/labels/b.png'", "expected the ids 0, 1, 2, 9", "found 5 in 256 pixels"),
    ),
    "mask of another size": (
        lambda root: picture(root / "train/labels/b.png", np.zeros((8, 8))),
        ("train/labels/b.png' has 8x8", "images/b.png' has 16x16", "expected the same"),
    ),
    "images of two sizes": (
        smaller,
        ("val/images/b.png' has 8x8", "expected 16x16 as 3 others"),
    ),
    "no folder of a field": (
        lambda root: (root / "val/labels").rename(root / "val/lables"),
        ("val/labels'", "expected a folder with the images of field 'mask'", "lables"),
    ),
    "no such field": (
        lambda root: (root / "my.toml").write_text('[fields.image]\nfolder = "images"\n'),
        ("my.toml'", "field 'mask'"),
    ),
    "image without a mask": (
        lambda root: (root / "train/labels/a.png").unlink(),
        ("train/images/a.png' (image) has no partner", "expected the same names"),
    ),
}


def refused(capsys: Any, folder: Path, arguments: tuple[str, ...]) -> str:
    """Return the one line of a command that changes no file and ends with status 2."""
    before = sorted(folder.rglob("*"))
    assert main(list(arguments)) == 2
    said = capsys.readouterr()
    assert said.err.startswith("edkit: ")
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert sorted(folder.rglob("*")) == before
    return str(said.err)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Run]:
    """An auto-encoder with a classifier on arrays, and a U-Net on a folder of images."""
    root = tmp_path_factory.mktemp("trained")
    np.savez(root / "good.npz", **images(), **labels())
    scenes(root)
    fast: dict[str, Any] = {"out": root, "epochs": 1, "batch_size": 2, "record": False}
    return {
        "base": train("autoencoder_classifier", f"arrays:{root / 'good.npz'}", **fast),
        "unet": train("unet", f"folder:{root / 'my.toml'}", **fast, filters=(4, 8)),
    }


@pytest.mark.parametrize("what", ARRAYS)
def test_arrays_that_do_not_fit_are_not_trained_on(
    what: str, trained: Any, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    command, arrays, expected = ARRAYS[what]
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "my.npz", **arrays)
    runs = {name: str(run.path) for name, run in trained.items()}
    arguments = (part.format(**runs) for part in ("train", *command, *FAST))
    said = refused(capsys, tmp_path, tuple(arguments))
    for part in expected:
        assert part.format(**runs) in said


@pytest.mark.parametrize("what", FOLDERS)
def test_a_folder_that_does_not_fit_is_neither_trained_nor_measured_on(
    what: str, trained: Any, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    spoil, expected = FOLDERS[what]
    monkeypatch.chdir(tmp_path)
    scenes(tmp_path)
    spoil(tmp_path)
    run = str(trained["unet"].path)
    for arguments in (
        ("train", *UNET, "--data", "folder:my.toml", *FAST),
        ("evaluate", run, "--data", "folder:my.toml"),
    ):
        said = refused(capsys, tmp_path, arguments)
        for part in expected:
            assert part in said


def test_a_class_without_a_pixel_to_train_on_is_named(
    tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    scenes(tmp_path)
    no_tree(tmp_path)
    said = refused(capsys, tmp_path, ("train", *UNET, "--data", "folder:my.toml", *FAST))
    assert "class 'tree' is in split 'validation' but has no labelled pixel" in said


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        (images(side=8) | labels(), "'image' is image (8, 8, 1)"),
        (images() | labels(test={4: 3}), "'label' is class () of 0, 1, 2, 3"),
        (images(), "needs field 'label'"),
        (images() | labels(train={4: -2}), "found -2 in sample 4"),
    ],
    ids=["image of another size", "class never seen", "field missing", "label out of range"],
)
def test_arrays_that_do_not_fit_are_not_measured_on(
    arrays: Arrays, expected: str, trained: Any, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "my.npz", **arrays)
    run = str(trained["base"].path)
    said = refused(capsys, tmp_path, ("evaluate", run, "--data", "arrays:my.npz"))
    assert expected in said
    assert "my.npz" in said
