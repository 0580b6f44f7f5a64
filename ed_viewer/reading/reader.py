"""Reader thread: follows the open run and scans for others; no other thread reads files."""

import threading
import time
from collections.abc import Sequence
from math import inf
from pathlib import Path

from PySide6.QtCore import QObject, Qt, QThread, Signal

from ed_core.recording import EdkitError, RunFolder, find_runs
from ed_viewer.reading.messages import FrameRequest, RunEntry, RunInfo
from ed_viewer.reading.tail import Tail

LIVE = 0.015  # seconds between two polls of a growing run
IDLE = 0.250  # and of one that does not grow
_SHARE = 0.2  # largest share of a processor for polls, which cost more as a run grows
_FREE = 0.005  # CPU wait per poll below which the machine counts as idle, in seconds
_GIVE_WAY = 20  # back-off factor: sleep this many times the CPU wait beyond _FREE
_SLOWEST = 0.5  # largest seconds between two polls, however long one takes
_LONGEST = 5.0  # and however busy the machine is: ten windows on two processors
_SCHEDULES = (Path("/proc/self/schedstat"), Path("/proc/thread-self/schedstat"))
SCAN = 1.0  # seconds between two scans for runs
_UNHEARD = 2  # growths that may wait in the window's queue: each holds the steps of all frames


class PollInterval:
    """Time of the next poll: rare on a busy machine, where a trainer needs the processor.

    It delays news of a run only, never a frame that the user requests.

    Attributes:
        next: the time of the next poll, by `time.monotonic`.
    """

    def __init__(self) -> None:
        self.next = 0.0
        self._waited: float | None = None

    def hurry(self) -> None:
        """Poll as soon as possible."""
        self.next = 0.0

    def rest(self, live: bool, worked: float = 0.0, took: float = 0.0) -> None:
        """Set the time of the next poll.

        Args:
            live: whether the run grows.
            worked: seconds of processor time for the last poll.
            took: seconds that it took; the rest was waiting, for a disk or for other threads.
        """
        before, self._waited = self._waited, waited()
        missed = 0.0 if before is None else max(self._waited - before - _FREE, 0.0)
        slow, busy = min(max(worked / _SHARE, took), _SLOWEST), min(_GIVE_WAY * missed, _LONGEST)
        self.next = time.monotonic() + max(LIVE if live else IDLE, slow, busy)


def waited() -> float:
    """Return the seconds for which the main thread and this one were ready and had no processor.

    Linux tells (https://docs.kernel.org/scheduler/sched-stats.html); elsewhere it is 0.
    """
    try:
        return sum(int(path.read_text().split()[1]) for path in _SCHEDULES) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


class Reader(QThread):
    """Thread that reads recordings; it takes calls of `open` and `ask`, and sends signals.

    Its mailbox has one slot for each call: only the newest request is served.

    Args:
        root: the folder that is scanned for runs; None to look for none.
        paths: these runs instead of a folder of them.
    """

    described = Signal(object)  # RunInfo
    grew = Signal(object)  # RunProgress
    answered = Signal(object)  # Frame
    listed = Signal(object)  # list[RunEntry]
    gathered = Signal(object, object)  # a folder that is no run, and the newest run in it
    failed = Signal(str)

    def __init__(
        self, root: Path | None, paths: Sequence[Path] = (), parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._root = root
        self._paths = list(paths)
        self._added: list[Path] = []  # beside those
        self._bell = threading.Condition()
        self._to_open: tuple[int, Path] | None = None
        self._to_read: FrameRequest | None = None
        self._stopping = False
        self._tail: Tail | None = None
        self._pace = PollInterval()
        self._next_scan = 0.0 if root is not None else inf
        self._told = self._heard = 0  # each counted on one thread alone
        self.grew.connect(self._hear, Qt.ConnectionType.QueuedConnection)

    def open(self, path: Path, opening: int) -> None:
        """Show another run; every message about it carries `opening`."""
        with self._bell:
            self._to_open = (opening, path)
            self._to_read = None
            self._bell.notify()

    def ask(self, request: FrameRequest) -> None:
        """Read a frame; replaces a request that has not been served yet."""
        with self._bell:
            self._to_read = request
            self._bell.notify()

    def add(self, path: Path) -> None:
        """List this run as well, wherever it is."""
        with self._bell:
            if path not in (*self._paths, *self._added):
                self._added = [path, *self._added]
                self._next_scan = min(self._next_scan, 0.0 if self._root else inf)
                self._bell.notify()

    def leave(self) -> None:
        """Ask the thread to end, without waiting: a slow disk may hold it."""
        with self._bell:
            self._stopping = True
            self._bell.notify()
        self.quit()

    def stop(self) -> bool:
        """End the thread; returns whether it ended within two seconds."""
        self.leave()
        return self.wait(2000)

    def run(self) -> None:
        """Serve until stopped (called by Qt, in the thread)."""
        while True:
            with self._bell:
                if not (self._stopping or self._to_open or self._to_read):
                    due = min(self._pace.next, self._next_scan)
                    self._bell.wait(max(due - time.monotonic(), 0.001))
                if self._stopping:
                    break
                opening, self._to_open = self._to_open, None
                request, self._to_read = self._to_read, None
            try:
                self._serve(opening, request)
            except Exception as error:  # whatever happens, the thread and the window live on
                self.failed.emit(f"{type(error).__name__}: {error}")
                self._pace.rest(live=False)
        if self._tail is not None:
            self._tail.close()

    def _serve(self, opening: tuple[int, Path] | None, request: FrameRequest | None) -> None:
        if opening is not None:
            if self._tail is not None:
                self._tail.close()
            self._tail = None if self._gather(opening[1]) else Tail(opening[1], opening[0])
            self._pace.hurry()
        if request is not None and self._tail and request.opening == self._tail.opening:
            self.answered.emit(self._tail.read(request))
        if time.monotonic() >= self._pace.next:
            if self._told - self._heard < _UNHEARD:
                self._poll()
            else:
                self._pace.rest(live=True)
        if self._root is not None and time.monotonic() >= self._next_scan:
            self._next_scan = time.monotonic() + SCAN
            self.listed.emit(_entries(self._root, self._paths, self._added))

    def _gather(self, folder: Path) -> bool:
        """List the runs in a folder that is no run itself; returns whether there are any."""
        itself = any((folder / name).exists() for name in ("run.json", "recording"))
        if self._root is None or itself or not folder.is_dir():
            return False
        paths = [run.path for run in find_runs(folder)]
        if not paths:  # perhaps a project, whose runs are in a folder of their own
            deeper = (file.parent for file in folder.glob("*/*/run.json"))
            paths = sorted(deeper, key=lambda path: path.stat().st_mtime, reverse=True)
        if paths:
            with self._bell:
                self._paths = _replaced(self._paths, folder, paths)
                self._added = _replaced(self._added, folder, paths)
            self._next_scan = 0.0
            self.gathered.emit(folder, paths[0])
        return bool(paths)

    def _hear(self) -> None:
        """Count, on the window's thread, a received message of progress."""
        self._heard += 1

    def _poll(self) -> None:
        tail, started, worked = self._tail, time.monotonic(), time.thread_time()
        if tail is None:
            self._pace.rest(live=False)
            return
        progress = tail.poll()
        spent = time.thread_time() - worked, time.monotonic() - started
        for news in progress:
            if isinstance(news, RunInfo):
                self.described.emit(news)
            else:
                self._told += 1
                self.grew.emit(tail.read_ahead(news))
        self._pace.rest(tail.live, *spent)


def _entries(root: Path, paths: list[Path], added: list[Path]) -> list[RunEntry]:
    try:
        candidates = list(paths) or [folder.path for folder in find_runs(root)]
    except OSError:  # a folder that goes while it is looked at; the next scan sees it gone
        candidates = []
    others = [path for path in added if path not in candidates and path.exists()]
    return [_entry(path) for path in (*others, *candidates)]


def _replaced(paths: list[Path], folder: Path, runs: list[Path]) -> list[Path]:
    """Return paths with the runs in a folder in the place of the folder."""
    return [one for path in paths for one in (runs if path == folder else [path])]


def _entry(path: Path) -> RunEntry:
    if path.is_file():
        return RunEntry(path, "finished", path.parent.parent.name, "")
    try:
        folder = RunFolder.open(path)
        info = folder.read()
        names = str(info.get("model", "")), str(info.get("data", ""))
        return RunEntry(path, folder.state(), *names, info)
    except (EdkitError, OSError):
        return RunEntry(path, "unknown", "", "")
