"""The recorder on any Keras model: it sees all there is to see and changes nothing."""

import threading
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from ed_core import EdkitError, LatentCodes, Reconstruction, Recorder, Recording, RunFolder
from ed_core.probes.capture import Capture
from ed_core.probes.recorder import EpochScalars
from ed_core.recording import RecordingWriter

pytestmark = pytest.mark.backend

X = np.random.default_rng(0).uniform(size=(64, 5)).astype("float32")
ONE = Reconstruction("x", samples=4)


class Subclassed(keras.Model):
    """A model whose inputs nobody knows before it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.first = layers.Dense(4, activation="relu")
        self.drop = layers.Dropout(0.2, seed=1)
        self.last = layers.Dense(5)

    def call(self, inputs: Any, training: bool = False) -> Any:
        return self.last(self.drop(self.first(inputs), training=training))


def sequential() -> keras.Model:
    return keras.Sequential([keras.Input((5,), name="x"), layers.Dense(3), layers.Dense(5)])


def functional() -> keras.Model:
    x = keras.Input((5,), name="x")
    hidden = layers.Dropout(0.2, seed=1)(layers.BatchNormalization()(layers.Dense(3)(x)))
    return keras.Model(x, layers.Dense(5)(hidden))


def with_dicts() -> keras.Model:
    x = keras.Input((5,), name="x")
    hidden = layers.Dense(3)(x)
    return keras.Model({"x": x}, {"x": layers.Dense(5)(hidden), "y": layers.Dense(1)(hidden)})


MODELS = {
    "sequential": (sequential, X),
    "functional": (functional, X),
    "dicts": (with_dicts, {"x": X, "y": X[:, :1]}),
    "subclassed": (Subclassed, X),
}


def fit(model: keras.Model, target: Any, epochs: int = 2, callbacks: Any = ()) -> dict[str, Any]:
    """Compile once, fit four steps an epoch, return the history."""
    if not model.compiled:
        model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
    inputs = {"x": X} if isinstance(target, dict) else X
    done = model.fit(
        inputs,
        target,
        batch_size=16,
        epochs=epochs,
        shuffle=False,
        validation_split=0.0,
        callbacks=[*callbacks],
        verbose=0,
    )
    return dict(done.history)


def made(name: str) -> tuple[keras.Model, Any]:
    build, target = MODELS[name]
    keras.utils.set_random_seed(5)
    return build(), target


@pytest.mark.parametrize("name", MODELS)
def test_history_is_the_same_and_frames_are_the_model(tmp_path: Path, name: str) -> None:
    plain = fit(*made(name))
    model, target = made(name)
    seen: list[np.ndarray] = []

    class Predict(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(outputs(self.model))

    recorder = Recorder(tmp_path / "run", [ONE], {"x": X[:8]}, every=1)
    if model.built:
        seen.append(outputs(model))
    history = fit(model, target, callbacks=[recorder, Predict()])
    assert history == plain
    with Recording(tmp_path / "run") as recording:
        assert recording.problem == ""
        assert recording.state == "finished"
        assert recording.steps.tolist() == list(range(9))
        frames = [recording.read("reconstruction x", n)["output"] for n in range(9)]
        for frame, output in zip(frames[-len(seen) :], seen, strict=True):
            np.testing.assert_allclose(frame, output, atol=2e-3, rtol=2e-3)
        assert not np.array_equal(frames[0], frames[1])
        np.testing.assert_allclose(frames[-1], outputs(model), atol=2e-3, rtol=2e-3)
        table = recording.scalars()
        assert not table["dropped_frames"].any()
        ends = table["loss"][table["epoch"] == np.floor(table["epoch"])]
        assert history["loss"] == pytest.approx(sorted(set(ends), reverse=True), rel=1e-6)
        assert recording.header is not None
        assert recording.header.run["steps_per_epoch"] == 4


def test_a_slow_disk_drops_frames_and_the_table_says_how_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = RecordingWriter.append

    def slow(self: RecordingWriter, *arguments: Any) -> None:
        time.sleep(0.5)
        write(self, *arguments)

    monkeypatch.setattr(RecordingWriter, "append", slow)
    monkeypatch.setattr("ed_core.recording.background._WAITING", 1)
    model, target = made("functional")
    recorder = Recorder(tmp_path / "run", [ONE], {"x": X[:8]}, every=1)
    fit(model, target, callbacks=[recorder])
    with Recording(tmp_path / "run") as recording:
        dropped = recording.scalars()["dropped_frames"]
        assert dropped[-1] > 0
        assert (np.diff(dropped) >= 0).all()
        assert recording.steps[[0, -1]].tolist() == [0, 8]  # never dropped
        assert len(recording) < 9


def outputs(model: keras.Model) -> np.ndarray:
    takes = isinstance(getattr(model, "input", None), dict)
    found = model.predict_on_batch({"x": X[:4]} if takes else X[:4])
    return np.asarray(found["x"] if isinstance(found, dict) else found)


@pytest.mark.parametrize(
    ("every", "steps"), [(1, [*range(9)]), (3, [0, 3, 6, 8]), (4, [0, 4, 8]), (100, [0, 8])]
)
def test_every(tmp_path: Path, every: int, steps: list[int]) -> None:
    fit(*made("functional"), callbacks=[Recorder(tmp_path / "r", [ONE], {"x": X}, every=every)])
    assert Recording(tmp_path / "r").steps.tolist() == steps


def test_without_every_first_and_last_are_there(tmp_path: Path) -> None:
    fit(*made("functional"), epochs=20, callbacks=[Recorder(tmp_path / "run", [ONE], {"x": X})])
    steps = Recording(tmp_path / "run").steps.tolist()
    assert steps[0] == 0
    assert steps[-1] == 80
    assert len(steps) > 2


def test_what_recording_cost_is_kept_with_the_run(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run", [ONE], {"x": X}, share=0.5)
    began = time.monotonic()
    fit(*made("functional"), epochs=3, callbacks=[recorder])
    passed = time.monotonic() - began
    spent = RunFolder.open(tmp_path / "run").read()["recording"]
    assert spent == recorder.spent
    assert 0 < spent["share"] <= 1
    assert 0 < spent["seconds"] + spent["preparation"] < passed + 0.01
    assert spent["preparation"] > 0


def test_what_no_description_can_hold_leaves_no_folder(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "run", [ONE], X, run={"params": {"n": np.int64(3)}})
    with pytest.raises(EdkitError, match="int64 is not JSON serializable"):
        fit(sequential(), X, callbacks=[recorder])
    assert not (tmp_path / "run").exists()


def test_fitting_again_goes_on_in_a_second_segment(tmp_path: Path) -> None:
    model, target = made("functional")
    recorder = Recorder(tmp_path / "run", [ONE], {"x": X}, every=2)
    fit(model, target, epochs=1, callbacks=[recorder])
    fit(model, target, epochs=2, callbacks=[recorder])
    assert len(list((tmp_path / "run" / "recording").glob("*.h5"))) == 2
    with Recording(tmp_path / "run") as recording:
        assert recording.steps.tolist() == [0, 2, 4, 6, 8, 10, 12]
        assert (np.diff(recording.seconds) >= 0).all()
        table = recording.scalars()
        assert (np.diff(table["step"]) >= 0).all()
        assert (np.diff(table["epoch"]) >= 0).all(), table["epoch"]


def test_existing_folder_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(EdkitError, match="exists already: choose another folder"):
        Recorder(tmp_path / "run", [ONE], {"x": X})
    assert list((tmp_path / "run").iterdir()) == []


def test_folder_is_held_while_fit_runs(tmp_path: Path) -> None:
    states: list[str] = []

    class Look(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            states.append(RunFolder(tmp_path / "run").state())

    fit(*made("functional"), callbacks=[Recorder(tmp_path / "run", [ONE], {"x": X}), Look()])
    assert set(states) == {"live"}
    assert RunFolder(tmp_path / "run").state() == "finished"


def test_reference_and_fields(tmp_path: Path) -> None:
    reference = {"x": X[:9], "label": np.arange(9), "picture": np.zeros((9, 4, 4, 1), "f4")}
    recorder = Recorder(
        tmp_path / "run", [ONE], reference, fields={"label": {"kind": "class", "classes": ["a"]}}
    )
    fit(*made("functional"), callbacks=[recorder])
    with Recording(tmp_path / "run") as recording:
        found = recording.reference()
        assert recording.header is not None
        fields = recording.header.fields
    for name, array in reference.items():
        np.testing.assert_array_equal(found[name], array)
    assert fields["x"] == {"kind": "value", "shape": [5], "classes": [], "input": True}
    assert not fields["label"]["input"]
    assert fields["picture"]["kind"] == "image"
    assert fields["label"]["classes"] == ["a"]


def test_reference_as_one_array(tmp_path: Path) -> None:
    model, target = made("functional")
    probe = Reconstruction("input")
    fit(model, target, callbacks=[Recorder(tmp_path / "run", [probe], X[:6])])
    with Recording(tmp_path / "run") as recording:
        last = recording.read("reconstruction input", len(recording) - 1)["output"]
    expected = model.predict(X[:6], verbose=0)
    np.testing.assert_allclose(last, expected, atol=2e-3, rtol=2e-3)


def test_two_probes_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(EdkitError, match="two probes are named 'reconstruction x'"):
        Recorder(tmp_path / "run", [ONE, Reconstruction("x", samples=2)], {"x": X})


def test_probe_that_does_not_fit_is_named_before_the_first_step(tmp_path: Path) -> None:
    model, target = made("functional")
    before = [np.array(v) for v in model.variables]
    with pytest.raises(EdkitError, match="no layer 'encoder'"):
        fit(model, target, callbacks=[Recorder(tmp_path / "run", [LatentCodes()], {"x": X})])
    assert not (tmp_path / "run").exists()
    for old, new in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(old, np.array(new))


def test_fit_that_fails_leaves_what_was_recorded(tmp_path: Path) -> None:
    class Fail(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 2:
                raise RuntimeError("callback")

    model, target = made("functional")
    recorder = Recorder(tmp_path / "run", [ONE], {"x": X}, every=1)
    with pytest.raises(RuntimeError, match="callback"):
        fit(model, target, callbacks=[recorder, Fail()])
    recorder.finish(failed=True)
    with Recording(tmp_path / "run") as recording:
        assert recording.state == "failed"
        assert recording.steps.tolist() == [0, 1, 2, 3]


def test_a_with_block_records_every_fit_in_one_segment(tmp_path: Path) -> None:
    model, target = made("functional")
    with Recorder(tmp_path / "run", [ONE], {"x": X}, every=2) as recorder:
        fit(model, target, epochs=1, callbacks=[recorder])
        assert RunFolder(tmp_path / "run").state() == "live"
        fit(model, target, epochs=1, callbacks=[recorder])
    with Recording(tmp_path / "run") as recording:
        assert recording.state == "finished"
        assert recording.steps.tolist() == [0, 2, 4, 6, 8]


def test_a_with_block_that_fails_says_so(tmp_path: Path) -> None:
    def fit_and_fail() -> None:
        with Recorder(tmp_path / "run", [ONE], {"x": X}) as recorder:
            fit(*made("functional"), epochs=1, callbacks=[recorder])
            raise RuntimeError("after fit")

    with pytest.raises(RuntimeError, match="after fit"):
        fit_and_fail()
    assert RunFolder(tmp_path / "run").state() == "failed"
    assert RunFolder(tmp_path / "run").read()["problem"] == "RuntimeError: after fit"
    with pytest.raises(RuntimeError, match="before"), Recorder(tmp_path / "b", [ONE], {"x": X}):
        raise RuntimeError("before")
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
    ("part", "name"), [(Capture, "frame"), (EpochScalars, "write_changed"), (Capture, "close")]
)
def test_an_end_that_fails_leaves_nothing_open(
    part: type, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {one.name for one in threading.enumerate()}
    recorder = Recorder(tmp_path / "run", [ONE], {"x": X}, every=100)
    recorder.__enter__()
    fit(*made("functional"), epochs=1, callbacks=[recorder])
    original = getattr(part, name)

    def fail(self: Any, *values: Any, **named: Any) -> None:
        if name == "close":
            original(self, None)
        raise RuntimeError("at the end")

    monkeypatch.setattr(part, name, fail)
    with pytest.raises(RuntimeError, match="at the end"):
        recorder.finish()
    assert {one.name for one in threading.enumerate()} <= names
    with RunFolder(tmp_path / "run").hold():  # its lock is free
        pass
    with Recording(tmp_path / "run") as recording:
        assert recording.state == "failed"
        assert recording.steps.tolist() == [0]


@pytest.mark.skipif(keras.config.backend() == "torch", reason="torch takes one step at a time")
def test_several_steps_in_one_execution(tmp_path: Path) -> None:
    model, target = made("functional")
    model.compile(optimizer="adam", loss="mse", steps_per_execution=4)
    fit(model, target, callbacks=[Recorder(tmp_path / "run", [ONE], {"x": X}, every=1)])
    with Recording(tmp_path / "run") as recording:
        assert recording.steps.tolist() == [0, 4, 8]
        assert recording.epochs.tolist() == [0, 1, 2]


def test_of_large_pictures_as_many_are_recorded_as_a_frame_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ed_core.probes.capture.MAX_BYTES", 35)  # three of five numbers as float16
    model, target = made("functional")
    fit(model, target, callbacks=[Recorder(tmp_path / "run", [Reconstruction("input")], X[:8])])
    with Recording(tmp_path / "run") as recording:
        shown = recording.read("reconstruction input", -1)["output"]
    expected = model.predict(X[:3], verbose=0)
    np.testing.assert_allclose(shown, expected, rtol=1e-2, atol=1e-3)


def test_a_sample_that_is_too_large_is_refused_before_the_run_begins(
    tmp_path: Path, fast: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ed_core.probes.capture.MAX_BYTES", 50)
    with pytest.raises(EdkitError, match="train with smaller images, or with --no-record"):
        fast(tmp_path / "out", record=True)
    assert not (tmp_path / "out").exists()
