"""How often a run is looked at: often enough to be live, and never in the way of others."""

import time
from pathlib import Path

LIVE = 0.015  # seconds between two looks at a run that grows
IDLE = 0.250  # and at one that does not
_SHARE = 0.2  # of a processor at most for looking: a look costs more as a run grows
_FREE = 0.005  # seconds of waiting for a processor from look to look that mean nothing
_GIVE_WAY = 20  # times as long as the window waited beyond that, it leaves it to others
_SLOWEST = 0.5  # seconds between two looks, however long one takes
_LONGEST = 5.0  # and however busy the machine is: ten windows on two processors
_SCHEDULES = (Path("/proc/self/schedstat"), Path("/proc/thread-self/schedstat"))


class Pace:
    """When to look next. On a busy machine, where a trainer lacks what a window takes, rarely.

    What a run does is shown after a look; where a person looks is never put off.

    Attributes:
        next: the time of the next look, as `time.monotonic` has it.
    """

    def __init__(self) -> None:
        self.next = 0.0
        self._waited: float | None = None

    def hurry(self) -> None:
        """Look as soon as possible."""
        self.next = 0.0

    def rest(self, live: bool, worked: float = 0.0, took: float = 0.0) -> None:
        """Put the next look off.

        Args:
            live: whether the run grows.
            worked: seconds that this thread worked for the last look.
            took: seconds that it took; the rest was waiting, for a disk or for other threads.
        """
        before, self._waited = self._waited, waited()
        missed = 0.0 if before is None else max(self._waited - before - _FREE, 0.0)
        slow, busy = min(max(worked / _SHARE, took), _SLOWEST), min(_GIVE_WAY * missed, _LONGEST)
        self.next = time.monotonic() + max(LIVE if live else IDLE, slow, busy)


def waited() -> float:
    """Return the seconds for which the main thread and this one were ready and had no processor.

    Linux tells (https://docs.kernel.org/scheduler/sched-stats.html); elsewhere it is 0.
    """
    try:
        return sum(int(path.read_text().split()[1]) for path in _SCHEDULES) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0
