"""Trial opening of files in a child process: HDF5 can crash, or hang forever, on a damaged one.

A hang inside HDF5 holds the interpreter's lock, so only another process can end it.
"""

import subprocess
import sys

from ed_core.recording.system import limit_process, was_too_slow

_PATIENCE = 60.0  # seconds with the start of the process: a busy machine is no fault of the file
_MEMORY = 8 * 2**30  # bytes of address space


def try_in_child(module: str, path: str, seconds: float) -> str:
    """Return why a child process could not open a file, or "" if it could.

    The child runs `python -m MODULE PATH SECONDS`. Its module calls `limit_child` once it is
    imported, and ends with status 0, or with another and the reason on standard output.

    Args:
        module: the full name.
        path: of the file.
        seconds: that opening may take, without the start of the process.
    """
    # -P: without it, Python looks for modules in the present folder first, which may hold any.
    command = [sys.executable, "-P", "-m", module, path, str(seconds)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        return f"it could not be opened within {_PATIENCE:.0f} seconds"
    if done.returncode == 0:
        return ""
    if was_too_slow(done.returncode):
        return f"it could not be opened within {seconds:.0f} seconds"
    return done.stdout.strip() or f"reading it ended with status {done.returncode}"


def limit_child(seconds: float) -> None:
    """Give this process, which has started, a deadline from now on and an end of its memory."""
    limit_process(seconds, _MEMORY)
