"""When the next frame of a recording is due."""

import time

_SHARE = 0.02  # of the training time that taking and writing frames may cost
_FRAMES = 500  # the interval is at least the run's age divided by this


class Pace:
    """Lets frames be taken every so many steps, or as often as their cost allows.

    Args:
        every: steps from frame to frame, or None: as often as costs at most 2 % of the training
            time, ever more rarely as the run grows older.
        start: the step that the recording begins at.

    Attributes:
        seen: the last step, as far as it is known by now.
    """

    def __init__(self, every: int | None, start: int = 0) -> None:
        self._every = every
        self.seen = start
        self._next = 0.0

    def due(self, step: int) -> bool:
        """Tell whether a frame is to be taken after a step.

        Where one execution takes several steps, it is due when a multiple of `every` is passed.
        """
        if not self._every:
            return time.monotonic() >= self._next
        before, self.seen = self.seen, step
        return step // self._every > before // self._every

    def took(self, cost: float, age: float) -> None:
        """Settle when the next frame is due, from what the last one cost.

        Args:
            cost: seconds that taking and writing it held the training up.
            age: seconds since the training began.
        """
        self._next = time.monotonic() + max(cost / _SHARE, age / _FRAMES)
