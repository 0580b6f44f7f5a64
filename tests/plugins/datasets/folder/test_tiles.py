"""Images cut into tiles: no pixel is lost, no image is in two splits, and files are read rarely."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ed_core import DATASETS, Dataset, EdkitError, Field, Fields, evaluate, open_run, train
from ed_core.data.batches import gathered
from ed_core.data.lazy import parts_of
from ed_core.data.loading import described, load_data
from ed_core.data.validation_split import keep_aside
from ed_core.inference.job import begun
from ed_core.inference.verbs import VerbTask
from ed_core.seeds import Seeds
from ed_plugins.datasets.folder.images import Images

SIZES = [(40, 52), (33, 64), (48, 48), (32, 32), (40, 52), (64, 33), (70, 40), (32, 90)]


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    """Images of several sizes, each of one colour of its own, with masks and depth."""
    random = np.random.default_rng(0)
    for number, (height, width) in enumerate(SIZES):
        picture = np.full((height, width, 3), 20 * number, "u1")
        picture[..., 1] = random.integers(0, 256, (height, width))
        depth = random.integers(0, 60000, (height, width), "u2")
        mask = (picture[..., 1] > 128).astype("u1")
        for folder, pixels in (("rgb", picture), ("depth", depth), ("label", mask)):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / folder / f"{number}.png")
    return tmp_path


def images_in(arrays: Any) -> set[int]:
    return {int(number) for number in np.rint(np.asarray(arrays["image"])[:, 0, 0, 0] * 255 / 20)}


def test_every_pixel_of_every_field_is_in_a_tile_and_an_image_in_one_split(scenes: Path) -> None:
    data = load_data(f"folder:{scenes},tile=32,overlap=8")
    assert {name: one.shape for name, one in data.fields.items()} == {
        "image": (32, 32, 3),
        "depth": (32, 32, 1),
        "mask": (32, 32),
    }
    train, test = (images_in(data.splits[split]) for split in ("train", "test"))
    assert train | test == {*range(8)}
    assert not train & test
    assert data.groups is not None
    seen: Counter[int] = Counter()
    whole = {name: np.asarray(array) for name, array in (data.whole or {}).items()}
    np.testing.assert_array_equal(whole["mask"], whole["image"][..., 1] * 255 > 128)
    values = {number: set() for number in range(8)}
    for tile, depth in zip(whole["image"], whole["depth"], strict=True):
        number = round(float(tile[0, 0, 0]) * 255 / 20)
        seen[number] += 1
        values[number] |= {*depth.ravel().tolist()}
    for number, (height, width) in enumerate(SIZES):
        assert seen[number] == (1 + -(-(height - 32) // 24)) * (1 + -(-(width - 32) // 24))
        with Image.open(scenes / "depth" / f"{number}.png") as image:
            assert {*np.asarray(image).ravel().tolist()} == values[number]


def test_what_is_kept_aside_is_whole_images(scenes: Path) -> None:
    data = keep_aside(load_data(f"folder:{scenes},tile=32"), 0.2, Seeds(0))
    parts = [images_in(data.splits[split]) for split in ("train", "validation", "test")]
    assert sum(map(len, parts)) == 8
    assert set.union(*parts) == {*range(8)}


@pytest.mark.parametrize("memory", ["kept", "read again"])
def test_a_file_is_decoded_once_for_its_tiles(
    scenes: Path, monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    monkeypatch.setattr("ed_plugins.datasets.folder.read._WHOLE", 0)
    monkeypatch.setattr("ed_plugins.datasets.folder.read._LOOKED", 1)
    sample = 70 * 52 * 3  # about what an image takes, and more than a tile
    if memory != "kept":
        monkeypatch.setattr("ed_plugins.datasets.folder.loader.KEPT", 0)
        monkeypatch.setattr("ed_plugins.datasets.folder.check.KEPT", 3 * 2 * sample * 7 // 3)
    data = load_data(f"folder:{scenes},tile=32,overlap=8")
    array = data.splits["train"]["image"]
    parts = parts_of(array)
    assert parts is not None
    assert parts[1] == (8 if memory == "kept" else parts[1])
    reads: Counter[str] = Counter()
    read = Images.read
    monkeypatch.setattr(
        Images,
        "read",
        lambda self, path, header: (reads.update([path]), read(self, path, header))[1],
    )
    for epoch in range(2):
        reads.clear()
        order = gathered(np.random.default_rng(epoch).permutation(len(array)), *parts)
        assert sorted(order) == [*range(len(array))]
        for first in range(0, len(order), 4):
            rows = np.unique(order[first : first + 4])
            assert (np.asarray(array[rows]).shape) == (len(rows), 32, 32, 3)
        files = len({*parts[0]})
        assert sum(reads.values()) <= (files if epoch == 0 or memory != "kept" else 0)
    if memory != "kept":
        assert parts[1] < 8


def test_the_description_says_tiles_and_reads_the_same(scenes: Path) -> None:
    text = f"folder:{scenes},tile=32,overlap=8"
    bare = load_data(text)
    found = described(text)
    assert found is not None
    assert "tile = 32\noverlap = 8\n" in found[1]
    found[0].write_text(found[1])
    again = load_data(f"folder:{scenes}")
    assert dict(again.input.reading or {}) == dict(bare.input.reading or {})
    for name, array in bare.splits["test"].items():
        np.testing.assert_array_equal(np.asarray(array), np.asarray(again.splits["test"][name]))
    assert any(one.about == "tiles" and "of 8 images" in one.text for one in bare.input.findings)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("tile=64", r"0\.png' has 40x52 pixels, less than a tile of 64x64: say tile=40 or less"),
        ("tile=32,overlap=32", "'overlap' is less than a tile of 32 pixels, received 32"),
        ("tile=4", "'tile' is from 8 pixels, received 4"),
        ("overlap=4", "'overlap' is of tiles: say tile=256"),
        ("", "or tile=256, to cut them into tiles"),
    ],
)
def test_what_cannot_be_cut_is_refused(scenes: Path, options: str, message: str) -> None:
    with pytest.raises(EdkitError, match=message):
        load_data(f"folder:{scenes},{options}".rstrip(","))


def opened(data: Dataset, path: Path, side: int) -> Any:
    reader = DATASETS["folder"].files
    assert reader is not None
    assert reader.any_size
    fields = {"image": Field((side, side, 3)), "depth": Field((side, side, 1), "value")}
    return reader.open(path, Fields(fields), data.input.reading or {})


def test_a_run_on_tiles_reads_tiles_or_whole_pictures(scenes: Path) -> None:
    data = load_data(f"folder:{scenes},tile=32,overlap=8")
    tiles, whole = opened(data, scenes, 32), opened(data, scenes, 0)
    assert whole.names == [f"rgb/{number}.png" for number in range(8)]
    assert tiles.names[:4] == [f"rgb/0.png {corner}" for corner in ("0,0", "0,20", "8,0", "8,20")]
    expected = data.whole or {}
    assert len(tiles.names) == len(expected["image"])
    for row, sample in enumerate(tiles.read(range(len(tiles.names)))):
        np.testing.assert_array_equal(sample["image"], expected["image"][row])
        np.testing.assert_array_equal(sample["depth"], expected["depth"][row])
    assert tiles.place(3).box == (8, 20, 32, 32)
    assert tiles.place(3).size == (40, 52)
    for number, sample in enumerate(whole.read(range(8))):
        assert sample["image"].shape == (*SIZES[number], 3)
        assert whole.place(number).box == (0, 0, *SIZES[number])
    (scenes / "rgb" / "0.png").write_text("none")
    Image.new("RGB", (20, 40)).save(scenes / "rgb" / "1.png")
    Image.new("I;16", (20, 40)).save(scenes / "depth" / "1.png")
    again = opened(data, scenes, 32)
    refused = again.read(range(2))
    assert again.names[:2] == ["rgb/0.png 0,0", "rgb/1.png 0,0"]
    assert "0.png" in str(refused[0])
    assert "expected at least a tile of 32x32" in str(refused[1])


@pytest.mark.parametrize("memory", ["kept", "read again"])
def test_tiles_are_standardised_by_the_whole_image(
    scenes: Path, monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    if memory != "kept":
        monkeypatch.setattr("ed_plugins.datasets.folder.loader.KEPT", 0)
    data = load_data(f"folder:{scenes},tile=32,overlap=8,standardise=yes")
    tiles, whole = opened(data, scenes, 32), opened(data, scenes, 0)
    arrays = data.whole or {}
    samples = tiles.read(range(len(tiles.names)))
    for row in (5, 0, len(samples) - 1):
        np.testing.assert_allclose(arrays["image"][row], samples[row]["image"], atol=1e-6)
    np.testing.assert_allclose(arrays["image"], [x["image"] for x in samples], atol=1e-6)
    np.testing.assert_array_equal(arrays["depth"], [x["depth"] for x in samples])
    for one in whole.read(range(8)):
        assert one["image"].mean() == pytest.approx(0.5, abs=1e-5)
    tile, image = arrays["image"][0], whole.read(range(1))[0]["image"]
    np.testing.assert_allclose(tile, image[:32, :32], atol=1e-6)
    assert tile.mean() != pytest.approx(0.5, abs=1e-4)
    assert parts_of(data.splits["train"]["image"]) is not None


def test_an_order_is_gathered_and_stays_random() -> None:
    parts = np.repeat(np.arange(20), 10)
    order = gathered(np.random.default_rng(0).permutation(200), parts, 5)
    assert sorted(order) == [*range(200)]
    blocks = [{*parts[order[first : first + 50]]} for first in range(0, 200, 50)]
    assert [len(block) for block in blocks] == [5] * 4
    assert len(set.union(*blocks)) == 20
    within = parts[order[:50]]
    assert (np.diff(within) != 0).mean() > 0.6


@pytest.mark.backend
def test_a_run_on_tiles_is_put_to_work_on_whole_pictures(scenes: Path, tmp_path: Path) -> None:
    options = {"epochs": 1, "batch_size": 8, "filters": (2, 4), "record": False}
    run = train("unet", f"folder:{scenes},tile=32", out=tmp_path / "runs", **options)
    run = open_run(run.path)
    reading = dict(run.input.reading or {})
    assert (reading["tile"], reading["overlap"]) == (32, 0)
    new = tmp_path / "new"
    shutil.copytree(scenes / "rgb", new / "images")
    shutil.copytree(scenes / "label", new / "masks")
    numbers = evaluate(run, f"folder:{new}")  # of which nothing is said of tiles
    assert numbers["mask_count"] == 32 * 32 * len(load_data(f"folder:{new},tile=32").whole["mask"])
    task = VerbTask(run, "segment", tmp_path / "out", new / "images")
    stream = task.stream()
    with begun(task.output, True, task.facts(stream.samples)) as job:
        assert stream.run(job).samples == len(SIZES)
    for number, (height, width) in enumerate(SIZES):
        with Image.open(tmp_path / "out" / f"{number}.png") as mask:
            assert mask.size == (width, height)
    with Image.open(new / "images" / "6.png") as image:
        expected = run.segment(np.asarray(image, "f4")[None] / 255)["mask"][0]
    with Image.open(tmp_path / "out" / "6.png") as mask:
        np.testing.assert_array_equal(np.asarray(mask), expected)
