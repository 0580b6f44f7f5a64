"""What the tests of the core share: small recordings, child processes, and a tiny model."""

import json
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from ed_core.recording import ArrayInfo, Event, Header, ProbeInfo, RecordingWriter, RunFolder

SHAPE = (2, 4, 3)
_AXES = ("sample", "unit", "channel")


def small_header(start: int = 0, scalars: tuple[str, ...] = ("loss",)) -> Header:
    """A header with one probe `p` of one float32 array `a`, (2, 4, 3)."""
    probe = ProbeInfo("p", "kind", {"a": ArrayInfo(SHAPE, "<f4", _AXES)})
    return Header({"model": "m", "start_step": start}, {"x": {"kind": "value"}}, (probe,), scalars)


def small_frame(step: int) -> dict[str, dict[str, np.ndarray]]:
    """The frame of a step, so that a reader knows what it must find."""
    values = np.random.default_rng(step).normal(size=SHAPE).astype("f4")
    return {"p": {"a": values}}


def small_event(step: int) -> Event:
    """The event of a step."""
    return Event(step, step / 10, float(step), "weight", f"weight of kl {step} -> {step + 1}")


@pytest.fixture(scope="session")
def event() -> Callable[[int], Event]:
    return small_event


@pytest.fixture(scope="session")
def header() -> Callable[..., Header]:
    return small_header


@pytest.fixture(scope="session")
def frame() -> Callable[[int], dict[str, dict[str, np.ndarray]]]:
    return small_frame


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    """A run folder that says it is training, without a trainer."""
    made = RunFolder.create(tmp_path, "test")
    made.write({"model": "m", "status": "training"})
    return made


@pytest.fixture
def write(folder: RunFolder) -> Callable[..., Path]:
    """Write a segment with a frame for every step; return its path."""

    def write_segment(
        steps: Any = range(5), start: int = 0, target: RunFolder = folder, reference: Any = None
    ) -> Path:
        fixed = {"x": np.zeros((2, 3), "f4")} if reference is None else reference
        with RecordingWriter(target.recording, small_header(start), fixed) as writer:
            for step in steps:
                writer.append(step, step / 10, float(step), small_frame(step))
                writer.append_event(small_event(step))
                if step > start:
                    writer.append_scalars(step, step / 10, float(step), {"loss": float(step)})
        return writer.path

    return write_segment


@pytest.fixture
def child() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Start Python code in another process; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: object, **options: Any) -> "subprocess.Popen[str]":
        command = [sys.executable, "-W", "error", "-c", code, *map(str, arguments)]
        pipes: Mapping[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(
            subprocess.Popen(command, text=True, errors="replace", **{**pipes, **options})
        )  # some write bytes, of which the end may be cut off
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


FRAMES = 40
TINY = Path(__file__).with_name("tiny.py")
READ = """
import json, resource, sys, time
from ed_core.recording import DamagedError, Recording, reader
if sys.argv[1] == "0":
    reader.preflight = lambda path: None
for path in sys.argv[2:]:
    start = time.monotonic()
    recording = Recording(path)
    said = {"problem": recording.problem, "steps": recording.steps.tolist(), "frames": []}
    for number in range(len(recording)):
        try:
            said["frames"].append(recording.read("p", number)["a"].tobytes().hex())
        except DamagedError as error:
            said["frames"].append("damaged: " + str(error))
    for look in (recording.scalars, recording.reference):
        try:
            look()
        except DamagedError as error:
            said["frames"].append(str(error))
    recording.refresh()
    said["events"] = [[e.step, e.epoch, e.seconds, e.kind, e.text] for e in recording.events()]
    recording.close()
    said["again"] = recording.problem
    said["seconds"] = time.monotonic() - start
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    said["mib"] = max(resource.getrusage(w).ru_maxrss for w in who) / 1024
    print(json.dumps(said), flush=True)
"""


def good_recording(folder: Path, header: Any, frame: Any, crashed: bool) -> bytes:
    """Return the bytes of a segment, closed well or left as by a kill."""
    writer = RecordingWriter(folder, header(), {"x": np.zeros((2, 3), "f4")})
    for step in range(FRAMES):
        writer.append(step, step / 10, float(step), frame(step))
        writer.append_scalars(step, step / 10, float(step), {"loss": float(step)})
        writer.append_event(small_event(step))
    writer.abandon() if crashed else writer.close()
    data = writer.path.read_bytes()
    writer.path.unlink()
    return data


def make_run(path: Path, data: bytes) -> Path:
    """Make a finished run with these bytes as its only segment; return the segment."""
    (path / "recording").mkdir(parents=True)
    (path / "run.json").write_text('{"status": "finished"}')
    segment = path / "recording" / "0000.h5"
    segment.write_bytes(data)
    return segment


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory, header: Any, frame: Any) -> dict[bool, bytes]:
    """The bytes of a segment: False for one closed well, True for one left by a kill."""
    folder = tmp_path_factory.mktemp("good")
    return {crashed: good_recording(folder, header, frame, crashed) for crashed in (False, True)}


def read_all(paths: list[Path], seconds: float, preflight: bool = True) -> list[dict[str, Any]]:
    """Return what a child process sees in these runs, up to the first that it does not survive."""
    command = [sys.executable, "-W", "error", "-c", READ, str(int(preflight)), *map(str, paths)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
        out, err = done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        out, err = (late.stdout or b"").decode(), "it hangs"
    said = [json.loads(line) for line in out.splitlines()]
    return said + [{"died": err[-1000:]}] * (len(paths) - len(said))


@pytest.fixture(scope="session")
def hostile() -> SimpleNamespace:
    """How to make a run folder out of bytes, and how to look at many with a deadline."""
    return SimpleNamespace(make_run=make_run, read_all=read_all, frames=FRAMES)


@pytest.fixture
def tiny() -> Iterator[SimpleNamespace]:
    """The plugin `tiny.py`, registered for one test, with splits that the test may change."""
    from ed_core import DATASETS, MODELS

    with MODELS.isolated(), DATASETS.isolated():
        plugin = runpy.run_path(str(TINY))
        yield SimpleNamespace(splits=plugin["SPLITS"], batches=plugin["BATCHES"], file=TINY)


@pytest.fixture
def fast(tiny: SimpleNamespace) -> Callable[..., Any]:
    """Train the tiny model for two epochs without a recording, unless told otherwise."""
    from ed_core import train

    usual = {"batch_size": 32, "epochs": 2, "record": False}
    return lambda out, **options: train("tiny", out=out, **{**usual, **options})


def untrained_run(path: Path, name: str, fields: Any, info: Any = (), **params: Any) -> Any:
    """A run whose model is as it was built, and whose training data are gone."""
    from ed_core import MODELS
    from ed_core.recording.run_description import FORMAT
    from ed_core.runs.rebuilding import build, fields_of, save_weights
    from ed_core.runs.run import Run

    run_folder = RunFolder.create(path, name)
    facts = {
        key: {"shape": [*f.shape], "kind": f.kind, "classes": [*f.classes]}
        for key, f in fields.items()
    }
    checked = MODELS[name].check(params)
    described = {"format": FORMAT, "model": name, "data": "gone", "params": checked, **dict(info)}
    run_folder.write({**described, "fields": facts, "status": "finished"})
    written = run_folder.read()
    model = build(MODELS[name], fields_of(written), checked, seed=2)
    save_weights(model, run_folder.weights)
    return Run(run_folder, written, model)


@pytest.fixture
def at() -> Callable[[int, Callable[[Any], None]], Any]:
    """Make a callback that calls a function with the model after a step of one training."""
    import keras

    class At(keras.callbacks.Callback):
        def __init__(self, step: int, action: Callable[[Any], None]) -> None:
            super().__init__()
            self.left, self.action = step, action

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.left -= 1
            if not self.left:
                self.action(self.model)

    return At


@pytest.fixture
def weights_of() -> Callable[[Any], list[bytes]]:
    """Read the weights that a run left, to be compared."""
    from ed_core.runs.weights_file import read_arrays

    return lambda run: [array.tobytes() for array in read_arrays(run.folder.weights)[0]]


@pytest.fixture
def save_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let training write a checkpoint after every step."""
    from ed_core.training import callbacks

    monkeypatch.setattr(callbacks, "_PAUSE", 0.0)
    monkeypatch.setattr(callbacks, "_SHARE", 0.0)
