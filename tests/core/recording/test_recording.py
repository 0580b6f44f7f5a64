"""What was written is read back, by whom and whenever; what was not is not shown."""

import contextlib
import gc
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support import patience

from ed_core.errors import EdkitError
from ed_core.recording import (
    ArrayInfo,
    DamagedError,
    Event,
    Header,
    ProbeInfo,
    Recording,
    RecordingWriter,
    RunFolder,
    find_runs,
)
from ed_core.recording.folder import written_whole
from ed_core.recording.layout import curve_row, one_line
from ed_core.recording.segment import _OPEN

LEGACY = Path(__file__).parents[2] / "legacy"
_names = st.text("abcXYZ_ /é", min_size=1, max_size=8).filter(
    lambda name: not set(name.replace("/", ".")) <= {".", " "}
)
_dtypes = st.sampled_from(["<f2", "<f4", "<f8", ">f4", "|u1", "<i4", "<i8", "|b1"])


@st.composite
def probe_sets(draw: Any) -> tuple[ProbeInfo, ...]:
    """Probes of any number, name, shape and type; names that would share a path are left out."""
    names = draw(st.lists(_names, max_size=3, unique_by=lambda name: name.replace("/", ".")))
    probes = []
    for name in names:
        arrays = {}
        for array in draw(st.lists(_names, max_size=3, unique_by=lambda n: n.replace("/", "."))):
            shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, max_side=4))
            axes = tuple(f"axis {i}" for i in range(len(shape)))
            arrays[array] = ArrayInfo(shape, draw(_dtypes), axes)
        probes.append(ProbeInfo(name, "kind", arrays, {"option": draw(st.none() | _names)}))
    return tuple(probes)


@given(st.data(), probe_sets(), st.lists(_names, max_size=4, unique=True))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_round_trip(
    tmp_path_factory: pytest.TempPathFactory, data: Any, probes: Any, scalars: list[str]
) -> None:
    path = tmp_path_factory.mktemp("run")
    run, fields = {"start_step": 0, "text": "é"}, {"x": {"kind": "value"}}
    header = Header(run, fields, probes, tuple(scalars))
    numbers = st.integers(1, 1000)
    steps = np.cumsum(data.draw(st.lists(numbers, max_size=4))).tolist()
    frames = [
        {
            probe.name: {
                name: data.draw(hnp.arrays(np.dtype(info.dtype), info.shape))
                for name, info in probe.arrays.items()
            }
            for probe in probes
        }
        for _ in steps
    ]
    texts = st.tuples(st.sampled_from(["save", "weight"]), st.text(max_size=200))
    events = [Event(step, step / 7, 0.5, *data.draw(texts)) for step in steps]
    gaps = st.dictionaries(st.sampled_from(scalars or [""]), st.floats(), max_size=len(scalars))
    rows = [data.draw(gaps) for _ in steps]
    reference = {"x": data.draw(hnp.arrays("f4", (3, 2)))}
    with RecordingWriter(path, header, reference) as writer:
        for step, frame, row, event in zip(steps, frames, rows, events, strict=True):
            writer.append_event(event)
            writer.append(step, step / 7, step / 3, frame)
            writer.append_scalars(step, step / 7, step / 3, row)
    with patch("ed_core.recording.reader.preflight"), Recording(writer.path) as recording:
        assert recording.problem == ""
        assert recording.header == header
        assert recording.steps.tolist() == steps
        assert recording.epochs.tolist() == [step / 7 for step in steps]
        assert recording.seconds.tolist() == [step / 3 for step in steps]
        for number, frame in enumerate(frames):
            for probe in probes:
                assert_same(recording.read(probe.name, number), frame[probe.name])
        assert_same(recording.reference(), reference)
        table = recording.scalars()
        assert list(table) == ["step", "epoch", "seconds", *scalars]
        for name in scalars:
            assert_same({name: table[name]}, {name: np.array([r.get(name, np.nan) for r in rows])})
        assert len(recording.events()) == len(events)
        for found, event in zip(recording.events(), events, strict=True):
            assert replace(found, text="") == replace(event, text="")
            whole = one_line(event.text)
            assert whole.startswith(found.text.rstrip())
            assert found.text == whole or len(found.text.encode()) > 140


def assert_same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tobytes() == array.tobytes(), name


def test_frame_of_the_wrong_shape_is_refused_and_harms_no_other(
    folder: RunFolder, header: Any, frame: Any
) -> None:
    with RecordingWriter(folder.recording, header(), {}) as writer:
        writer.append(0, 0.0, 0.0, frame(0))
        with pytest.raises(ValueError, match=r"probe 'p', array 'a'.*\(2, 4, 3\).*\(2, 4, 9\)"):
            writer.append(1, 0.1, 1.0, {"p": {"a": np.zeros((2, 4, 9))}})
        writer.append(2, 0.2, 2.0, frame(2))
    recording = Recording(folder.path)
    assert recording.steps.tolist() == [0, 2]
    assert_same(recording.read("p", 1), frame(2)["p"])


WRITER = """
import sys, time, numpy as np
from pathlib import Path
from ed_core.recording import *
probe = ProbeInfo("p", "kind", {"a": ArrayInfo((50, 50), "<i8", ("x", "y"))})
folder = RunFolder.open(sys.argv[1])
with folder.hold(), RecordingWriter(folder.recording, Header({}, {}, (probe,), ("v",)), {}) as w:
    for step in range(int(sys.argv[2])):
        w.append(step, 0.0, 0.0, {"p": {"a": np.full((50, 50), step)}})
        w.append_scalars(step, 0.0, 0.0, {"v": 2.0 * step})
        w.append_event(Event(step, 0.0, 0.0, "save", f"number {step}"))
        if step % 50 == 49:  # the reader keeps up, however busy the machine is
            sys.stdin.readline()
    folder.update(status="finished")
"""


def test_read_while_another_process_writes(folder: RunFolder, child: Any) -> None:
    frames = 500
    recording = Recording(folder.path)
    assert len(recording) == 0
    process = child(WRITER, folder.path, frames, stdin=subprocess.PIPE)
    seen, growths, states = 0, 0, set()
    end = time.monotonic() + patience.SECONDS
    while seen < frames and time.monotonic() < end:
        if recording.refresh():
            states.add(recording.state)
        if len(recording) > seen:
            growths += 1
            for number in {seen, len(recording) - 1}:
                assert (recording.read("p", number)["a"] == recording.steps[number]).all()
            rows = recording.scalars()
            assert np.array_equal(rows["v"], 2 * rows["step"])
            for number, event in enumerate(recording.events()):
                assert (event.step, event.text) == (number, f"number {number}")
        assert len(recording) >= seen
        assert recording.problem == "" or not len(recording)
        for _ in range(len(recording) // 50 - seen // 50):
            process.stdin.write("\n")
            process.stdin.flush()
        seen = len(recording)
    assert process.wait(20) == 0, process.stderr.read()
    assert seen == frames
    assert growths > 5, "nothing was seen before the end"
    assert "live" in states
    recording.refresh()
    assert recording.state == "finished"
    assert len(recording.events()) == frames


def test_several_readers_of_a_growing_file_in_one_process(folder: RunFolder, child: Any) -> None:
    """HDF5 hands the second opening the first one's view of the file, and that is stale."""

    def see(recording: Recording) -> int:
        recording.refresh()
        assert recording.problem == ""
        for number, step in enumerate(recording.steps):
            assert (recording.read("p", number)["a"] == step).all()
        return len(recording)

    def wait(recording: Recording, frames: int) -> None:
        end = time.monotonic() + patience.SECONDS
        while len(recording) < frames:
            recording.refresh()
            assert time.monotonic() < end, f"{len(recording)} of {frames} frames came"

    process = child(WRITER, folder.path, 150, stdin=subprocess.PIPE)
    readers = [Recording(folder.path)]
    for frames in (50, 100, 150):
        wait(readers[0], frames)
        readers.append(Recording(folder.path))
        assert [see(one) for one in readers] == [frames] * len(readers)
        process.stdin.write("\n")
        process.stdin.flush()
    assert process.wait(20) == 0, process.stderr.read()
    readers.pop(0).close()  # the others go on
    readers.append(Recording(folder.path))
    assert [see(one) for one in readers] == [150] * 4


def test_every_reader_is_told_and_by_whichever_path_it_came(
    folder: RunFolder, header: Any, frame: Any, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = folder.path.with_name("link")
    link.symlink_to(folder.path)
    monkeypatch.chdir(folder.path.parent)
    with RecordingWriter(folder.recording, header(), {}) as writer:
        writer.append(0, 0.0, 0.0, frame(0))
        paths = (folder.path, Path(folder.path.name), link)
        readers = [Recording(path) for path in paths]
        writer.append_scalars(0, 0.0, 0.0, {"loss": 1.0})
        assert [one.refresh() for one in readers] == [True] * 3
        assert [one.refresh() for one in readers] == [False] * 3
        writer.append_event(Event(0, 0.0, 0.0, "pause", ""))
        assert [one.refresh() for one in readers] == [True] * 3
    write([1, 2], start=1)
    for one in readers:
        one.refresh()
        assert (one.steps.tolist(), one.problem) == ([0, 1, 2], "")


def test_a_recording_that_is_dropped_lets_its_files_go(folder: RunFolder, write: Any) -> None:
    write()
    recording = Recording(folder.path)
    assert len(_OPEN) == 1
    del recording
    gc.collect()
    assert len(_OPEN) == 0
    held = [os.readlink(one) for one in Path("/proc/self/fd").iterdir() if one.is_symlink()]
    assert not [path for path in held if path.startswith(str(folder.path))]


def test_curves_have_a_row_a_step(folder: RunFolder, header: Any) -> None:
    names = ("loss", "image_loss", "image_weight", "image_error", "learning_rate")
    assert curve_row(len(names)).itemsize == 40
    rng = np.random.default_rng(0)
    values = rng.normal(size=(600, 5)).astype("f4")
    values[7, 2] = np.nan
    steps = np.arange(600)

    def write(start: int, end: int) -> None:
        named = replace(header(start), curves=names)
        with RecordingWriter(folder.recording, named, {}) as writer:
            for at in range(start, end, 100):
                rows = slice(at, at + 100)
                writer.append_curves(steps[rows] + 1, steps[rows] / 7, steps[rows], values[rows])

    write(0, 400)
    write(300, 600)  # a run that went on from step 300
    with Recording(folder.path) as recording:
        found = recording.curves()
        assert list(found) == ["step", "epoch", "seconds", *names]
        assert np.array_equal(found["step"], steps + 1)
        assert np.array_equal(found["epoch"], (steps / 7).astype("f4"))
        read = np.stack([found[name] for name in names], axis=1)
        assert np.array_equal(read, values, equal_nan=True)
        assert not recording.unchecked


@pytest.mark.parametrize("path", sorted(LEGACY.glob("*/recording")), ids=lambda p: p.parent.name)
def test_a_recording_of_version_1_says_that_it_has_no_checksums(path: Path) -> None:
    with Recording(path.parent) as recording:
        assert recording.problem == ""
        assert recording.unchecked
        assert len(recording) > 1
        assert np.isfinite(recording.scalars()["loss"]).all()
        assert all(len(array) for array in recording.reference().values())
        assert len(recording.curves()["step"]) == 0


def test_a_file_of_a_later_version_is_not_called_damaged(folder: RunFolder, write: Any) -> None:
    path = write()
    with h5py.File(path, "r+") as file:
        file.attrs["schema"] = 9
    with Recording(folder.path) as recording:
        expected = r"written by a newer version of edkit \(layout 9, .* up to 2\): update edkit"
        assert re.search(expected, recording.problem)
        assert "damaged" not in recording.problem


def test_segments_are_stitched_by_their_start(folder: RunFolder, write: Any, frame: Any) -> None:
    write(range(0, 50, 5))
    write(range(20, 40, 4), start=20)
    write(range(36, 60, 6), start=36)
    recording = Recording(folder.path)
    assert recording.steps.tolist() == [0, 5, 10, 15, 20, 24, 28, 32, 36, 42, 48, 54]
    assert recording.scalars()["step"].tolist() == recording.steps.tolist()[1:]
    for number, step in enumerate(recording.steps):
        assert_same(recording.read("p", number), frame(int(step))["p"])
    # The event of a step that a resume starts from happened before it, and is kept.
    steps = [0, 5, 10, 15, 20, 20, 24, 28, 32, 36, 36, 42, 48, 54]
    assert [event.step for event in recording.events()] == steps
    write([10, 30], start=10)
    assert recording.refresh()
    assert recording.steps.tolist() == [0, 5, 10, 30]
    assert recording.problem == ""


def test_what_came_before_another_segment_is_seen_though_nobody_looked(
    folder: RunFolder, header: Any, frame: Any, write: Any
) -> None:
    with RecordingWriter(folder.recording, header(), {}) as writer:
        writer.append(0, 0.0, 0.0, frame(0))
        recording = Recording(folder.path)
        for step in range(1, 4):
            writer.append(step, step / 10, float(step), frame(step))
    write([4, 5], start=4)
    recording.refresh()
    assert recording.steps.tolist() == [0, 1, 2, 3, 4, 5]


def test_an_event_alone_is_a_change(folder: RunFolder, header: Any, event: Any) -> None:
    with RecordingWriter(folder.recording, header(), {}) as writer:
        recording = Recording(folder.path)
        assert recording.events() == ()
        for number in range(1, 70):  # more than a chunk
            writer.append_event(event(number))
            assert recording.refresh()
            assert recording.events()[-1] == event(number)
        assert not recording.refresh()


def test_resume_from_zero_replaces_everything(folder: RunFolder, write: Any) -> None:
    write(range(0, 50, 5))
    write([0, 7])
    assert Recording(folder.path).steps.tolist() == [0, 7]


def test_segment_is_never_written_again(folder: RunFolder, write: Any) -> None:
    first = write(range(3))
    before = first.read_bytes()
    (folder.recording / "0001.part").write_bytes(b"left by a kill while a segment was made")
    second = write([3], start=3)
    assert second.name == "0002.h5"
    assert first.read_bytes() == before
    assert Recording(folder.path).steps.tolist() == [0, 1, 2, 3]


def test_closed_recording_forgets(folder: RunFolder, write: Any) -> None:
    write()
    with Recording(folder.path) as recording:
        assert len(recording) == 5
    assert len(recording) == 0
    recording.refresh()
    assert len(recording) == 5


def test_unknown_probe_is_named(folder: RunFolder, write: Any) -> None:
    write()
    with pytest.raises(DamagedError, match="no probe 'q'"):
        Recording(folder.path).read("q", 0)


def test_missing_path() -> None:
    with pytest.raises(EdkitError, match=r"'/no/such/run' does not exist"):
        Recording("/no/such/run")


@pytest.mark.parametrize("name", ["vae", "a/b c\n../é", "", "x" * 300, ".."])
def test_create_never_reuses_a_folder(tmp_path: Path, name: str) -> None:
    made = {RunFolder.create(tmp_path / "runs", name).path for _ in range(20)}
    assert len(made) == 20
    assert all(path.parent == tmp_path / "runs" for path in made)
    assert all((path / "recording").is_dir() for path in made)


def test_create_where_nothing_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EdkitError, match=r"cannot make a run folder in .*file.*--out") as caught:
        RunFolder.create(tmp_path / "file", "vae")
    assert "\n" not in str(caught.value)


def test_find_runs_newest_first(tmp_path: Path) -> None:
    runs = [RunFolder.create(tmp_path, f"r{i}") for i in range(3)]
    for age, run in enumerate(runs):
        run.write({})
        os.utime(run.path, (age, age))
    (tmp_path / "no run").mkdir()
    assert [run.path for run in find_runs(tmp_path)] == [run.path for run in runs[::-1]]
    assert [run.path for run in find_runs(runs[0].path)] == [runs[0].path]
    assert find_runs(tmp_path / "nothing") == []


def test_description_is_replaced_whole_or_not_at_all(folder: RunFolder) -> None:
    folder.write({"status": "training", "a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        folder.update(a=float("nan"))
    with contextlib.suppress(KeyError), written_whole(folder.info_file) as part:
        part.write_text("{")
        raise KeyError
    assert folder.read() == {"status": "training", "a": 1}
    assert [path.name for path in folder.path.glob(".*")] == []


UPDATER = """
import sys
from ed_core.recording import RunFolder
folder = RunFolder.open(sys.argv[1])
print("ready", flush=True)
for number in range(10**9):
    folder.write({"number": number, "fill": [number] * 20000})
"""


def test_description_survives_kills(folder: RunFolder, child: Any, long: bool) -> None:
    rng = np.random.default_rng(0)
    for _ in range(50 if long else 6):
        process = child(UPDATER, folder.path)
        process.stdout.readline()
        time.sleep(float(rng.uniform(0.0, 0.1)))
        process.kill()
        process.wait()
        info = json.loads(folder.info_file.read_bytes())
        assert set(info.get("fill", [0])) == {info.get("number", 0)}


HOLDER = """
import sys, time
from ed_core.recording import RunFolder
with RunFolder.open(sys.argv[1]).hold():
    print("held", flush=True)
    time.sleep(100)
"""


def test_second_trainer_is_refused_and_changes_no_byte(folder: RunFolder, child: Any) -> None:
    process = child(HOLDER, folder.path)
    assert process.stdout.readline() == "held\n"
    before = {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()}
    start = time.monotonic()
    wanted = rf"process {process.pid} on .*, since 20"
    with pytest.raises(EdkitError, match=wanted) as caught, folder.hold():
        pass
    assert time.monotonic() - start < 1.5
    assert "\n" not in str(caught.value)
    assert {path: path.read_bytes() for path in folder.path.rglob("*") if path.is_file()} == before
    assert folder.state() == "live"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_lock_is_free_once_its_holder_is_dead(folder: RunFolder, child: Any, number: int) -> None:
    process = child(HOLDER, folder.path)
    process.stdout.readline()
    process.send_signal(number)
    process.wait()
    assert folder.state() == "crashed"
    with folder.hold():
        assert folder.state() == "live"
    folder.update(status="stopped")
    assert folder.state() == "stopped"


def test_viewer_that_looks_at_the_lock_never_refuses_a_trainer(
    folder: RunFolder, child: Callable[..., Any]
) -> None:
    looker = child(
        "import sys\nfrom ed_core.recording import RunFolder\nf = RunFolder.open(sys.argv[1])\n"
        "print('ready', flush=True)\nwhile True: f.is_live()",
        folder.path,
    )
    looker.stdout.readline()
    for _ in range(30):
        with folder.hold():
            pass


def test_a_folder_says_by_whom_it_was_held(folder: RunFolder) -> None:
    assert not folder.was_held_by(os.getpid())
    with folder.hold():
        assert folder.was_held_by(os.getpid())
    assert folder.was_held_by(os.getpid())
    assert not folder.was_held_by(os.getpid() * 10)
    assert not folder.was_held_by(int(str(os.getpid())[:-1] or 0))
