"""Following a recording: what a look costs, and that nothing is missed."""

import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from support import patience

from ed_core.recording import (
    ArrayInfo,
    Event,
    Header,
    ProbeInfo,
    Recording,
    RecordingWriter,
    RunFolder,
)
from ed_viewer.reading import tail as module
from ed_viewer.reading.messages import Frame, FrameRequest, HistoryRequest, RunInfo, RunProgress
from ed_viewer.reading.tail import Tail
from ed_viewer.testing import Example, write_example

pytestmark = pytest.mark.viewer


def frames(news: list[object]) -> int | None:
    grown = [message for message in news if isinstance(message, RunProgress)]
    return len(grown[-1].steps) if grown else None


def test_a_quiet_run_is_looked_at_whole_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []
    refresh = Recording.refresh
    monkeypatch.setattr(Recording, "refresh", lambda self: looks.append(1) or refresh(self))
    monkeypatch.setattr(module, "_WHOLE", 3600.0)
    example = Example(samples=60)
    run = RunFolder.create(tmp_path, "live")
    run.write({"status": "training"})
    with run.hold(), RecordingWriter(run.recording, example.header(), example.reference) as writer:
        example.append(writer, 0)
        tail = Tail(run.path, 1)
        assert frames(tail.poll()) == 1
        time.sleep(2 * module._TICK)
        tail.poll()  # the date of the file is old enough to be trusted from here on
        looks.clear()
        for _ in range(20):
            assert tail.poll() == []
        assert looks == []
        example.append(writer, 1)
        assert frames(tail.poll()) == 2
    tail.close()


def test_a_look_within_a_tick_of_the_last_write_trusts_no_date(tmp_path: Path) -> None:
    """Frames that follow each other at once bear the same date; none is missed."""
    example = Example(samples=60)
    run = RunFolder.create(tmp_path, "live")
    run.write({"status": "training"})
    with run.hold(), RecordingWriter(run.recording, example.header(), example.reference) as writer:
        tail = Tail(run.path, 1)
        for number in range(30):
            example.append(writer, number)
            assert frames(tail.poll()) == number + 1
        run.update(status="finished")
    end = time.monotonic() + patience.SECONDS
    while tail.live and time.monotonic() < end:
        tail.poll()
        time.sleep(0.01)
    assert not tail.live
    tail.close()


def test_the_newest_frame_comes_with_the_growth_for_a_window_that_follows(tmp_path: Path) -> None:
    example = Example(samples=60)
    run = RunFolder.create(tmp_path, "live")
    run.write({"status": "training"})
    wanted = FrameRequest(1, 7, 0, ("latent_codes",), follow=True)
    with run.hold(), RecordingWriter(run.recording, example.header(), example.reference) as writer:
        tail = Tail(run.path, 1)

        def ahead(number: int) -> Frame | None:
            example.append(writer, number)
            growth = tail.poll()[-1]
            assert isinstance(growth, RunProgress)
            return tail.read_ahead(growth).ahead

        assert ahead(0) is None  # nothing has been asked for
        tail.read(wanted)
        for number in (1, 2):  # and goes on although nobody asks for more
            found = ahead(number)
            assert found is not None
            assert (found.request.frame, found.request.number) == (number, 7)
            expected = example.frame(number)["latent_codes"]["codes"]
            assert np.array_equal(found.arrays["latent_codes"]["codes"], expected)
        writer.append_scalars(100, 5.0, 1.0, example.scalars(2))
        writer.append_event(Event(100, 5.0, 1.0, "note", "no frame"))
        growth = tail.poll()[-1]  # of two, a window may see the newer one alone
        assert isinstance(growth, RunProgress)
        assert tail.read_ahead(growth).ahead is found
        tail.read(replace(wanted, strips={"latent_codes": HistoryRequest((0,), (0,))}))
        assert ahead(3) is None
        tail.read(replace(wanted, follow=False))
        assert ahead(4) is None
    tail.close()


def test_checkpoints_that_are_gone_have_no_mark(tmp_path: Path) -> None:
    """A run writes hundreds and keeps the newest two and the best, which may have no event."""
    texts = {n: f"checkpoint at step {n}" for n in range(10, 1251, 10)}
    texts[10] += ", the best"
    texts[400] += "; the best is that of step 395"
    example, run = Example(samples=20, frames=1), RunFolder.create(tmp_path, "run")
    with RecordingWriter(run.recording, example.header(), example.reference) as writer:
        example.append(writer, 0)
        for step, text in texts.items():
            writer.append_event(Event(step, step / 100, 0.0, "checkpoint", text))
        writer.append_event(Event(500, 5.0, 0.0, "weight", "weight of kl 1 -> 4"))
    run.write({"status": "finished"})
    for name in ("000001240", "000001250", "best"):
        (run.checkpoints / f"{name}.h5").touch()
    (segment,) = run.recording.glob("*.h5")
    whole, alone = (Tail(path, 1).poll()[-1] for path in (run.path, segment))
    assert isinstance(whole, RunProgress)
    assert isinstance(alone, RunProgress)
    assert [(mark.step, mark.text) for mark in whole.marks] == [
        (395, "checkpoint at step 395, the best"),
        (500, "weight of kl 1 -> 4"),
        (1240, "checkpoint at step 1240"),
        (1250, "checkpoint at step 1250"),
    ]
    assert len(alone.marks) == 126  # of a file nobody knows which are there


def test_channels_that_come_first_are_shown_last(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures, grid = rng.random((4, 3, 6, 8)), rng.random((2, 2, 3, 6, 8))
    front = ("channel", "height", "width")
    probes = tuple(
        ProbeInfo(name, name, {array: ArrayInfo(values.shape, "<f8", axes)})
        for name, array, values, axes in (
            ("reconstruction", "output", pictures, ("sample", *front)),
            ("latent_scan", "grid", grid, ("row", "column", *front)),
            ("last", "a", pictures, ("sample", "height", "width", "channel")),
        )
    )
    facts = {"kind": "image", "shape": [3, 6, 8], "axes": list(front)}
    header = Header({}, {"image": facts, "odd": {"axes": [1, {}]}}, probes, ("loss",))
    run = RunFolder.create(tmp_path, "first")
    run.write({"status": "finished"})
    fields = {"image": pictures, "odd": np.zeros((4, 2))}
    with RecordingWriter(run.recording, header, fields) as writer:
        frame = {"reconstruction": {"output": pictures}, "latent_scan": {"grid": grid}}
        writer.append(0, 0.0, 0.0, {**frame, "last": {"a": pictures}})
    tail = Tail(run.path, 1)
    described = next(news for news in tail.poll() if isinstance(news, RunInfo))
    last = np.moveaxis(pictures, 1, -1)
    np.testing.assert_array_equal(described.reference["image"], last)
    assert described.header.fields["image"]["shape"] == [6, 8, 3]
    infos = {p.name: next(iter(p.arrays.values())) for p in described.header.probes}
    assert infos["reconstruction"].shape == (4, 6, 8, 3)
    assert infos["reconstruction"].axes == ("sample", "height", "width", "channel")
    assert infos["latent_scan"].axes == ("row", "column", "height", "width", "channel")
    wanted = ("reconstruction", "latent_scan", "last")
    read = tail.read(FrameRequest(1, 1, 0, wanted, {"reconstruction": HistoryRequest((0,), (1,))}))
    assert read.damaged == {}
    np.testing.assert_array_equal(read.arrays["reconstruction"]["output"], last)
    np.testing.assert_array_equal(read.arrays["latent_scan"]["grid"], np.moveaxis(grid, 2, -1))
    np.testing.assert_array_equal(read.arrays["last"]["a"], pictures)
    past = read.past["reconstruction"].arrays["output"]
    np.testing.assert_allclose(past, last[None, 1:2], rtol=1e-6)
    tail.close()


def test_a_damaged_field_is_not_shown_and_named(tmp_path: Path) -> None:
    path = write_example(tmp_path, Example(samples=20, frames=2), frames=2)
    with h5py.File(path / "recording" / "0000.h5", "r+") as file:
        file["reference/image"][1, 2, 2, 0] = 0.123
    described, grown = Tail(path, 1).poll()
    assert isinstance(described, RunInfo)
    assert isinstance(grown, RunProgress)
    assert "image" not in described.reference
    assert "label" in described.reference
    assert "damaged in 'image'" in grown.problem
