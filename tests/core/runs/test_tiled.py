"""Pictures larger than a run's: the same result as in one piece, and no seam."""

from typing import Any

import numpy as np
import pytest
from support.core import untrained_run

from ed_core import EdkitError, Field, Fields
from ed_core.data.tiles import starts
from ed_core.runs.run import Run

pytestmark = pytest.mark.backend

SIDE = 32
CLASSES = ("road", "grass")
SCENE = Fields(
    image=Field((SIDE, SIDE, 3)),
    elevation=Field((SIDE, SIDE, 1), "value"),
    mask=Field((SIDE, SIDE), "class", CLASSES),
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: Any) -> Run:
    """A network that sees 9 pixels far, with weights that make its outputs differ."""
    path = tmp_path_factory.mktemp("runs")
    own: Run = untrained_run(path, "unet", SCENE, filters=(4, 8))
    random = np.random.default_rng(0)
    for variable in own.model.layer_weights:
        if "kernel" in variable.path:
            variable.assign(random.normal(0, 0.6, variable.shape))
    return own


def picture(height: int, width: int, count: int = 1) -> np.ndarray:
    random = np.random.default_rng(height)
    waves = np.sin(np.arange(width) / 7)[None, None, :, None]
    noise = random.random((count, height, width, 3), "float32")
    result: np.ndarray = (0.5 * noise + 0.25 + 0.25 * waves).astype("float32")
    return result


def shares_of(run: Run, x: Any, **options: Any) -> np.ndarray:
    result: np.ndarray = run.segment(x, probabilities=True, **options)["mask_probabilities"]
    return result


def at_borders(difference: np.ndarray, overlap: int) -> float:
    """Return the largest difference beside the borders of tiles."""
    height, width = difference.shape[1:3]
    rows = [r for first in starts(height, SIDE, overlap, 16)[1:] for r in (first - 1, first)]
    columns = [c for first in starts(width, SIDE, overlap, 16)[1:] for c in (first - 1, first)]
    return float(max(difference[:, rows].max(), difference[:, :, columns].max()))


def test_tiles_give_the_same_as_one_piece_and_without_overlap_a_seam(run: Run) -> None:
    x = picture(96, 128)
    whole = shares_of(run, x, tile="none")
    assert whole.shape == (1, 96, 128, 2)
    assert whole.std() > 0.05
    # Neighbours 16 pixels apart share 48 of 64: the outer 12, which they see badly, count nothing.
    smooth = shares_of(run, x, tile=64, overlap=48)
    np.testing.assert_allclose(smooth, whole, atol=2e-4)  # single precision
    hard = np.abs(shares_of(run, x, overlap=0) - whole)
    assert at_borders(hard, 0) > 0.02
    usual = np.abs(shares_of(run, x) - whole)
    assert at_borders(usual, 8) < at_borders(hard, 0) / 2
    mask = run.segment(x, tile=64, overlap=48)["mask"]
    np.testing.assert_array_equal(mask, smooth.argmax(axis=-1))


@pytest.mark.once
@pytest.mark.parametrize("size", [(20, 50), (33, 32), (40, 17)])
def test_a_picture_of_any_size_is_given_back_at_its_size(run: Run, size: Any) -> None:
    x = picture(*size, count=2)
    result = run.segment(x)
    assert result["mask"].shape == (2, *size)
    alone = run.segment(x[1:])
    np.testing.assert_array_equal(result["mask"][1:], alone["mask"])


@pytest.mark.once
def test_pictures_of_the_size_of_a_run_are_computed_as_ever(run: Run) -> None:
    x = picture(SIDE, SIDE, 5)
    expected = run.model.predict({"image": x}, verbose=0)["mask"]
    np.testing.assert_allclose(shares_of(run, x), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.once
def test_all_inputs_of_a_model_are_cut_alike(tmp_path: Any) -> None:
    options = {"filters": (4, 8), "elevation_filters": (2, 4)}
    run = untrained_run(tmp_path, "fusion_unet", SCENE, **options)
    x = {"image": picture(64, 96), "elevation": picture(64, 96)[..., :1]}
    whole = shares_of(run, x, tile="none")
    np.testing.assert_allclose(shares_of(run, x, tile=64, overlap=48), whole, atol=2e-4)
    with pytest.raises(EdkitError, match="pictures of one size"):
        run.segment({**x, "elevation": picture(64, 64)[..., :1]})


@pytest.mark.once
def test_reconstructions_are_blended_and_a_model_of_one_size_takes_no_other(tmp_path: Any) -> None:
    run = untrained_run(tmp_path, "vae", Fields(image=Field((8, 8, 1))), hidden=(8,), latent=3)
    x = picture(16, 24)[..., :1]
    tiles = x.reshape(1, 2, 8, 3, 8, 1).transpose(0, 1, 3, 2, 4, 5).reshape(6, 8, 8, 1)
    alone = run.reconstruct(tiles)["image"].reshape(1, 2, 3, 8, 8, 1)
    expected = alone.transpose(0, 1, 3, 2, 4, 5).reshape(1, 16, 24, 1)
    np.testing.assert_allclose(run.reconstruct(x, overlap=0)["image"], expected, atol=1e-6)
    for tile in (16, "none"):
        with pytest.raises(EdkitError, match="takes 8 x 8 pixels and cannot take 16 x"):
            run.reconstruct(x, tile=tile)
    score = run.score(x, maps=True, overlap=0)
    assert score["map"].shape == (1, 16, 24)
    np.testing.assert_allclose(score["score"][0], run.score(tiles)["score"].max(), rtol=1e-5)


@pytest.mark.once
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"overlap": 32}, "from 0 to 31, less than a tile of 32"),
        ({"tile": 16, "overlap": 16}, "from 0 to 15"),
    ],
)
def test_an_overlap_is_less_than_a_tile(run: Run, options: Any, message: str) -> None:
    with pytest.raises(EdkitError, match=message):
        run.segment(picture(64, 64), **options)


@pytest.mark.once
def test_what_is_no_picture_has_no_tiles(tmp_path: Any) -> None:
    faces = Fields(image=Field((8, 8, 1)), label=Field((), "class", CLASSES))
    run = untrained_run(tmp_path, "classifier", faces, hidden=(4,), filters=(2,))
    with pytest.raises(EdkitError, match=r"expected samples of shape \(8, 8, 1\)"):
        run.predict(picture(16, 16)[..., :1])
