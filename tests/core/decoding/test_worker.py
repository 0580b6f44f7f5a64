"""The process that decodes: what it answers is what the run's decoder makes; it outlives nobody."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest
from support import patience

from ed_core import Run, open_run, train
from ed_core.decoding.wire import Message, Unpacker, pack
from ed_core.probes import flat
from ed_core.runs.checkpoints import Position, nearest_first, save_checkpoint
from ed_core.runs.rebuilding import rebuild

pytestmark = pytest.mark.backend

TINY = Path(__file__).parents[2] / "support" / "tiny.py"


class Worker:
    """The process, asked through its pipes."""

    def __init__(self, run: object, *plugins: object) -> None:
        command = [sys.executable, "-P", "-m", "ed_core.decoding.worker", str(run)]
        command += [part for plugin in plugins for part in ("--plugin", str(plugin))]
        pipe = subprocess.PIPE
        environment = {**os.environ, "KERAS_BACKEND": "nonsense"}  # the run says which
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=pipe, env=environment
        )
        self._unpacker = Unpacker()
        self._messages: list[Message] = []
        self.number = 0

    def send(self, ask: str, topic: str = "t", **more: Any) -> int:
        arrays = {"codes": more.pop("codes")} if "codes" in more else {}
        self.number += 1
        self.write(pack({"ask": ask, "topic": topic, "number": self.number, **more}, arrays))
        return self.number

    def write(self, data: bytes) -> None:
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def next(self) -> Message:
        while not self._messages:
            data = self.process.stdout.read1(2**16)
            assert data, self.process.stderr.read().decode()
            self._messages += self._unpacker.feed(data)
        return self._messages.pop(0)

    def ask(self, ask: str, **more: Any) -> Message:
        number = self.send(ask, **more)
        answer = self.next()
        assert answer.facts["number"] == number
        return answer

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError):  # what was not flushed has nowhere to go
                pipe.close()


@pytest.fixture(scope="module")
def workers() -> Iterator[Callable[..., Worker]]:
    made: list[Worker] = []

    def start(*arguments: object) -> Worker:
        made.append(Worker(*arguments))
        return made[-1]

    yield start
    for worker in made:
        worker.end()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with checkpoints of two steps and more."""
    import runpy

    from ed_core import DATASETS, MODELS
    from ed_core.training import callbacks

    with (
        pytest.MonkeyPatch.context() as patch,
        MODELS.isolated(),
        DATASETS.isolated(),
    ):
        runpy.run_path(str(TINY))
        patch.setattr(callbacks, "_PAUSE", 0.0)
        patch.setattr(callbacks, "_SHARE", 0.0)
        return train("tiny", epochs=2, batch_size=32, out=tmp_path_factory.mktemp("runs")).path


@pytest.fixture
def run(path: Path, tiny: SimpleNamespace) -> Run:
    return open_run(path)


@pytest.fixture(scope="module")
def worker(path: Path, workers: Callable[..., Worker]) -> Worker:
    made = workers(path, TINY)
    facts = dict(made.next().facts)
    expected = {"is": "ready", "size": 2, "classes": [], "encodes": True}
    assert facts == {**expected, "backend": keras.config.backend()}
    return made


def test_decoded_values_are_those_of_the_runs_decoder(worker: Worker, run: Run) -> None:
    codes = np.random.default_rng(0).normal(size=(5, 2)).astype("f4")
    answer = worker.ask("decode", step=10**6, codes=codes)
    assert answer.facts["step"] == 14
    expected = run.decoder.predict_on_batch({"code": codes})["image"]
    np.testing.assert_allclose(answer.arrays["outputs"], expected, atol=1e-6)
    assert np.ptp(expected, axis=0).max() > 0.01


def test_encoded_codes_are_those_of_the_reference_batch(worker: Worker, run: Run) -> None:
    answer = worker.ask("encode", step=10**6, samples=[3, 1])
    with run.recording() as recording:
        batch = {name: array[[3, 1]] for name, array in recording.reference().items()}
    expected = flat(run.encoder.predict_on_batch({"image": batch["image"]})["code"])
    np.testing.assert_allclose(answer.arrays["codes"], expected, atol=1e-5)


def test_the_checkpoint_nearest_to_the_step_is_used_and_named(worker: Worker, run: Run) -> None:
    kept = [step for step, _ in nearest_first(run.folder.checkpoints, 13)]
    assert kept[:2] == [13, 14]
    code = np.ones((1, 2), "f4")
    seen = {}
    for asked in (14, 13, 0):
        answer = worker.ask("decode", step=asked, codes=code)
        nearest = min(kept, key=lambda step: abs(step - asked))
        assert answer.facts["step"] == nearest
        seen[nearest] = answer.arrays["outputs"]
    assert not np.array_equal(seen[13], seen[14])


def test_of_many_requests_the_newest_is_answered_and_stale_ones_are_not(worker: Worker) -> None:
    last = [worker.send("decode", codes=np.full((64, 2), n), step=14) for n in range(500)][-1]
    seen = [worker.next()]
    while seen[-1].facts["number"] != last:
        seen.append(worker.next())
    numbers = [message.facts["number"] for message in seen]
    assert numbers == sorted(numbers)
    assert len(numbers) < 250


def test_codes_become_points_beside_decoding(worker: Worker) -> None:
    codes = np.concatenate([np.random.default_rng(n).normal(9 * n, 1, (30, 5)) for n in range(2)])
    first = worker.send("embed", topic="map", codes=codes)
    second = worker.send("decode", codes=np.zeros((1, 2)), step=14)
    answers = {message.facts["number"]: message for message in (worker.next(), worker.next())}
    assert answers[second].arrays["outputs"].shape == (1, 6, 6, 1)
    points = answers[first].arrays["points"]
    assert points.shape == (60, 2)
    apart = np.linalg.norm(points[:30].mean(0) - points[30:].mean(0))
    assert apart > 2 * points[:30].std()


@pytest.mark.parametrize(
    ("ask", "more", "why"),
    [
        ("decode", {"codes": np.zeros((1, 3))}, "expected codes"),
        ("decode", {"codes": np.zeros((65, 2))}, "expected codes"),
        ("decode", {"codes": np.zeros((0, 2))}, "expected codes"),
        ("decode", {}, "expected codes"),
        ("decode", {"codes": np.zeros((1, 2)), "label": 1}, "no class 1"),
        ("decode", {"codes": np.zeros((1, 2)), "label": "a"}, "no class 'a'"),
        ("encode", {"samples": [0, 10**9]}, "expected samples"),
        ("encode", {"samples": "all"}, "expected samples"),
        ("embed", {"codes": np.full((9, 2), np.nan)}, "expected finite codes"),
        ("explode", {}, "unknown request 'explode'"),
    ],
)
def test_what_cannot_be_answered_says_why(
    worker: Worker, ask: str, more: dict[str, Any], why: str
) -> None:
    answer = worker.ask(ask, **more)
    assert why in answer.facts["why"]
    assert not answer.arrays
    assert worker.ask("decode", codes=np.zeros((1, 2)), step=1).arrays


@pytest.mark.once
def test_a_trainer_replaces_checkpoints_under_it(
    path: Path, workers: Callable[..., Worker], tmp_path: Path, tiny: SimpleNamespace
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(path, copy)
    folder = copy / "checkpoints"
    (copy / "weights.h5").unlink()
    for file in folder.iterdir():
        file.unlink()
    model = rebuild(json.loads((copy / "run.json").read_text()))
    model.compile(optimizer="adam")
    kernel, bias = model.get_layer("decoder").get_layer("pixels").weights
    kernel.assign(np.zeros(kernel.shape))
    worker = workers(copy, TINY)
    assert worker.next().facts["is"] == "ready"
    assert "no checkpoint" in worker.ask("decode", codes=np.zeros((1, 2)), step=1).facts["why"]
    stop = threading.Event()

    def replace() -> None:
        for step in range(1, 10**6):
            bias.assign(np.full(bias.shape, step % 97 / 20))
            save_checkpoint(folder, model, Position(step, 0, 0))
            if stop.is_set():
                return

    trainer = threading.Thread(target=replace)
    trainer.start()
    seen = set()
    try:
        deadline = time.monotonic() + patience.SECONDS
        while len(seen) < 15 and time.monotonic() < deadline:
            answer = worker.ask("decode", codes=np.zeros((1, 2)), step=10**6)
            if "why" in answer.facts:
                continue
            step = answer.facts["step"]
            seen.add(step)
            expected = 1 / (1 + np.exp(-(step % 97) / 20))
            np.testing.assert_allclose(answer.arrays["outputs"], expected, atol=1e-5)
    finally:
        stop.set()
        trainer.join()
    assert len(seen) == 15


@pytest.mark.once
def test_without_checkpoints_the_final_weights_are_used_and_a_damaged_one_is_passed_over(
    path: Path, workers: Callable[..., Worker], tmp_path: Path, run: Run
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(path, copy)
    for file in (copy / "checkpoints").glob("*.h5"):
        file.write_bytes(b"damaged")
    worker = workers(copy, TINY)
    assert worker.next().facts["is"] == "ready"
    codes = np.ones((1, 2), "f4")
    answer = worker.ask("decode", codes=codes, step=3)
    assert answer.facts["step"] is None
    expected = run.decoder.predict_on_batch({"code": codes})["image"]
    np.testing.assert_allclose(answer.arrays["outputs"], expected, atol=1e-6)


def changed(path: Path, **changes: Any) -> None:
    info = json.loads((path / "run.json").read_text())
    (path / "run.json").write_text(json.dumps({**info, **changes}))


@pytest.mark.once
def test_why_there_is_no_decoder_is_said_in_words(
    path: Path, workers: Callable[..., Worker], tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "run.json").write_text('{"model": "", "params": {}}')
    copy = tmp_path / "run"
    shutil.copytree(path, copy)
    changed(copy, plugins=["/there/tiny.py"], backend="mxnet")
    for run, plugins, why in (
        (tmp_path, (), "is not a run folder"),
        (tmp_path / "mine", (), "the model was not built by edkit"),
        (copy, (), "came from a plugin file: pass --plugin /there/tiny.py, or import"),
        (copy, (tmp_path / "gone.py",), "does not exist"),
    ):
        worker = workers(run, *plugins)
        said = worker.next().facts
        assert said["is"] == "unable"
        assert why in said["why"]
        assert "unknown request 'decode'" in worker.ask("decode").facts["why"]
        if run is tmp_path:  # without a model points are made all the same
            assert worker.ask("embed", codes=np.eye(9)).arrays["points"].shape == (9, 2)
        worker.end()


def nowhere(workers: Callable[..., Worker], tmp_path: Path) -> Worker:
    worker = workers(tmp_path)
    assert worker.next().facts["is"] == "unable"
    return worker


@pytest.mark.once
@pytest.mark.parametrize(
    "data",
    [
        b"nonsense, not a message",
        b"edk1\xff\xff\xff\xff",
        pack({"ask": "decode", "number": 1}),
        pack({"ask": "decode", "topic": "t"}),
        pack({"ask": "decode", "topic": [], "number": 1}),
    ],
)
def test_garbage_ends_it_with_one_line(
    workers: Callable[..., Worker], tmp_path: Path, data: bytes
) -> None:
    worker = nowhere(workers, tmp_path)
    worker.write(data)
    assert worker.process.wait(patience.SECONDS) == 2
    said = worker.process.stderr.read().decode()
    assert said.startswith("edkit: ")
    assert said.count("\n") == 1


@pytest.mark.once
def test_many_topics_do_not_fill_the_memory(workers: Callable[..., Worker], tmp_path: Path) -> None:
    worker = nowhere(workers, tmp_path)
    heavy = np.zeros((100, 2000))
    for number in range(200):
        worker.send("embed", topic=f"topic {number}", codes=heavy)
    status = Path(f"/proc/{worker.process.pid}/status").read_text()
    resident = int(status.partition("VmRSS:")[2].split()[0]) / 1024
    assert resident < 500  # MiB; all of them are 160 MB on top


@pytest.mark.once
@pytest.mark.parametrize("busy", [False, True])
def test_it_ends_when_its_input_ends(
    workers: Callable[..., Worker], tmp_path: Path, busy: bool
) -> None:
    worker = nowhere(workers, tmp_path)
    if busy:
        worker.send("embed", codes=np.random.default_rng(0).normal(size=(20_000, 20)))
        time.sleep(0.5)
    worker.process.stdin.close()
    assert worker.process.wait(patience.SECONDS) == 0


@pytest.mark.once
def test_it_ends_when_nobody_listens(workers: Callable[..., Worker], tmp_path: Path) -> None:
    worker = nowhere(workers, tmp_path)
    worker.process.stdout.close()
    worker.send("decode")
    assert worker.process.wait(patience.SECONDS) == 0


def test_ctrl_c_in_the_terminal_is_left_to_the_window(
    workers: Callable[..., Worker], tmp_path: Path
) -> None:
    worker = nowhere(workers, tmp_path)
    worker.process.send_signal(signal.SIGINT)
    assert "unknown request 'decode'" in worker.ask("decode").facts["why"]
