"""Bits that flip, files that change while they are open, and folders with anything in them."""

import os
import shutil
from dataclasses import astuple
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from ed_core.recording import DamagedError, Recording, RunFolder

FRAMES = 40


def flipped(data: bytes, position: int, bit: int) -> bytes:
    """Return a copy with one bit changed."""
    changed = bytearray(data)
    changed[position] ^= 1 << bit
    return bytes(changed)


@pytest.mark.parametrize("crashed", [False, True], ids=["closed", "crashed"])
def test_flipped_bits(
    tmp_path: Path,
    good: dict[bool, bytes],
    hostile: Any,
    frame: Any,
    event: Any,
    crashed: bool,
    long: bool,
) -> None:
    """Anywhere in the file, and more often than chance in HDF5's own structures."""
    data, rng = good[crashed], np.random.default_rng(int(crashed))
    marks = [i for i in range(len(data)) if data[i : i + 4] in (b"OHDR", b"EAHD", b"EAIB", b"EADB")]
    structures = rng.choice(marks, 200 if long else 1) + rng.integers(0, 60, 200 if long else 1)
    anywhere = rng.integers(0, len(data), 400 if long else 3)
    positions = [int(p) for p in (*structures, *anywhere)]
    runs = [tmp_path / f"{n}" for n in range(len(positions))]
    for run, position in zip(runs, positions, strict=True):
        hostile.make_run(run, flipped(data, position, int(rng.integers(8))))
    expected = [frame(step)["p"]["a"].tobytes().hex() for step in range(FRAMES)]
    events = [list(astuple(event(step))) for step in range(FRAMES)]
    for position, said in zip(positions, hostile.read_all(runs, 35.0 * len(runs)), strict=True):
        assert "died" not in said, (position, said)
        assert said["seconds"] < 35, position
        assert len(said["problem"]) <= 300
        assert [e for e in said["events"] if e not in events] == [], position
        for number, found in enumerate(said["frames"][:FRAMES]):
            assert found in (expected[number], "") or found.startswith(("damaged", "0000.h5")), (
                position,
                number,
            )


def test_no_flipped_bit_changes_what_is_read_in_silence(
    tmp_path: Path, good: dict[bool, bytes], hostile: Any, long: bool
) -> None:
    """Of a file that was closed: there HDF5 looks for nothing that it does not find."""

    def read(recording: Recording) -> dict[str, Any]:
        frames = []
        for number in range(len(recording)):
            try:
                frames.append(recording.read("p", number)["a"].tobytes())
            except DamagedError:
                frames.append(None)  # which is said
        tables = {**recording.scalars(), **recording.reference(), "epochs": recording.epochs}
        arrays = {name: array.tobytes() for name, array in tables.items()}
        words = [repr(recording.header), repr(recording.events())]
        return {"arrays": arrays, "words": words, "frames": frames}

    data, rng = good[False], np.random.default_rng(1)
    segment = hostile.make_run(tmp_path / "run", data)
    with Recording(segment) as recording:
        whole = read(recording)
    told = 0
    with patch("ed_core.recording.reader.preflight"):
        for position in rng.integers(0, len(data), 3000 if long else 300):
            segment.unlink()
            segment.write_bytes(flipped(data, int(position), int(rng.integers(8))))
            with Recording(segment) as recording:
                seen = read(recording) if not recording.problem else None
                told += seen is None or None in seen["frames"]
            if seen is not None:
                assert (seen["arrays"], seen["words"]) == (whole["arrays"], whole["words"])
                assert len(seen["frames"]) == FRAMES, position
                for found, expected in zip(seen["frames"], whole["frames"], strict=True):
                    assert found in (expected, None), position
    assert told > 100


def test_metadata_that_would_freeze_the_process(
    tmp_path: Path, good: dict[bool, bytes], hostile: Any
) -> None:
    """In a file that a kill left, HDF5 looks for ever for a structure with the right checksum."""
    data = good[True]
    headers = [i for i in range(len(data)) if data[i : i + 4] == b"OHDR"]
    hostile.make_run(tmp_path / "run", flipped(data, headers[1] + 20, 3))
    said = hostile.read_all([tmp_path / "run"], 60)[0]
    assert said.get("problem") == "0000.h5: it could not be opened within 5 seconds", said


def test_older_segment_that_would_freeze_a_live_run(
    tmp_path: Path, good: dict[bool, bytes], hostile: Any, write: Any, folder: RunFolder
) -> None:
    data = good[True]
    header = data.index(b"OHDR", data.index(b"OHDR") + 1)
    (folder.recording / "0000.h5").write_bytes(flipped(data, header + 20, 3))
    write([7], start=5)
    with folder.hold():
        said = hostile.read_all([folder.path], 60)[0]
    assert said.get("steps") == [7], said
    assert said["problem"] == "0000.h5: it could not be opened within 5 seconds"


def test_python_files_of_the_present_folder_are_not_run(
    tmp_path: Path, good: dict[bool, bytes], hostile: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = hostile.make_run(tmp_path / "run", good[False]).parents[1]
    for module in ("h5py", "numpy", "json", "ed_core"):
        (tmp_path / f"{module}.py").write_text("open('canary', 'w')\n")
    monkeypatch.chdir(tmp_path)
    assert len(Recording(run)) == FRAMES
    assert not (tmp_path / "canary").exists()


@pytest.mark.parametrize("crashed", [False, True], ids=["closed", "crashed"])
@pytest.mark.parametrize("percent", [0, 30, 60, 95])
def test_cut_while_open(
    tmp_path: Path, good: dict[bool, bytes], hostile: Any, crashed: bool, percent: int
) -> None:
    segment = hostile.make_run(tmp_path / "run", good[crashed])
    with Recording(segment.parents[1]) as recording:
        recording.read("p", 3)
        os.truncate(segment, len(good[crashed]) * percent // 100)
        recording.refresh()
        assert "it was cut from" in recording.problem
        assert recording.problem.isprintable()
        assert len(recording) == FRAMES
        with pytest.raises(DamagedError, match="it was cut from"):
            recording.read("p", FRAMES - 1)


def test_deleted_while_open(
    tmp_path: Path, good: dict[bool, bytes], hostile: Any, frame: Any
) -> None:
    segment = hostile.make_run(tmp_path / "run", good[False])
    with Recording(segment.parents[1]) as recording:
        segment.unlink()
        assert recording.refresh()
        assert recording.problem.endswith("0000.h5 was deleted; showing what had been read")
        assert np.array_equal(recording.read("p", 20)["a"], frame(20)["p"]["a"])
        shutil.rmtree(segment.parents[1])
        recording.refresh()
        assert np.array_equal(recording.read("p", 20)["a"], frame(20)["p"]["a"])


def test_replaced_while_open(
    tmp_path: Path, good: dict[bool, bytes], hostile: Any, write: Any
) -> None:
    segment = hostile.make_run(tmp_path / "run", good[False])
    other = write(range(3))
    with Recording(segment.parents[1]) as recording:
        os.replace(other, segment)
        assert recording.refresh()
        assert len(recording) == 3
        segment.with_suffix(".new").write_text("text")
        os.replace(segment.with_suffix(".new"), segment)
        recording.refresh()
        assert recording.problem == "0000.h5: it is not an HDF5 file"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda run: (run / "run.json").unlink(),
        lambda run: (run / "run.json").write_text("[" * 100_000),
        lambda run: (run / "run.json").write_text("[1]"),
        lambda run: (run / "run.json").write_text('{"status": ["<b>"]}'),
        lambda run: (run / "run.json").write_bytes(b"\xff\xfe"),
        lambda run: ((run / "run.json").unlink(), (run / "run.json").mkdir()),
        lambda run: ((run / "run.json").unlink(), os.mkfifo(run / "run.json")),
        lambda run: os.mkfifo(run / "lock"),
        lambda run: (run / "lock").mkdir(),
        lambda run: (run / "lock").write_bytes(bytes(1000)),
        lambda run: (run / "recording" / "9999.h5").symlink_to("/no/such/file"),
        lambda run: (run / "recording" / "0001.h5").mkdir(),
        lambda run: (run / "recording" / "0001.part").write_bytes(b"half"),
        lambda run: os.truncate(run / "run.json", 2**40),
    ],
)
def test_spoiled_run_folder(
    tmp_path: Path, good: dict[bool, bytes], hostile: Any, spoil: Any
) -> None:
    """The frames that are there are shown whatever lies around them."""
    run = hostile.make_run(tmp_path / "run", good[False]).parents[1]
    spoil(run)
    said = hostile.read_all([run], 20)[0]
    assert len(said.get("steps", [])) == FRAMES, said
    assert len(said["problem"]) <= 300
    assert said["problem"].isprintable()


@pytest.mark.parametrize("name", ["recording", "nothing", "file", "FIFO", "0000.h5"])
def test_what_is_no_run_folder(
    tmp_path: Path, good: dict[bool, bytes], hostile: Any, name: str
) -> None:
    path = tmp_path / name
    if name == "FIFO":
        os.mkfifo(path)
    elif name == "file":
        path.write_text("text")
    elif name == "0000.h5":
        path.write_bytes(good[False])
    else:
        path.mkdir()
    said = hostile.read_all([path], 20)[0]
    assert bool(said.get("problem")) == (name != "0000.h5"), said
    assert len(said["steps"]) == (FRAMES if name == "0000.h5" else 0)
