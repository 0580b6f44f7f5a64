"""The recorder on models, data and callbacks that are none of ours: what stands in the file."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from ed_core import (
    Activations,
    EdkitError,
    LatentScan,
    Predictions,
    Reconstruction,
    Recorder,
    Recording,
    Samples,
)
from ed_core.nn.submodels import to_numpy

pytestmark = pytest.mark.backend

X = np.random.default_rng(0).random((48, 5)).astype("float32")
PICTURES = np.random.default_rng(1).random((24, 6, 6, 3)).astype("float32")
BACKEND = keras.config.backend()
ONE = Reconstruction("x", samples=4)

Callback = keras.callbacks.Callback


def plain(**options: Any) -> keras.Model:
    x = keras.Input((5,), name="x")
    model = keras.Model(x, layers.Dense(5)(x))
    model.compile(**{"optimizer": keras.optimizers.Adam(0.01), "loss": "mse", **options})
    return model


@cache
def _compiled(rate: float) -> tuple[keras.Model, list[np.ndarray]]:
    model = plain(optimizer=keras.optimizers.Adam(rate))
    return model, model.get_weights()


def usual(rate: float = 0.01) -> keras.Model:
    """Return a model whose step was compiled once for all tests, with its first weights."""
    model, weights = _compiled(rate)
    model.set_weights(weights)
    model.optimizer.iterations.assign(0)
    model.stop_training = False
    return model


def fit(model: keras.Model, callbacks: list[Any], **options: Any) -> None:
    model.fit(X, X, callbacks=callbacks, **{"batch_size": 8, "verbose": 0, **options})


def check_last_frame(model: keras.Model, path: Path) -> None:
    with Recording(path) as recording:
        assert (recording.state, recording.problem) == ("finished", "")
        last = recording.read("reconstruction x", -1)["output"]
    np.testing.assert_allclose(last, model.predict(X[:4], verbose=0), atol=2e-3, rtol=1e-3)


class Added(Callback):
    """Adds to the logs of an epoch what is a number, and what is none."""

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        tensor = ops.convert_to_tensor(2.5)
        words: dict[str, Any] = {"words": "abc", "map": np.zeros(3), "epoch": 7}
        logs.update(psnr=20.0 + epoch, val_psnr=np.float32(epoch), tensor=tensor, **words)


@pytest.mark.parametrize("first", [True, False])
def test_what_callbacks_add_to_the_logs_is_recorded(tmp_path: Path, first: bool) -> None:
    recorder = Recorder(tmp_path / "run", [ONE], {"x": X[:8]}, every=4)
    model = usual()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        fit(model, [Added(), recorder] if first else [recorder, Added()], epochs=3)
    texts = sorted(str(one.message) for one in said if "in the logs" in str(one.message))
    assert texts == [
        "'epoch' in the logs is not recorded: a column of this name is there.",
        "'map' in the logs is not recorded: it is no number.",
        "'words' in the logs is not recorded: it is no number.",
    ]
    check_last_frame(model, tmp_path / "run")
    with Recording(tmp_path / "run") as recording:
        table = recording.scalars()
        assert recording.steps.tolist() == [0, 4, 6, 8, 12, 16, 18]
    known = np.isfinite(table["psnr"])
    assert table["psnr"][known].tolist() == [20, 21, 22]
    assert table["val_psnr"][known].tolist() == [0, 1, 2]
    assert table["tensor"][known].tolist() == [2.5, 2.5, 2.5]
    assert table["step"][known].tolist() == [6, 12, 18]
    assert sorted(set(table["step"])) == [4, 6, 8, 12, 16, 18]
    assert np.isfinite(table["loss"]).all()
    assert set(table["epoch"][known]) == {1.0, 2.0, 3.0}


def test_a_number_that_a_later_callback_changes_is_recorded(tmp_path: Path) -> None:
    class Change(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs["loss"] = -1.0

    fit(usual(), [Recorder(tmp_path / "run", [ONE], {"x": X[:8]}), Change()])
    with Recording(tmp_path / "run") as recording:
        table = recording.scalars()
    assert table["step"].tolist()[-2:] == [6, 6]
    assert table["loss"][-2] > 0 > table["loss"][-1]


def test_names_that_never_end_are_left_out_at_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Endless(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs[f"loss of epoch {epoch}"] = 1.0

    monkeypatch.setattr("ed_core.probes.capture._RENEWALS", 2)
    model = usual()
    with pytest.warns(UserWarning, match="scalars loss of epoch 2, and others that are new, are"):
        fit(model, [Endless(), Recorder(tmp_path / "run", [ONE], {"x": X[:8]})], epochs=4)
    check_last_frame(model, tmp_path / "run")
    assert len(list((tmp_path / "run" / "recording").iterdir())) == 3
    with Recording(tmp_path / "run") as recording:
        table = recording.scalars()
    assert "loss of epoch 1" in table
    assert "loss of epoch 2" not in table
    assert sorted(set(table["step"]))[-1] == 24


@pytest.mark.skipif(BACKEND == "torch", reason="torch takes one step at a time")
def test_several_steps_in_one_execution_that_do_not_divide_the_epoch(tmp_path: Path) -> None:
    model = plain(steps_per_execution=4)
    fit(model, [Recorder(tmp_path / "run", [ONE], {"x": X[:8]}, every=3)], epochs=3)
    check_last_frame(model, tmp_path / "run")
    with Recording(tmp_path / "run") as recording:
        assert recording.steps.tolist() == [0, 4, 6, 10, 12, 16, 18]
        np.testing.assert_allclose(recording.epochs * 6, recording.steps)
        assert recording.scalars()["step"].max() == 18 == int(ops.convert_to_numpy(_steps(model)))


def _steps(model: keras.Model) -> Any:
    return ops.convert_to_tensor(model.optimizer.iterations)


def test_steps_are_the_optimizers_and_epochs_go_on(tmp_path: Path) -> None:
    """Gradients of three batches a step; then an optimizer made anew, and other batches."""
    adam = keras.optimizers.Adam(0.01, gradient_accumulation_steps=3)
    model = plain(optimizer=adam)
    recorder = Recorder(tmp_path / "run", [ONE], {"x": X[:8]}, every=1)
    fit(model, [recorder], epochs=2)
    model.compile(optimizer="sgd", loss="mse")
    fit(model, [recorder], batch_size=16)
    check_last_frame(model, tmp_path / "run")
    with Recording(tmp_path / "run") as recording:
        assert recording.steps.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
        expected = [0, 0.5, 1, 1.5, 2, 2 + 1 / 3, 2 + 2 / 3, 3]
        np.testing.assert_allclose(recording.epochs, expected)


class Restless(keras.Model):
    """A model whose own optimizers are none that Keras knows: its `optimizer` takes no step."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = keras.Sequential([keras.Input((4,), name="code"), layers.Dense(5)])

    def call(self, inputs: Any) -> Any:
        return inputs

    def train_step(self, *given: Any) -> Any:
        if BACKEND == "jax":
            return {"g_loss": ops.sum(given[1][0])}, given[0]
        return {"g_loss": ops.sum(given[0][0])}


def test_where_the_optimizer_takes_no_step_batches_are_counted(tmp_path: Path) -> None:
    model = Restless()
    model.compile()
    probe = Samples("generator", samples=3)
    recorder = Recorder(tmp_path / "run", [probe], {"x": X[:8]}, every=3)
    fit(model, [recorder], epochs=2)
    fit(model, [recorder])
    with Recording(tmp_path / "run") as recording:
        assert recording.steps.tolist() == [0, 3, 6, 9, 12, 15, 18]
        assert recording.epochs.tolist() == [0, 0.5, 1, 1.5, 2, 2.5, 3]
        assert recording.scalars()["step"].tolist()[-1] == 18


def batches(count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for _ in range(count):
        yield X[:8], X[:8]


@pytest.mark.filterwarnings("ignore:Your input ran out of data", "ignore:`shuffle=True`")
@pytest.mark.parametrize("known", [True, False])
def test_a_generator_that_ends(tmp_path: Path, known: bool) -> None:
    model = usual()
    recorder = Recorder(tmp_path / "run", [ONE], {"x": X[:8]}, every=1)
    options = {"steps_per_epoch": 4, "epochs": 2} if known else {"epochs": 1}
    model.fit(batches(7), verbose=0, callbacks=[recorder], **options)
    check_last_frame(model, tmp_path / "run")
    done = int(ops.convert_to_numpy(_steps(model)))  # TensorFlow counts the step that had no data
    with Recording(tmp_path / "run") as recording:
        assert recording.steps[:8].tolist() == list(range(8))
        assert recording.steps[-1] == done
        assert recording.epochs[-1] == options["epochs"]
        if known:
            np.testing.assert_allclose(recording.epochs[:8] * 4, range(8))


def restoring() -> Callback:
    return keras.callbacks.EarlyStopping(
        monitor="loss", min_delta=9, patience=2, restore_best_weights=True
    )


ORDERS: dict[str, Callable[[Recorder], list[Any]]] = {
    "behind": lambda recorder: [recorder, restoring()],
    "before": lambda recorder: [restoring(), recorder],
    "history before": lambda recorder: [keras.callbacks.History(), restoring(), recorder],
    "history last": lambda recorder: [recorder, restoring(), keras.callbacks.History()],
}


@pytest.mark.parametrize(("order", "every"), [("behind", 1000), *((order, 1) for order in ORDERS)])
def test_the_last_frame_is_of_the_model_that_is_kept(
    tmp_path: Path, order: str, every: int
) -> None:
    model = usual(0.1)
    recorder = Recorder(tmp_path / "run", [ONE], {"x": X[:8]}, every=every)
    fit(model, ORDERS[order](recorder), epochs=9)
    check_last_frame(model, tmp_path / "run")
    with Recording(tmp_path / "run") as recording:
        assert recording.steps[-1] == 18
        texts = [event.text for event in recording.events()]
    changed = ["the weights were changed after the last step"]
    assert texts == (changed if every == 1 else [])


def test_the_last_frame_of_a_with_block_is_of_the_model_that_is_kept(tmp_path: Path) -> None:
    model = usual(0.1)
    with Recorder(tmp_path / "run", [ONE], {"x": X[:8]}, every=1) as recorder:
        fit(model, [recorder, keras.callbacks.History(), restoring()], epochs=9)
    check_last_frame(model, tmp_path / "run")


def test_two_recorders_end_and_leave_the_history_alone(tmp_path: Path) -> None:
    class Interrupt(Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            raise KeyboardInterrupt

    model = usual()
    with pytest.raises(KeyboardInterrupt):
        fit(model, [Recorder(tmp_path / "c", [ONE], {"x": X[:8]}), Interrupt()])
    assert "on_train_end" not in vars(model.history)
    fit(model, [Recorder(tmp_path / name, [ONE], {"x": X[:8]}) for name in "ab"])
    assert "on_train_end" not in vars(model.history)
    for name in "ab":
        check_last_frame(model, tmp_path / name)


class Drawing(layers.Layer):
    """Draws whenever it is called, as the code of many a variational autoencoder."""

    def __init__(self) -> None:
        super().__init__()
        self.seed = keras.random.SeedGenerator(1)

    def call(self, inputs: Any) -> Any:
        return inputs + keras.random.normal(ops.shape(inputs), seed=self.seed)


def test_a_model_that_draws_trains_as_without_a_recorder(tmp_path: Path) -> None:
    trained, drawing = [], Drawing()
    x = keras.Input((5,), name="x")
    model = keras.Model(x, drawing(layers.Dense(5)(x)))
    model.compile("sgd", "mse")
    begun = model.get_weights(), to_numpy(drawing.seed.state)
    for recorded in (False, True):
        model.set_weights(begun[0])
        drawing.seed.state.assign(begun[1])
        model.optimizer.iterations.assign(0)
        run = [Recorder(tmp_path / "run", [ONE], {"x": X[:8]}, every=2)] if recorded else []
        fit(model, run, shuffle=False)
        trained.append(model.get_weights())
    for without, with_one in zip(*trained, strict=True):
        np.testing.assert_array_equal(without, with_one)
    with Recording(tmp_path / "run") as recording:
        assert recording.steps.tolist() == [0, 2, 4, 6]
        assert recording.events() == ()


def test_where_epochs_are_of_one_length_skipped_steps_count(tmp_path: Path) -> None:
    def skipping() -> Any:
        return keras.optimizers.LossScaleOptimizer(
            keras.optimizers.SGD(0.01), initial_scale=1e38, dynamic_growth_steps=1
        )

    model = plain(optimizer=skipping())
    of_run = {"steps_per_epoch": 6}
    recorder = Recorder(tmp_path / "run", [ONE], {"x": X[:8]}, every=1, run=of_run)
    recorder.go_on(12, 0.0, [])
    fit(model, [recorder])
    assert int(ops.convert_to_numpy(_steps(model))) < 6
    with Recording(tmp_path / "run") as recording:
        assert recording.steps.tolist() == [*range(12, 19)]
        assert recording.epochs[[0, -1]].tolist() == [2, 3]


class Grow(Callback):
    """Makes outputs too large for float16 after a step."""

    def __init__(self, steps: Sequence[int]) -> None:
        super().__init__()
        self.steps = steps

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        bias = np.full(5, 1e6 if batch + 1 in self.steps else 0.5, "float32")
        self.model.layers[-1].bias.assign(bias)


def test_where_no_segment_is_begun_any_more_frames_too_large_are_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ed_core.probes.capture._RENEWALS", 0)
    model = plain(optimizer=keras.optimizers.SGD(0.0))
    with pytest.warns(UserWarning, match="frames of larger numbers .* are not recorded: a recor"):
        fit(model, [Grow([4, 5]), Recorder(tmp_path / "run", [ONE], {"x": X[:8]}, every=1)])
    with Recording(tmp_path / "run") as recording:
        assert recording.steps.tolist() == [0, 1, 2, 3, 6]
        frames = [recording.read("reconstruction x", n)["output"] for n in range(5)]
    assert all(np.isfinite(frame).all() for frame in frames)
    check_last_frame(model, tmp_path / "run")


def test_a_frame_that_float16_cannot_hold_begins_another_segment(tmp_path: Path) -> None:
    model = plain(optimizer=keras.optimizers.SGD(0.0))
    fit(model, [Grow([4, 5, 6]), Recorder(tmp_path / "run", [ONE], {"x": X[:8]}, every=1)])
    with Recording(tmp_path / "run") as recording:
        assert recording.problem == ""
        assert recording.steps.tolist() == list(range(7))
        frames = [recording.read("reconstruction x", n)["output"] for n in range(7)]
        assert recording.scalars()["step"].tolist() == [1, 2, 3, 4, 5, 6, 6]
    assert [frame.dtype.str for frame in frames] == ["<f2"] * 4 + ["<f4"] * 3
    np.testing.assert_allclose(frames[-1], model.predict(X[:4], verbose=0), rtol=1e-6)


class Named(keras.Model):
    """Takes a dict, or two arrays in a tuple."""

    def __init__(self, by_name: bool) -> None:
        super().__init__()
        self.by_name = by_name
        self.dense = layers.Dense(5)

    def call(self, inputs: Any) -> Any:
        parts = (inputs["a"], inputs["b"]) if self.by_name else tuple(inputs)
        return self.dense(ops.concatenate(parts, axis=-1))


@pytest.mark.parametrize("by_name", [True, False])
def test_a_subclassed_model_of_two_inputs(tmp_path: Path, by_name: bool) -> None:
    model = Named(by_name)
    model.compile(optimizer="sgd", loss="mse")
    reference = {"a": X[:8], "b": X[:8, :2]}
    whole = {"a": X, "b": X[:, :2]}
    recorder = Recorder(tmp_path / "run", [Reconstruction("a", samples=8)], reference)
    given = whole if by_name else (X, X[:, :2])
    model.fit(given, X, verbose=0, callbacks=[recorder])
    wanted = model.predict(reference if by_name else tuple(reference.values()), verbose=0)
    with Recording(tmp_path / "run") as recording:
        last = recording.read("reconstruction a", -1)["output"]
    np.testing.assert_allclose(last, wanted, atol=2e-3, rtol=1e-3)


def scaling(*parts: Any) -> keras.Model:
    image = keras.Input((6, 6, 3), name="image")
    outputs = image
    for part in (*parts, layers.Dense(3)):
        outputs = part(outputs)
    model = keras.Model(image, outputs)
    model.compile(optimizer="sgd", loss="mse")
    return model


@pytest.mark.parametrize("kind", ["uint8", "float32"])  # bytes alone, and a layer that rescales
def test_an_error_of_unlike_scales_is_not_shown_unless_the_target_is_named(
    tmp_path: Path, kind: str
) -> None:
    pictures = (PICTURES * 255).astype(kind)
    reference = {"image": pictures[:8], "scaled": PICTURES[:8]}
    model = scaling(*([] if kind == "uint8" else [layers.Rescaling(1 / 255)]))
    told = {}
    for target in ("", "scaled" if kind == "uint8" else "image"):
        probe = Reconstruction("image", target=target)
        recorder = Recorder(tmp_path / f"to {target}", [probe], reference)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            model.fit(pictures, PICTURES, verbose=0, callbacks=[recorder])
        texts = [str(one.message) for one in said if "so no error is shown" in str(one.message)]
        assert len(texts) == (not target)
        with Recording(tmp_path / f"to {target}") as recording:
            assert recording.header is not None
            told[target] = recording.header.probes[0].options
    assert told[""] == {"field": "image", "samples": 16, "compared": False}
    assert told[target] == {"field": target, "samples": 16}


def channels_first() -> keras.Model:
    image = keras.Input((3, 6, 8), name="image")
    maps = layers.Conv2D(3, 1, data_format="channels_first", name="c")(image)
    mask = layers.Conv2D(5, 1, data_format="channels_first")(maps)
    model = keras.Model(image, {"image": maps, "mask": mask})
    model.compile(optimizer="sgd", loss={"image": "mse", "mask": "mse"})
    return model


@pytest.mark.skipif(BACKEND == "tensorflow", reason="TensorFlow has no such convolution on a CPU")
def test_channels_first_are_recorded_as_they_are_and_named(tmp_path: Path) -> None:
    pictures = np.ascontiguousarray(PICTURES.repeat(2, axis=2)[:, :, :8].transpose(0, 3, 1, 2))
    model = channels_first()
    probes = [Reconstruction("image", 4), Activations("c", samples=4, channels=2)]
    recorder = Recorder(
        tmp_path / "run", [*probes, Predictions("mask", samples=4)], {"image": pictures[:8]}
    )
    targets = {"image": pictures, "mask": np.zeros((24, 5, 6, 8), "f4")}
    model.fit(pictures, targets, verbose=0, callbacks=[recorder])
    made = model.predict(pictures[:4], verbose=0)
    maps = ops.convert_to_numpy(model.get_layer("c")(pictures[:4]))
    with Recording(tmp_path / "run") as recording:
        header = recording.header
        assert header is not None
        frames = {probe.name: recording.read(probe.name, -1) for probe in header.probes}
    axes = {p.name: next(iter(p.arrays.values())).axes for p in header.probes}
    front = ("sample", "channel", "height", "width")
    assert axes["reconstruction"] == axes["activations"] == front
    assert axes["predictions mask"] == ("sample", "height", "width")
    assert header.fields["image"]["axes"] == ["channel", "height", "width"]
    np.testing.assert_allclose(frames["reconstruction"]["output"], made["image"], atol=5e-3)
    np.testing.assert_allclose(frames["activations"]["c"], maps[:, :2], atol=5e-3)
    assert np.array_equal(frames["predictions mask"]["classes"], made["mask"].argmax(axis=1))


def test_predictions_of_a_model_of_both_kinds() -> None:
    image = keras.Input((3, 4, 6), name="image")
    mean = layers.GlobalAveragePooling2D(data_format="channels_first", name="mean")(image)
    maps = layers.Permute((2, 3, 1))(image)
    pooled = layers.AveragePooling2D(1, data_format="channels_last")(maps)
    mask = layers.Softmax(name="mask")(layers.Dense(5)(pooled))
    model = keras.Model(image, {"mask": mask, "mean": mean})
    batch = {"image": PICTURES[:2, :4].transpose(0, 3, 1, 2)}
    assert Predictions("mask").bind(model)(batch)["classes"].shape == (2, 4, 6)


def test_pictures_that_look_like_channels_first_are_told(tmp_path: Path) -> None:
    image = keras.Input((3, 6, 8), name="image")
    model = keras.Model(image, layers.Dense(8)(image))
    model.compile(optimizer="sgd", loss="mse")
    pictures = np.zeros((8, 3, 6, 8), "float32")
    for number, axes in enumerate((None, ["channel", "height", "width"])):
        fields = {"image": {"axes": axes}} if axes else None
        recorder = Recorder(
            tmp_path / str(number), [Reconstruction("image")], {"image": pictures}, fields=fields
        )
        if axes:
            model.fit(pictures, pictures, verbose=0, callbacks=[recorder])
        else:
            with pytest.warns(UserWarning, match="is recorded as channels first"):
                model.fit(pictures, pictures, verbose=0, callbacks=[recorder])
        with Recording(tmp_path / str(number)) as recording:
            assert recording.header is not None
            assert recording.header.fields["image"]["axes"] == ["channel", "height", "width"]
            assert recording.header.probes[0].arrays["output"].axes[1] == "channel"
    wrong = {"image": {"axes": ["colour", "height", "width"]}}
    bad = Recorder(tmp_path / "bad", [], {"image": pictures}, fields=wrong)
    with pytest.raises(EdkitError, match="expected its axes height, width, channel in the order"):
        model.fit(pictures, pictures, verbose=0, callbacks=[bad])
    assert not (tmp_path / "bad").exists()


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ([X], "received list"),
        ({"x": [1.0, 2.0]}, "field 'x' is list"),
        ({}, "received none"),
        (X[:0], r"of shape \(0, 5\)"),
        (np.array(["a"]), "expected at least one sample of numbers"),
    ],
)
def test_a_reference_that_is_none(tmp_path: Path, reference: Any, said: str) -> None:
    with pytest.raises(EdkitError, match=said):
        Recorder(tmp_path / "run", [ONE], reference)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="a strategy is TensorFlow's own")
def test_mirrored_on_several_devices(tmp_path: Path, fast: Any) -> None:
    tf = pytest.importorskip("tensorflow")
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = plain()
        fit(model, [Recorder(tmp_path / "run", [ONE], {"x": X[:8]}, every=2)])
        check_last_frame(model, tmp_path / "run")
        run = fast(tmp_path / "runs", record=True, epochs=1)
    with Recording(run.path) as recording:
        assert recording.state == "finished"
        assert recording.steps[-1] == 7


def test_a_scan_of_a_generator_and_several_encoders() -> None:
    code = keras.Input((2,), name="code")
    generator = keras.Model(code, layers.Dense(5)(code), name="generator")
    parts = [keras.Sequential([keras.Input((5,)), layers.Dense(2)], name=name) for name in "ab"]
    x = keras.Input((5,), name="x")
    net = keras.Model(x, [generator(part(x)) for part in parts])
    with pytest.raises(EdkitError, match="name one of them as the encoder, encoder='a' or 'b'"):
        LatentScan("generator").bind(net)
    scanned = LatentScan("generator", steps=3, encoder="b").bind(net)({"x": X})
    codes = parts[1].predict(X, verbose=0)
    np.testing.assert_allclose(scanned["x"][-1], np.quantile(codes[:, 0], 0.95), rtol=1e-4)
