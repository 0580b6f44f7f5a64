"""What is kept aside to choose on: a share of the training data, and nothing of the test split."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ed_core import (
    DATASETS,
    MODELS,
    Dataset,
    EdkitError,
    Field,
    Fields,
    Groups,
    evaluate,
    open_run,
    resume,
    train,
)
from ed_core.data.lazy import Rows
from ed_core.data.loading import load_data
from ed_core.data.selection import select
from ed_core.data.validation_split import keep_aside, settle_share
from ed_core.evaluation.anomaly import detect
from ed_core.nn.submodels import to_numpy
from ed_core.runs.checkpoints import Position, newest_first
from ed_core.runs.rebuilding import build
from ed_core.runs.weights_file import read_facts
from ed_core.seeds import Seeds
from ed_core.training.callbacks import Checkpointer

PLAN = {"seed": 0}


def numbered(samples: int, classes: int = 0, **more: Any) -> Dataset:
    """A data set whose samples are their numbers."""
    fields = Fields(image=Field((1,), "value"))
    split: dict[str, Any] = {"image": np.arange(samples)[:, None].astype("float32")}
    if classes:
        fields["label"] = Field((), "class", tuple(map(str, range(classes))))
        split["label"] = np.arange(samples) % classes
    return Dataset(fields, {"train": split, "test": split}, **more)


def numbers(data: Dataset, split: str) -> np.ndarray:
    return np.asarray(data.splits[split]["image"][:])[:, 0].astype(int)


@given(st.integers(2, 300), st.integers(0, 5), st.floats(0.01, 0.9), st.integers(0, 9))
def test_every_sample_is_in_one_split_and_every_class_is_trained_on(
    samples: int, classes: int, share: float, seed: int
) -> None:
    whole = numbered(samples, classes)
    try:
        data = keep_aside(whole, share, Seeds(seed))
    except EdkitError:
        assert samples <= max(classes, 1)
        return
    train_on, held = numbers(data, "train"), numbers(data, "validation")
    assert sorted([*train_on, *held]) == list(range(samples))
    again = keep_aside(whole, share, Seeds(seed))
    assert np.array_equal(numbers(again, "validation"), held)
    if classes:
        assert set(train_on % classes) == set(range(min(classes, samples)))
        sizes = np.bincount(held % classes, minlength=classes)
        if samples * share > 3 * classes:
            assert sizes.max() - sizes.min() <= 1
    assert abs(len(held) - share * samples) <= max(classes, 1) / 2 + 1


@given(st.integers(2, 30), st.integers(1, 9), st.floats(0.05, 0.5))
def test_groups_go_as_a_whole(groups: int, each: int, share: float) -> None:
    of = np.repeat(np.arange(groups), each)
    data = keep_aside(numbered(len(of), groups=Groups(of)), share, Seeds(0))
    assert not set(of[numbers(data, "train")]) & set(of[numbers(data, "validation")])
    assert len(numbers(data, "train")) + len(numbers(data, "validation")) == len(of)


@given(st.integers(1, 4), st.integers(30, 80), st.integers(0, 4))
def test_in_time_the_last_samples_go_and_none_overlaps(
    groups: int, each: int, overlap: int
) -> None:
    of = np.repeat(np.arange(groups), each)
    whole = numbered(len(of), groups=Groups(of, in_time=True, overlap=overlap))
    data = keep_aside(whole, 0.1, Seeds(0))
    train_on, held = numbers(data, "train"), numbers(data, "validation")
    for number in range(groups):
        first = held[of[held] == number].min()
        assert np.array_equal(held[of[held] == number], np.arange(first, each * (number + 1)))
        assert train_on[of[train_on] == number].max() == first - 1 - overlap


def test_windows_that_overlap_share_no_sample(tmp_path: Path) -> None:
    """A recording of one file: of its windows no sample is learned from and validated on."""
    np.savetxt(tmp_path / "a.csv", np.arange(1000.0))
    data = select(load_data(f"signals:path={tmp_path / 'a.csv'},window=20,hop=5"), (), PLAN)
    fitted = data.input.fitted
    assert fitted is not None
    parts = [
        np.asarray(data.splits[split]["signal"]) * fitted["deviation"] + fitted["mean"]
        for split in ("train", "validation")
    ]
    seen, held = (set(np.rint(part).ravel().astype(int)) for part in parts)
    assert not seen & held
    assert max(seen) < min(held)


def test_whole_recordings_are_kept_aside(tmp_path: Path) -> None:
    for number in range(10):
        rows = np.full(100, 100.0 * number) + np.arange(100)
        np.savetxt(tmp_path / f"{'ab'[number % 2]}_{number}.csv", rows)
    data = select(load_data(f"signals:path={tmp_path},window=10,labels=yes"), (), PLAN)
    fitted = data.input.fitted
    assert fitted is not None
    files = {
        split: set(np.unique((np.asarray(arrays["signal"]) * fitted["deviation"] + fitted["mean"])
                             .round().astype(int) // 100).tolist())
        for split, arrays in ((s, data.splits[s]) for s in ("train", "validation", "test"))
    }  # fmt: skip
    assert not files["train"] & files["validation"]
    assert not files["train"] & files["test"]
    assert set(np.unique(data.splits["train"]["label"])) == {0, 1}


def test_statistics_are_fitted_on_what_is_left(tmp_path: Path) -> None:
    signal = np.concatenate([np.zeros(720), np.full(80, 50.0), np.zeros(200)])
    signal[:720] += np.random.default_rng(0).normal(size=720)
    np.savetxt(tmp_path / "a.csv", signal)
    data = select(load_data(f"signals:path={tmp_path / 'a.csv'},window=10"), (), PLAN)
    left = signal[:720].astype("float32").astype("float64")
    assert data.input.fitted is not None
    assert data.input.fitted["mean"] == pytest.approx([left.mean()], abs=1e-6)
    assert data.input.fitted["deviation"] == pytest.approx([left.std()], abs=1e-6)


def test_few_or_short_recordings_lose_about_a_tenth(tmp_path: Path) -> None:
    """Of three files, two to train on: not one of the two, but the end of each."""
    for name, files, rows in (("few", 3, 2000), ("short", 12, 60)):
        folder = tmp_path / name
        folder.mkdir()
        for number in range(files):
            np.savetxt(folder / f"{number}.csv", np.arange(float(rows)))
        data = select(load_data(f"signals:path={folder},window=12"), (), PLAN)
        train_on, held = (len(data.splits[split]["signal"]) for split in ("train", "validation"))
        assert 0.05 <= held / (train_on + held) <= 0.2, name


@given(st.integers(0, 50))
def test_a_large_group_is_not_a_tenth(seed: int) -> None:
    of = np.concatenate([np.zeros(900, int), np.repeat(np.arange(1, 31), 10)])
    data = keep_aside(numbered(len(of), groups=Groups(of)), 0.1, Seeds(seed))
    held = of[numbers(data, "validation")]
    assert 0 not in held
    assert 100 <= len(held) <= 140


@given(st.integers(0, 50))
def test_of_many_small_classes_none_is_lost(seed: int) -> None:
    data = keep_aside(numbered(200, 100), 0.1, Seeds(seed))
    assert set(numbers(data, "train") % 100) == set(range(100))
    assert len(numbers(data, "validation")) == 20


def test_a_memmap_is_not_read_as_a_whole(tmp_path: Path) -> None:
    array = np.memmap(tmp_path / "a", "float32", "w+", shape=(50, 1))
    data = Dataset(Fields(image=Field((1,), "value")), {"train": {"image": array}})
    assert isinstance(keep_aside(data, 0.1, Seeds(0)).splits["train"]["image"], Rows)


def test_rows_in_order_are_read_at_once() -> None:
    class Counted:
        dtype, shape, asked = np.dtype("int64"), (100,), 0

        def __getitem__(self, key: Any) -> Any:
            Counted.asked += isinstance(key, np.ndarray)
            return np.arange(100)[key]

    rows = Rows(Counted(), np.delete(np.arange(100), [3, 50]))
    assert rows[:].tolist() == [*range(3), *range(4, 50), *range(51, 100)]
    assert rows[40:60].tolist() == [*range(41, 50), *range(51, 62)]
    assert not Counted.asked
    assert rows[np.array([2, 3])].tolist() == [2, 4]


@given(st.sets(st.integers(0, 2999), min_size=1), st.integers(1, 9), st.integers(1, 90))
def test_of_rows_that_lie_apart_little_is_read_at_a_time(
    chosen: set[int], nearer: int, chunk: int
) -> None:
    """At most 4,000 bytes, or one chunk; no chunk is unpacked twice."""
    numbers = np.arange(3000 * 20).reshape(3000, 20)
    read: list[slice] = []

    class Stored:
        dtype, shape, chunks = numbers.dtype, numbers.shape, (chunk, 1)

        def __getitem__(self, key: Any) -> Any:
            read.extend([key] if isinstance(key, slice) else [])
            return numbers[key]

    rows = np.unique(np.array([*chosen]) // nearer)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ed_core.data.lazy._BYTES_AT_A_TIME", 4000)
        assert np.array_equal(Rows(Stored(), rows)[:], numbers[rows])
    most = max(4000 // 160, chunk)
    assert all(part.stop - part.start <= most for part in read)
    touched = [{row // chunk for row in range(part.start, part.stop)} for part in read]
    assert sum(map(len, touched)) == len(set().union(*touched))


def test_rows_of_a_file_are_read_when_they_are_asked_for() -> None:
    class Never:
        dtype, shape = np.dtype("float32"), (50, 1)

        def __len__(self) -> int:
            return 50

        def __getitem__(self, key: Any) -> Any:
            raise AssertionError("it was read")

    data = Dataset(Fields(image=Field((1,), "value")), {"train": {"image": Never()}})
    kept = keep_aside(data, 0.1, Seeds(0))
    assert isinstance(kept.splits["train"]["image"], Rows)
    assert len(kept.splits["validation"]["image"]) == 5


def test_a_share_of_data_that_have_their_own_split_is_refused() -> None:
    split = numbered(10).splits["train"]
    data = Dataset(numbered(10).fields, {"train": split, "validation": split})
    assert settle_share(data, None, "x") is None
    assert settle_share(data, 0.0, "x") == 0
    with pytest.raises(EdkitError, match="have a validation split of their own"):
        settle_share(data, 0.2, "x")
    assert settle_share(numbered(10), None, "x") == 0.1


class Closed(Mapping[str, Any]):
    """Splits of which the test must not be opened."""

    def __init__(self, splits: Mapping[str, Any]) -> None:
        self.splits = splits

    def __getitem__(self, name: str) -> Any:
        if name == "test":
            raise AssertionError("the test split was opened")
        return self.splits[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.splits)

    def __len__(self) -> int:
        return len(self.splits)


@pytest.mark.once
@pytest.mark.backend
@pytest.mark.parametrize(
    ("data", "model", "options"),
    [
        ("digits", "autoencoder_classifier", {"labels": {"label": 0.5}}),
        ("digits", "dense_autoencoder", {"only": {"label": "3"}}),
        ("signals:window=512", "signal_autoencoder", {"filters": (2,)}),
        ("land_use:samples=24,size=16", "unet", {"filters": (4, 4), "validation": 0}),
    ],
)
def test_a_training_never_opens_the_test_split(
    data: str, model: str, options: dict[str, Any], tmp_path: Path, monkeypatch: Any
) -> None:
    spec = DATASETS[data.partition(":")[0]]
    real = spec.load

    def closed(**given: Any) -> Dataset:
        found = real(**given)
        values = {name: getattr(found, name) for name in Dataset.__slots__}
        return Dataset(**{**values, "splits": Closed(found.splits)})

    closed.__kwdefaults__ = real.__kwdefaults__
    closed.__annotations__ = real.__annotations__
    closed.__signature__ = __import__("inspect").signature(real)  # type: ignore[attr-defined]
    monkeypatch.setitem(DATASETS._entries, spec.name, type(spec)(spec.name, closed))
    run = train(model, data, epochs=1, batch_size=8, out=tmp_path, **options)
    resume(run.path, epochs=2)


@pytest.mark.backend
class TestTraining:
    def test_nothing_kept_aside_chooses_nothing(self, tmp_path: Path) -> None:
        run = train("dense_autoencoder", "digits", epochs=1, out=tmp_path, validation=0)
        assert run.info["validation"] == 0
        assert run.info["samples"] == 1437
        assert not (run.path / "checkpoints" / "best.h5").exists()
        with pytest.raises(EdkitError, match="no best weights"):
            open_run(run.path, weights="best")
        with run.recording() as recording:
            reference = recording.reference()["image"]
        images = load_data("digits").splits["train"]["image"]
        assert all(any(np.array_equal(one, image) for image in images) for one in reference[:3])

    def test_the_best_weights_are_those_of_the_lowest_loss(self, tmp_path: Path) -> None:
        kept: dict[int, tuple[float, list[np.ndarray]]] = {}

        class Keep(keras.callbacks.Callback):
            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                weights = [to_numpy(weight) for weight in self.model.layer_weights]
                kept[epoch] = (logs["val_loss"], weights)

        run = train(
            "dense_autoencoder", "digits", epochs=6, learning_rate=0.03, out=tmp_path,
            callbacks=[Keep()], record=False,
        )  # fmt: skip
        best = min(kept.values(), key=lambda one: one[0])[1]
        for one, other in zip(best, open_run(run.path, weights="best").model.layer_weights,
                              strict=True):  # fmt: skip
            assert np.array_equal(one, to_numpy(other))
        with pytest.raises(EdkitError, match="weights"):
            open_run(run.path, weights="worst")  # type: ignore[arg-type]

    def test_the_best_is_chosen_at_the_final_weights(self, tmp_path: Path) -> None:
        """While a weight rises the loss itself would make the first epoch look best."""
        net = build(MODELS["vae"], load_data("digits").fields, {"hidden": (4,)})
        net.compile(optimizer="adam")
        net.optimizer.build(net.trainable_variables)
        stop = SimpleNamespace(number=0)
        settled = {"image": 1.0, "posterior": 10.0}
        saves = Checkpointer(tmp_path, Position(0, 0, 0), 2, lambda *_: None, stop, settled=settled)
        saves.set_model(net)
        # The loss rises with the weight; at the final weight the second epoch is the best.
        for epoch, (weight, image, kl) in enumerate([(0, 50, 40), (5, 60, 20), (10, 70, 30)]):
            for batch in range(2):
                saves.on_train_batch_end(batch, {"loss": 1.0})
            net.head_weights["posterior"].assign(weight)
            logs = {"val_loss": image + weight * kl, "val_image_loss": image}
            saves.on_epoch_end(epoch, {**logs, "val_posterior_loss": kl})
        saves.on_train_end()
        facts = read_facts(tmp_path / "best.h5")
        assert (facts["best"], facts["epoch"], facts["step"]) == (260.0, 2, 4)
        assert [path.stem for path in newest_first(tmp_path)] == ["000000006"]

    @pytest.mark.parametrize("anneal", [2, 5])
    def test_a_weight_that_never_rises_is_refused(self, anneal: int, tmp_path: Path) -> None:
        with pytest.raises(EdkitError, match="fewer epochs than the training has"):
            train("vae", "digits", epochs=2, anneal=anneal, out=tmp_path)
        assert not [*tmp_path.iterdir()]

    def test_other_data_are_not_resumed(self, tmp_path: Path) -> None:
        random = np.random.default_rng(0)
        image = random.random((60, 4, 4, 1), dtype="float32")
        file = tmp_path / "a.npz"
        np.savez(file, image=image)
        run = train(
            "dense_autoencoder", f"arrays:path={file}", epochs=1, batch_size=8, out=tmp_path
        )
        np.savez(file, image=image[::-1])
        with pytest.raises(EdkitError, match="stand in another order"):
            resume(run.path, epochs=2)
        np.savez(file, image=random.random((60, 4, 4, 1), dtype="float32"))
        with pytest.raises(EdkitError, match=r"the data .* have changed"):
            resume(run.path, epochs=2)
        np.savez(file, image=np.concatenate([image, image]))
        with pytest.raises(EdkitError, match="samples and has"):
            resume(run.path, epochs=2)
        np.savez(file, image=image)
        assert resume(run.path, epochs=2).info["epochs_done"] == 2


@pytest.mark.backend
class TestWhatWasUsed:
    @pytest.mark.parametrize("policy", ["mixed_bfloat16", "bfloat16"])
    def test_a_precision_is_kept(self, policy: str, tmp_path: Path) -> None:
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy)
        try:
            run = train("vae", "digits", epochs=1, out=tmp_path, record=False)
        finally:
            keras.config.set_dtype_policy(before)
        assert run.info["precision"]["dtype_policy"] == policy
        opened = open_run(run.path)
        for one, other in zip(run.model.layer_weights, opened.model.layer_weights, strict=True):
            assert one.dtype == other.dtype
            assert np.array_equal(to_numpy(one).astype("f4"), to_numpy(other).astype("f4"))
        assert np.isfinite(evaluate(opened)["neg_elbo"])
        resumed = resume(run.path, epochs=2)
        assert resumed.info["epochs_done"] == 2
        for one in (opened, open_run(run.path, weights="best"), resumed):
            assert one.encoder.compute_dtype == "bfloat16"
        assert keras.config.dtype_policy().name == before.name

    def test_an_early_stop_is_told(self, tmp_path: Path) -> None:
        stop = keras.callbacks.EarlyStopping(patience=0, min_delta=1e9, restore_best_weights=True)
        run = train("dense_autoencoder", "digits", epochs=5, out=tmp_path, callbacks=[stop])
        info = json.loads((run.path / "run.json").read_text())
        assert info["epochs_done"] == 2
        assert info["stopped_early"]
        assert info["callbacks"] == ["EarlyStopping"]
        assert info["weights_changed_by_callbacks"]
        assert info["optimizer"]["class"] == "Adam"
        with pytest.raises(EdkitError, match="ended after 2 of its 5 epochs by a callback"):
            resume(run.path)
        assert resume(run.path, epochs=5).info["epochs_done"] == 5


@pytest.mark.backend
class TestWhatIsBest:
    def saves(self, folder: Path) -> Checkpointer:
        net = build(MODELS["vae"], load_data("digits").fields, {"hidden": (4,)})
        net.compile(optimizer="adam")
        net.optimizer.build(net.trainable_variables)
        stop, settled = SimpleNamespace(number=0), {"image": 1.0, "posterior": 1.0}
        made = Checkpointer(folder, Position(0, 0, 0), 1, lambda *_: None, stop, settled=settled)
        made.set_model(net)
        return made

    def epoch(self, saves: Checkpointer, number: int, loss: float) -> None:
        saves.on_train_batch_end(0, {"loss": loss})
        saves.on_epoch_end(number, {"val_loss": loss, "val_image_loss": loss})

    def test_it_is_looked_for_anew_once_the_terms_weigh_otherwise(self, tmp_path: Path) -> None:
        saves = self.saves(tmp_path)
        self.epoch(saves, 0, 5.0)
        saves.forget_best()
        self.epoch(saves, 1, 7.0)
        self.epoch(saves, 2, 8.0)
        saves.on_train_end()
        facts = read_facts(tmp_path / "best.h5")
        assert (facts["step"], facts["best"]) == (2, 7.0)

    def test_it_is_on_the_disk_before_a_checkpoint_speaks_of_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        saves = self.saves(tmp_path)
        self.epoch(saves, 0, 5.0)
        monkeypatch.setattr("ed_core.training.callbacks.save_checkpoint", full)
        with pytest.warns(UserWarning, match="No space left"):
            saves.save()
        assert read_facts(tmp_path / "best.h5")["best"] == 5.0
        assert not newest_first(tmp_path)

    def test_an_encoder_may_be_the_best_of_its_run(self, tmp_path: Path) -> None:
        class Spoil(keras.callbacks.Callback):
            def on_train_end(self, logs: Any = None) -> None:
                for weight in self.model.layer_weights:
                    weight.assign(2 * to_numpy(weight))

        options = {"hidden": (8,), "latent": 4, "record": False, "callbacks": [Spoil()]}
        earlier = train("dense_autoencoder", "digits", epochs=1, out=tmp_path, **options)
        best, last = open_run(earlier.path, weights="best"), open_run(earlier.path)
        assert evaluate(best)["weights"] == "best"
        assert "weights" not in evaluate(last)
        taken = {}
        for which in ("last", "best"):
            params = {"encoder": str(earlier.path), "encoder_weights": which}
            net = build(MODELS["classifier"], earlier.fields, params)
            taken[which] = [to_numpy(weight) for weight in net.get_layer("encoder").weights]
        for which, run in (("last", last), ("best", best)):
            for one, other in zip(taken[which], run.encoder.weights, strict=True):
                assert np.array_equal(one, to_numpy(other)), which
        assert not all(map(np.array_equal, taken["last"], taken["best"]))


@pytest.mark.backend
def test_an_early_stop_at_the_end_of_a_resumed_epoch_holds(tmp_path: Path) -> None:
    class StopFirst(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = True

    class Boom(Exception):  # noqa: N818 - it is no error
        """Ends a training in the middle of an epoch."""

    class Break(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 3:
                raise Boom

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ed_core.training.callbacks._PAUSE", 0.0)
        patch.setattr("ed_core.training.callbacks._SHARE", 0.0)
        with pytest.raises(Boom):
            train("dense_autoencoder", "digits", epochs=4, out=tmp_path, callbacks=[Break()])
        (path,) = tmp_path.iterdir()
        run = resume(path, callbacks=[StopFirst()])
    assert run.info["epochs_done"] == 1
    assert run.info["stopped_early"]


@pytest.mark.backend
def test_with_nothing_chosen_on_it_a_validation_split_is_still_measured_on(tmp_path: Path) -> None:
    image = np.random.default_rng(0).random((40, 4, 4, 1), dtype="float32")
    file = tmp_path / "a.npz"
    np.savez(file, **{"train/image": image, "val/image": image[:12]})
    data = f"arrays:path={file}"
    run = train("dense_autoencoder", data, epochs=1, batch_size=8, validation=0, out=tmp_path)
    assert run.info["fingerprint"].keys() == {"train"}
    numbers = evaluate(open_run(run.path))
    assert (numbers["split"], numbers["samples"]) == ("validation", 12)
    again = evaluate(open_run(run.path), f"arrays:path={tmp_path}/../{tmp_path.name}/a.npz")
    assert again["split"] == "validation"


@pytest.mark.backend
def test_without_normal_samples_kept_aside_there_is_no_threshold(tmp_path: Path) -> None:
    run = train(
        "dense_autoencoder", "digits", epochs=1, only={"label": "3"}, validation=0, out=tmp_path
    )
    with pytest.warns(UserWarning, match="no normal samples were kept aside"):
        numbers = detect(run)
    assert 0 < numbers["auroc"] <= 1
    assert "threshold" not in numbers
