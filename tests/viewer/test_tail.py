"""Following a recording: what a look costs, and that nothing is missed."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ed_core.recording import Event, Recording, RecordingWriter, RunFolder
from ed_viewer import tail as module
from ed_viewer.example import Example
from ed_viewer.messages import Frame, Growth, Request, Strip
from ed_viewer.tail import Tail

pytestmark = pytest.mark.viewer


def frames(news: list[object]) -> int | None:
    grown = [message for message in news if isinstance(message, Growth)]
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
    end = time.monotonic() + 10
    while tail.live and time.monotonic() < end:
        tail.poll()
        time.sleep(0.01)
    assert not tail.live
    tail.close()


def test_the_newest_frame_comes_with_the_growth_for_a_window_that_follows(tmp_path: Path) -> None:
    example = Example(samples=60)
    run = RunFolder.create(tmp_path, "live")
    run.write({"status": "training"})
    wanted = Request(1, 7, 0, ("latent_codes",), follow=True)
    with run.hold(), RecordingWriter(run.recording, example.header(), example.reference) as writer:
        tail = Tail(run.path, 1)

        def ahead(number: int) -> Frame | None:
            example.append(writer, number)
            growth = tail.poll()[-1]
            assert isinstance(growth, Growth)
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
        assert isinstance(growth, Growth)
        assert tail.read_ahead(growth).ahead is found
        tail.read(replace(wanted, strips={"latent_codes": Strip((0,), (0,))}))
        assert ahead(3) is None
        tail.read(replace(wanted, follow=False))
        assert ahead(4) is None
    tail.close()
