"""What is trained on of a data set: a share of the labels, one class alone; how classes weigh."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ed_core import Dataset, EdkitError, Field, Fields, Head, losses
from ed_core.data.checks import check_data
from ed_core.data.selection import class_weights, hide_labels, keep_only, select
from ed_core.data.targets import arrange, present

pytestmark = pytest.mark.backend

FINE = Head("fine", losses.categorical_crossentropy, target="label")
ANGLE = Head("angle", losses.squared_error)
HEADS = (FINE, ANGLE, Head("code", losses.l1))
NAMES = ("a", "b", "c")


def data(samples: int = 100, **changes: Any) -> Dataset:
    random = np.random.default_rng(0)
    split = {
        "image": random.random((samples, 2, 2, 1), "float32"),
        "label": np.arange(samples) % 3,
        "angle": random.random(samples, "float32"),
    }
    fields = Fields(
        image=Field((2, 2, 1)), label=Field((), "class", NAMES), angle=Field((), "value")
    )
    return Dataset(fields, {"train": {**split, **changes}, "test": split})


@given(st.floats(0.01, 1.0), st.floats(0.01, 1.0), st.integers(0, 99), st.booleans())
@settings(max_examples=40, deadline=None)
def test_smaller_share_is_part_of_a_larger_one(
    one: float, other: float, seed: int, stratified: bool
) -> None:
    low, high = sorted((one, other))
    kept = [
        present(
            hide_labels(data(), HEADS, {"fine": share}, seed=seed, stratified=stratified).splits[
                "train"
            ]["label"]
        )
        for share in (low, high)
    ]
    assert not (kept[0] & ~kept[1]).any()
    expected = 100 * high if not stratified else sum(max(round(high * n), 1) for n in (34, 33, 33))
    assert kept[1].sum() == max(round(expected), 1)


def test_hidden_labels_leave_everything_else() -> None:
    whole = data()
    part = hide_labels(whole, HEADS, {"fine": 0.2, "angle": 0.5}, seed=3)
    train = part.splits["train"]
    assert part.fields["label"].partial
    assert part.fields["angle"].partial
    assert not whole.fields["label"].partial
    assert present(train["label"]).sum() == 20
    assert present(train["angle"]).sum() == 50
    both = present(train["label"]) & present(train["angle"])
    assert 0 < both.sum() < 20  # each head hides samples of its own
    rows = present(train["label"])
    assert np.array_equal(train["label"][rows], whole.splits["train"]["label"][rows])
    assert train["image"] is whole.splits["train"]["image"]
    assert part.splits["test"] is whole.splits["test"]
    check_data(part, "d", ["image"], HEADS)


def test_stratified_keeps_every_class() -> None:
    label = np.repeat([0, 1, 2], [90, 8, 2])
    part = hide_labels(data(label=label), HEADS, {"fine": 0.05}, stratified=True)
    kept = part.splits["train"]["label"]
    assert [int((kept == number).sum()) for number in range(3)] == [4, 1, 1]


@pytest.mark.parametrize(
    ("shares", "text"),
    [
        ({"fin": 0.5}, "unknown head with labels: 'fin'. Did you mean 'fine'"),
        ({"code": 0.5}, "unknown head with labels: 'code'"),
        ({"fine": 0.0}, "must be above 0 and at most 1, got 0"),
        ({"fine": 1.5}, "must be above 0 and at most 1, got 1.5"),
    ],
)
def test_wrong_shares(shares: dict[str, float], text: str) -> None:
    with pytest.raises(EdkitError, match=text):
        hide_labels(data(), HEADS, shares)


def test_missing_targets_weigh_nothing_and_classes_as_told() -> None:
    arrays = {
        "image": np.zeros((4, 1), "float32"),
        "label": np.array([0, -1, 2, 1]),
        "angle": np.array([1.0, 2.0, np.nan, 3.0], "float32"),
        "seen": np.array([1, 1, 0, 1]),
    }
    seen = Head("seen", losses.squared_error, target="angle", mask="seen")
    weights = arrange(arrays, ["image"], (FINE, ANGLE, seen), {"fine": np.array([1.0, 2.0, 5.0])})[
        2
    ]
    assert weights["fine"].tolist() == [1, 0, 5, 2]
    assert weights["angle"].tolist() == [1, 1, 0, 1]
    assert weights["seen"].tolist() == [1, 1, 0, 1]
    maps = {"image": arrays["image"][:1], "label": np.array([[[0, -1], [2, 1]]])}
    assert arrange(maps, ["image"], (FINE,))[2]["fine"].tolist() == [[[1, 0], [1, 1]]]


def test_balanced_classes_weigh_the_same_in_all() -> None:
    label = np.repeat([0, 1, -1], [30, 10, 60])
    found = class_weights(data(label=label), HEADS, {"fine": "balanced"})["fine"]
    assert found.tolist() == pytest.approx([2 / 3, 2.0, 0.0])
    given_ = class_weights(data(), HEADS, {"fine": "1,2,0.5"})["fine"]
    assert given_.tolist() == [1, 2, 0.5]
    for text in ("1,2", "1,2,x", "1,2,-1", "1,2,nan", "0,0,0"):
        with pytest.raises(
            EdkitError, match="are 'balanced' or 3 numbers of 0 and more, not all 0, rec"
        ):
            class_weights(data(), HEADS, {"fine": text})


def test_one_class_alone() -> None:
    part = keep_only(data(), {"label": "b"})
    train = part.splits["train"]
    assert set(train["label"]) == {1}
    assert np.array_equal(train["angle"], data().splits["train"]["angle"][1::3])
    assert "validation" not in part.splits
    assert len(part.splits["test"]["label"]) == 100
    assert np.array_equal(keep_only(data(), {"label": 1}).splits["train"]["angle"], train["angle"])
    for wrong in ("d", 3, -1):
        with pytest.raises(EdkitError, match="unknown class of field 'label'"):
            keep_only(data(), {"label": wrong})
    with pytest.raises(EdkitError, match="unknown class field 'angle'"):
        keep_only(data(), {"angle": 1})


def test_one_class_alone_is_kept_aside_as_well() -> None:
    given = data()
    own = Dataset(given.fields, {**given.splits, "validation": data(30).splits["train"]})
    held = keep_only(own, {"label": "b"}).splits["validation"]
    assert np.array_equal(held["angle"], data(30).splits["train"]["angle"][1::3])
    part = select(given, HEADS, {"only": {"label": "b"}, "seed": 4})
    train, held = part.splits["train"], part.splits["validation"]
    assert set(train["label"]) == set(held["label"]) == {1}
    assert (len(train["label"]), len(held["label"])) == (30, 3)
    rows = np.concatenate([train["angle"], held["angle"]])
    assert sorted(rows) == sorted(given.splits["train"]["angle"][1::3])
    assert len(part.splits["test"]["label"]) == 100


def test_class_that_is_held_out_must_have_been_seen() -> None:
    never = data(label=np.arange(100) % 2)
    held = Dataset(never.fields, {**never.splits, "validation": never.splits["test"]})
    with pytest.raises(EdkitError, match=r"head 'fine': class 'c' .*'validation' but has no lab"):
        check_data(held, "d", ["image"], HEADS)
    check_data(never, "d", ["image"], HEADS)  # what is in `test` is nobody's business


def test_nothing_to_learn_from() -> None:
    fields = Fields({**data().fields, "label": Field((), "class", NAMES, partial=True)})
    empty = Dataset(fields, data(label=np.full(100, -1)).splits)
    with pytest.raises(EdkitError, match="head 'fine': every target of split 'train' is missing"):
        check_data(empty, "d", ["image"], HEADS)
    low = Dataset(fields, data(label=np.full(100, -2)).splits)
    with pytest.raises(EdkitError, match="holds -2; expected whole numbers 0 to 2, or -1 for none"):
        check_data(low, "d", ["image"], HEADS)


def test_an_input_is_never_missing() -> None:
    angle = np.full(100, np.nan, "float32")
    fields = Fields({**data().fields, "angle": Field((), "value", partial=True)})
    part = Dataset(fields, data(angle=angle).splits)
    with pytest.raises(EdkitError, match="d/train/angle: sample 0 holds nan; expected finite num"):
        check_data(part, "d", ["image", "angle"], (FINE,))
