"""What recording costs, and when a frame is due: every so many steps, or at a share of the time."""

import time
from collections.abc import Callable

import pytest

from ed_core.probes.pacing import RecordingCost, RecordingInterval


@pytest.fixture
def pass_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Return what lets seconds pass."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def pass_by(seconds: float) -> None:
        now[0] += seconds

    return pass_by


@pytest.mark.parametrize(
    ("cost", "spent", "passed", "age", "share", "wait"),
    [
        (1.0, 1.0, 100.0, 10.0, 0.02, 50.0),
        (1.0, 1.0, 100.0, 10.0, 0.1, 10.0),
        (0.01, 1.0, 100.0, 1000.0, 0.02, 2.0),
        (1.0, 1.0, 10.0, 10.0, 0.02, 140.0),
        (1.0, 7.0, 300.0, 10.0, 0.02, 150.0),
    ],
    ids=[
        "costly frames: 2 % of the time",
        "10 % of the time",
        "an old run: a 500th of its age",
        "the first frame, the next and the last are paid for",
        "what else was spent is paid for too",
    ],
)
def test_frames_wait_until_they_are_paid_for_and_for_the_age_of_the_run(
    pass_by: Callable[[float], None],
    cost: float,
    spent: float,
    passed: float,
    age: float,
    share: float,
    wait: float,
) -> None:
    pace = RecordingInterval(None, share=share)
    assert pace.due(1)
    pace.took(cost, spent, passed, age)
    pass_by(wait - 0.01)
    assert not pace.due(2)
    pass_by(0.02)
    assert pace.due(2)


def test_frames_every_so_many_steps_whatever_they_cost() -> None:
    pace = RecordingInterval(3)
    pace.took(1000.0, 1000.0, 0.0, 1000.0)
    assert [step for step in range(1, 8) if pace.due(step)] == [3, 6]


def test_the_preparation_is_counted_apart_and_waiting_not_at_all(
    pass_by: Callable[[float], None],
) -> None:
    cost = RecordingCost()
    with cost:
        pass_by(3.0)
    pass_by(10.0)
    with cost:
        pass_by(1.0)
        cost.prepared()
        pass_by(0.5)
    pass_by(90.0)
    with cost:
        cost.wait(lambda: pass_by(8.0))
        with cost:
            pass_by(1.0)
    assert cost.passed == 99.5
    spent = {"share": round(2.0 / 99.5, 4), "seconds": 2.0, "preparation": 4.0}
    assert cost.spent(written=0.5) == spent
