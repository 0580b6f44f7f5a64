"""An epoch in which labelled samples have a share of their own."""

from collections import Counter
from itertools import chain
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ed_core import EdkitError, Head, losses, train
from ed_core.data.batches import Batches

pytestmark = [pytest.mark.backend, pytest.mark.once]

HEADS = (
    Head("image", losses.sum_squared_error),
    Head("label", losses.categorical_crossentropy),
    Head("code", losses.l1),
)


def arrays(samples: int, labelled: int) -> dict[str, np.ndarray]:
    """Sample i holds i; the first `labelled` have a label."""
    number = np.arange(samples)
    image = np.repeat(number.astype("float32"), 4).reshape(samples, 2, 2)
    return {"image": image, "label": np.where(number < labelled, number, -1)}


def made(data: Any, size: int, shares: dict[str, float] | None, **options: Any) -> Batches:
    return Batches(data, ["image"], HEADS, size, 0, oversample=shares, **options)


def rows_of(batches: Batches) -> list[list[int]]:
    return [batches[i][0]["image"][:, 0, 0].astype(int).tolist() for i in range(len(batches))]


@given(st.integers(4, 60), st.data(), st.floats(0.05, 0.95), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_labelled_samples_get_their_share(
    samples: int, draw: Any, share: float, epoch: int
) -> None:
    labelled = draw.draw(st.integers(1, samples - 1))
    batches = made(arrays(samples, labelled), 1, {"label": share})
    batches.begin_epoch(epoch)
    seen = [*chain(*rows_of(batches))]
    assert len(seen) == samples
    of_labelled = [row for row in seen if row < labelled]
    assert len(of_labelled) == round(share * samples)
    for rows, among in ((of_labelled, range(labelled)), (seen, range(labelled, samples))):
        counts = [Counter(rows)[row] for row in among]
        assert max(counts) - min(counts) <= 1  # none is preferred
    again = made(arrays(samples, labelled), 1, {"label": share})
    again.begin_epoch(epoch)
    assert [*chain(*rows_of(again))] == seen


def test_a_sample_comes_twice_in_a_batch_with_its_own_target(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "data.h5", "w") as file:
        for name, array in arrays(20, 2).items():
            file[name] = array
        for inputs, targets, weights in made(file, 10, {"label": 0.5}):
            image = inputs["image"][:, 0, 0]
            np.testing.assert_array_equal(targets["image"][:, 0, 0], image)
            np.testing.assert_array_equal(weights["label"], image < 2)
            np.testing.assert_array_equal(targets["label"], np.where(image < 2, image, -1))


def test_a_share_of_1_leaves_the_others_out() -> None:
    assert {*chain(*rows_of(made(arrays(12, 5), 4, {"label": 1.0})))} == {0, 1, 2, 3, 4}


def test_held_out_samples_come_once() -> None:
    batches = Batches(arrays(9, 3), ["image"], HEADS, 4, None, oversample={"label": 0.5})
    assert [*chain(*rows_of(batches))] == list(range(9))


@pytest.mark.parametrize(
    ("shares", "labelled", "message"),
    [
        ({"lable": 0.5}, 3, "'lable'. Did you mean 'label'"),
        ({"label": 0.0}, 3, "above 0 and at most 1"),
        ({"label": 1.5}, 3, "above 0 and at most 1"),
        ({"label": 0.5}, 0, "received 0.5 and 0 samples"),
        ({"image": 0.5}, 3, "leave it out"),
        ({"label": 0.7, "image": 0.7}, 3, "at most 1 in all"),
    ],
)
def test_shares_that_cannot_be_are_refused(
    shares: dict[str, float], labelled: int, message: str
) -> None:
    with pytest.raises(EdkitError, match=message):
        made(arrays(9, labelled), 3, shares)


def test_training_takes_it_from_the_plan(tmp_path: Path) -> None:
    options: dict[str, Any] = {"out": tmp_path, "record": False, "epochs": 1, "every": None}
    with pytest.raises(EdkitError, match="option 'oversample' is a mapping of each"):
        train("classifier", "digits", oversample={"label": "half"}, **options)
    with pytest.raises(EdkitError, match="leave it out"):
        train("classifier", "digits", oversample={"label": 0.5}, **options)
    assert not [*tmp_path.iterdir()]
