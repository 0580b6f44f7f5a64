"""Background thread that writes the arrays of a training to disk."""

import contextlib
import queue
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ed_core.errors import EdkitError
from ed_core.recording.layout import Event
from ed_core.recording.writer import Arrays, RecordingWriter, disk_problem, reason

_WAITING = 64 * 2**20  # bytes that may wait; when the disk cannot keep up, frames are dropped
_LOOK = 0.05  # seconds between two looks whether the thread has given up


@dataclass(frozen=True, slots=True)
class WriteJob:
    """Something to be written: when it was, and by what of a writer."""

    step: int
    epoch: float
    seconds: float
    write: Callable[[RecordingWriter], None]
    is_frame: bool = False


class BackgroundWriter:
    """Hands frames, scalars and events to a RecordingWriter; never raises into training.

    A frame is dropped, and counted, when too much waits; nothing else is. A write that fails
    begins a new segment, where there is room on the disk. Where there is none, or where the new
    segment fails at once, the recording ends with one warning and training goes on.

    Attributes:
        dropped: how many frames were dropped.
        problem: why the recording ended early, or "".
        seconds: of the processor that the last frame took to be compressed and written.
        busy: seconds of the processor that all that was written took.
    """

    def __init__(self, writer: RecordingWriter) -> None:
        self.dropped = 0
        self.problem = ""
        self.seconds = self.busy = 0.0
        self._writer = writer
        self._jobs: queue.SimpleQueue[WriteJob | None] = queue.SimpleQueue()
        self._taken = self._written = 0  # bytes of frames, each counted on one thread alone
        self._unwritten: list[int] = []  # steps of frames that are not on the disk
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
        self._unwritten.append(step)

        def write(writer: RecordingWriter) -> None:
            start = time.thread_time()
            writer.append(step, epoch, seconds, arrays)
            self.seconds = time.thread_time() - start
            self._written += size
            self._unwritten.remove(step)

        self._jobs.put(WriteJob(step, epoch, seconds, write, is_frame=True))
        return True

    def append_scalars(
        self, step: int, epoch: float, seconds: float, values: Mapping[str, float]
    ) -> None:
        """Queue a row of scalars."""
        if not self.problem:
            write = lambda writer: writer.append_scalars(step, epoch, seconds, values)  # noqa: E731
            self._jobs.put(WriteJob(step, epoch, seconds, write))

    def append_curves(
        self, steps: np.ndarray, epochs: np.ndarray, seconds: np.ndarray, values: np.ndarray
    ) -> None:
        """Queue rows of the curves, at least one; see `RecordingWriter.append_curves`."""
        if not self.problem:
            write = lambda writer: writer.append_curves(steps, epochs, seconds, values)  # noqa: E731
            self._jobs.put(WriteJob(int(steps[-1]), float(epochs[-1]), float(seconds[-1]), write))

    def append_event(self, event: Event) -> None:
        """Queue an event."""
        if not self.problem:
            when = event.step, event.epoch, event.seconds
            self._jobs.put(WriteJob(*when, lambda writer: writer.append_event(event)))

    def settle(self, seconds: float) -> list[int]:
        """Wait until what was queued is written.

        Args:
            seconds: to wait at most.

        Returns:
            The steps of the frames that are not on the disk then.
        """
        done = threading.Event()
        self._jobs.put(WriteJob(0, 0.0, 0.0, lambda writer: done.set()))
        deadline = time.monotonic() + seconds
        while not (self.problem or done.wait(_LOOK) or time.monotonic() > deadline):
            pass
        return list(self._unwritten)

    def close(self) -> None:
        """Write what waits and end."""
        self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not self.problem:
                self._write(job)
            self.busy = time.thread_time()
        if not self.problem:
            self._end("", self._writer.close)

    def _write(self, job: WriteJob) -> None:
        if lack := disk_problem(self._writer.path):
            self._end(lack, self._writer.close)
            return
        try:
            job.write(self._writer)
        except Exception as error:  # whatever happens here must not stop training
            self._abandon()
            why = reason(error)
            if disk_problem(self._writer.path) or not isinstance(error, OSError | RuntimeError):
                self._end(why)
            else:
                self._go_on(job, why)

    def _go_on(self, job: WriteJob, why: str) -> None:
        """Do a job that failed, though there is room, in a new segment."""
        failed = self._writer.path
        try:
            # A reader takes no frame of the failed segment from that step on.
            start = job.step if job.is_frame else max(job.step, self._writer.newest + 1)
            self._writer = self._writer.successor(start)
            text = f"a write to {failed.name} failed: {why}"
            event = Event(job.step, job.epoch, job.seconds, "segment", text)
            self._writer.append_event(event)
            job.write(self._writer)
        except Exception as error:
            self._abandon()
            self._end(reason(error) if not isinstance(error, EdkitError) else why)
            return
        _warn(f"a write to {failed} failed ({why}); recording goes on in {self._writer.path.name}.")

    def _abandon(self) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            self._writer.abandon()

    def _end(self, lack: str, close: Callable[[], None] = lambda: None) -> None:
        try:
            close()
        except Exception as error:
            lack = reason(error)
            self._abandon()
        if lack:
            self.problem = f"recording to {self._writer.path} ended: {lack}"
            _warn(f"{self.problem}; training goes on.")


def _warn(text: str) -> None:
    """Warn; where warnings are errors it is reported as one, and the thread goes on."""
    try:
        warnings.warn(text, stacklevel=3)
    except Warning as error:
        thread = threading.current_thread()
        hook_args = threading.ExceptHookArgs((type(error), error, error.__traceback__, thread))
        threading.excepthook(hook_args)
