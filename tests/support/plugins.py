"""What the tests of plugins share: folders of images, refused commands, a trained model's proof."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ed_core import Dataset, Run, train
from ed_core.cli import main
from ed_core.evaluation import baselines, predict
from ed_core.nn.submodels import to_numpy
from ed_core.plugins.options import FilePath
from ed_plugins.datasets.folder import loader

SCENES = Path(__file__).with_name("scenes.toml").read_text("utf-8")
RANDOM = np.random.default_rng(0)


def trained(run: Run, head: str) -> None:
    """Assert that every weight moved, and that the output of a head depends on the input."""
    before = baselines.untrained(run)
    for old, new in zip(before.trainable_weights, run.model.trainable_weights, strict=True):
        assert not np.array_equal(to_numpy(old), to_numpy(new)), f"{new.path} did not move"
    arrays = {name: np.asarray(values[:32]) for name, values in run.data.splits["test"].items()}
    output = predict(run.model, arrays)[head]
    # Of a model that ignores its input, all rows are the same.
    assert output.std(axis=0).max() > 0.01, f"{head} is the same for every sample"


@pytest.fixture(scope="session")
def check_trained() -> Callable[[Run, str], None]:
    """Compare a run with its untrained model, and its outputs with each other."""
    return trained


def save_image(path: Path, array: Any, **options: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(array)).save(path, **options)


def make_scenes(root: Path, toml: str = SCENES, splits: tuple[str, ...] = ("train", "val")) -> Path:
    """Write two samples a split of 6 by 8 pixels, and the TOML file; return its path."""
    for split in splits:
        for name in ("b", "a"):
            image = RANDOM.integers(0, 256, (6, 8, 3), dtype="uint8")
            save_image(root / split / "images" / f"{name}.png", image)
            mask = RANDOM.choice(np.array([0, 1, 2, 9], "uint8"), (6, 8))
            save_image(root / split / "labels" / f"{name}.png", mask)
    (root / "my.toml").write_text(toml, "utf-8")
    return root / "my.toml"


def load_folder(path: Path) -> Dataset:
    return loader.folder(path=FilePath(str(path)))


@pytest.fixture(scope="session")
def save() -> Callable[..., None]:
    """Write an image file, and the folders that lead to it."""
    return save_image


@pytest.fixture(scope="session")
def make() -> Callable[..., Path]:
    """Write a folder of images and masks, and the TOML file that describes it; return its path."""
    return make_scenes


@pytest.fixture(scope="session")
def load() -> Callable[[Path], Dataset]:
    """Load what a TOML file describes."""
    return load_folder


@pytest.fixture(scope="session")
def unet(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A U-Net that was trained for one epoch on a folder of images."""
    root = tmp_path_factory.mktemp("unet")
    data = f"folder:{make_scenes(root)}"
    return train("unet", data, out=root, epochs=1, batch_size=2, record=False, filters=(4, 8))


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., str]:
    """Return the one line of a command that changes no file and ends with status 2."""

    def run(*arguments: str) -> str:
        before = sorted(tmp_path.rglob("*"))
        assert main(list(arguments)) == 2
        said = capsys.readouterr()
        *found, line = said.err.splitlines()
        assert line.startswith("edkit: ")
        assert all(one.startswith(("Data ", "  ")) for one in found)  # what the loader found
        assert said.out == ""
        assert sorted(tmp_path.rglob("*")) == before
        return line

    return run
