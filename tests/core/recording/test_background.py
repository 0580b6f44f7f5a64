"""The recorder's thread: nothing that happens to the disk reaches the training."""

import subprocess
import sys
import threading
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from h5py._objects import phil
from support import patience

from ed_core.errors import EdkitError
from ed_core.recording import ArrayInfo, Header, ProbeInfo, Recording, RecordingWriter, RunFolder
from ed_core.recording.background import BackgroundWriter

pytestmark = pytest.mark.waits


class SlowWriter:
    """Stands for a RecordingWriter on a disk that has stopped answering, until `go` is set."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.go = threading.Event()
        self.frames: list[int] = []
        self.rows: list[int] = []
        self.closed = False

    def append(self, step: int, *rest: Any) -> None:
        assert self.go.wait(20)
        self.frames.append(step)

    def append_scalars(self, step: int, *rest: Any) -> None:
        assert self.go.wait(20)
        self.rows.append(step)

    def close(self) -> None:
        self.closed = True


def test_frames_are_dropped_and_counted_and_scalars_never(tmp_path: Path) -> None:
    slow = SlowWriter(tmp_path / "file")
    slow.path.write_bytes(b"")
    writer = BackgroundWriter(slow)  # type: ignore[arg-type]
    large = {"p": {"a": np.zeros(2 * 2**20, "u1")}}
    for step in range(100):
        writer.append(step, 0.0, 0.0, large, wait=step in (0, 99))
        if step % 10 == 0:
            writer.append_scalars(step, 0.0, 0.0, {})
    assert writer.dropped > 50
    slow.go.set()
    writer.close()
    assert slow.closed
    assert slow.rows == list(range(0, 100, 10))
    assert slow.frames[0] == 0
    assert slow.frames[-1] == 99
    assert slow.frames == sorted(slow.frames)
    assert len(slow.frames) + writer.dropped == 100
    assert writer.problem == ""


def test_small_frames_wait_for_a_slow_disk(tmp_path: Path) -> None:
    slow = SlowWriter(tmp_path / "file")
    slow.path.write_bytes(b"")
    writer = BackgroundWriter(slow)  # type: ignore[arg-type]
    for step in range(1000):
        writer.append(step, 0.0, 0.0, {"p": {"a": np.zeros(100)}})
    slow.go.set()
    writer.close()
    assert writer.dropped == 0
    assert slow.frames == list(range(1000))


def test_everything_is_written_by_the_end(
    folder: RunFolder, header: Any, frame: Any, event: Any
) -> None:
    writer = BackgroundWriter(RecordingWriter(folder.recording, header(), {}))
    for step in range(200):
        writer.append(step, 0.0, 0.0, frame(step), wait=True)
        writer.append_event(event(step))
    writer.close()
    recording = Recording(folder.path)
    assert recording.steps.tolist() == list(range(200))
    assert np.array_equal(recording.read("p", 123)["a"], frame(123)["p"]["a"])
    assert recording.events() == tuple(event(step) for step in range(200))


def test_wrong_frame_ends_the_recording_with_one_warning(
    folder: RunFolder, header: Any, frame: Any
) -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        writer = BackgroundWriter(RecordingWriter(folder.recording, header(), {}))
        writer.append(0, 0.0, 0.0, frame(0), wait=True)
        for step in range(1, 5):
            writer.append(step, 0.0, 0.0, {"p": {"a": np.zeros(3)}}, wait=True)
            writer.append_scalars(step, 0.0, 0.0, {})
        writer.close()
        writer.append(9, 0.0, 0.0, frame(9))
    assert [type(warning.message) for warning in seen] == [UserWarning]
    assert str(seen[0].message).endswith("received (3,); training goes on.")
    assert writer.problem in str(seen[0].message)
    assert len(Recording(folder.path)) == 1


@pytest.mark.parametrize("fails", [1, 2])
@pytest.mark.parametrize("write", ["append", "append_scalars", "append_event"])
def test_a_write_that_fails_with_room_on_the_disk_begins_a_new_segment(
    folder: RunFolder,
    header: Any,
    frame: Any,
    event: Any,
    monkeypatch: pytest.MonkeyPatch,
    write: str,
    fails: int,
) -> None:
    """It goes on there; where that fails as well, the recording ends. No frame before is hidden."""
    plain, left = getattr(RecordingWriter, write), [fails]

    def failing(self: RecordingWriter, step: Any, *rest: Any) -> None:
        if getattr(step, "step", step) == 3 and getattr(step, "kind", "") != "segment" and left[0]:
            left[0] -= 1
            raise RuntimeError("Unable to flush dataset")
        plain(self, step, *rest)

    monkeypatch.setattr(RecordingWriter, write, failing)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        writer = BackgroundWriter(RecordingWriter(folder.recording, header(), {}))
        watching = Recording(folder.path)  # in the same process: it goes on seeing what was there
        for step in range(6):
            writer.append(step, step / 10, float(step), frame(step), wait=True)
            writer.append_scalars(step, step / 10, float(step), {"loss": float(step)})
            writer.append_event(event(step))
        writer.close()
    text = str(seen[0].message)
    assert len(seen) == 1
    assert "Unable to flush dataset" in text
    last = 6 if fails == 1 else 3 + (write != "append")
    for recording in (Recording(folder.path), watching):
        recording.refresh()
        assert recording.problem == ""
        assert recording.steps.tolist() == list(range(last))
        for number in range(last):
            assert np.array_equal(recording.read("p", number)["a"], frame(number)["p"]["a"])
    if fails == 1:
        assert "0000.h5 failed (Unable to flush dataset); recording goes on in 0001.h5" in text
        assert recording.scalars()["loss"].tolist() == list(range(6))
        assert Counter(e.kind for e in recording.events()) == {"weight": 6, "segment": 1}
        (begun,) = (e for e in recording.events() if e.kind == "segment")
        assert (begun.step, begun.epoch, begun.seconds) == (3, 0.3, 3.0)
    else:
        assert text.endswith("training goes on.")


def test_where_warnings_are_errors_the_thread_tells_and_goes_on(
    folder: RunFolder, header: Any, frame: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    plain = RecordingWriter.append

    def append(self: RecordingWriter, step: int, *rest: Any) -> None:
        if step == 3 and self.path.name == "0000.h5":
            raise OSError("the write failed")
        plain(self, step, *rest)

    monkeypatch.setattr(RecordingWriter, "append", append)
    monkeypatch.setattr(threading, "excepthook", told.append)
    writer = BackgroundWriter(RecordingWriter(folder.recording, header(), {}))
    for step in range(6):
        writer.append(step, 0.0, 0.0, frame(step), wait=True)
    assert writer.settle(20.0) == []
    writer.close()
    assert [one.exc_type for one in told] == [UserWarning]
    with Recording(folder.path) as recording:
        assert recording.steps.tolist() == list(range(6))


def test_frames_that_a_slow_disk_still_holds_up_are_named(tmp_path: Path) -> None:
    slow = SlowWriter(tmp_path / "file")
    slow.path.write_bytes(b"")
    writer = BackgroundWriter(slow)  # type: ignore[arg-type]
    assert writer.settle(5.0) == []
    for step in (3, 5, 7):
        writer.append(step, 0.0, 0.0, {"p": {"a": np.zeros(100)}})
    start = time.monotonic()
    assert writer.settle(0.2) == [3, 5, 7]
    assert time.monotonic() - start < 5.0
    slow.go.set()
    assert writer.settle(20.0) == []
    assert slow.frames == [3, 5, 7]
    writer.close()


FULL = """
import resource, sys, warnings
import numpy as np
from ed_core.recording import *
from ed_core.recording import background, writer
mode, path = sys.argv[1:]
folder = RunFolder.open(path)
if mode == "limit":
    resource.setrlimit(resource.RLIMIT_FSIZE, (18 * 2**20, 18 * 2**20))
if mode == "full":
    writer._FLOOR = 0
probe = ProbeInfo("p", "kind", {"a": ArrayInfo((100, 100), "<i8", ("x", "y"))})
header = Header({}, {}, (probe,), ("v",))
noise = np.random.default_rng(0).integers(0, 2**40, (100, 100))
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    thread = background.BackgroundWriter(RecordingWriter(folder.recording, header, {}))
    for step in range(400):
        thread.append(step, 0.0, 0.0, {"p": {"a": noise + step}}, wait=True)
        thread.append_scalars(step, 0.0, 0.0, {"v": step})
    thread.close()
assert len(seen) == 1 and "\\n" not in str(seen[0].message), [str(w.message) for w in seen]
recording = Recording(folder.path)
assert recording.problem == "", recording.problem
assert recording.steps.tolist() == list(range(len(recording)))
for number in range(len(recording)):
    assert (recording.read("p", number)["a"] == noise + number).all()
assert len(recording.scalars()["v"]) in (len(recording), len(recording) - 1)
print(len(recording), thread.problem)
"""


def run_full(mode: str, path: Path, prefix: list[str]) -> str:
    command = [*prefix, sys.executable, "-W", "error", "-c", FULL, mode, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience.SECONDS)
    assert done.returncode == 0, f"status {done.returncode}: {done.stderr[-2000:]}"
    assert done.stderr == ""
    return done.stdout.strip()


def on_small_disk(megabytes: int, then: str) -> list[str]:
    """Return the command prefix that gives a process a full disk of its own in /mnt."""
    script = f'mount -t tmpfs -o size={megabytes}m none /mnt && {then} exec "$@"'
    return ["unshare", "--mount", "--map-root-user", "sh", "-c", script, "sh"]


@pytest.fixture
def small_disk() -> Any:
    probe = [*on_small_disk(1, ""), "true"]
    try:
        subprocess.run(probe, check=True, capture_output=True, timeout=patience.SECONDS)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("a small disk cannot be mounted here")
    return on_small_disk


def test_limit_on_the_size_of_a_file(folder: RunFolder) -> None:
    frames, problem = run_full("limit", folder.path, []).split(" ", 1)
    assert int(frames) > 20
    assert problem.endswith("ended: a file may not be larger than 18 MiB here (ulimit -f)")


def test_little_room_on_the_disk(small_disk: Any, folder: RunFolder) -> None:
    prefix = small_disk(18, f"cp -r {folder.path} /mnt/run &&")
    frames, problem = run_full("little", Path("/mnt/run"), prefix).split(" ", 1)
    assert int(frames) > 20
    assert problem.endswith("ended: only 15 MiB are free on the disk")


@pytest.mark.parametrize("megabytes", [2, 3])
def test_full_disk(small_disk: Any, folder: RunFolder, megabytes: int) -> None:
    prefix = small_disk(megabytes, f"cp -r {folder.path} /mnt/run &&")
    frames, problem = run_full("full", Path("/mnt/run"), prefix).split(" ", 1)
    assert int(frames) > 20 * megabytes
    assert problem == "recording to /mnt/run/recording/0000.h5 ended: No space left on device"


BEGIN = """
import sys
from ed_core.recording import *
folder = RunFolder.open("/mnt/run")
probe = ProbeInfo("p", "kind", {"a": ArrayInfo((100, 100), "<i8", ("x", "y"))})
try:
    RecordingWriter(folder.recording, Header({"fill": "-" * 500_000}, {}, (probe,), ("v",)), {})
except EdkitError as error:
    print(error, [path.name for path in folder.recording.iterdir()])
"""


def test_disk_that_is_full_before_the_first_frame(small_disk: Any, folder: RunFolder) -> None:
    prefix = small_disk(1, f"cp -r {folder.path} /mnt/run &&")
    command = [*prefix, sys.executable, "-W", "error", "-c", BEGIN]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience.SECONDS)
    assert (done.returncode, done.stderr) == (0, "")
    where = "'/mnt/run/recording/0000.h5'"
    assert done.stdout == f"cannot record to {where}: only 0 MiB are free on the disk. []\n"


def test_what_no_reader_would_open_is_not_written(folder: RunFolder, header: Any) -> None:
    wide = ProbeInfo("p", "kind", {"a": ArrayInfo((9000, 1000), "<f8", ("x", "y"))})
    with pytest.raises(EdkitError, match=r"probe 'p', array 'a', has 68 MiB.* at most 64: rec"):
        RecordingWriter(folder.recording, Header({}, {}, (wide,), ()), {})
    reference = {"x": np.zeros(5_000_000), "y": np.zeros(5_000_000)}
    with pytest.raises(EdkitError, match="the reference batch has 76 MiB"):
        RecordingWriter(folder.recording, header(), reference)
    assert not list(folder.recording.iterdir())


STRESS = """
import sys, threading, time
from pathlib import Path
import numpy as np
from ed_core.runs.weights_file import write_arrays
from ed_core.recording import *
run, frames = RunFolder.open(sys.argv[1]), int(sys.argv[2])
images = np.random.default_rng(0).random((8, 16, 16, 1), dtype="f4")
info = ArrayInfo((8, 16, 16, 1), "<f4", ("sample", "row", "column", "channel"))
header = Header({}, {"image": {"kind": "image"}}, (ProbeInfo("p", "k", {"a": info}),), ("loss",))
done, failed, looks = threading.Event(), [], [0]

def guarded(work):
    def run_it():
        try:
            work()
        except BaseException as error:
            failed.append(f"{work.__name__}: {type(error).__name__}: {error}")
            done.set()
    thread = threading.Thread(target=run_it)
    thread.start()
    return thread

def write():
    with run.hold(), RecordingWriter(run.recording, header, {"image": images}) as writer:
        for step in range(frames):
            writer.append_scalars(step, 0.0, 0.0, {"loss": 100.0 - step})
            writer.append(step, 0.0, 0.0, {"p": {"a": images + step}})
            writer.append_event(Event(step, 0.0, 0.0, "checkpoint", f"at step {step}"))
        while looks[0] < 10 and not failed:
            time.sleep(0.01)
    done.set()

def save():
    while not done.is_set():
        write_arrays(run.path / "other.h5", [images, images * 2], {"step": 1})

def look():
    while not (done.is_set() or any(run.recording.glob("*.h5"))):
        time.sleep(0.01)
    while not done.is_set():
        with Recording(run.path) as recording:
            recording.events()
            looks[0] += 1
            assert not recording.problem, recording.problem

for thread in [guarded(work) for work in (write, save, look)]:
    thread.join()
assert not failed, failed
with Recording(run.path) as recording:
    assert recording.steps.tolist() == list(range(frames)), recording.problem
    for number in range(frames):
        assert (recording.read("p", number)["a"] == images + number).all()
"""


def test_a_writer_a_reader_and_a_saver_in_one_process(
    folder: RunFolder, child: Any, long: bool
) -> None:
    """HDF5 is not thread-safe: whatever enters it does so under h5py's lock. --long: 10 minutes."""
    end = time.monotonic() + 600
    while True:
        process = child(STRESS, folder.path, 2000 if long else 300)
        assert process.wait(patience.SECONDS) == 0, process.stderr.read()
        if not long or time.monotonic() > end:
            return
        for file in folder.recording.iterdir():
            file.unlink()


def test_what_h5py_leaves_without_its_lock_is_called_under_it(
    folder: RunFolder, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = []

    def size() -> int:
        other = threading.Thread(target=lambda: taken.append(phil.acquire(False)))
        other.start()
        other.join(20)
        return 0

    monkeypatch.setattr("h5py.h5pl.size", size)
    write()
    with Recording(next(folder.recording.glob("*.h5"))):
        assert taken == [False]
