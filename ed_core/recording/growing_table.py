"""A table that another process writes to: what is new in it is read, what is known is kept."""

import h5py
import numpy as np

from ed_core.recording.layout import MAX_BYTES

_AGAIN = 256  # known rows that are read again: the newest may have been seen half written


class GrowingTable:
    """The rows of a table that are whole; `refresh` makes them grow.

    A look costs what is new, however long the table is. Rows that were handed out stay as they
    are while others are added behind them, so another thread may go on reading them.

    Args:
        dataset: float64, (rows, columns), filled with NaN before it is written.
        whole: a row counts when its first `whole` columns are finite; it ends the table if not.

    Attributes:
        rows: (rows, columns).
    """

    def __init__(self, dataset: h5py.Dataset, whole: int) -> None:
        self._dataset = dataset
        self._whole = whole
        self._room = np.empty((dataset.shape[1], 0))  # a column lies in one piece
        self.rows = self._room.T

    def refresh(self) -> None:
        """See what has been written since; raises ValueError if that is too much to be read."""
        self._dataset.refresh()
        count = len(self._dataset)
        if self._dataset.size * 8 > 4 * MAX_BYTES:
            raise ValueError(f"{self._dataset.name} has {count} rows")
        start = max(min(len(self.rows), count) - _AGAIN, 0)
        new = self._dataset[start:count]
        torn = ~np.isfinite(new[:, : self._whole]).all(axis=1)
        self._put(start, new[: int(np.argmax(torn))] if torn.any() else new)

    def _put(self, start: int, new: np.ndarray) -> None:
        end = start + len(new)
        if end > self._room.shape[1]:
            room = np.empty((len(self._room), 2 * end))
            room[:, :start] = self._room[:, :start]
            self._room = room
        self._room[:, start:end] = new.T
        self.rows = self._room[:, :end].T
