"""The events of a segment, in two tables: what happened, and, as its commit, when."""

import h5py
import numpy as np

from ed_core.recording.layout import TIME_COLUMNS, Event, checksum, one_line

EVENT_BYTES = 160  # of kind and text in UTF-8; what is longer is cut
_MAX_EVENTS = 2**18  # that are read: three days of a checkpoint a second
_MAX_STEP = 2**53  # above it, not every whole number is a float64


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
    if not 0 <= step <= _MAX_STEP or _checksum(when[:TIME_COLUMNS], words) != written:
        return None
    text = words.tobytes().rstrip(b"\0").decode(errors="ignore")
    kind, _, said = text.partition(" ")
    return Event(int(step), epoch, seconds, one_line(kind), one_line(said))


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
        found = [unpack_event(*rows) for rows in zip(when, words, strict=False)]
        whole = [number for number, event in enumerate(found) if event is not None]
        settled = whole[-1] + 1 if whole else 0
        self.events += tuple(event for event in found if event is not None)
        self._rows += settled
        self._bad += settled - len(whole)
        left = int(when[settled:].any(axis=1).sum())  # a row that was not written is of zeros
        self.damaged = self._bad + (0 if growing else left)


def _checksum(when: np.ndarray, words: np.ndarray) -> float:
    return checksum(np.frombuffer(when.tobytes() + words.tobytes(), np.uint8))
