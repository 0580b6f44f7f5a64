"""Videos of digits: they move straight, bounce at the walls and keep their ink."""

import numpy as np
import pytest

from ed_core import Dataset, EdkitError, Field, Fields
from ed_plugins.datasets import moving_digits as module
from ed_plugins.datasets.moving_digits import film, moving_digits, paths


def test_shapes_splits_and_range() -> None:
    data = moving_digits(samples=50, frames=6, size=24)
    assert list(data.fields) == ["video"]
    train = data.splits["train"]["video"]
    counts = {split: len(arrays["video"]) for split, arrays in data.splits.items()}
    assert counts == {"train": 50, "test": 10, "validation": 5}
    assert {arrays["video"].shape[1:] for arrays in data.splits.values()} == {(6, 24, 24, 1)}
    assert train.dtype == np.dtype("float32")
    assert 0 <= train.min() < 0.5 < train.max() <= 1


def test_no_split_shows_a_digit_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every digit is a grey of its own, which all of its frames show."""
    still = {
        split: {"image": grey[:, None, None, None] * np.ones((1, 8, 8, 1)), "label": grey * 0}
        for split, grey in (("train", np.arange(1, 41) / 100), ("test", np.arange(41, 81) / 100))
    }
    fields = Fields(image=Field((8, 8, 1)), label=Field((), "class", ("any",)))
    monkeypatch.setattr(module, "still_digits", lambda: Dataset(fields, still))
    data = moving_digits(samples=300, frames=2, size=16, digits=1)
    seen = {
        split: set(np.rint(100 * arrays["video"].max(axis=(1, 2, 3, 4))).astype(int))
        for split, arrays in data.splits.items()
    }
    assert seen["train"] <= set(range(1, 41))
    assert seen["validation"] <= set(range(41, 61))
    assert seen["test"] <= set(range(61, 81))
    assert min(len(found) for found in seen.values()) > 10


@pytest.mark.parametrize("size", [16, 33, 64])
def test_one_digit_is_whole_in_every_frame_and_has_its_class(size: int) -> None:
    data = moving_digits(samples=40, frames=12, size=size, digits=1)
    arrays = data.splits["train"]
    ink = arrays["video"].sum(axis=(2, 3, 4))
    np.testing.assert_allclose(ink, np.repeat(ink[:, :1], 12, axis=1), rtol=1e-4)
    assert set(arrays["label"]) == set(range(10))
    assert len(data.fields["label"].classes) == 10
    # The same class looks more alike than two classes: the labels belong to the videos.
    still = np.array([_cropped(video[0, ..., 0], size // 2) for video in arrays["video"]])
    label = arrays["label"]
    apart = ((still[:, None] - still[None]) ** 2).sum(axis=(2, 3))
    same = (label[:, None] == label[None]) & ~np.eye(40, dtype=bool)
    assert apart[same].mean() < 0.8 * apart[label[:, None] != label[None]].mean()


def _cropped(frame: np.ndarray, size: int) -> np.ndarray:
    """Return the ink of one frame, moved to the corner of a square."""
    rows, columns = (np.flatnonzero(frame.any(axis=axis)) for axis in (1, 0))
    found = frame[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.pad(found, [(0, size - length) for length in found.shape])


def test_paths_are_straight_until_they_bounce_and_stay_inside() -> None:
    where = paths(np.random.default_rng(0), (200, 2), 50, room=40)
    assert where.shape == (200, 2, 50, 2)
    assert (where.min(), where.max()) == (0, 40)
    step = np.diff(where, axis=2)
    assert 5 < abs(step).max() <= 11  # a quarter of the way, and a rounding
    inside = ((where[:, :, 1:-1] > 11) & (where[:, :, 1:-1] < 29)).all(axis=-1)
    assert inside.any()
    bend = abs(np.diff(step, axis=2)).max(axis=-1)
    assert bend[inside].max() <= 2  # of a rounding each
    turns = (np.sign(step[:, :, 1:]) * np.sign(step[:, :, :-1]) < 0).any(axis=(2, 3))
    assert turns.mean() > 0.5  # most of them bounce within 50 frames


def test_where_digits_overlap_the_brighter_pixel_counts() -> None:
    images = np.array([[[[0.2, 0.9]], [[0.5, 0.1]]]])  # one sample, two digits of 1 by 2
    where = np.array([[[[0, 0], [1, 0]], [[0, 0], [1, 1]]]])
    expected = [[[0.5, 0.9, 0], [0, 0, 0], [0, 0, 0]], [[0, 0, 0], [0.2, 0.9, 0.1], [0, 0, 0]]]
    np.testing.assert_allclose(film(images, where, 3)[0, ..., 0], expected)


def test_a_seed_repeats() -> None:
    first, again, other = (
        moving_digits(samples=10, seed=s).splits["train"]["video"] for s in (5, 5, 6)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(
    "options", [{"frames": 0}, {"digits": 0}, {"samples": 4}, {"size": 15}, {"frames": -3}]
)
def test_what_cannot_be_is_an_error(options: dict[str, int]) -> None:
    with pytest.raises(EdkitError, match=f"option '{next(iter(options))}' is at least"):
        moving_digits(**options)
