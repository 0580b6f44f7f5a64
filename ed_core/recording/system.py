"""Calls that not every system has: locks of files, limits of a process. Reading needs none."""

import contextlib
import os
import signal
import sys
from pathlib import Path

try:
    import fcntl
    import resource
except ImportError:  # Windows has neither
    fcntl = resource = None  # type: ignore[assignment]

HAS_LOCKS = fcntl is not None
"""Whether a trainer can hold its folder against others."""


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Lock an open file or folder until it is closed; returns whether nobody else holds it.

    Without locks on this system it is never held.
    """
    if fcntl is None:
        return True
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def largest_file() -> int:
    """Return how many bytes a file of this process may have."""
    if resource is None:
        return sys.maxsize
    limit: int = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    return sys.maxsize if limit == resource.RLIM_INFINITY else limit


def limit_process(seconds: float, memory: int) -> None:
    """Give this process a deadline from now on and an end of its memory, as far as there are such.

    Args:
        seconds: after which it ends, whatever it is in.
        memory: bytes of address space.
    """
    if resource:
        with contextlib.suppress(ValueError, OSError):  # macOS limits no address space
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def was_too_slow(status: int) -> bool:
    """Tell whether a process ended by the deadline of `limit_process`."""
    return hasattr(signal, "SIGALRM") and status == -signal.SIGALRM


def flush(path: Path) -> None:
    """Write a file or, where the system can, a folder through to the disk."""
    if path.is_dir() and not hasattr(os, "O_DIRECTORY"):  # Windows opens no folder
        return
    descriptor = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
