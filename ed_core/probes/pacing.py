"""Cost of recording: what was spent of a training's time, and when the next frame may be."""

import time
from collections.abc import Callable
from typing import TypeVar

SHARE = 0.02
"""Of the training time that recording may cost, by default."""

_FRAMES = 500  # the interval is at least the run's age divided by this
T = TypeVar("T")


class RecordingCost:
    """Seconds that recording has held a training up; used as a context around all that it does.

    What is waited for the device is left out: it does steps meanwhile, which it had to do anyway.

    Attributes:
        preparation: seconds until the first step was recorded: the probes' code is compiled.
        seconds: after that.
        began: when that was.
    """

    def __init__(self) -> None:
        self.preparation = self.seconds = 0.0
        self.began = time.monotonic()
        self._depth = 0
        self._start = 0.0

    def __enter__(self) -> "RecordingCost":
        if not self._depth:
            self._start = time.monotonic()
        self._depth += 1
        return self

    def __exit__(self, *exc: object) -> None:
        self._depth -= 1
        if not self._depth:
            self.seconds += time.monotonic() - self._start

    @property
    def now(self) -> float:
        """Seconds since the preparation, those of the present block among them."""
        return self.seconds + (time.monotonic() - self._start if self._depth else 0.0)

    @property
    def passed(self) -> float:
        """Seconds in which these were spent."""
        return time.monotonic() - self.began

    def spent(self, written: float) -> dict[str, float]:
        """Return what recording cost, as `run.json` keeps it.

        Args:
            written: seconds of the processor that writing took, on a thread of its own.

        Returns:
            The `preparation` and the `seconds` after it, and their `share` of the time since then.
        """
        seconds = self.now + written
        share = min(seconds / max(self.passed, seconds, 1e-9), 1.0)
        rounded = {"seconds": seconds, "preparation": self.preparation}
        return {"share": round(share, 4), **{key: round(one, 3) for key, one in rounded.items()}}

    def wait(self, wait: Callable[[], T]) -> T:
        """Return what a call gives that waits for the device, which is not counted."""
        start = time.monotonic()
        try:
            return wait()
        finally:
            self._start += time.monotonic() - start

    def restart(self) -> None:
        """Count anew, for another segment; the present block belongs to it."""
        self.preparation = self.seconds = 0.0

    def prepared(self) -> None:
        """Count all until now as preparation, the present block among it."""
        self.began = now = time.monotonic()
        self.preparation += self.now
        self.seconds, self._start = 0.0, now


class RecordingInterval:
    """Lets frames be taken every so many steps, or as often as their cost allows.

    Args:
        every: steps from frame to frame, or None: as often as costs at most a share of the training
            time, ever more rarely as the run grows older.
        start: the step that the recording begins at.
        share: of the training time.

    Attributes:
        seen: the last step, as far as it is known by now.
    """

    def __init__(self, every: int | None, start: int = 0, share: float = SHARE) -> None:
        self._every = every
        self._share = share
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

    def took(self, cost: float, spent: float, passed: float, age: float) -> None:
        """Settle when the next frame is due: when it is paid for, and the last one as well.

        Args:
            cost: seconds that the last one cost, on the training's thread and on the writer's.
            spent: seconds that all of the recording has cost, that frame among it.
            passed: seconds in which it did.
            age: seconds since the training began.
        """
        paid = (spent + 2 * cost) / self._share - passed
        self._next = time.monotonic() + max(cost / self._share, paid, age / _FRAMES)
