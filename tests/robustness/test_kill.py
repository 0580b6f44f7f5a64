"""kill -9 at random moments: what was acknowledged is there, and nothing else is shown."""

import struct
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ed_core.recording import Event, Recording, RunFolder
from ed_core.runs.checkpoints import newest_first
from ed_core.runs.weights_file import read_arrays

RECORD = """
import os, struct, sys
import numpy as np
from ed_core.recording import *
shape = tuple(int(n) for n in sys.argv[2].split(","))
probes = tuple(
    ProbeInfo(name, "kind", {"a": ArrayInfo(shape, "<i4", tuple("xyz")[: len(shape)])})
    for name in ("p", "q")
)
folder = RunFolder.open(sys.argv[1])
os.write(1, struct.pack("q", -1))
with folder.hold():
    writer = RecordingWriter(folder.recording, Header({}, {}, probes, ("v",)), {})
    for step in range(10**9):
        array = np.full(shape, step)
        writer.append(step, step, step, {"p": {"a": array}, "q": {"a": -array}})
        os.write(1, struct.pack("q", 3 * step))
        writer.append_scalars(step, step, step, {"v": 2 * step})
        os.write(1, struct.pack("q", 3 * step + 1))
        writer.append_event(Event(step, step, step, "save", f"number {step}"))
        os.write(1, struct.pack("q", 3 * step + 2))
"""


def acknowledged(process: Any) -> int:
    """Return the last number of 8 bytes that a killed process wrote."""
    data = process.stdout.buffer.read()
    assert len(data) % 8 == 0
    return int(struct.unpack(f"{len(data) // 8}q", data)[-1])


@pytest.mark.parametrize("shape", [(7,), (28, 28, 8)], ids=["small", "compressed"])
def test_every_acknowledged_frame_survives(
    tmp_path: Path, child: Any, long: bool, shape: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(shape)
    folder = RunFolder.create(tmp_path, "killed")
    folder.write({"status": "training"})
    shown = 0
    kills = 100 if long else 5
    for number in range(10 * kills):  # on a busy machine a kill may come before the first frame
        if number >= kills and shown > 100:
            break
        process = child(RECORD, folder.path, ",".join(map(str, shape)))
        assert process.stdout.buffer.read(8) == struct.pack("q", -1), process.stderr.read()
        time.sleep(float(rng.choice([0.0, 0.03, 0.1, 0.5])) + float(rng.uniform(0.0, 0.1)))
        process.kill()
        process.wait()
        last = acknowledged(process) if process.stdout.buffer.peek(1) else -1
        with Recording(folder.path) as recording:
            assert recording.state == "crashed"
            if not list(folder.recording.glob("*.h5")):
                assert last == -1
                continue
            assert recording.problem == ""
            assert_complete(recording, last)
            shown += len(recording)
        for file in folder.recording.iterdir():
            file.unlink()
    assert shown > 100, "the kills came too early to show anything"


def assert_complete(recording: Recording, last: int) -> None:
    """`last` is thrice the last acknowledged step, and 1 or 2 more with its scalars or event."""
    frames, rows, events = last // 3 + 1, (last - 1) // 3 + 1, (last - 2) // 3 + 1
    assert frames <= len(recording) <= frames + 1
    assert recording.steps.tolist() == list(range(len(recording)))
    for number in range(len(recording)):
        assert (recording.read("p", number)["a"] == number).all()
        assert (recording.read("q", number)["a"] == -number).all()
    table = recording.scalars()
    assert rows <= len(table["v"]) <= rows + 1
    assert np.array_equal(table["v"], 2 * table["step"])
    found = recording.events()
    assert events <= len(found) <= events + 1
    for step, event in enumerate(found):
        assert event == Event(step, step, step, "save", f"number {step}")


def test_resumed_after_a_kill(folder: RunFolder, child: Any, write: Any) -> None:
    process = child(RECORD, folder.path, "7")
    process.stdout.buffer.read(8 * 400)
    process.kill()
    process.wait()
    killed = next(folder.recording.glob("*.h5"))
    before = killed.read_bytes()
    write([100, 150], start=100)
    with Recording(folder.path) as recording:
        assert recording.problem == ""
        assert recording.steps.tolist() == [*range(100), 100, 150]
        assert (recording.read("p", 99)["a"] == 99).all()
    assert killed.read_bytes() == before


CHECKPOINT = """
import os, struct, sys
from pathlib import Path
import numpy as np
from ed_core.runs.weights_file import write_arrays
folder, megabytes = Path(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(0)
arrays = [rng.normal(size=(megabytes, 2**16)), np.zeros(3, "i8"), np.zeros((), "f4")]
os.write(1, struct.pack("q", -1))
for step in range(10**9):
    arrays[1][:] = step
    write_arrays(folder / f"{step % 2:09d}.h5", arrays, {"step": step})
    os.write(1, struct.pack("q", step))
"""


def test_newest_checkpoint_survives(tmp_path: Path, child: Any, long: bool) -> None:
    rng = np.random.default_rng(3)
    kills = interrupted = 0
    while kills < (100 if long else 6) or not interrupted:
        kills += 1
        assert kills <= 200, "no kill fell into a save"
        process = child(CHECKPOINT, tmp_path, 40)
        assert process.stdout.buffer.read(8) == struct.pack("q", -1), process.stderr.read()
        time.sleep(float(rng.uniform(0.05, 0.6)))
        process.kill()
        process.wait()
        newest = acknowledged(process) if process.stdout.buffer.peek(1) else -1
        interrupted += len(list(tmp_path.glob(".*.part")))
        for left in tmp_path.glob(".*.part"):
            left.unlink()
        found = [read_arrays(path) for path in newest_first(tmp_path)]
        for arrays, facts in found:
            assert (arrays[1] == facts["step"]).all()
        assert newest == -1 or newest in {facts["step"] for _, facts in found}
