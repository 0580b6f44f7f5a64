"""Run folder: its files, its lock, and `run.json`, always replaced as a whole."""

import contextlib
import json
import os
import platform
import re
import secrets
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ed_core.errors import EdkitError
from ed_core.recording.layout import one_line
from ed_core.recording.run_description import check
from ed_core.recording.system import HAS_LOCKS, flush, try_lock

_MAX_INFO = 16 * 2**20  # bytes of run.json
_LOCK_PATIENCE = 1.0  # seconds: a viewer that tests the lock holds it for microseconds


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run on disk; see the layout in docs/file-format.md."""

    path: Path

    @classmethod
    def create(cls, parent: str | os.PathLike[str], name: str) -> "RunFolder":
        """Make a new folder `parent/name-time-random`; never an existing one."""
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        slug = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:80] or "run"
        path = Path(parent) / f"{slug}-{stamp}-{secrets.token_hex(3)}"
        try:
            path.mkdir(parents=True)
        except OSError as error:
            raise EdkitError(
                f"cannot make a run folder in {str(parent)!r}: {error.strerror}. "
                "Choose a folder that can be written with --out."
            ) from error
        folder = cls(path)
        for sub in (folder.recording, folder.checkpoints):
            sub.mkdir()
        return folder

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> "RunFolder":
        """Return the run at `path`; raises EdkitError if there is none."""
        folder = cls(Path(path))
        if not folder.info_file.is_file():
            raise EdkitError(f"{str(path)!r} is not a run folder: it has no run.json.")
        return folder

    @property
    def info_file(self) -> Path:
        """`run.json`: model, params, data, seed, backend, versions, status."""
        return self.path / "run.json"

    @property
    def recording(self) -> Path:
        """The folder of the recording's segments."""
        return self.path / "recording"

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def control(self) -> Path:
        """`control.json`: what people ask of the trainer; see `ed_core.recording.control`."""
        return self.path / "control.json"

    @property
    def log(self) -> Path:
        """What its training said, where that is not in a terminal or a file of somebody else."""
        return self.path / "train.log"

    @property
    def weights(self) -> Path:
        """The trained weights."""
        return self.path / "weights.h5"

    def read(self) -> dict[str, Any]:
        """Return what `run.json` says, once all of it can be used; see `description`.

        Raises:
            EdkitError: it cannot be read, an entry is not what it should be, or it is of a newer
                version.
        """
        return check(self._read(), str(self.info_file))

    def _read(self) -> Any:
        try:
            if self.info_file.exists() and not self.info_file.is_file():
                raise OSError("it is not a regular file")
            if self.info_file.stat().st_size > _MAX_INFO:
                raise OSError(f"it has more than {_MAX_INFO} bytes")
            info = json.loads(self.info_file.read_bytes())
        except FileNotFoundError as error:
            raise EdkitError(
                f"{str(self.path)!r} is not a run folder: it has no run.json."
            ) from error
        except (OSError, ValueError, RecursionError) as error:
            raise EdkitError(f"{str(self.info_file)!r} cannot be read: {error}.") from error
        return info

    def write(self, info: dict[str, Any]) -> None:
        """Replace `run.json` as a whole."""
        text = json.dumps(info, indent=2, allow_nan=False) + "\n"
        with written_whole(self.info_file) as part:
            part.write_text(text, encoding="utf-8")

    def update(self, **changes: Any) -> None:
        """Change some entries of `run.json`."""
        self.write({**self._read(), **changes})

    def end(self, status: str, **changes: Any) -> None:
        """Write that a training ended, and how, on a full disk too: there the status alone.

        Nothing is written where the folder is gone.
        """
        try:
            self.update(status=status, **changes)
        except OSError:
            with contextlib.suppress(OSError):
                self._overwrite(status)
        except EdkitError:
            if self.info_file.exists():
                raise

    def fail(self, error: BaseException | None, **changes: Any) -> None:
        """Write that a training failed, and why in one line where that is known."""
        if error is not None:
            kind = "" if isinstance(error, EdkitError) else type(error).__name__
            message = ": ".join(part for part in (kind, str(error)) if part)
            changes["problem"] = one_line(message)
        self.end("failed", **changes)

    def _overwrite(self, status: str) -> None:
        """Put a status in the place of `training`, which takes no new room on the disk."""
        before = b'\n  "status": "training"'
        after = f'\n  "status": "{status}"'.encode().ljust(len(before))
        where = self.info_file.read_bytes().find(before)
        if where >= 0 and len(after) == len(before):
            with open(self.info_file, "r+b") as file:
                file.seek(where)
                file.write(after)
                file.flush()
                os.fsync(file.fileno())

    @contextlib.contextmanager
    def hold(self) -> Iterator[None]:
        """Hold the folder as its only trainer; raises EdkitError that names the present one.

        Where the system has no locks, a warning says so.
        """
        if not HAS_LOCKS:
            warnings.warn(
                f"this system has no locks: do not train a second time in {str(self.path)!r} while "
                "this training runs.",
                stacklevel=3,
            )
        with open(self.path / "lock", "a+", encoding="utf-8") as file:
            deadline = time.monotonic() + _LOCK_PATIENCE
            while not try_lock(file.fileno()):
                if time.monotonic() > deadline:
                    file.seek(0)
                    raise EdkitError(
                        f"{str(self.path)!r} is in use: {file.read(200).strip() or 'a process'} "
                        "trains here. Wait for it, or stop it."
                    )
                time.sleep(0.02)
            with contextlib.suppress(OSError):  # who holds it is said where there is room
                os.ftruncate(file.fileno(), 0)
                os.write(file.fileno(), f"{_holder(os.getpid())} since {now()}\n".encode())
            yield

    def was_held_by(self, process: int) -> bool:
        """Tell whether a process of this machine trains here, or was the last one that did."""
        try:
            with open(self.path / "lock", encoding="utf-8", errors="replace") as file:
                return file.read(200).startswith(_holder(process))
        except OSError:
            return False

    def is_live(self) -> bool:
        """Tell whether a process trains here now; without locks on this system nobody knows."""
        lock = self.path / "lock"
        try:
            if not lock.is_file():
                return False
            with open(lock, "rb") as file:
                return not try_lock(file.fileno(), shared=True)
        except OSError:
            return False

    def state(self) -> str:
        """Return `live`, `crashed`, or the status that the trainer wrote when it ended.

        `unknown` where it wrote none that is known, or no lock tells whether it still trains.
        """
        if self.is_live():
            return "live"
        status = self.read().get("status")
        if status == "training" and HAS_LOCKS:
            return "crashed"
        return status if status in ("finished", "stopped", "failed") else "unknown"


def find_runs(root: str | os.PathLike[str]) -> list[RunFolder]:
    """Return the runs below `root` (or `root` itself, if it is one), newest first."""
    base = Path(root)
    if (base / "run.json").is_file():
        return [RunFolder(base)]
    folders = [RunFolder(file.parent) for file in base.glob("*/run.json")]
    return sorted(folders, key=lambda run: run.path.stat().st_mtime, reverse=True)


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path that replaces `path` once the block has ended well.

    The file and the folder are flushed to the disk first, so a kill at any moment leaves either
    the old file or the new one. An OSError names `path`.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield part
        flush(part)
        os.replace(part, path)
        flush(path.parent)
    except OSError as error:
        error.filename = str(path)
        raise
    finally:
        part.unlink(missing_ok=True)


def _holder(process: int) -> str:
    return f"process {process} on {platform.node()},"


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
