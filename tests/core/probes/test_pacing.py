"""When a frame is due: every so many steps, or at a share of the training time."""

import time

import pytest

from ed_core.probes.pacing import RecordingInterval


@pytest.mark.parametrize(
    ("cost", "age", "wait"),
    [(1.0, 10.0, 50.0), (0.01, 1000.0, 2.0)],
    ids=["costly frames: 2 % of the time", "an old run: a 500th of its age"],
)
def test_frames_wait_for_their_cost_and_for_the_age_of_the_run(
    monkeypatch: pytest.MonkeyPatch, cost: float, age: float, wait: float
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    pace = RecordingInterval(None)
    assert pace.due(1)
    pace.took(cost, age)
    now[0] += wait - 0.01
    assert not pace.due(2)
    now[0] += 0.02
    assert pace.due(2)


def test_frames_every_so_many_steps_whatever_they_cost() -> None:
    pace = RecordingInterval(3)
    pace.took(1000.0, 1000.0)
    assert [step for step in range(1, 8) if pace.due(step)] == [3, 6]
