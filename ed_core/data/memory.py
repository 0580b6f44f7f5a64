"""The memory of this machine, and a guard before more of it is taken than there is."""

import os
import sys
from pathlib import Path

from ed_core.errors import EdkitError

_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def available() -> int:
    """Return how many bytes this process may still take: what is free, or its container's limit."""
    free = sys.maxsize  # Windows does not say
    if hasattr(os, "sysconf"):
        free = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        free = next(int(one.split()[1]) * 1024 for one in lines if one.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        pass  # not Linux: all that is built in
    limits = (Path(path) for path in _LIMITS)
    stated = (path.read_text().strip() for path in limits if path.is_file())
    return min([free, *(int(limit) for limit in stated if limit.isdigit())])


def check_memory(needed: int, what: str, remedy: str) -> None:
    """Refuse what would take more memory than there is, before anything is read.

    Args:
        needed: bytes.
        what: that take them, such as "'a.npz'".
        remedy: what to do instead, such as "say size = [128, 128]".

    Raises:
        EdkitError: they are more.
    """
    there = available()
    if needed > there:
        raise EdkitError(
            f"{what} would take {_amount(needed)} of memory, expected at most the "
            f"{_amount(there)} that are free: {remedy}."
        )


def _amount(size: int) -> str:
    return f"{size / 2**30:,.1f} GB" if size >= 2**29 else f"{size / 2**20:,.0f} MB"
