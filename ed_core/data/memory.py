"""Free memory of this machine, and a guard against exceeding it."""

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
        pass  # not Linux: the total memory
    limits = (Path(path) for path in _LIMITS)
    stated = (path.read_text().strip() for path in limits if path.is_file())
    return min([free, *(int(limit) for limit in stated if limit.isdigit())])


def check_memory(needed: int, what: str, remedy: str) -> None:
    """Raise an error if reading would exceed the free memory.

    Args:
        needed: bytes.
        what: needs them, such as "'a.npz'".
        remedy: what to do instead, such as "say size = [128, 128]".

    Raises:
        EdkitError: they exceed the free memory.
    """
    there = available()
    if needed > there:
        raise EdkitError(
            f"{what} would take {_amount(needed)} of memory, expected at most the "
            f"{_amount(there)} that are free: {remedy}."
        )


def _amount(size: int) -> str:
    return f"{size / 2**30:,.1f} GB" if size >= 2**29 else f"{size / 2**20:,.0f} MB"
