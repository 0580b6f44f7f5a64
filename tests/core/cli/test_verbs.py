"""The verbs as a user gives them: files in, files out, one line for what cannot be."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from support import patience
from support.core import untrained_run

from ed_core import Field, Fields
from ed_core.cli import main
from ed_core.cli.verbs import _bar
from ed_core.runs.prior import Drawing, generator
from ed_core.runs.run import Run

pytestmark = [pytest.mark.backend, pytest.mark.once]

NAMES = ("cat", "dog")
GREY = Fields(image=Field((8, 8, 1)))
FACES = Fields(image=Field((8, 8, 1)), label=Field((), "class", NAMES))
SCENE = Fields(image=Field((8, 8, 3)), mask=Field((8, 8), "class", ("road", "grass")))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: Any) -> dict[str, Run]:
    folder = tmp_path_factory.mktemp("runs")
    return {
        "vae": untrained_run(folder, "vae", GREY, hidden=(8,), latent=3),
        "classifier": untrained_run(folder, "classifier", FACES, hidden=(4,), filters=(2,)),
        "unet": untrained_run(folder, "unet", SCENE, filters=(4, 8)),
        "conditional": untrained_run(folder, "conditional_gan", FACES, latent=3, filters=(4,)),
    }


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Grey and colour pictures, of the model's size and of another one, and two that are none."""
    folder = tmp_path / "pictures"
    (folder / "sub").mkdir(parents=True)
    random = np.random.default_rng(0)
    for number in range(6):
        size = (8, 8) if number % 2 else (16, 24)
        image = Image.fromarray(random.integers(0, 256, size, "u1"))
        image.save((folder / "sub" if number > 3 else folder) / f"{number}.png")
    return folder


def edkit(*arguments: object) -> int:
    try:
        return main([str(argument) for argument in arguments])
    except SystemExit as end:
        return int(str(end.code))


def test_codes_go_to_a_table_and_come_back(
    runs: dict[str, Run], pictures: Path, tmp_path: Path, capsys: Any
) -> None:
    run = runs["vae"]
    (pictures / "text.png").write_text("hello")
    cut = (pictures / "1.png").read_bytes()
    (pictures / "cut.png").write_bytes(cut[: len(cut) // 2])
    assert edkit("encode", run.path, pictures, "-o", tmp_path / "codes.csv") == 0
    out, err = capsys.readouterr()
    assert out.strip().endswith("codes.csv")
    assert "Encoded 6 of 8 samples" in err
    assert "2 refused" in err
    assert "cut.png" in err
    assert "text.png" in err
    table = pd.read_csv(tmp_path / "codes.csv")
    assert table["name"].tolist() == [*(f"{n}.png" for n in range(4)), "sub/4.png", "sub/5.png"]
    small = np.stack([np.asarray(Image.open(pictures / f"{n}.png"), "f4") for n in (1, 3)])
    expected = run.encode(small[..., None] / 255)["code"]
    codes = table[["code_1", "code_2", "code_3"]].to_numpy("f4")
    np.testing.assert_allclose(codes[[1, 3]], expected, rtol=1e-5, atol=1e-6)
    assert edkit("decode", run.path, tmp_path / "codes.csv", "-o", tmp_path / "back.npz") == 0
    with np.load(tmp_path / "back.npz") as arrays:
        np.testing.assert_allclose(arrays["image"], run.decode(codes)["image"], atol=1e-6)
        assert arrays["name"].tolist() == table["name"].tolist()


def test_pictures_are_reconstructed_into_a_folder_once(
    runs: dict[str, Run], pictures: Path, tmp_path: Path, capsys: Any
) -> None:
    command = ("reconstruct", runs["vae"].path, pictures, "-o", tmp_path / "back")
    (pictures / "sub" / "5.png").write_text("broken")
    assert edkit(*command) == 0
    assert "5 of 6" in capsys.readouterr().err
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "back").rglob("*.png")}
    assert len(written) == 5
    Image.new("L", (8, 8)).save(pictures / "sub" / "5.png")  # mended
    assert edkit(*command) == 0
    assert "6 of 6" in capsys.readouterr().err
    assert (tmp_path / "back" / "sub" / "5.png").is_file()
    first = Image.open(tmp_path / "back" / "1.png")
    small = np.asarray(Image.open(pictures / "1.png"), "f4")[None, ..., None] / 255
    expected = runs["vae"].reconstruct(small)["image"][0, ..., 0] * 255
    np.testing.assert_allclose(np.asarray(first), expected, atol=0.51)
    assert edkit(*command, "--format", "tiff") == 2
    assert "with other options (none)" in capsys.readouterr().err


def test_classes_come_with_their_names_and_probabilities(
    runs: dict[str, Run], pictures: Path, tmp_path: Path
) -> None:
    pytest.importorskip("pyarrow")
    run = runs["classifier"]
    command = ("predict", run.path, pictures / "1.png", "--probabilities")
    assert edkit(*command, "-o", tmp_path / "classes.parquet") == 0
    table = pd.read_parquet(tmp_path / "classes.parquet")
    assert [*table] == ["name", "label", "label_probability", "label_cat", "label_dog"]
    shares = table[["label_cat", "label_dog"]].to_numpy()[0]
    assert table["label"][0] == NAMES[shares.argmax()]
    assert table["label_probability"][0] == shares.max()
    assert table["name"][0] == "1.png"


def test_a_mask_has_the_size_of_the_picture(
    runs: dict[str, Run], pictures: Path, tmp_path: Path
) -> None:
    out = tmp_path / "masks"
    command = ("segment", runs["unet"].path, pictures, "--overlay", "--as", "colours")
    assert edkit(*command, "-o", out) == 0
    for number in range(6):
        name = f"{'sub/' if number > 3 else ''}{number}"
        with Image.open(pictures / f"{name}.png") as picture:
            for made in (out / f"{name}.png", out / f"{name}_overlay.png"):
                with Image.open(made) as mask:
                    assert mask.size == picture.size
                    assert mask.mode == "RGB"
    assert edkit(*command[:3], "-o", tmp_path / "masks.npz") == 0  # pictures of the first's size
    with np.load(tmp_path / "masks.npz") as arrays:
        assert arrays["mask"].shape == (3, 16, 24)


def test_a_large_picture_is_taken_in_tiles_and_the_last_line_says_so(
    runs: dict[str, Run], pictures: Path, tmp_path: Path, capsys: Any
) -> None:
    run = runs["unet"]
    large = np.asarray(Image.open(pictures / "0.png").convert("RGB"), "f4")[None] / 255
    masks = {}
    for options, words in (
        ((), "in tiles of 8x8 pixels that overlap by 2, blended"),
        (("--tile", "16", "--overlap", "4"), "in tiles of 16x16 pixels that overlap by 4, blended"),
        (("--tile", "none"), "samples in"),
    ):
        out = tmp_path / f"masks{len(masks)}.npz"
        assert edkit("segment", run.path, pictures / "0.png", *options, "-o", out) == 0
        said = capsys.readouterr().err
        assert words in said
        assert ("tiles" in said) == ("none" not in options)
        with np.load(out) as arrays:
            masks[options] = arrays["mask"]
        assert masks[options].shape == (1, 16, 24)
    np.testing.assert_array_equal(masks[()], run.segment(large)["mask"])
    alike = run.segment(large, tile=16, overlap=4)["mask"]
    np.testing.assert_array_equal(masks["--tile", "16", "--overlap", "4"], alike)
    small = pictures / "1.png"  # of the size of the run
    assert edkit("segment", run.path, small, "-o", tmp_path / "small.npz") == 0
    assert "tiles" not in capsys.readouterr().err
    codes = ("reconstruct", runs["vae"].path, pictures, "--overlap", "0", "-o", tmp_path / "back")
    assert edkit(*codes) == 0
    with Image.open(tmp_path / "back" / "0.png") as image:
        assert image.size == (24, 16)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("reconstruct", "vae", "--tile", "16"), "takes 8 x 8 pixels and cannot take 16 x 16"),
        (("predict", "classifier", "--tile", "16"), "tiles are of pictures of which pictures"),
        (("segment", "unet", "--tile", "16", "--overlap", "16"), "--overlap is from 0 to 15"),
        (("segment", "unet", "--tile", "4"), "expected auto, none or pixels, from 8 up"),
    ],
)
def test_tiles_that_cannot_be_are_refused(
    runs: dict[str, Run], pictures: Path, tmp_path: Path, capsys: Any, arguments: Any, message: str
) -> None:
    verb, run, *options = arguments
    assert edkit(verb, runs[run].path, pictures, *options, "-o", tmp_path / "out") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_new_samples_are_drawn_of_every_class(runs: dict[str, Run], tmp_path: Path) -> None:
    command = ("generate", runs["conditional"].path, "--count", "4")
    assert edkit(*command, "-o", tmp_path / "new") == 0
    names = sorted(path.name for path in (tmp_path / "new").glob("*.png"))
    assert names == ["1 cat.png", "2 dog.png", "3 cat.png", "4 dog.png"]
    walk = ("--interpolate", "3", "--class", "dog", "-o", tmp_path / "walk.npz")
    assert edkit(*command[:2], "--count", "2", *walk) == 0
    with np.load(tmp_path / "walk.npz") as arrays:
        assert arrays["name"].tolist() == [f"{n}-{step} dog" for n in (1, 2) for step in (1, 2, 3)]
    assert edkit("generate", runs["vae"].path, "--grid", "3", "-o", tmp_path / "plane") == 0
    assert len([*(tmp_path / "plane").glob("?-?.png")]) == 9


@pytest.mark.parametrize(
    ("run", "options", "rows", "columns"),
    [
        ("vae", ("--grid", 3), 3, 3),
        ("vae", ("--count", 5), 2, 3),
        ("vae", ("--count", 2, "--interpolate", 4), 2, 4),
        ("conditional", ("--count", 7), 2, 4),  # a row a class
        ("conditional", ("--grid", 3), 2, 3),
        ("conditional", ("--grid", 3, "--class", "dog"), 3, 3),
        ("conditional", ("--count", 3, "--interpolate", 2), 3, 2),
    ],
)
def test_a_sheet_shows_the_samples_in_rows_and_columns(
    runs: dict[str, Run],
    tmp_path: Path,
    run: str,
    options: tuple[Any, ...],
    rows: int,
    columns: int,
) -> None:
    command = ("generate", runs[run].path, *options)
    assert edkit(*command, "-o", tmp_path / "sheet.png") == 0
    assert edkit(*command, "-o", tmp_path / "it.npz") == 0
    with np.load(tmp_path / "it.npz") as arrays:
        images = np.rint(arrays["image"][..., 0] * 255).astype("u1")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    left = sheet.shape[1] - columns * 68 - 4  # the names of classes
    assert sheet.shape[0] == rows * 68 + 4
    assert (left > 8) == (run == "conditional")
    tiles = [
        sheet[row * 68 + 4 : row * 68 + 68, left + at * 68 + 4 : left + at * 68 + 68][::8, ::8]
        for row in range(rows)
        for at in range(columns)
    ]
    of_classes = run == "conditional" and "--grid" not in options and "--interpolate" not in options
    order = [*range(0, len(images), 2), *range(1, len(images), 2)] if of_classes else None
    shown = [tile for tile in tiles if not (tile == 255).all()]
    np.testing.assert_array_equal(shown, images[order] if order else images)


def test_the_rows_of_a_conditional_grid_share_their_draws(runs: dict[str, Run]) -> None:
    drawing = Drawing(plane=3, seed=4)
    source = generator(runs["conditional"], drawing)
    rows = [source.inputs(row) for row in range(len(source.drawing))]
    codes = np.array([row["code"] for row in rows]).reshape(2, 3, -1)
    np.testing.assert_array_equal(codes[0], codes[1])
    assert len(np.unique(codes[0], axis=0)) == 3
    assert [int(row["label"]) for row in rows] == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("decode", "classifier", "codes.csv", "-o", "x.npz"), "which has no decoder of codes"),
        (("predict", "vae", "pictures", "-o", "x.csv"), "no head that predicts a class or a value"),
        (("segment", "vae", "pictures", "-o", "x"), "no head that predicts the class of every pi"),
        (("encode", "conditional", "pictures", "-o", "x.csv"), "no encoder with a code"),
        (("generate", "classifier", "-o", "x"), "no decoder of codes"),
        (("generate", "vae", "--class", "cat", "-o", "x"), "is told no class"),
        (("generate", "conditional", "--class", "cow", "-o", "x"), "expected cat, dog"),
        (("generate", "vae", "--grid", "3", "--count", "2", "-o", "x"), "--grid goes without"),
        (("encode", "vae", "empty", "-o", "x.csv"), "is empty"),
        (("encode", "vae", "nothing", "-o", "x.csv"), "does not exist"),
        (("encode", "vae", "text.png", "-o", "x.csv"), "text.png"),
        (("encode", "vae", "cut.jpg", "-o", "x.csv"), "cut.jpg"),
        (("encode", "vae", "bands.tif", "-o", "x.csv"), "bands.tif"),
        (("encode", "vae", "words.docx", "-o", "x.csv"), "nothing reads that: found .docx"),
        (("encode", "vae", "pictures", "-o", "x.xls"), "nothing is written as .xls"),
        (("encode", "vae", "pictures", "-o", "pictures"), "'code' is no picture"),
        (("reconstruct", "vae", "pictures", "-o", "pictures"), "not an empty folder"),
        (("reconstruct", "vae", "pictures", "-o", "words.docx.csv"), "exists already"),
        (("segment", "unet", "pictures", "-o", "x.csv"), "is a map, no number for a table"),
        (("segment", "unet", "pictures", "--overlay", "-o", "x.npz"), "give --output a folder"),
        (("decode", "vae", "pictures", "-o", "x"), "no file of codes"),
        (("decode", "vae", "text.csv", "-o", "x"), "lacks the column 'code_1'"),
        (("decode", "vae", "narrow.npz", "-o", "x"), "codes of 2 numbers, and the decoder takes 3"),
        (("decode", "vae", "broken.h5", "-o", "x"), "cannot be read as codes"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_nothing(
    runs: dict[str, Run],
    pictures: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
    arguments: tuple[str, ...],
    message: str,
) -> None:
    here = pictures.parent
    monkeypatch.chdir(here)
    (here / "empty").mkdir()
    (here / "text.png").write_text("hello")
    (here / "broken.h5").write_text("hello")
    (here / "words.docx").write_text("hello")
    (here / "words.docx.csv").write_text("hello")
    (here / "text.csv").write_text("name,number\na,1\n")
    np.savez(here / "narrow.npz", code=np.zeros((2, 2), "f4"))
    Image.new("L", (64, 64)).save(here / "whole.jpg")
    (here / "cut.jpg").write_bytes((here / "whole.jpg").read_bytes()[:200])
    import tifffile

    tifffile.imwrite(here / "bands.tif", np.zeros((8, 8, 5), "u1"), photometric="minisblack")
    before = {path: path.stat().st_mtime_ns for path in here.rglob("*") if path.is_file()}
    verb, name, *rest = arguments
    assert edkit(verb, runs[name].path, *rest) == 2
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if line.startswith("edkit: ")]
    assert len(lines) == 1
    assert message in lines[0]
    assert not out
    assert {p: p.stat().st_mtime_ns for p in here.rglob("*") if p.is_file()} == before
    assert not [*here.glob("x*"), *here.glob(".*")]


@pytest.mark.once
def test_a_log_says_at_most_a_hundred_times_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    times = iter(range(1, 10_000))
    monkeypatch.setattr("ed_core.cli.verbs.time.monotonic", lambda: next(times))
    with _bar() as tell:
        for done in range(0, 5001, 5):
            tell(done, 5000)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"{done:,} of 5,000 samples" for done in range(50, 5000, 50)]


@pytest.mark.waits
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_says_how_to_go_on(
    runs: dict[str, Run], tmp_path: Path, number: signal.Signals
) -> None:
    output = tmp_path / "many"
    command = ["generate", str(runs["vae"].path), "--count", "20000", "-o", str(output)]
    child = subprocess.Popen(
        [sys.executable, "-m", "ed_core.cli", *command],
        stderr=subprocess.PIPE, text=True, env={**os.environ},
    )  # fmt: skip
    try:
        deadline = time.monotonic() + patience.SECONDS
        while not [*output.glob("*.png")]:
            assert time.monotonic() < deadline
            assert child.poll() is None
            time.sleep(0.02)
        child.send_signal(number)
        _, err = child.communicate(timeout=patience.SECONDS)
    finally:
        child.kill()
        child.wait()
    assert child.returncode == 128 + number
    assert f"Go on with: edkit {' '.join(command)}" in err
    for path in output.glob("*.png"):
        with Image.open(path) as image:
            image.load()
    assert [path.name for path in output.iterdir() if path.suffix != ".png"] == [".edkit"]
