"""A run is looked at often, and rarely where the machine has no room for it."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from support import patience

from ed_viewer.reading import reader as pace
from ed_viewer.reading.reader import PollInterval, waited

pytestmark = pytest.mark.viewer

NOW = 100.0


def put_off(pace: PollInterval, live: bool = True, worked: float = 0.0, took: float = 0.0) -> float:
    """Return the seconds to the next look after this one."""
    pace.rest(live, worked, took)
    return pace.next - NOW


@pytest.fixture
def wait(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited for a processor, to be set."""
    seconds = [7.0]
    monkeypatch.setattr(pace, "waited", lambda: seconds[0])
    monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: NOW))
    return seconds


def test_with_a_processor_at_hand_it_is_live(wait: list[float]) -> None:
    looks = PollInterval()
    assert looks.next == 0.0
    for _ in range(3):
        assert put_off(looks) == pytest.approx(0.015)
    assert put_off(looks, live=False) == pytest.approx(0.250)
    looks.hurry()
    assert looks.next == 0.0


def test_a_window_that_had_to_wait_leaves_the_processors_to_others(wait: list[float]) -> None:
    """Twenty times as long as it waited since the look before, but for 5 ms, and 5 s at most."""
    looks = PollInterval()
    looks.rest(live=True)
    wait[0] += 0.005
    assert put_off(looks) == pytest.approx(0.015)
    wait[0] += 0.015
    assert put_off(looks) == pytest.approx(0.200)
    assert put_off(looks) == pytest.approx(0.015)
    wait[0] += 100.0
    assert put_off(looks) == pytest.approx(5.0)


def test_looking_takes_a_fifth_of_the_time_up_to_half_a_second(wait: list[float]) -> None:
    assert put_off(PollInterval(), worked=0.04, took=0.04) == pytest.approx(0.2)
    assert put_off(PollInterval(), worked=9.0, took=9.0) == pytest.approx(0.5)


def test_waiting_for_a_disk_takes_half_of_the_time_up_to_half_a_second(wait: list[float]) -> None:
    assert put_off(PollInterval(), worked=0.001, took=0.1) == pytest.approx(0.1)
    assert put_off(PollInterval(), worked=0.001, took=30.0) == pytest.approx(0.5)


def test_a_system_that_does_not_tell_leaves_no_pause(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    schedules = (tmp_path / "one", tmp_path / "two")
    monkeypatch.setattr(pace, "_SCHEDULES", schedules)
    assert waited() == 0.0
    for schedule in schedules:
        schedule.write_text("0\n")
    assert waited() == 0.0
    for schedule in schedules:
        schedule.write_text("5000000 2500000000 12\n")
    assert waited() == 5.0


@pytest.mark.skipif(not pace._SCHEDULES[1].exists(), reason="this system does not tell")
def test_waiting_for_a_processor_that_others_have_is_seen() -> None:
    """Two busy processes on the one processor that this thread may use."""
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})  # which they inherit
    spin = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(spin) for _ in range(2)]
    try:
        before, end = waited(), time.monotonic() + patience.SECONDS
        while waited() - before < 0.01:
            assert time.monotonic() < end, "this thread never waited"
    finally:
        os.sched_setaffinity(0, allowed)
        for other in others:
            other.kill()
            other.wait()
