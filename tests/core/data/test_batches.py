"""Batches: every sample once an epoch, in an order that follows from seed and epoch alone."""

from itertools import chain
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ed_core import Dataset, EdkitError, Field, Fields, Head, losses
from ed_core.data.batches import Batches, reference_batch
from ed_core.data.checks import check_data
from ed_core.data.lazy import Changed, Sliced
from ed_core.data.targets import arrange, needed_fields

pytestmark = pytest.mark.backend

HEADS = (
    Head("image", losses.sum_squared_error),
    Head("label", losses.categorical_crossentropy, mask="has_label"),
    Head("code", losses.l1),
)


def arrays(samples: int) -> dict[str, np.ndarray]:
    """Every value of sample i tells that it is of sample i."""
    number = np.arange(samples)
    return {
        "image": np.repeat(number.astype("float64"), 4).reshape(samples, 2, 2),
        "label": number.astype("int64"),
        "has_label": (number % 3 > 0).astype("uint8"),
        "unused": number,
    }


def made(samples: int, size: int, seed: int | None = 0, data: Any = None) -> Batches:
    return Batches(data or arrays(samples), ["image"], HEADS, size, seed)


def rows_of(batches: Batches) -> list[list[int]]:
    return [batches[i][0]["image"][:, 0, 0].astype(int).tolist() for i in range(len(batches))]


@given(st.integers(1, 60), st.integers(1, 70), st.integers(0, 2**31 - 1), st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_every_epoch_is_a_permutation(samples: int, size: int, seed: int, epoch: int) -> None:
    batches = made(samples, size, seed)
    batches.begin_epoch(epoch)
    rows = rows_of(batches)
    size = min(size, samples)
    assert len(batches) == batches.batches_per_epoch == samples // size
    assert all(len(batch) == size for batch in rows)
    seen = [*chain(*rows)]
    assert len(set(seen)) == len(seen) == samples // size * size
    again = made(samples, size, seed)
    again.begin_epoch(epoch + 1)
    again.begin_epoch(epoch)
    assert rows_of(again) == rows


def test_order_changes_with_the_epoch_and_the_seed() -> None:
    orders = set()
    for seed in (0, 1, 2):
        batches = made(50, 10, seed)
        for epoch in range(3):
            batches.begin_epoch(epoch)
            orders.add(str(rows_of(batches)))
    assert len(orders) == 9


@pytest.mark.parametrize("start", range(6))
def test_start_within_an_epoch(start: int) -> None:
    whole, part = made(50, 10), made(50, 10)
    whole.begin_epoch(4)
    part.begin_epoch(4, start)
    assert len(part) == 5 - start
    assert rows_of(part) == rows_of(whole)[start:]


def test_without_a_seed_every_sample_comes_in_order() -> None:
    batches = made(23, 10, None)
    assert rows_of(batches) == [[*range(10)], [*range(10, 20)], [20, 21, 22]]
    batches.begin_epoch(3)
    assert [*chain(*rows_of(batches))] == [*range(23)]


def test_what_a_batch_holds() -> None:
    inputs, targets, weights = made(9, 4)[1]
    assert list(inputs) == ["image"]
    assert list(targets) == list(weights) == ["image", "label"]
    rows = inputs["image"][:, 0, 0]
    assert np.array_equal(targets["label"], rows)
    assert np.array_equal(targets["image"], inputs["image"])
    assert np.array_equal(weights["label"], rows % 3 > 0)
    assert np.array_equal(weights["image"], np.ones(4))
    assert {str(a.dtype) for a in (*inputs.values(), *weights.values())} == {"float32"}
    assert targets["label"].dtype == "int32"


def test_arrays_of_an_hdf5_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "data.h5", "w") as file:
        for name, array in arrays(30).items():
            file[name] = array
        on_disk, in_memory = made(30, 7, data=file), made(30, 7)
        for epoch in range(2):
            on_disk.begin_epoch(epoch)
            in_memory.begin_epoch(epoch)
            assert rows_of(on_disk) == rows_of(in_memory)


def test_memory_map(tmp_path: Path) -> None:
    data = arrays(30)
    np.save(tmp_path / "image.npy", data["image"])
    mapped = {**data, "image": np.load(tmp_path / "image.npy", mmap_mode="r")}
    assert rows_of(made(30, 7, data=mapped)) == rows_of(made(30, 7))


def test_needed_fields_come_once() -> None:
    assert needed_fields(["image"], HEADS) == ["image", "label", "has_label"]
    assert needed_fields(["label", "image"], HEADS[2:]) == ["label", "image"]


@pytest.mark.parametrize("seed", [0, None])
def test_samples_that_teach_nothing_are_left_out_of_training(seed: int | None) -> None:
    data = arrays(60)
    data["label"] = np.where(data["image"][:, 0, 0] % 4 == 0, data["label"], -1)
    label = Head("label", losses.categorical_crossentropy)
    masked = Head("label", losses.categorical_crossentropy, mask="has_label")
    for heads, expected in (
        ((label,), range(0, 60, 4)),
        ((masked,), [row for row in range(0, 60, 4) if row % 3]),
        ((label, HEADS[0]), range(60)),
        ((label, HEADS[2]), range(60)),
    ):
        batches = Batches(data, ["image"], heads, 1, seed)
        wanted = [*expected] if seed is not None else [*range(60)]
        assert sorted(chain(*rows_of(batches))) == wanted
    if seed is not None:
        with pytest.raises(EdkitError, match="no sample has a target of any head: label some"):
            Batches({**data, "has_label": np.zeros(60)}, ["image"], (masked,), 1, seed)


@pytest.mark.parametrize("seed", [0, None])
@pytest.mark.parametrize("missing", [-1, np.nan])
def test_weights_of_a_map_have_one_shape_whether_or_not_a_batch_has_gaps(
    seed: int | None, missing: float
) -> None:
    label = np.zeros((6, 2, 2), "int64" if missing == -1 else "float32")
    label[5, 0, 1] = missing
    heads = (Head("image", losses.sum_squared_error), Head("label", losses.squared_error))
    batches = Batches({**arrays(6), "label": label}, ["image"], heads, 2, seed)
    weights = [batches[number][2] for number in range(3)]
    assert [found["label"].shape for found in weights] == [(2, 2, 2)] * 3
    assert sum(found["label"].sum() for found in weights) == 6 * 4 - 1
    assert [found["image"].shape for found in weights] == [(2,)] * 3


@given(st.integers(2, 40), st.integers(1, 20), st.integers(0, 99), st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_batches_are_the_same_from_memory_and_from_a_file(
    samples: int, size: int, seed: int, hidden: bool, ordered: bool
) -> None:
    data = arrays(samples)
    if hidden:
        data["label"] = np.where(data["has_label"], data["label"], -1)
    bare = Head("other", losses.categorical_crossentropy, target="label")
    heads = (*HEADS, bare)
    options: Any = {"class_weights": {"other": np.array([1.0, 2.0])}} if seed % 2 else {}
    if seed % 3 == 0 and not ordered:
        options["oversample"] = {"image": 1.0}
    data["label"] = np.minimum(data["label"], 1)
    sources = data, {name: Changed(array, np.copy, array.dtype) for name, array in data.items()}
    both = [Batches(one, ["image"], heads, size, None if ordered else seed, **options)
            for one in sources]  # fmt: skip
    for index in range(len(both[0])):
        for one, other in zip(both[0][index], both[1][index], strict=True):
            assert one.keys() == other.keys()
            for name in one:
                assert one[name].dtype == other[name].dtype
                np.testing.assert_array_equal(one[name], other[name], strict=True)
            assert all(array.flags.writeable for array in one.values())
            assert not any(np.shares_memory(array, data["image"]) for array in one.values())


def test_an_augmentation_may_take_targets_away() -> None:
    def hide(batch: Any, random: Any) -> Any:
        return {**batch, "label": np.full_like(batch["label"], -1)}

    bare = (Head("label", losses.categorical_crossentropy),)
    kept, taken = (
        Batches(arrays(6), ["image"], bare, 3, 0, augment=augment) for augment in (None, hide)
    )
    assert kept[0][2]["label"].tolist() == [1, 1, 1]
    assert taken[0][2]["label"].tolist() == [0, 0, 0]


def test_arrange_keeps_the_arrays_as_they_are() -> None:
    data = arrays(5)
    inputs, targets, weights = arrange(data, ["image"], HEADS)
    assert inputs["image"] is data["image"]
    assert targets["label"] is data["label"]
    assert weights["label"].tolist() == [0, 1, 1, 0, 1]


def dataset(**changes: Any) -> Dataset:
    fields = Fields(
        image=Field((2, 2), "value"), label=Field((), "class"), has_label=Field((), "mask")
    )
    split = {**arrays(10), **changes}
    return Dataset(fields, {"train": split, "test": split})


def test_target_of_two_heads_is_checked_for_the_one_without_a_mask() -> None:
    bare = Head("other", losses.categorical_crossentropy, target="label")
    hidden = np.where(arrays(10)["has_label"], arrays(10)["label"], -1)
    check_data(dataset(label=hidden), "d", ["image"], HEADS)
    with pytest.raises(EdkitError, match=r"d/train/label: sample 0 holds -1; expected whole numb"):
        check_data(dataset(label=hidden), "d", ["image"], (*HEADS, bare))
    with pytest.raises(EdkitError, match="d/train/label: sample 0 holds -1"):
        check_data(dataset(label=hidden), "d", ["image", "label"], HEADS)


def test_bad_sample_far_behind_is_found() -> None:
    label = np.zeros(10_000, "int64")
    label[9_998] = -7
    data = {
        "image": np.zeros((10_000, 2, 2)),
        "label": label,
        "has_label": np.ones(10_000),
    }
    with pytest.raises(EdkitError, match="sample 9998 holds -7"):
        check_data(dataset(**data), "d", ["image"], HEADS)


def test_head_without_its_field_lists_those_there_are() -> None:
    missing = Head("image", losses.sum_squared_error, target="imge")
    with pytest.raises(EdkitError, match="head 'image' needs field 'imge', but there is only"):
        check_data(dataset(), "d", ["image"], [missing])


@pytest.mark.parametrize("samples", [1, 3, 40])
def test_reference_batch_shows_every_class_first(samples: int) -> None:
    label = np.array([2, 2, 0, 2, 1, 0, 1, 2, 0, 0])
    fields = Fields(image=Field((2, 2), "value"), label=Field((), "class", ("a", "b", "c")))
    data = Dataset(fields, {"validation": {"image": arrays(10)["image"], "label": label}})
    batch = reference_batch(data, samples)
    count = min(samples, 10)
    classes = np.unique(label[:count])
    assert batch["label"][: len(classes)].tolist() == classes.tolist()
    rows = batch["image"][:, 0, 0].astype(int)
    assert sorted(rows.tolist()) == list(range(count))
    assert np.array_equal(batch["label"], label[rows])


def test_a_map_of_labels_is_no_label_of_a_sample() -> None:
    maps = np.zeros((20, 16, 16), int)
    maps[0, 8:], maps[0, 12:] = 1, 2  # first seen at pixels 128 and 192
    fields = Fields(label=Field((16, 16), "class", ("a", "b", "c")))
    batch = reference_batch(Dataset(fields, {"validation": {"label": maps}}), 8)
    assert batch["label"].shape == (8, 16, 16)


def test_without_labels_the_reference_batch_is_drawn_from_the_whole_split() -> None:
    number = np.arange(100)
    data = Dataset(Fields(x=Field((), "value")), {"validation": {"x": number}})
    few, more = (reference_batch(data, samples)["x"] for samples in (8, 40))
    assert few.tolist() == more[:8].tolist()  # the same for a probe of few samples as for all
    assert len(np.unique(more)) == 40
    assert len(np.unique(few // 25)) > 2  # of four quarters


def test_reference_batch_stays_within_what_a_recording_holds() -> None:
    wide = np.zeros((9, 2000, 2000), "float32")  # 16 MB a sample
    data = Dataset(Fields(image=Field((2000, 2000))), {"validation": {"image": wide}})
    assert len(reference_batch(data)["image"]) == 4


def test_a_sample_without_a_label_is_no_class_of_the_reference_batch() -> None:
    label = np.array([-1, -1, 2, 0, -1, 1])
    fields = Fields(x=Field((), "value"), label=Field((), "class", tuple("abc"), partial=True))
    split = {"x": np.arange(6.0), "label": label}
    batch = reference_batch(Dataset(fields, {"validation": split}))
    assert batch["label"].tolist() == [0, 1, 2, -1, -1, -1]
    assert batch["x"].tolist() == [3, 5, 2, 0, 1, 4]


class Slow(Sliced):
    """Samples that are read when they are asked for, in whatever thread."""

    is_slow = True
    checked = True
    dtype = np.dtype("float32")
    shape = (12, 2, 2)

    def __init__(self, bad: int = -1) -> None:
        self.bad = bad
        self.read: list[int] = []

    def __getitem__(self, key: Any) -> np.ndarray:
        rows = np.arange(len(self))[key]
        if self.bad in rows:
            raise EdkitError("'x.png' cannot be read.")
        self.read += rows.tolist()
        return np.broadcast_to(rows[:, None, None], (len(rows), 2, 2)).astype("float32")


def rows_of_one(batches: Batches, index: int) -> list[int]:
    return batches[index][0]["image"][:, 0, 0].astype(int).tolist()


def test_what_is_read_ahead_is_what_would_be_read() -> None:
    image = Slow()
    slow = Batches({"image": image}, ["image"], HEADS[:1], 3, 5)
    assert image.read == []  # it is known that none lacks its target
    plain = Batches({"image": np.asarray(Slow())}, ["image"], HEADS[:1], 3, 5)
    for epoch, start in ((0, 0), (1, 2), (0, 1), (3, 0)):
        slow.begin_epoch(epoch, start)
        plain.begin_epoch(epoch, start)
        assert rows_of(slow) == rows_of(plain)
    slow.begin_epoch(0)
    image.read.clear()
    first = rows_of_one(slow, 0)
    slow.begin_epoch(1)
    assert set(first) <= set(image.read)
    assert len(image.read) <= 9  # the batch, and at most two ahead of it
    assert rows_of_one(slow, 3) == rows_of_one(slow, 3)  # asked for in any order


def test_a_sample_that_cannot_be_read_is_said_when_its_batch_is_asked_for() -> None:
    batches = Batches({"image": Slow(bad=5)}, ["image"], HEADS[:1], 3)
    assert [*rows_of_one(batches, 0)] == [0, 1, 2]
    with pytest.raises(EdkitError, match=r"x\.png"):
        batches[1]
    assert "x.png" in str(batches.problem)
    assert rows_of_one(batches, 2) == [6, 7, 8]
