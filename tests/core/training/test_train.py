"""Training: it learns, its heads mean what they say, and what does not count changes nothing."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import ed_core
from ed_core import Head, losses
from ed_core.data.batches import Batches
from ed_core.training.callbacks import weight_schedules
from ed_core.training.job import Job
from ed_core.training.options import Plan

pytestmark = [pytest.mark.backend, pytest.mark.usefixtures("tiny")]


class Logs(keras.callbacks.Callback):
    """Keeps what `fit` logs, epoch by epoch."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.epochs.append(dict(logs or {}))


def test_weight_rises_and_batches_are_augmented(tmp_path: Path, tiny: Any, fast: Any) -> None:
    run = fast(tmp_path, epochs=3, record=True, every=1, anneal=2.0)
    with run.recording() as recording:
        table = recording.scalars()
    rows = np.isfinite(table["posterior_weight"])
    step, weight = table["step"][rows], table["posterior_weight"][rows]
    expected = 0.1 * np.minimum((step - 1) / (2 * tiny.batches), 1)
    np.testing.assert_allclose(weight, expected, rtol=1e-5)
    assert np.isclose(float(run.model.optimizer.beta_1), 0.8)


@pytest.mark.parametrize("epochs", [0.01, 0.5])
def test_a_weight_arrives_where_it_rises_over_a_part_of_an_epoch(
    tmp_path: Path, fast: Any, epochs: float
) -> None:
    run = fast(tmp_path, epochs=1, anneal=epochs)
    assert float(run.model.head_weights["posterior"]) == pytest.approx(0.1)


@pytest.mark.parametrize(("steps", "half"), [(1, 1), (2, 1), (9, 5), (10, 5)])
def test_heads_take_turns(steps: int, half: int) -> None:
    first = Head("a", losses.l1, until=0.5, optional=True)
    second, always = Head("b", losses.l1, after="a"), Head("c", losses.l1)
    weights = {"a": 3.0, "b": 2.0, "c": 1.0}
    found = weight_schedules([first, second, always], weights, {"b": 4.0}, steps)
    assert [found["a"](step) for step in range(steps)] == [3.0] * half + [0.0] * (steps - half)
    rise = [2.0 * min(number / 4, 1.0) for number in range(steps - half)]
    assert [found["b"](step) for step in range(steps)] == [0.0] * half + rise
    assert set(found) == {"a", "b"}
    assert weight_schedules([second, always], weights, {}, steps) == {}


def test_numbers_of_numpy_are_numbers(tmp_path: Path, fast: Any) -> None:
    given = {"epochs": np.int64(1), "seed": np.int32(3), "every": np.int64(5)}
    run = fast(tmp_path, learning_rate=np.float32(0.01), weights={"image": np.float32(2)}, **given)
    assert {name: run.info[name] for name in given} == given
    assert run.info["weights"] == {"image": 2.0}


def test_augmentation_follows_from_seed_epoch_and_batch(tiny: Any) -> None:
    batches = Job.prepare(ed_core.MODELS["tiny"], Plan("tiny", "stripes", {}, seed=4)).batches
    plain = Batches(batches.arrays, batches.inputs, batches.heads, batches.batch_size, 4)
    seen = []
    for epoch, start in ((2, 0), (2, 1), (3, 0)):
        batches.begin_epoch(epoch, start)
        plain.begin_epoch(epoch, start)
        seen.append(batches[1 - start][0]["image"])
        same = plain[1 - start][0]["image"]
        flipped = [not np.array_equal(a, b) for a, b in zip(seen[-1], same, strict=True)]
        assert 0.2 < np.mean(flipped) < 0.8
        mirror = np.where(np.array(flipped)[:, None, None, None], same[:, :, ::-1], same)
        assert np.array_equal(seen[-1], mirror)
    assert np.array_equal(seen[0], seen[1])
    assert not np.array_equal(seen[0], seen[2])
    validation = Job.prepare(ed_core.MODELS["tiny"], Plan("tiny", "stripes", {})).validation
    assert validation.augment is None


def test_training_lowers_every_loss(tmp_path: Path, fast: Any) -> None:
    watch = Logs()
    run = fast(tmp_path, epochs=12, learning_rate=0.02, record=True, callbacks=[watch])
    first, last = watch.epochs[0], watch.epochs[-1]
    for name in ("loss", "image_loss", "label_loss", "angle_loss"):
        assert last[name] < 0.9 * first[name], name
        assert last[f"val_{name}"] < first[f"val_{name}"], name
    assert last["label_accuracy"] > 0.7
    assert np.isfinite([value for logs in watch.epochs for value in logs.values()]).all()
    assert run.info["status"] == "finished"
    assert run.folder.state() == "finished"
    assert (run.path / "recording" / "0000.h5").exists()
    assert set(run.model.predict({"image": np.zeros((2, 6, 6, 1))}, verbose=0)) == {
        "image",
        "code",
        "posterior",
        "label",
        "angle",
    }


def test_logged_loss_is_the_weighted_sum(tmp_path: Path, fast: Any) -> None:
    watch = Logs()
    weights = {"image": 2.0, "label": 3.0}
    fast(tmp_path, anneal=0.0, weights=weights, callbacks=[watch])
    for logs in watch.epochs:
        for of in ("", "val_"):  # the batches that are trained on have different numbers of labels
            expected = 2 * logs[f"{of}image_loss"] + 0.1 * logs[f"{of}posterior_loss"]
            expected += 3 * logs[f"{of}label_loss"] + 0.5 * logs[f"{of}angle_loss"]
            assert logs[f"{of}loss"] == pytest.approx(expected, rel=1e-5)


def test_masked_heads_are_what_numpy_says(tmp_path: Path, tiny: Any, fast: Any) -> None:
    watch = Logs()
    run = fast(tmp_path, callbacks=[watch])
    held = tiny.splits["validation"]
    out = run.model.predict({"image": held["image"]}, verbose=0)
    seen = held["has_label"] > 0
    likelihood = -np.log(out["label"][seen, held["label"][seen]])
    right = out["label"].argmax(axis=-1) == held["label"]
    squares = np.square(out["angle"][seen] - held["angle"][seen])
    bits = held["image"] * np.log(out["image"]) + (1 - held["image"]) * np.log(1 - out["image"])
    mean, log_var = out["posterior"][:, 0], out["posterior"][:, 1]
    divergence = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(axis=-1)
    expected = {
        "label_loss": likelihood.mean(),
        "label_accuracy": right[seen].mean(),
        "angle_loss": squares.sum() / len(seen),
        "image_loss": -bits.sum(axis=(1, 2, 3)).mean(),
        "posterior_loss": divergence.mean(),
    }
    for name, value in expected.items():
        assert watch.epochs[-1][f"val_{name}"] == pytest.approx(value, rel=1e-4), name


def test_the_test_split_is_never_opened(
    tmp_path: Path, tiny: Any, fast: Any, weights_of: Any
) -> None:
    usual = fast(tmp_path, record=True)
    tiny.splits["test"] = None
    assert weights_of(fast(tmp_path, record=True)) == weights_of(usual)


def test_no_labels_at_all_leave_the_other_heads_alone(tmp_path: Path, tiny: Any, fast: Any) -> None:
    for split in tiny.splits.values():
        split["has_label"][:] = 0
        split["label"][:] = -1
        split["angle"][:] = np.nan
    watch = Logs()
    fast(tmp_path, callbacks=[watch])
    assert watch.epochs[-1]["label_loss"] == 0
    assert watch.epochs[-1]["angle_loss"] == 0
    assert watch.epochs[-1]["image_loss"] < watch.epochs[0]["image_loss"]


def test_what_hidden_targets_hold_changes_nothing(
    tmp_path: Path, tiny: Any, fast: Any, weights_of: Any
) -> None:
    with_nan = fast(tmp_path)
    for split in tiny.splits.values():
        hidden = split["has_label"] == 0
        split["label"][hidden] = 99
        split["angle"][hidden] = np.inf
    assert weights_of(fast(tmp_path)) == weights_of(with_nan)


@pytest.mark.parametrize("after", [0, 3])
def test_weight_set_while_training_takes_effect(
    tmp_path: Path, after: int, fast: Any, at: Any
) -> None:
    """With all weights at 0 the gradient is 0: what was learnt before stays as it is."""
    seen: list[list[np.ndarray]] = []

    def silence(model: Any) -> None:
        for weight in model.head_weights.values():
            weight.assign(0.0)
        seen.append([np.array(v) for v in model.trainable_variables])

    weights = dict.fromkeys(("image", "posterior", "label", "angle"), 0.0) if not after else {}
    run = fast(tmp_path, weights=weights, epochs=1, callbacks=[at(after or 1, silence)])
    now = [np.array(v) for v in run.model.trainable_variables]
    if after:  # Adam's momentum goes on; without a gradient it soon fades
        moved = max(np.abs(a - b).max() for a, b in zip(now, seen[0], strict=True))
        unhindered = fast(tmp_path, epochs=1)
        other = [np.array(v) for v in unhindered.model.trainable_variables]
        assert any(not np.array_equal(a, b) for a, b in zip(now, other, strict=True))
        assert moved < 0.01
    else:
        assert all(np.array_equal(a, b) for a, b in zip(now, seen[0], strict=True))


def test_runs_of_one_seed_are_equal_and_of_two_are_not(
    tmp_path: Path, fast: Any, weights_of: Any
) -> None:
    one, same, other = (fast(tmp_path, seed=seed) for seed in (3, 3, 4))
    assert weights_of(one) == weights_of(same)
    assert weights_of(one) != weights_of(other)


def test_recording_changes_nothing(tmp_path: Path, fast: Any, weights_of: Any) -> None:
    with_frames = fast(tmp_path, record=True, every=2)
    without = fast(tmp_path)
    assert weights_of(with_frames) == weights_of(without)
    assert len(with_frames.recording()) == 8
    assert list(without.folder.recording.iterdir()) == []


def test_batch_larger_than_the_data() -> None:
    with pytest.warns(UserWarning, match="a batch of 1000 is more than the 229 samples"):
        job = Job.prepare(ed_core.MODELS["tiny"], Plan("tiny", "stripes", {}, batch_size=1000))
    assert job.batches.batches_per_epoch == 1
    assert len(job.batches[0][0]["image"]) == 229
