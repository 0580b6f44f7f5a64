"""Numbers that mark missing values in maps."""

HUGE = 1e30  # larger numbers mark a missing value, such as the largest float
_VOID = (-9999, -32768, -99999, -32767, 32767, 65535)  # of elevation and depth
_APART = 50  # largest / least number above 0, below which 0 may mark a missing value
_STEPS = 10  # minimum of the least whole number above 0 in that case, unlike in counts


def may_be_void(number: float) -> bool:
    """Return whether a number marks missing values in some maps."""
    return number in _VOID or abs(number) > HUGE


def is_void(number: float, others: float) -> bool:
    """Return whether a number marks a missing value beside others of at most `others`."""
    return may_be_void(number) and others < abs(number) / 3


def is_apart(least: float, most: float, whole: bool) -> bool:
    """Return whether 0 is far enough below `least` to `most` to mark missing values."""
    return most < _APART * least and least >= (_STEPS if whole else 0)
