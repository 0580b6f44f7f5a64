"""Bad arrays: one line with what was found and expected, before the first step, on any backend."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ed_core import Run, evaluate, train

pytestmark = pytest.mark.backend

RANDOM = np.random.default_rng(0)
SIDE, TRAIN, TEST = 16, 24, 12
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


def with_validation(arrays: Arrays) -> Arrays:
    """The test split a second time, as the validation split."""
    parts = [name.partition("test/")[2] for name in arrays if name.startswith("test/")]
    return {**arrays, **{f"validation/{part}": arrays[f"test/{part}"] for part in parts}}


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
        with_validation({**images(), **labels(test={4: 3})}),
        ("my.npz'", "class '3' is in split 'validation'", "no labelled sample to train on"),
    ),
    "class of pixels never seen": (
        (*UNET, "--data", "arrays:my.npz"),
        with_validation({**images(3), **masks(train=2)}),
        ("my.npz'", "class '2' is in split 'validation'", "no labelled pixel to train on"),
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
        ("my.npz'", "needs a field 'label'", "has only: image"),
    ),
    "field missing": (
        CLASSIFIER,
        images(),
        ("my.npz'", "needs a field 'label'", "has only: image"),
    ),
    "fewer labels than images": (
        CLASSIFIER,
        {**images(), **labels(), "test/label": np.arange(5) % 3},
        ("my.npz'", "needs a field 'label'", "has only: image"),
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
        {"train/image": bytes_of(TRAIN, 6, 8, 3), "test/image": bytes_of(TEST, 6, 8, 3)},
        ("option 'base'", "{unet}", "expected an auto-encoder from image to image"),
    ),
    "encoder that is not there": (
        ("classifier", "--encoder", "gone", "--data", "arrays:my.npz"),
        {**images(), **labels()},
        ("option 'encoder'", "gone' is not a run folder"),
    ),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, unet: Run) -> dict[str, Run]:
    """An auto-encoder with a classifier, and a U-Net."""
    root = tmp_path_factory.mktemp("trained")
    np.savez(root / "good.npz", **images(), **labels())
    fast: dict[str, Any] = {"out": root, "epochs": 1, "batch_size": 2, "record": False}
    base = train("autoencoder_classifier", f"arrays:{root / 'good.npz'}", **fast)
    return {"base": base, "unet": unet}


@pytest.mark.parametrize("what", ARRAYS)
def test_arrays_that_do_not_fit_are_not_trained_on(
    what: str, trained: Any, tmp_path: Path, refused: Any, monkeypatch: Any
) -> None:
    command, arrays, expected = ARRAYS[what]
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "my.npz", **arrays)
    runs = {name: str(run.path) for name, run in trained.items()}
    arguments = (part.format(**runs) for part in ("train", *command, *FAST))
    said = refused(*arguments)
    for part in expected:
        assert part.format(**runs) in said


@pytest.mark.parametrize(
    ("arrays", "expected"),
    [
        (images(side=8) | labels(), "'image' is image (8, 8, 1)"),
        (
            images() | labels(test={4: 3}),
            "'label' has the class '3' that the run does not know: expected 0, 1, 2;",
        ),
        (images(), "needs field 'label'"),
        (images() | labels(train={4: -2}), "found -2 in sample 4"),
    ],
    ids=["image of another size", "class never seen", "field missing", "label out of range"],
)
def test_arrays_that_do_not_fit_are_not_measured_on(
    arrays: Arrays, expected: str, trained: Any, tmp_path: Path, refused: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "my.npz", **arrays)
    run = str(trained["base"].path)
    said = refused("evaluate", run, "--data", "arrays:my.npz")
    assert expected in said
    assert "my.npz" in said


@pytest.mark.parametrize("more", [(), ("--labels", "label=0.5"), ("--only", "label=1")])
def test_a_file_with_a_test_alone_is_not_trained_on(
    more: tuple[str, ...], tmp_path: Path, refused: Any, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    np.savez(tmp_path / "my.npz", **of_the_test(images() | labels()))
    said = refused("train", "autoencoder_classifier", "--data", "arrays:my.npz", *more, *FAST)
    assert "split 'train'" in said


def of_the_test(arrays: Arrays) -> Arrays:
    return {name: array for name, array in arrays.items() if "test/" in name}


def test_new_samples_are_measured_whole(
    trained: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file without splits that the run has never seen, one of a test alone, and the run's own."""
    run, arrays = trained["base"], images() | labels()
    new = {name: arrays[f"test/{name}"] for name in ("image", "label")}
    np.savez(tmp_path / "new.npz", **new)
    np.savez(tmp_path / "test.npz", **of_the_test(arrays))
    np.savez(tmp_path / "both.npz", **arrays)
    count = len(new["image"])
    own = evaluate(run, f"arrays:{tmp_path / 'both.npz'}")
    for file, split in (("new", "all"), ("test", "test")):
        found = evaluate(run, f"arrays:{tmp_path / file}.npz")
        assert (found["split"], found["samples"]) == (split, count)
        same = {key: value for key, value in found.items() if key not in ("data", "split")}
        assert same == {key: own[key] for key in same}
    assert "drawn at random" not in capsys.readouterr().err
    drawn = evaluate(run, f"arrays:{tmp_path / 'new.npz'}", split="test")
    assert drawn["samples"] < count
    assert "drawn at random" in capsys.readouterr().err


def test_new_samples_need_not_show_every_class(trained: Any, tmp_path: Path) -> None:
    arrays = of_the_test(images() | labels())
    few = {name: array[arrays["test/label"] < 2] for name, array in arrays.items()}
    np.savez(tmp_path / "few.npz", **few)
    found = evaluate(trained["base"], f"arrays:{tmp_path / 'few.npz'}")
    assert found["samples"] == found["label_count"] == len(few["test/label"])


def test_a_run_is_never_measured_on_what_it_was_trained_on(tmp_path: Path) -> None:
    """Of a file without splits, whatever drew them: the run's own samples are known to it."""
    arrays = images() | labels()
    np.savez(tmp_path / "my.npz", **{n: arrays[f"train/{n}"] for n in ("image", "label")})
    text = f"arrays:{tmp_path / 'my.npz'}"
    run = train("autoencoder_classifier", text, out=tmp_path, epochs=1, batch_size=2, record=False)
    for given in (None, text, f"{text},seed=3"):
        assert evaluate(run, given)["split"] == "test"
    assert evaluate(run, split="all")["samples"] == TRAIN
