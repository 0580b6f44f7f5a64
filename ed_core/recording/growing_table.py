"""A table that another process writes to: what is new in it is read, what is known is kept."""

import zlib

import h5py
import numpy as np

from ed_core.recording.layout import MAX_BYTES

_AGAIN = 256  # rows without a sum that are read again: the newest may have been seen half written


class GrowingTable:
    """The rows of a table that are whole; `refresh` makes them grow.

    A look costs what is new, however long the table is. Rows that were handed out stay as they
    are while others are added behind them, so another thread may go on reading them.

    A row counts when its sum is right: of float64 its last column, of uint8 its last four bytes.
    One that is wrong and has a good one behind it is damaged, and left out; at the end of a table
    that grows it is being written.

    Args:
        dataset: float64 filled with NaN before it is written, or uint8 filled with 0; (rows,
            columns).
        whole: of a table without sums, how many columns must be finite; a row that is not whole
            ends it.

    Attributes:
        rows: (rows, columns), the good ones, with their sums.
        numbers: (rows,) where in the table they stand.
        damaged: how many rows are not what was written.
    """

    def __init__(self, dataset: h5py.Dataset, whole: int = 0) -> None:
        self._dataset = dataset
        self._whole = whole
        self._room = np.empty((dataset.shape[1], 0), dataset.dtype)  # a column lies in one piece
        self._settled = self._bad = 0  # rows that need no other look, and those wrong among them
        self.rows = self._room.T
        self.numbers = np.empty(0, np.int64)
        self.damaged = 0

    def refresh(self, growing: bool = True) -> None:
        """See what has been written since; raises ValueError if that is too much to be read.

        Args:
            growing: whether somebody may be writing the last row now.
        """
        self._dataset.refresh()
        count = len(self._dataset)
        if self._dataset.size * self._dataset.dtype.itemsize > 4 * MAX_BYTES:
            raise ValueError(f"{self._dataset.name} has {count} rows")
        if self._whole:
            self._settled = max(min(len(self.rows), count) - _AGAIN, 0)
        if count == self._settled:
            self.damaged = self._bad
            return
        new = self._dataset[self._settled : count]
        good = self._good(new)
        end = int(np.flatnonzero(good)[-1]) + 1 if good.any() else 0
        start = self._settled - self._bad
        self._put(start, new[good], self._settled + np.flatnonzero(good))
        self._settled += end
        self._bad += int(end - good.sum())
        rest = new[end:]
        written = ~np.isnan(rest).all(axis=1) if rest.dtype.kind == "f" else rest.any(axis=1)
        self.damaged = self._bad + (0 if growing or self._whole else int(written.sum()))

    def _good(self, rows: np.ndarray) -> np.ndarray:
        if not self._whole:
            return sums_are_right(rows)
        torn = ~np.isfinite(rows[:, : self._whole]).all(axis=1)
        return np.cumsum(torn) == 0

    def _put(self, start: int, new: np.ndarray, numbers: np.ndarray) -> None:
        end = start + len(new)
        if end > self._room.shape[1]:
            room = np.empty((len(self._room), 2 * end), self._room.dtype)
            room[:, :start] = self._room[:, :start]
            self._room = room
        self._room[:, start:end] = new.T
        self.rows = self._room[:, :end].T
        self.numbers = np.append(self.numbers[:start], numbers)


def summed(row: np.ndarray) -> np.ndarray:
    """Return a row of float64 with the CRC-32 of its bytes behind it."""
    row = np.ascontiguousarray(row, "<f8")
    return np.append(row, float(zlib.crc32(row.tobytes())))


def sums_are_right(rows: np.ndarray) -> np.ndarray:
    """Tell of each row whether it ends with the CRC-32 of what stands before it."""
    size = 4 if rows.dtype == np.uint8 else 8
    data = np.ascontiguousarray(rows).tobytes()
    width = rows.shape[1] * rows.dtype.itemsize
    sums = [zlib.crc32(data[at : at + width - size]) for at in range(0, len(data), width)]
    written = rows[:, -4:].copy().view("<u4")[:, 0] if size == 4 else rows[:, -1]
    return np.array(np.array(sums, np.float64) == written, bool)
