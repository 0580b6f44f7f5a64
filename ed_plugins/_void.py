"""Numbers that stand for no value in maps."""

HUGE = 1e30  # beyond which a number is none, such as the largest float
_VOID = (-9999, -32768, -99999, -32767, 32767, 65535)  # of elevation and depth


def may_be_void(number: float) -> bool:
    """Return whether a number stands for no value in some maps."""
    return number in _VOID or abs(number) > HUGE


def is_void(number: float, others: float) -> bool:
    """Return whether a number stands for no value where the others are no larger than `others`."""
    return may_be_void(number) and others < abs(number) / 3
