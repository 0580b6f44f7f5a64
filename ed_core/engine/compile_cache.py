"""Cache of what JAX compiled, kept in the user's cache from process to process."""

import hashlib
import os
import platform
import sys
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISDIR

from platformdirs import user_cache_dir

_LARGEST = 256 * 2**20  # bytes of all entries
_MOST = 4000  # entries
_CHECKED = ".checked"
ZSTD = b"\x28\xb5\x2f\xfd"  # how an entry begins where JAX packs it by zstd, else by zlib
SETTINGS = {
    "jax_persistent_cache_min_compile_time_secs": 0.0,
    "jax_persistent_cache_min_entry_size_bytes": -1,
}


def keep_compiled(backend: str) -> None:
    """Let JAX load what an earlier process compiled on this machine, and keep what this one does.

    Where JAX has a cache already, by JAX_COMPILATION_CACHE_DIR or by its settings, that stays;
    where the folder cannot be used there is none. JAX finds an entry by the program, the versions
    and the flags that it was compiled with. Other backends have no such cache.

    Args:
        backend: that Keras runs on, or will.
    """
    if backend != "jax" or os.environ.get("JAX_COMPILATION_CACHE_DIR"):
        return
    config = getattr(sys.modules.get("jax"), "config", None)
    if config is not None and config.jax_compilation_cache_dir:
        return
    folder = cache_folder()
    if folder is None:
        return
    # An entry that another process is writing, or never wrote to its end, is compiled again.
    warnings.filterwarnings("ignore", "Error (reading|writing) persistent compilation cache")
    if config is None:  # read when JAX is imported
        os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
        for name, value in SETTINGS.items():
            os.environ.setdefault(name.upper(), str(value))
        return
    config.update("jax_compilation_cache_dir", str(folder))
    for name, value in SETTINGS.items():
        if name.upper() not in os.environ:
            config.update(name, value)


def cache_folder(name: str = "jax") -> Path | None:
    """Return a folder for compiled code of this kind of processor, of bounded size.

    None where it cannot be made or written, or where others could write into it: what is loaded
    from it is run.

    Args:
        name: of the folder in the user's cache.
    """
    top = Path(user_cache_dir("edkit"))
    folder = top / name / _processor()
    try:
        top.parent.mkdir(parents=True, exist_ok=True)
        for level, others in ((top, 0o002), (folder.parent, 0o022), (folder, 0o022)):
            level.mkdir(mode=0o700, exist_ok=True)
            if not _is_ours(level, others):
                return None
        if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            return None
        _drop_torn(folder)
        _drop_oldest(folder)
    except OSError:
        return None
    return folder


def _processor() -> str:
    """Return a name for what code is compiled for: the processor's features, and how many."""
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8", "replace")
    except OSError:
        text = platform.processor()
    kept = ("model name", "flags", "Features", "CPU implementer", "CPU part")
    lines = {line for line in text.splitlines() if line.startswith(kept)}
    affinity = getattr(os, "sched_getaffinity", None)
    many = len(affinity(0)) if affinity else os.cpu_count()
    facts = (platform.system(), platform.machine(), many, sorted(lines) or text)
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def _is_ours(folder: Path, others: int) -> bool:
    """Return whether a folder is the user's own, no link, and these others may not write to it."""
    status = folder.lstat()
    return not hasattr(os, "getuid") or (
        status.st_uid == os.getuid() and S_ISDIR(status.st_mode) and not status.st_mode & others
    )


def _entries(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for file in os.scandir(folder):
        if not file.name.startswith("."):
            try:
                yield Path(file.path), file.stat()
            except FileNotFoundError:  # another process has dropped it
                continue


def _drop_torn(folder: Path) -> None:
    """Drop the entries since the last look that a kill or a full disk left unfinished."""
    stamp = folder / _CHECKED
    since = stamp.stat().st_mtime if stamp.exists() else 0.0
    stamp.touch()
    for file, status in [*_entries(folder)]:
        if status.st_mtime >= since and not _is_whole(file):
            file.unlink(missing_ok=True)


def _is_whole(file: Path) -> bool:
    """Return whether an entry can be unpacked, as far as the standard library can tell."""
    data = file.read_bytes()
    if data.startswith(ZSTD):
        return True
    try:
        zlib.decompress(data)
    except zlib.error:
        return False
    return True


def _drop_oldest(folder: Path) -> None:
    """Drop the entries that were not used for longest, until the others are few and small."""
    entries = sorted(_entries(folder), key=lambda one: max(one[1].st_atime, one[1].st_mtime))
    size = sum(status.st_size for _, status in entries)
    for number, (file, status) in enumerate(entries):
        if size <= _LARGEST and len(entries) - number <= _MOST:
            return
        file.unlink(missing_ok=True)
        size -= status.st_size
