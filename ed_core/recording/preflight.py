"""Open a segment in a child process first: HDF5 can hang for ever on a damaged file.

A hang inside HDF5 holds the interpreter's lock, so only another process can end it. Run as
`python -m ed_core.recording.preflight FILE`: exit status 0 if the file can be opened, else 1 with
the reason on standard output.
"""

import contextlib
import resource
import signal
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

from ed_core.recording.checked_file import DamagedError
from ed_core.recording.layout import one_line
from ed_core.recording.segment import Segment

_DEADLINE = 5.0  # seconds
_PATIENCE = 60.0  # seconds with the start of the process: a busy machine is no fault of the file
_MEMORY = 8 * 2**30  # bytes of address space


def preflight(path: Path) -> None:
    """Raise DamagedError unless a child process could open the segment in time."""
    status = path.stat()
    problem = _try(str(path), status.st_ino, status.st_mtime_ns, status.st_size)
    if problem:
        raise DamagedError(f"{path.name}: {problem}")


@lru_cache(maxsize=4096)
def _try(path: str, *identity: int) -> str:
    # -P: without it, Python looks for modules in the present folder first, which may hold any.
    command = [sys.executable, "-P", "-m", __name__, path]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        return f"it could not be opened within {_PATIENCE:.0f} seconds"
    if done.returncode == 0:
        return ""
    if done.returncode == -signal.SIGALRM:
        return f"it could not be opened within {_DEADLINE:.0f} seconds"
    return one_line(done.stdout) or f"reading it ended with status {done.returncode}"


def _main(path: str) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.setitimer(signal.ITIMER_REAL, _DEADLINE)  # ends this process, whatever it is in
    try:
        segment = Segment(Path(path))
    except (DamagedError, OSError, MemoryError) as error:
        print(str(error).removeprefix(f"{Path(path).name}: "))
        return 1
    with contextlib.suppress(DamagedError):  # what is damaged is found again, and named, when shown
        segment.walk()
        for probe, name, _ in segment.header.arrays():
            if len(segment.index):
                segment.read(probe, name, len(segment.index) - 1)
    return 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
