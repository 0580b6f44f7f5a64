"""Tables of a segment: events in two tables, and growing tables of checked rows."""

import zlib

import h5py
import numpy as np

from ed_core.recording.layout import (
    LARGEST_EXACT,
    MAX_BYTES,
    TIME_COLUMNS,
    Event,
    checksum,
    one_line,
)

EVENT_BYTES = 160  # of kind and text in UTF-8; what is longer is cut
_MAX_EVENTS = 2**18  # that are read: three days of a checkpoint a second
_AGAIN = 256  # rows without a sum that are read again: the newest may have been seen half written


def make_event_tables(file: h5py.File) -> tuple[h5py.Dataset, h5py.Dataset]:
    """Return the tables of a new segment: (rows, 4) of when and CRC, (rows, bytes) of what."""
    columns = TIME_COLUMNS + 1
    when = file.create_dataset(
        "events", (0, columns), "f8", maxshape=(None, columns), chunks=(64, columns)
    )
    words = file.create_dataset(
        "event_words",
        (0, EVENT_BYTES),
        "u1",
        maxshape=(None, EVENT_BYTES),
        chunks=(64, EVENT_BYTES),
    )
    return when, words


def pack_event(event: Event) -> tuple[np.ndarray, np.ndarray]:
    """Return an event's rows of the two tables."""
    text = f"{event.kind} {one_line(event.text)}".encode()[:EVENT_BYTES]
    words = np.frombuffer(text.ljust(EVENT_BYTES, b"\0"), np.uint8)
    when = np.array([event.step, event.epoch, event.seconds], np.float64)
    return np.append(when, _checksum(when, words)), words


def unpack_event(when: np.ndarray, words: np.ndarray) -> Event | None:
    """Return the event that two rows hold, or None if they are not what was written."""
    step, epoch, seconds, written = (float(value) for value in when)
    if not 0 <= step <= LARGEST_EXACT or _checksum(when[:TIME_COLUMNS], words) != written:
        return None
    text = words.tobytes().rstrip(b"\0").decode(errors="ignore")
    kind, _, text_of_event = text.partition(" ")
    return Event(int(step), epoch, seconds, one_line(kind), one_line(text_of_event))


class EventTables:
    """The tables of a segment that is read; `refresh` makes `events` grow.

    Only what is new is read. A row that is damaged is left out and counted in `damaged`, the others
    are shown.

    Raises:
        ValueError: the tables are not what this version writes.
    """

    def __init__(self, when: h5py.Dataset, words: h5py.Dataset) -> None:
        packed = words.id.get_create_plist().get_nfilters()
        if words.shape[1:] != (EVENT_BYTES,) or words.dtype != np.uint8 or packed:
            raise ValueError(f"{words.name} is not a table of {EVENT_BYTES} bytes")
        self.events: tuple[Event, ...] = ()
        self.damaged = 0
        self._when, self._words = when, words
        self._rows = self._bad = 0  # that need no other look, and those damaged among them

    def refresh(self, growing: bool = True) -> None:
        """See what has been committed since.

        Args:
            growing: whether somebody may be writing the last event now.
        """
        self._when.refresh()
        end = min(len(self._when), _MAX_EVENTS)
        if end <= self._rows:
            return
        when = self._when[self._rows : end]
        self._words.refresh()
        words = self._words[self._rows : end]
        events = [unpack_event(*rows) for rows in zip(when, words, strict=False)]
        whole = [number for number, event in enumerate(events) if event is not None]
        settled = whole[-1] + 1 if whole else 0
        self.events += tuple(event for event in events if event is not None)
        self._rows += settled
        self._bad += settled - len(whole)
        left = int(when[settled:].any(axis=1).sum())  # a row that was not written is of zeros
        self.damaged = self._bad + (0 if growing else left)


def _checksum(when: np.ndarray, words: np.ndarray) -> float:
    return checksum(np.frombuffer(when.tobytes() + words.tobytes(), np.uint8))


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
