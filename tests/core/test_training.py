"""Training: it learns, its heads mean what they say, and wrong data or wishes are refused."""

import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import ed_core
from ed_core import EdkitError, Recording, RunFolder, train
from ed_core.arrange import Batches
from ed_core.arrays_file import read_arrays, write_arrays
from ed_core.checkpoints import newest_first
from ed_core.engine import installed_backends
from ed_core.job import Job
from ed_core.plan import Plan
from ed_core.run import load_weights
from ed_core.schedule import DivergedError, Interrupted

pytestmark = [pytest.mark.backend, pytest.mark.usefixtures("tiny")]


class At(keras.callbacks.Callback):
    """Calls a function with the model after a given step of this process."""

    def __init__(self, step: int, action: Any) -> None:
        super().__init__()
        self.step, self.action, self.done = step, action, 0
        self.logs: list[dict[str, float]] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self.done += 1
        if self.done == self.step:
            self.action(self.model)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.logs.append(dict(logs or {}))


def fast(out: Path, **options: Any) -> ed_core.Run:
    """Train for two epochs without a recording, unless told otherwise."""
    return train("tiny", out=out, **{"batch_size": 32, "epochs": 2, "record": False, **options})


def test_weight_rises_and_batches_are_augmented(tmp_path: Path, tiny: Any) -> None:
    run = fast(tmp_path, epochs=3, record=True, every=1, anneal=2.0)
    with run.recording() as recording:
        table = recording.scalars()
    rows = np.isfinite(table["posterior_weight"])
    step, weight = table["step"][rows], table["posterior_weight"][rows]
    expected = 0.1 * np.minimum((step - 1) / (2 * tiny.batches), 1)
    np.testing.assert_allclose(weight, expected, rtol=1e-5)
    assert np.isclose(float(run.model.optimizer.beta_1), 0.8)


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


@pytest.mark.parametrize("record", [True, False])
def test_training_lowers_every_loss(tmp_path: Path, record: bool) -> None:
    watch = At(0, None)
    run = fast(tmp_path, epochs=12, learning_rate=0.02, record=record, callbacks=[watch])
    first, last = watch.logs[0], watch.logs[-1]
    for name in ("loss", "image_loss", "label_loss", "angle_loss"):
        assert last[name] < 0.9 * first[name], name
        assert last[f"val_{name}"] < first[f"val_{name}"], name
    assert last["label_accuracy"] > 0.7
    assert np.isfinite([value for logs in watch.logs for value in logs.values()]).all()
    assert run.info["status"] == "finished"
    assert run.folder.state() == "finished"
    assert (run.path / "recording" / "0000.h5").exists() == record
    assert set(run.model.predict({"image": np.zeros((2, 6, 6, 1))}, verbose=0)) == {
        "image",
        "code",
        "posterior",
        "label",
        "angle",
    }


def test_logged_loss_is_the_weighted_sum(tmp_path: Path) -> None:
    watch = At(0, None)
    weights = {"image": 2.0, "label": 3.0}
    fast(tmp_path, epochs=1, anneal=0.0, weights=weights, callbacks=[watch])
    logs = watch.logs[0]
    expected = 2 * logs["val_image_loss"] + 0.1 * logs["val_posterior_loss"]
    expected += 3 * logs["val_label_loss"] + 0.5 * logs["val_angle_loss"]
    assert logs["val_loss"] == pytest.approx(expected, rel=1e-5)  # one batch of validation


def test_masked_heads_are_what_numpy_says(tmp_path: Path, tiny: Any) -> None:
    watch = At(0, None)
    run = fast(tmp_path, callbacks=[watch])
    test = tiny.splits["test"]
    out = run.model.predict({"image": test["image"]}, verbose=0)
    seen = test["has_label"] > 0
    likelihood = -np.log(out["label"][seen, test["label"][seen]])
    right = out["label"].argmax(axis=-1) == test["label"]
    squares = np.square(out["angle"][seen] - test["angle"][seen])
    bits = test["image"] * np.log(out["image"]) + (1 - test["image"]) * np.log(1 - out["image"])
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
        assert watch.logs[-1][f"val_{name}"] == pytest.approx(value, rel=1e-4), name


def test_no_labels_at_all_leave_the_other_heads_alone(tmp_path: Path, tiny: Any) -> None:
    for split in tiny.splits.values():
        split["has_label"][:] = 0
        split["label"][:] = -1
        split["angle"][:] = np.nan
    watch = At(0, None)
    fast(tmp_path, callbacks=[watch])
    assert watch.logs[-1]["label_loss"] == 0
    assert watch.logs[-1]["angle_loss"] == 0
    assert watch.logs[-1]["image_loss"] < watch.logs[0]["image_loss"]


def test_what_hidden_targets_hold_changes_nothing(tmp_path: Path, tiny: Any) -> None:
    with_nan = fast(tmp_path)
    for split in tiny.splits.values():
        hidden = split["has_label"] == 0
        split["label"][hidden] = 99
        split["angle"][hidden] = np.inf
    assert weights_of(fast(tmp_path)) == weights_of(with_nan)


def weights_of(run: ed_core.Run) -> list[bytes]:
    return [array.tobytes() for array in read_arrays(run.folder.weights)[0]]


@pytest.mark.parametrize("after", [0, 3])
def test_weight_set_while_training_takes_effect(tmp_path: Path, after: int) -> None:
    """With all weights at 0 the gradient is 0: what was learnt before stays as it is."""
    seen: list[list[np.ndarray]] = []

    def silence(model: Any) -> None:
        for weight in model.head_weights.values():
            weight.assign(0.0)
        seen.append([np.array(v) for v in model.trainable_variables])

    weights = dict.fromkeys(("image", "posterior", "label", "angle"), 0.0) if not after else {}
    run = fast(tmp_path, weights=weights, epochs=1, callbacks=[At(after or 1, silence)])
    now = [np.array(v) for v in run.model.trainable_variables]
    if after:  # Adam's momentum goes on; without a gradient it soon fades
        moved = max(np.abs(a - b).max() for a, b in zip(now, seen[0], strict=True))
        unhindered = fast(tmp_path, epochs=1)
        other = [np.array(v) for v in unhindered.model.trainable_variables]
        assert any(not np.array_equal(a, b) for a, b in zip(now, other, strict=True))
        assert moved < 0.01
    else:
        assert all(np.array_equal(a, b) for a, b in zip(now, seen[0], strict=True))


def test_runs_of_one_seed_are_equal_and_of_two_are_not(tmp_path: Path) -> None:
    one, same, other = (fast(tmp_path, seed=seed) for seed in (3, 3, 4))
    assert weights_of(one) == weights_of(same)
    assert weights_of(one) != weights_of(other)


def test_recording_changes_nothing(tmp_path: Path) -> None:
    with_frames = fast(tmp_path, record=True, every=2)
    assert weights_of(with_frames) == weights_of(fast(tmp_path))
    assert len(with_frames.recording()) == 8


def test_opened_run_gives_the_same_outputs(tmp_path: Path, tiny: Any) -> None:
    run = fast(tmp_path)
    again = ed_core.open_run(run.path)
    images = {"image": tiny.splits["test"]["image"]}
    before, after = (r.model.predict(images, verbose=0) for r in (run, again))
    for name, array in before.items():
        assert np.array_equal(array, after[name]), name


OTHER = """
import runpy, sys
import numpy as np
import ed_core
from ed_core.arrange import Batches
from ed_core.arrays_file import write_arrays
plugin = runpy.run_path(sys.argv[1])
run = ed_core.train("tiny", out=sys.argv[2], batch_size=32, epochs=1, record=False)
out = run.model.predict({"image": plugin["SPLITS"]["test"]["image"]}, verbose=0)
write_arrays(run.path / "outputs.h5", list(out.values()), {"names": list(out)})
print(run.path)
"""


def test_weights_of_another_backend(tmp_path: Path, tiny: Any, monkeypatch: Any) -> None:
    others = [name for name in installed_backends() if name != keras.config.backend()]
    if not others:
        pytest.skip("only one backend is installed")
    monkeypatch.setenv("KERAS_BACKEND", others[0])
    command = [sys.executable, "-c", OTHER, str(tiny.file), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    monkeypatch.undo()
    run = ed_core.open_run(done.stdout.splitlines()[-1])
    out = run.model.predict({"image": tiny.splits["test"]["image"]}, verbose=0)
    expected, facts = read_arrays(run.path / "outputs.h5")
    for name, array in zip(facts["names"], expected, strict=True):
        assert np.abs(out[name] - array).max() < 1e-5, name
    run.folder.update(status="stopped")
    with pytest.raises(EdkitError, match=rf"trained on '{others[0]}', this is .*--backend"):
        ed_core.resume(run.path)


def test_weights_that_do_not_fit(tmp_path: Path) -> None:
    run = fast(tmp_path, epochs=1)
    arrays, facts = read_arrays(run.folder.weights)
    arrays[0][0, 0] = np.nan
    write_arrays(run.folder.weights, arrays, facts)
    with pytest.raises(EdkitError, match="hidden/kernel holds numbers that are not finite"):
        ed_core.open_run(run.path)
    write_arrays(run.folder.weights, arrays[:-1], facts)
    with pytest.raises(EdkitError, match="arrays, this model has"):
        load_weights(run.model, run.folder.weights)
    run.folder.update(params={"latent": 3, "beta": 0.1})
    with pytest.raises(EdkitError, match="written by another model or with other options"):
        ed_core.open_run(run.path)


def _set(split: str, field: str, row: Any, value: Any) -> Any:
    return lambda splits: splits[split][field].__setitem__(row, value)


def _be(split: str, field: str, change: Any) -> Any:
    return lambda splits: splits[split].__setitem__(field, change(splits[split][field]))


BAD = {
    "NaN": (
        _set("train", "image", (3, 1, 1), np.nan),
        "stripes/train/image: sample 3 holds nan; expected finite numbers from 0 to 1 "
        "(scale bytes by 1/255).",
    ),
    "infinite": (_set("test", "image", (9, 0), -np.inf), "stripes/test/image: sample 9 holds -inf"),
    "bytes": (
        _be("train", "image", lambda a: (a * 200).astype("u1")),
        "stripes/train/image: sample 0 holds 0, 1",
    ),
    "label above": (
        lambda s: (
            s["train"]["has_label"].fill(1),
            s["train"]["label"].fill(0),
            _set("train", "label", 5, 3)(s),
        ),
        "stripes/train/label: sample 5 holds 3; expected whole numbers 0 to 2.",
    ),
    "label hidden but not masked": (
        _be("train", "has_label", np.ones_like),
        "stripes/train/label: sample ",
    ),
    "label with a fraction": (
        _be("test", "label", lambda a: a + 0.5),
        "stripes/test/label: sample ",
    ),
    "text": (_be("train", "label", lambda a: a.astype("U3")), "stripes/train/label: "),
    "objects": (_be("train", "image", lambda a: a.astype(object)), "stripes/train/image: "),
    "complex": (_be("train", "image", lambda a: a.astype("c8")), "stripes/train/image: "),
    "shape": (
        _be("train", "image", lambda a: a[:, :5]),
        "stripes/train/image: expected samples of shape (6, 6, 1), received (5, 6, 1).",
    ),
    "no channel": (
        _be("test", "image", lambda a: a[..., 0]),
        "stripes/test/image: expected samples of shape (6, 6, 1), received (6, 6).",
    ),
    "missing field": (
        lambda s: s["train"].pop("has_label"),
        "data 'stripes', split 'train': no array for ['has_label'].",
    ),
    "missing split": (lambda s: s.pop("test"), "data set 'stripes' has no split 'test'"),
    "empty": (
        lambda s: s.update(test={n: a[:0] for n, a in s["test"].items()}),
        "data 'stripes', split 'test': every field needs as many samples, at least one; found",
    ),
    "lengths": (
        _be("train", "label", lambda a: a[:100]),
        "data 'stripes', split 'train': every field needs as many samples",
    ),
    "mask of NaN": (_set("train", "has_label", 4, np.nan), "stripes/train/has_label: sample 4"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_data_is_refused_before_anything_is_written(
    tmp_path: Path, tiny: Any, name: str
) -> None:
    spoil, text = BAD[name]
    spoil(tiny.splits)
    with pytest.raises(EdkitError, match=re.escape(text)) as caught:
        fast(tmp_path / "out")
    assert str(caught.value).isprintable()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("wish", "text"),
    [
        ({"latnt": 3}, "unknown option of model 'tiny': 'latnt'. Did you mean 'latent'?"),
        ({"latent": 2.5}, "option 'latent' is a whole number, received 2.5."),
        ({"latent": 0}, "model 'tiny' cannot be built with"),
        ({"weights": {"imge": 1.0}}, "unknown head of model 'tiny': 'imge'. Did you mean 'image'?"),
        ({"epochs": 0}, "epochs must be above 0, received 0."),
        ({"learning_rate": -1.0}, "learning_rate must be above 0, received -1.0."),
        ({"seed": -1}, "seed must be from 0 to 2147483647, received -1."),
        ({"data": "strips"}, "unknown data set 'strips'. Did you mean 'stripes'?"),
    ],
)
def test_wrong_wish_is_refused_before_anything_is_written(
    tmp_path: Path, wish: dict[str, Any], text: str
) -> None:
    with pytest.raises(EdkitError, match=re.escape(text)) as caught:
        fast(tmp_path / "out", **wish)
    assert str(caught.value).isprintable()
    assert not (tmp_path / "out").exists()


def test_batch_larger_than_the_data(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="a batch of 1000 is more than the 229 samples"):
        run = fast(tmp_path, batch_size=1000)
    assert read_arrays(newest_first(run.folder.checkpoints)[0])[1]["step"] == 2


@pytest.mark.usefixtures("save_every_step")
def test_divergence_stops_and_keeps_what_was_saved(tmp_path: Path) -> None:
    def spoil(model: Any) -> None:
        model.head_weights["image"].assign(np.nan)

    with pytest.raises(DivergedError, match=r"the loss is nan after step 6: lower --learning") as e:
        fast(tmp_path, callbacks=[At(5, spoil)])
    assert e.value.status == 3
    folder = RunFolder(next(tmp_path.iterdir()))
    assert folder.state() == "failed"
    assert newest_first(folder.checkpoints)[0].name == "000000005.h5"


def test_learning_rate_beyond_all_reason(tmp_path: Path) -> None:
    with pytest.raises(DivergedError):
        fast(tmp_path, learning_rate=1e30, record=True)
    folder = RunFolder(next(tmp_path.iterdir()))
    with Recording(folder.path) as recording:
        assert recording.state == "failed"
        assert len(recording) >= 1
        assert recording.problem == ""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("step", [3, 7])
def test_signal_saves_and_stops(tmp_path: Path, number: int, step: int) -> None:
    before = signal.getsignal(number)
    with pytest.raises(Interrupted) as caught:
        fast(tmp_path, record=True, callbacks=[At(step, lambda model: signal.raise_signal(number))])
    assert caught.value.signal_number == number
    assert signal.getsignal(number) == before
    folder = RunFolder(next(tmp_path.iterdir()))
    assert folder.state() == "stopped"
    saved = int(newest_first(folder.checkpoints)[0].stem)
    assert saved in (step, step + 1)
    run = ed_core.resume(folder.path)
    assert weights_of(run) == weights_of(fast(tmp_path))
    assert run.recording().steps[-1] == 14


def test_second_interrupt_ends_at_once(tmp_path: Path) -> None:
    twice = [At(step, lambda model: signal.raise_signal(signal.SIGINT)) for step in (3, 3)]
    with pytest.raises(KeyboardInterrupt):
        fast(tmp_path, callbacks=twice)
    assert RunFolder(next(tmp_path.iterdir())).state() == "failed"


def test_training_off_the_main_thread(tmp_path: Path) -> None:
    done: list[Any] = []
    thread = threading.Thread(target=lambda: done.append(fast(tmp_path, record=True)))
    thread.start()
    thread.join(120)
    assert weights_of(done[0]) == weights_of(fast(tmp_path))


def test_second_trainer_is_refused(tmp_path: Path) -> None:
    refused: list[str] = []

    def try_again(model: Any) -> None:
        start = time.monotonic()
        with pytest.raises(EdkitError, match=r"is in use: process \d+ on") as caught:
            ed_core.resume(next(tmp_path.iterdir()))
        refused.append(str(caught.value))
        assert time.monotonic() - start < 1.5

    fast(tmp_path, callbacks=[At(2, try_again)])
    assert refused
