"""Background jobs, such as writing a file."""

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from ed_core.recording.control import Request, ask

_PATIENCE = 2.0  # seconds that a closing window waits for a disk


class BackgroundJobs(QObject):
    """Runner of jobs on threads of their own, which reports how they ended.

    Signals:
        said: one line about a job that has ended, well or not.
    """

    said = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._threads: list[threading.Thread] = []

    def run(self, job: Callable[[], str], failed: str) -> None:
        """Start a job; it returns the line to show, and `failed` starts the line of an error."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        job_thread = threading.Thread(target=self._work, args=(job, failed), daemon=True)
        self._threads.append(job_thread)
        job_thread.start()

    def wait(self) -> None:
        """Wait for running jobs, for a limited time."""
        until = time.monotonic() + _PATIENCE
        for thread in self._threads:
            thread.join(max(until - time.monotonic(), 0.0))

    def _work(self, job: Callable[[], str], failed: str) -> None:
        try:
            message = job()
        except Exception as error:  # whatever a disk or an encoder does, the window goes on
            reason = error.strerror if isinstance(error, OSError) else None
            message = f"{failed}: {reason or error or type(error).__name__}"
        if message:
            self.said.emit(" ".join(message.split()))


class RequestWriter(QObject):
    """Writer of requests to a run's `control.json`, one after the other.

    Signals:
        failed: the request that could not be written, and why.
    """

    failed = Signal(object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: queue.SimpleQueue[tuple[Path, Request] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def ask(self, path: Path, request: Request) -> None:
        """Queue a request for writing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="edkit-asker", daemon=True)
            self._thread.start()
        self._jobs.put((path, request))

    def end(self) -> None:
        """Write waiting requests and end the thread, within a limited time."""
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(_PATIENCE)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            path, request = job
            try:
                ask(path, request)
            except (OSError, ValueError) as error:
                reason = error.strerror if isinstance(error, OSError) else None
                self.failed.emit(request, f"{path.name} cannot be written: {reason or error}")
