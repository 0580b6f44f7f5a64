"""When the next frame of a recording is due."""

import time

_SHARE = 0.02  # of the training time that taking and writing frames may cost
_FRAMES = 500  # the interval is at least the run's age divided by this


class Pace:
    """Lets frames be taken every so many steps, or as often as their cost allows.

    Args:
        every: steps from frame to frame, or None: as often as costs at most 2 % of the training
            time, ever more rarely as the run grows older.
    """

    def __init__(self, every: int | None) -> None:
        self._every = every
        self._next = 0.0

    def due(self, step: int) -> bool:
        """Tell whether a frame is to be taken after a step."""
        return step % self._every == 0 if self._every else time.monotonic() >= self._next

    def took(self, cost: float, age: float) -> None:
        """Settle when the next frame is due, from what the last one cost.

        Args:
            cost: seconds that taking and writing it held the training up.
            age: seconds since the training began.
        """
        self._next = time.monotonic() + max(cost / _SHARE, age / _FRAMES)
