import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ed_core.confusion import confusion, intersection_over_union, nested_groups, shares

PAIRS = st.lists(st.tuples(st.integers(-1, 5), st.integers(0, 3)), max_size=40)


@given(PAIRS)
def test_confusion_counts_every_pair_once(pairs: list[tuple[int, int]]) -> None:
    truth, found = (np.array([pair[n] for pair in pairs], np.int64) for n in (0, 1))
    expected = np.zeros((4, 4), np.int64)
    for row, column in pairs:
        if 0 <= row < 4:
            expected[row, column] += 1
    assert (confusion(truth, found, 4) == expected).all()
    rows = shares(expected).sum(axis=1)
    assert np.allclose(rows, expected.any(axis=1))


@given(PAIRS)
def test_iou_is_intersection_over_union(pairs: list[tuple[int, int]]) -> None:
    truth, found = (np.array([pair[n] for pair in pairs], np.int64) for n in (0, 1))
    iou = intersection_over_union(confusion(truth, found, 4))
    known = (truth >= 0) & (truth < 4)
    for number in range(4):
        mine, taken = known & (truth == number), known & (found == number)
        if mine.any():
            assert iou[number] == pytest.approx((mine & taken).sum() / (mine | taken).sum())
        else:
            assert np.isnan(iou[number])


def test_groups_are_found_where_classes_nest() -> None:
    fine = np.array([0, 1, 2, 3, 0, -1])
    assert nested_groups(fine, fine // 2, 4).tolist() == [0, 0, 1, 1]
    assert nested_groups(fine, np.array([0, 0, 1, 1, 1, 0]), 4) is None  # class 0 is in both
    assert nested_groups(fine, fine, 4) is None  # as many groups as classes
    assert nested_groups(fine, fine // 2, 5) is None  # of class 4 there is no sample
