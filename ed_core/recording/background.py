"""A writer on a thread of its own: training hands arrays over and goes on."""

import contextlib
import queue
import threading
import time
import warnings
from collections.abc import Callable, Mapping

from ed_core.recording.layout import Event
from ed_core.recording.writer import Arrays, RecordingWriter, lack_of_room, reason

_WAITING = 64 * 2**20  # bytes that may wait; when the disk cannot keep up, frames are dropped


class BackgroundWriter:
    """Hands frames, scalars and events to a RecordingWriter; never raises into training.

    A frame is dropped, and counted, when too much waits; nothing else is. After a failed write
    (disk full) the recording ends with one warning and training goes on.

    Attributes:
        dropped: how many frames were dropped.
        problem: why the recording ended early, or "".
        seconds: of the processor that the last frame took to be compressed and written.
    """

    def __init__(self, writer: RecordingWriter) -> None:
        self.dropped = 0
        self.problem = ""
        self.seconds = 0.0
        self._writer = writer
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._taken = self._written = 0  # bytes of frames, each counted on one thread alone
        self._thread = threading.Thread(target=self._work, name="edkit-recorder", daemon=True)
        self._thread.start()

    def append(
        self, step: int, epoch: float, seconds: float, arrays: Arrays, wait: bool = False
    ) -> bool:
        """Queue a frame; `wait` for a place (the first and the last frame are never dropped).

        Returns whether it was taken; it is not after a failed write either.
        """
        if self.problem:
            return False
        size = sum(array.nbytes for probe in arrays.values() for array in probe.values())
        waiting = self._taken - self._written
        if waiting and waiting + size > _WAITING and not wait:
            self.dropped += 1
            return False
        self._taken += size

        def write() -> None:
            start = time.thread_time()
            try:
                self._writer.append(step, epoch, seconds, arrays)
            finally:
                self._written += size
                self.seconds = time.thread_time() - start

        self._jobs.put(write)
        return True

    def append_scalars(
        self, step: int, epoch: float, seconds: float, values: Mapping[str, float]
    ) -> None:
        """Queue a row of scalars."""
        if not self.problem:
            self._jobs.put(lambda: self._writer.append_scalars(step, epoch, seconds, values))

    def append_event(self, event: Event) -> None:
        """Queue an event."""
        if not self.problem:
            self._jobs.put(lambda: self._writer.append_event(event))

    def close(self) -> None:
        """Write what waits and end."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not self.problem:
                lack = lack_of_room(self._writer.path)
                self._try(self._writer.close if lack else job, lack)
        if not self.problem:
            self._try(self._writer.close)

    def _try(self, job: Callable[[], None], lack: str = "") -> None:
        try:
            job()
        except Exception as error:  # whatever happens here must not stop training
            lack = reason(error)
            with contextlib.suppress(OSError, RuntimeError):
                self._writer.abandon()
        if lack:
            self.problem = f"recording to {self._writer.path} ended: {lack}"
            warnings.warn(f"{self.problem}; training goes on.", stacklevel=2)
