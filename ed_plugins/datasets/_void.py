"""Numbers that stand for no value in maps."""

HUGE = 1e30  # beyond which a number is none, such as the largest float
_VOID = (-9999, -32768, -99999, -32767, 32767, 65535)  # of elevation and depth
_APART = 50  # times as large as the least number above 0 the largest is, where 0 may be none
_STEPS = 10  # how far above 0 the least whole number is then, unlike that of counts


def may_be_void(number: float) -> bool:
    """Return whether a number stands for no value in some maps."""
    return number in _VOID or abs(number) > HUGE


def is_void(number: float, others: float) -> bool:
    """Return whether a number stands for no value where the others are no larger than `others`."""
    return may_be_void(number) and others < abs(number) / 3


def is_apart(least: float, most: float, whole: bool) -> bool:
    """Return whether 0 lies so far below numbers from `least` to `most` that it may be no value."""
    return most < _APART * least and least >= (_STEPS if whole else 0)
