import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ed_viewer.session.alignment import WAYS, Alignment, Times, aligned, end_of


def times(steps: list[int], per_epoch: int = 10, end: float | None = None) -> Times:
    epochs = np.array(steps, float) / per_epoch
    return Times(np.array(steps), epochs, end_of({}, epochs, False) if end is None else end)


STEPS = st.lists(st.integers(0, 500), min_size=1, max_size=40, unique=True).map(sorted)
PER_EPOCH = st.integers(1, 60)
HOW = st.sampled_from(WAYS)


@given(STEPS, STEPS, PER_EPOCH, PER_EPOCH, HOW, st.data())
def test_the_newest_frame_at_or_before_the_point(
    ours: list[int], others: list[int], a: int, b: int, how: Alignment, data: st.DataObject
) -> None:
    here, there = times(ours, a), times(others, b)
    frame = data.draw(st.integers(0, len(ours) - 1))
    found = aligned(here, frame, there, how)
    point, places = here.at(how)[frame], there.at(how)
    slack = 1e-9 * point
    assert -1 <= found < len(others)
    if found >= 0:
        assert places[found] <= point + slack
    assert (places[found + 1 :] > point).all()


@given(STEPS, STEPS, PER_EPOCH, PER_EPOCH, HOW)
def test_forwards_in_one_run_is_never_backwards_in_the_other(
    ours: list[int], others: list[int], a: int, b: int, how: Alignment
) -> None:
    here, there = times(ours, a), times(others, b)
    found = [aligned(here, frame, there, how) for frame in range(len(ours))]
    assert found == sorted(found)


@given(STEPS, PER_EPOCH, HOW)
def test_a_run_stands_beside_itself_frame_by_frame(
    steps: list[int], per_epoch: int, how: Alignment
) -> None:
    run = times(steps, per_epoch)
    assert [aligned(run, f, run, how) for f in range(len(steps))] == list(range(len(steps)))


@given(STEPS.filter(lambda steps: steps[-1] > 0), st.integers(2, 9), PER_EPOCH, PER_EPOCH)
def test_shares_agree_however_long_a_run_is(steps: list[int], longer: int, a: int, b: int) -> None:
    here, there = times(steps, a), times([longer * step for step in steps], b)
    found = [aligned(here, f, there, Alignment.SHARE) for f in range(len(steps))]
    assert found == list(range(len(steps)))


def test_each_way_finds_another_frame() -> None:
    here = times([0, 10, 20, 30, 40], per_epoch=10)
    there = times([0, 10, 20, 30, 40, 60, 80], per_epoch=20)
    found = {how: aligned(here, 2, there, how) for how in WAYS}
    assert found == {Alignment.STEP: 2, Alignment.EPOCH: 4, Alignment.SHARE: 4}
    assert aligned(here, 1, there, Alignment.EPOCH) == 2
    assert aligned(here, 4, there, Alignment.SHARE) == 6


def test_there_may_be_no_frame_to_show() -> None:
    here, late, none = times([0, 10]), times([5, 10]), times([])
    assert aligned(here, 0, late, Alignment.STEP) == -1
    assert aligned(here, 1, none, Alignment.STEP) == -1
    assert aligned(here, -1, late, Alignment.STEP) == -1
    assert aligned(here, 2, late, Alignment.STEP) == -1
    assert aligned(none, 0, late, Alignment.SHARE) == -1


def test_the_end_is_the_plan_while_a_run_is_live_and_its_last_epoch_afterwards() -> None:
    epochs = np.array([0.0, 1.0, 2.5])
    assert end_of({"epochs": 10}, epochs, live=True) == 10
    assert end_of({"epochs": 10}, epochs, live=False) == 2.5
    assert end_of({"epochs": 2}, epochs, live=True) == 2.5
    assert end_of({}, epochs, live=True) == 2.5
    assert end_of({"epochs": "many"}, np.empty(0), live=True) == 1
    assert end_of({}, np.array([np.nan, np.inf, 3.0]), live=False) == 3


def test_places_that_are_no_numbers_are_passed_over() -> None:
    there = Times(np.array([0, 1, 2]), np.array([0.0, np.nan, 0.5]), 1.0)
    here = Times(np.array([0, 1]), np.array([np.nan, 0.7]), 1.0)
    assert aligned(here, 1, there, Alignment.EPOCH) == 2
    assert aligned(here, 0, there, Alignment.EPOCH) == -1
