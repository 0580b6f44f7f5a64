"""Trial opening of a segment in a child process: HDF5 can hang forever on a damaged file.

Run as `python -m ed_core.recording.preflight FILE SECONDS`: exit status 0 if the file can be opened
in that time, else 1 with the reason on standard output.
"""

import contextlib
import sys
from functools import lru_cache
from pathlib import Path

from ed_core.recording.checked_file import DamagedError
from ed_core.recording.layout import one_line
from ed_core.recording.sandbox import limit_child, try_in_child
from ed_core.recording.segment import Segment

_DEADLINE = 5.0  # seconds


def preflight(path: Path) -> None:
    """Raise DamagedError unless a child process could open the segment in time."""
    status = path.stat()
    problem = _try(str(path), status.st_ino, status.st_mtime_ns, status.st_size)
    if problem:
        raise DamagedError(f"{path.name}: {problem}")


@lru_cache(maxsize=4096)
def _try(path: str, *identity: int) -> str:
    return one_line(try_in_child(__name__, path, _DEADLINE))


def _main(path: str, seconds: str) -> int:
    limit_child(float(seconds))
    try:
        segment = Segment(Path(path), growing=False)
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
    sys.exit(_main(*sys.argv[1:]))
