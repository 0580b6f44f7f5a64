"""The ranges of values that the panels of one probe draw in, the same for both runs on show."""

from __future__ import annotations

import numpy as np

Levels = tuple[float, float]
Scale = tuple[Levels, np.ndarray]
"""Levels, and the colours (256, 3) uint8 of which they are the first and the last."""


class Ranges:
    """A range by name, of each run; a panel draws in their union, so that colours mean the same.

    Attributes:
        shared: whether it does; otherwise each run is drawn in a range of its own.
        steady: whether no range becomes smaller, as in a movie, whose axes do not jump.
    """

    def __init__(self) -> None:
        self.shared = True
        self.steady = False
        self._own: dict[str, dict[str, Levels]] = {}

    def put(self, side: str, name: str, levels: Levels) -> Levels:
        """Take a run's range as it is now; return what it is drawn in."""
        own = self._own.setdefault(side, {})
        low, high = own.get(name, levels) if self.steady else levels
        own[name] = levels = (min(low, levels[0]), max(high, levels[1]))
        return self._union(name) if self.shared else levels

    def widen(self, side: str, name: str, levels: Levels) -> Levels:
        """Widen a run's range by this one, so that it is that of all it has shown; see `put`."""
        low, high = self._own.get(side, {}).get(name, levels)
        return self.put(side, name, (min(low, levels[0]), max(high, levels[1])))

    def replace(self, side: str, name: str, levels: Levels, kind: str) -> Levels:
        """Take a range in the place of any other of this kind, as its name begins; see `put`."""
        own = self._own.setdefault(side, {})
        for other in [other for other in own if other.startswith(kind) and other != name]:
            del own[other]
        return self.put(side, name, levels)

    def drop(self, side: str) -> None:
        """Forget a run."""
        self._own.pop(side, None)

    def unions(self) -> dict[str, Levels]:
        """Return every range that panels of both runs draw in now, by name."""
        if not self.shared:
            return {}
        return {name: self._union(name) for own in self._own.values() for name in own}

    def _union(self, name: str) -> Levels:
        found = [own[name] for own in self._own.values() if name in own]
        return min(low for low, _ in found), max(high for _, high in found)
