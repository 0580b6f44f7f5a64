"""Scale of the timeline: visible steps and their pixels. No Qt here."""

from typing import TypeVar

import numpy as np

FloatOrArray = TypeVar("FloatOrArray", float, np.ndarray)

_CLOSEST = 4  # intervals between two frames that are shown at least


class TimelineScale:
    """Steps on one side, pixels on the other; zoomed and panned within the run.

    Attributes:
        steps: (frames,) where the frames lie, increasing.
        room: first and last pixel of the bar.
        view: first and last step on show.
    """

    def __init__(self) -> None:
        self.steps = np.empty(0)
        self.room = (0.0, 1.0)
        self.view = (0.0, 0.0)
        self._closest = 1.0

    @property
    def whole(self) -> tuple[float, float]:
        """The first and the last step of the run."""
        return (float(self.steps[0]), float(self.steps[-1])) if len(self.steps) else (0.0, 0.0)

    @property
    def zoomed(self) -> bool:
        """Whether a part of the run is out of view."""
        return self.view != self.whole

    def set_steps(self, steps: np.ndarray) -> None:
        """Take other steps; what was all of the run stays all of it, a part stays that part."""
        zoomed = self.zoomed
        self.steps = np.asarray(steps, float)
        gaps = np.diff(self.steps)
        self._closest = _CLOSEST * max(float(gaps.min()), 1.0) if len(gaps) else 1.0
        self.view = self._held(*self.view) if zoomed and len(gaps) else self.whole

    def x_of(self, steps: np.ndarray | float) -> np.ndarray:
        """Return where steps lie, in pixels."""
        (left, right), (first, last) = self.room, self.view
        if last <= first:
            return np.full(np.shape(steps), left)
        return left + (np.asarray(steps, float) - first) / (last - first) * (right - left)

    def ticks(self, least: int, steps: np.ndarray | None = None) -> np.ndarray:
        """Return where frames on show lie, in pixels; of those within `least` pixels one.

        The cost is that of the pixels, however many frames there are.

        Args:
            least: pixels between two of them at least.
            steps: (frames,) where the frames lie, increasing; by default the scale's own.
        """
        steps = self.steps if steps is None else steps
        left, right = self.room
        first, last = np.searchsorted(steps, self.view)
        last = min(last + 1, len(steps))
        if last - first <= (right - left) / least:
            return self.x_of(steps[first:last])
        edges = np.arange(left, right + least + 0.5, least)  # the last beyond the last frame
        before = np.searchsorted(steps, self.step_at(edges))
        return edges[:-1][np.diff(before) > 0]

    def step_at(self, x: FloatOrArray) -> FloatOrArray:
        """Return the step at a pixel."""
        (left, right), (first, last) = self.room, self.view
        return first + (x - left) / max(right - left, 1.0) * (last - first)

    def frame_at(self, x: float) -> int:
        """Return the frame nearest to a pixel, -1 if there is none."""
        if not len(self.steps):
            return -1
        step = self.step_at(x)
        after = int(np.clip(np.searchsorted(self.steps, step), 1, max(len(self.steps) - 1, 1)))
        if len(self.steps) == 1:
            return 0
        return after if self.steps[after] - step < step - self.steps[after - 1] else after - 1

    def zoom(self, factor: float, x: float) -> None:
        """Show a part that is shorter by `factor`; the step at x stays at x."""
        first, last = self.view
        fixed = self.step_at(x)
        span = max((last - first) / factor, self._closest)
        share = (fixed - first) / (last - first) if last > first else 0.0
        self.view = self._held(fixed - share * span, fixed + (1 - share) * span)

    def pan(self, pixels: float) -> None:
        """Move what is shown by some pixels to the left, later steps into view."""
        first, last = self.view
        by = pixels * (last - first) / max(self.room[1] - self.room[0], 1.0)
        self.view = self._held(first + by, last + by)

    def reveal(self, step: float) -> None:
        """Bring a step into view, if it is out of it."""
        first, last = self.view
        if step > last:
            self.view = self._held(first + step - last, step)
        elif step < first:
            self.view = self._held(step, last + step - first)

    def reset(self) -> None:
        """Show all of the run."""
        self.view = self.whole

    def _held(self, first: float, last: float) -> tuple[float, float]:
        """Return a view of the same length inside the run, or all of it."""
        start, end = self.whole
        if last - first >= end - start:
            return start, end
        by = max(start - first, 0.0) + min(end - last, 0.0)
        return first + by, last + by
