"""Writes requests on a thread of its own: a disk that hangs must not hold the window up."""

import queue
import threading
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from ed_core.recording.control import Request, ask

_PATIENCE = 2.0  # seconds that a closing window waits for the disk


class Asker(QObject):
    """Adds requests to a run's `control.json`, one after the other.

    Signals:
        failed: the request that could not be written, and why.
    """

    failed = Signal(object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs: queue.SimpleQueue[tuple[Path, Request] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def ask(self, path: Path, request: Request) -> None:
        """Have a request written, soon."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="edkit-asker", daemon=True)
            self._thread.start()
        self._jobs.put((path, request))

    def end(self) -> None:
        """Write what waits and end the thread, but do not wait for ever."""
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
