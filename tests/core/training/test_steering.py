"""A training that is steered while it runs, and goes on as it was steered."""

import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import keras
import numpy as np
import pytest
from support import patience

import ed_core
from ed_core import EdkitError, RunFolder, resume, train
from ed_core.nn.optimizers import ScaledSchedule
from ed_core.recording.control import Inbox, Request, ask
from ed_core.runs.checkpoints import Position, newest_first
from ed_core.runs.weights_file import read_arrays, write_arrays
from ed_core.training.callbacks import Checkpointer, Interrupted, WarmUp
from ed_core.training.steering import Steering
from ed_core.training.stop_signal import StopSignal

pytestmark = [
    pytest.mark.backend,
    pytest.mark.waits,
    pytest.mark.usefixtures("tiny", "save_every_step", "always"),
]

OPTIONS: dict[str, Any] = {"batch_size": 32, "epochs": 3, "every": 1, "seed": 11, "anneal": 1.5}
STEPS, EPOCH = 21, 7


class Boom(Exception):  # noqa: N818 - it is no error
    """What ends a training at a given step."""


class Script(keras.callbacks.Callback):
    """Asks, before given steps, for what stands in a table, as a window would.

    It is the last of the callbacks: what is asked for is done after the step that follows.
    """

    def __init__(self, requests: dict[int, list[Request]], end: int = 10**9) -> None:
        super().__init__()
        self.requests = requests
        self.end = end
        self.seen: list[int] = []
        self.kernels: dict[int, np.ndarray] = {}
        self.path = Path()

    def started(self, folder: RunFolder) -> None:
        self.path = folder.control

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        step = int(self.model.optimizer.iterations)
        self.seen.append(step)
        kernel = self.model.get_layer("encoder").get_layer("hidden").kernel
        self.kernels[step] = np.array(kernel)
        for request in self.requests.get(step, ()):
            ask(self.path, request)
        if step == self.end:
            raise Boom


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let training look for requests after every step."""
    monkeypatch.setattr("ed_core.training.steering._LOOK", 0.0)


@pytest.fixture(scope="module")
def kept() -> list[list[bytes]]:
    """What the first test that asks for `plain` leaves for the others."""
    return []


@pytest.fixture
def plain(tmp_path_factory: pytest.TempPathFactory, tiny: Any, kept: Any) -> list[bytes]:
    """The weights of a training that nobody steers."""
    if not kept:
        kept.append(weights(train("tiny", out=tmp_path_factory.mktemp("plain"), **OPTIONS).path))
    return list(kept[0])


def events(path: Path) -> list[tuple[int, str, str]]:
    with ed_core.Recording(path) as recording:
        found = recording.events()
    return [(e.step, e.kind, e.text) for e in found if e.kind != "checkpoint"]


def rows(path: Path) -> dict[int, dict[str, float]]:
    """The last row of scalars at each step."""
    with ed_core.Recording(path) as recording:
        assert recording.problem == ""
        table = recording.scalars()
    found: dict[int, dict[str, float]] = {}
    for number, step in enumerate(table["step"]):
        row = {name: column[number] for name, column in table.items()}
        known = {name: value for name, value in row.items() if np.isfinite(value)}
        found[int(step)] = {**found.get(int(step), {}), **known}
    return found


def weights(path: Path) -> list[bytes]:
    return [array.tobytes() for array in read_arrays(RunFolder(path).weights)[0]]


def test_weights_and_learning_rate_are_used_recorded_and_kept(tmp_path: Path) -> None:
    script = Script(
        {
            3: [Request("weight", 3.0, "label"), Request("weight", 0.7, "posterior")],
            5: [Request("learning_rate", 1e-12)],
            8: [Request("learning_rate", 5e-4)],
        },
        end=12,
    )
    with pytest.raises(Boom):
        train("tiny", out=tmp_path, callbacks=[script], started=script.started, **OPTIONS)
    (path,) = tmp_path.iterdir()
    resume(path)

    said = events(path)
    assert [(step, kind) for step, kind, _ in said] == [
        (4, "weight"),
        (4, "weight"),
        (6, "learning_rate"),
        (9, "learning_rate"),
        (12, "start"),
    ]
    assert said[0][2] == "weight of label 1 -> 3"
    assert said[1][2].endswith(" -> 0.7")
    assert said[2][2].endswith(" -> 1e-12")
    assert said[3][2].endswith(" -> 0.0005")

    with ed_core.Recording(path) as recording:
        assert np.isfinite(recording.scalars()["loss"]).all(), "a change hides what was measured"
    table = rows(path)
    assert sorted(table) == list(range(1, STEPS + 1))
    planned = keras.optimizers.schedules.CosineDecay(1e-3, STEPS)
    cosine = [float(planned(step)) for step in range(STEPS + 1)]
    for step, row in table.items():
        # `posterior` was to rise to 0.1 over 10.5 steps, and no longer does.
        assert row["label_weight"] == (1.0 if step < 4 else 3.0)
        assert row["posterior_weight"] == pytest.approx(
            0.7 if step >= 4 else 0.1 * (step - 1) / 10.5
        )
        factor = 1.0 if step < 6 else 1e-12 / cosine[6] if step < 9 else 5e-4 / cosine[9]
        assert row["learning_rate"] == pytest.approx(factor * cosine[step], rel=1e-4, abs=1e-18)
    # In the row of the step after which they are changed the weights are new, and the loss is not.
    for step in set(table) - {4}:
        row = table[step]
        terms = [row[f"{h}_weight"] * row[f"{h}_loss"] for h in ("image", "label", "posterior")]
        assert row["loss"] == pytest.approx(sum(terms) + 0.5 * row["angle_loss"], rel=1e-4)
    moved = {
        step: float(np.abs(kernel - script.kernels[step - 1]).max())
        for step, kernel in script.kernels.items()
        if step > 1
    }
    for step, by in moved.items():
        assert by < 1e-9 if 6 < step <= 9 else by > 1e-5, (step, by)


def watch(script: Script, kind: str, then: Callable[[], None]) -> threading.Thread:
    """Do something once an event of this kind can be read in the recording of a live run."""

    def there() -> bool:
        return bool(script.seen) and any(e[1] == kind for e in events(script.path.parent))

    def wait() -> None:
        end = time.monotonic() + patience.SECONDS
        try:
            while not there():
                assert time.monotonic() < end, f"no event {kind!r} in the recording"
                time.sleep(0.02)
            then()
        except BaseException:
            faulthandler.dump_traceback()
            os.kill(os.getpid(), signal.SIGTERM)  # the training waits for what will not come
            raise

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_pause_holds_the_training_and_resume_lets_it_go_on(
    tmp_path: Path, plain: list[bytes]
) -> None:
    script = Script({9: [Request("pause")]})
    held: list[int] = []
    saved: list[str] = []

    def look() -> None:
        held.append(len(script.seen))
        ask(script.path, Request("save"))
        time.sleep(0.5)
        held.append(len(script.seen))
        checkpoints = script.path.parent / "checkpoints"
        saved.extend(path.name for path in newest_first(checkpoints))
        ask(script.path, Request("resume"))

    thread = watch(script, "pause", look)
    run = train(
        "tiny", out=tmp_path / "held", callbacks=[script], started=script.started, **OPTIONS
    )
    thread.join()
    assert held == [9, 9]  # the tenth step was done, but the script comes after the pause
    assert saved[0] == "000000010.h5"
    kinds = [(step, kind) for step, kind, _ in events(run.path)]
    assert kinds == [(10, "pause"), (10, "save"), (10, "resume")]
    assert script.seen == list(range(1, STEPS + 1))
    assert weights(run.path) == plain


class InValidation(Script):
    """Asks when the validation of the first epoch begins."""

    def __init__(self, *requests: Request) -> None:
        super().__init__({})
        self.asked = list(requests)
        self.validated = 0

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        while self.asked:
            ask(self.path, self.asked.pop(0))

    def on_test_end(self, logs: Any = None) -> None:
        self.validated += 1


def test_validation_is_held_at_once_and_ended_for_what_else_is_asked(
    tmp_path: Path, plain: list[bytes]
) -> None:
    script = InValidation(Request("pause"))
    held: list[tuple[int, list[str]]] = []

    def look() -> None:
        time.sleep(0.2)
        held.append((script.validated, [kind for _, kind, _ in events(script.path.parent)]))
        ask(script.path, Request("weight", 1.0, "label"))
        ask(script.path, Request("save"))
        end = time.monotonic() + patience.SECONDS
        while len(events(script.path.parent)) < 3 and time.monotonic() < end:
            time.sleep(0.02)
        held.append((script.validated, [kind for _, kind, _ in events(script.path.parent)]))
        ask(script.path, Request("resume"))

    thread = watch(script, "pause", look)
    run = train(
        "tiny", out=tmp_path / "held", callbacks=[script], started=script.started, **OPTIONS
    )
    thread.join()
    assert held == [(0, ["pause"]), (1, ["pause", "weight", "save"])]
    assert [(step, kind) for step, kind, _ in events(run.path)] == [
        (EPOCH, kind) for kind in ("pause", "weight", "save", "resume")
    ]
    assert weights(run.path) == plain


def test_signal_to_a_held_validation_ends_it_whole(tmp_path: Path, plain: list[bytes]) -> None:
    script = InValidation(Request("pause"))
    thread = watch(script, "pause", lambda: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(Interrupted):
        train("tiny", out=tmp_path / "held", callbacks=[script], started=script.started, **OPTIONS)
    thread.join()
    (path,) = (tmp_path / "held").iterdir()
    assert RunFolder(path).state() == "stopped"
    assert np.isfinite(rows(path)[EPOCH]["val_loss"])
    resume(path)
    assert weights(path) == plain


def test_signal_before_the_first_step_stops_a_run_that_can_go_on(
    tmp_path: Path, plain: list[bytes]
) -> None:
    script = Script({})
    with pytest.raises(Interrupted) as caught:
        train(
            "tiny",
            out=tmp_path / "held",
            callbacks=[script],
            started=lambda folder: os.kill(os.getpid(), signal.SIGINT),
            **OPTIONS,
        )
    assert caught.value.signal_number == signal.SIGINT
    assert script.seen == []
    (path,) = (tmp_path / "held").iterdir()
    assert RunFolder(path).state() == "stopped"
    resume(path)
    assert weights(path) == plain


def test_stopped_by_hand_and_resumed_is_bit_for_bit_the_same(
    tmp_path: Path, plain: list[bytes]
) -> None:
    """By a signal while it is paused, then after an epoch; what was asked before is forgotten."""
    script = Script({2: [Request("pause")]})
    thread = watch(script, "pause", lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(Interrupted) as caught:
        train("tiny", out=tmp_path / "held", callbacks=[script], started=script.started, **OPTIONS)
    thread.join()
    assert caught.value.signal_number == signal.SIGINT
    (path,) = (tmp_path / "held").iterdir()
    assert RunFolder(path).state() == "stopped"
    assert newest_first(path / "checkpoints")[0].name == "000000003.h5"

    ask(RunFolder(path).control, Request("pause"))  # nobody listens
    script = Script({8: [Request("stop")]})
    said: list[str] = []
    with pytest.raises(Interrupted) as caught:
        resume(
            path,
            callbacks=[script],
            started=script.started,
            noted=lambda kind, text: said.append(f"{kind}: {text}"),
        )
    assert caught.value.signal_number == 0
    assert RunFolder(path).state() == "stopped"
    assert newest_first(path / "checkpoints")[0].name == "000000014.h5"
    assert [text for text in said if "checkpoint" not in text] == [
        "stop: training stops after epoch 2"
    ]

    script = Script({16: [Request("stop")]})
    assert resume(path, callbacks=[script], started=script.started).info["status"] == "finished"
    kinds = [(step, kind) for step, kind, _ in events(path)]
    assert kinds == [(3, "pause"), (3, "start"), (9, "stop"), (14, "start"), (17, "stop")]
    assert weights(path) == plain


def test_nonsense_changes_nothing(tmp_path: Path, plain: list[bytes]) -> None:
    class Spoil(Script):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.path.write_text('{"requests": [{"kind": "weight", "value": NaN}, {}, "stop"]}')

    spoil = Spoil({})
    with pytest.warns(UserWarning, match="contains an invalid request") as seen:
        run = train("tiny", out=tmp_path / "x", callbacks=[spoil], started=spoil.started, **OPTIONS)
    assert len([w for w in seen if "nonsense" in str(w.message)]) == 1
    assert events(run.path) == []
    assert weights(run.path) == plain


def test_checkpoint_with_a_senseless_factor_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Boom):
        train("tiny", out=tmp_path, callbacks=[Script({}, end=1)], **OPTIONS)
    (path,) = tmp_path.iterdir()
    (file,) = newest_first(path / "checkpoints")
    arrays, facts = read_arrays(file)
    write_arrays(file, arrays, {**facts, "factor": -1.0})
    with (
        pytest.warns(UserWarning, match=r"is not a checkpoint: factor must be .* -1\.0"),
        pytest.raises(EdkitError, match="holds no checkpoint"),
    ):
        resume(path)


def test_two_learning_rates_are_scaled_alike() -> None:
    """The first step of Adam moves every weight by the learning rate of its submodel."""
    x = keras.Input((3,), name="x")
    parts = [keras.Model(x, keras.layers.Dense(2)(x), name=name) for name in ("one", "two")]
    moved = {}
    for factor in (1.0, 0.25):
        net = keras.Model(x, [part(x) for part in parts])
        rate = ScaledSchedule(keras.optimizers.schedules.CosineDecay(0.01, 100), factor)
        optimizer = ed_core.SubmodelAdam(rate, net, {"two": 4.0})
        before = [np.array(v) for v in net.trainable_variables]
        optimizer.apply([keras.ops.ones_like(v) for v in before], net.trainable_variables)
        after = [np.array(v) for v in net.trainable_variables]
        moved[factor] = [float((b - a).mean()) for b, a in zip(before, after, strict=True)]
    assert moved[1.0] == pytest.approx([0.01, 0.01, 0.04, 0.04], rel=1e-2)
    assert moved[0.25] == pytest.approx([0.0025, 0.0025, 0.01, 0.01], rel=1e-2)


def test_optimizer_with_a_rate_of_its_own_is_left_alone(tmp_path: Path) -> None:
    x = keras.Input((3,), name="x")
    model = keras.Model(x, keras.layers.Dense(2)(x))
    model.compile(optimizer=keras.optimizers.Adam(0.02), loss="mse")
    rate = ScaledSchedule(keras.optimizers.schedules.CosineDecay(0.01, 100))
    said: list[str] = []
    saves = Checkpointer(tmp_path, Position(0, 0, 0), 9, Mock(), StopSignal(), settled={})
    parts: Any = (saves, WarmUp({}, 0))
    inbox = Inbox(tmp_path / "control.json", [])
    steering = Steering(inbox, rate, *parts, epochs=1, note=lambda kind, text: said.append(text))
    steering.set_model(model)
    ask(tmp_path / "control.json", Request("learning_rate", 0.1))
    with pytest.warns(UserWarning, match="the optimizer does not follow the schedule"):
        steering.on_epoch_end(0)
    assert (rate.factor, said) == (1.0, [])


def test_scaled_schedule() -> None:
    cosine = keras.optimizers.schedules.CosineDecay(0.01, 100)
    rate = ScaledSchedule(cosine)
    assert [float(rate(step)) for step in range(100)] == [float(cosine(s)) for s in range(100)]
    rate.factor = 0.25
    assert float(rate(40)) == pytest.approx(0.25 * float(cosine(40)))
    schedules = keras.optimizers.schedules
    again = schedules.deserialize(schedules.serialize(rate))
    assert isinstance(again, ScaledSchedule)
    assert float(again(40)) == float(rate(40))
