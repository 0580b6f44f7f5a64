"""The way that a code was dragged."""

import numpy as np

from ed_viewer.projection import Axes

_MOST = 10  # points
_APART = 12  # pixels between two of them


class Trail:
    """The last codes that were in the hand, none near the one before it."""

    def __init__(self) -> None:
        self.codes: list[np.ndarray] = []

    def clear(self) -> None:
        """Forget the way."""
        self.codes = []

    def leave(self, code: np.ndarray, axes: Axes, pixel: np.ndarray) -> None:
        """Note a code (latent,) that is left; `pixel` (2,) is the size of one in the plot."""
        here = axes.place(code)
        last = axes.place(self.codes[-1]) if self.codes else here + np.inf
        if not np.hypot(*((here - last) / pixel)) < _APART:
            self.codes = [*self.codes, code][-_MOST:]

    def places(self, axes: Axes) -> np.ndarray:
        """Return where the codes are in the plot, (points, 2)."""
        return np.array([axes.place(code) for code in self.codes]).reshape(-1, 2)
