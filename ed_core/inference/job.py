"""Job of a verb on disk: its hidden folder, its finished batches, and how it goes on."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ed_core.errors import EdkitError
from ed_core.recording.system import flush, try_lock

Refusal = tuple[str, str]
"""The name of a sample, and why it was refused."""

_HIDDEN, _FACTS, _PART = ".edkit", "job.json", ".part"
_REFUSED = "refused samples"  # no output is called so
_DIFFERENCES = {
    "run": "with another run, or with other weights of it",
    "verb": "by edkit {}",
    "options": "with other options ({})",
    "input": "with another input, or with one that has changed since",
    "backend": "on {}: add --backend {}",
}


def words(refusal: Refusal) -> str:
    """Return what is said of a sample that was refused, with its name once."""
    name, why = refusal
    return f"{why if name in why else f'{name!r}: {why}'}".rstrip(".") + "."


@dataclass(frozen=True)
class OutputJob:
    """One output that is being made, in batches each of which is kept whole once it is finished.

    Args:
        output: the folder or the file.
        hidden: the folder that lets the job go on: in a folder, else beside the file.
        facts: what tells the job from others, ready for JSON.
    """

    output: Path
    hidden: Path
    facts: Mapping[str, Any]

    @property
    def is_folder(self) -> bool:
        """Whether the output is a folder of pictures."""
        return self.hidden.parent == self.output

    def stated(self) -> dict[str, Any]:
        """Return what the hidden folder says of the job, {} where it says nothing."""
        try:
            stated = json.loads((self.hidden / _FACTS).read_bytes())
        except (OSError, ValueError):
            return {}
        return stated if isinstance(stated, dict) else {}

    def state(self, **more: Any) -> None:
        """Write the facts of the job, and more, as a whole."""
        text = json.dumps({**self.facts, **more}, indent=1) + "\n"
        with self.whole(self.hidden / _FACTS) as part:
            part.write_text(text, "utf-8")

    @contextlib.contextmanager
    def whole(self, path: Path, *, flushed: bool = True) -> Iterator[Path]:
        """Yield a path in the hidden folder that is moved to `path` once the block ended well.

        Args:
            path: of the file; its folder is made where it is missing.
            flushed: whether it reaches the disk first, so that a lost power loses nothing either.
        """
        part = self.hidden / (path.name + _PART)
        try:
            yield part
            if flushed:
                flush(part)
            path.parent.mkdir(parents=True, exist_ok=True)
            os.replace(part, path)
        except OSError as error:
            error.filename = str(path)
            raise
        finally:
            part.unlink(missing_ok=True)

    def keep(
        self, number: int, columns: Mapping[str, np.ndarray], refused: Sequence[Refusal]
    ) -> None:
        """Keep a finished batch.

        Args:
            number: of the batch, from 0.
            columns: what is to be put together at the end, (samples, ...) each.
            refused: the samples that could not be used.
        """
        pairs = np.array([*refused], "U").reshape(len(refused), 2)
        with self.whole(self._part(number)) as part, open(part, "wb") as file:
            np.savez(file, allow_pickle=False, **{_REFUSED: pairs}, **columns)

    def parts(self) -> list[Path]:
        """Return the files of the finished batches, in their order."""
        return sorted(self.hidden.glob("*.npz"))

    def refused(self) -> list[Refusal]:
        """Return the samples that were refused so far."""
        kept = [tuple(pair) for pair in self.stated().get(_REFUSED, ())]
        for path in self.parts():
            with np.load(path, allow_pickle=False) as arrays:
                kept += [(str(name), str(why)) for name, why in arrays[_REFUSED]]
        return kept

    def pending(self, names: Sequence[str], batch_size: int) -> Iterator[tuple[int, range]]:
        """Yield the number and the rows of each batch that is not finished.

        What was refused is tried once more: it may have been mended.
        """
        again = {name for name, _ in self.refused()}
        starts = range(0, len(names), batch_size)
        batches = [range(first, min(first + batch_size, len(names))) for first in starts]
        to_mend = [bool(again) and not again.isdisjoint(names[r] for r in b) for b in batches]
        if self.stated().get("done") and any(to_mend):
            for number, mended in enumerate(to_mend):
                if not mended:
                    self.keep(number, {}, [])
            self.state()
        if not self.stated().get("done"):
            for number, rows in enumerate(batches):
                if to_mend[number] or not self._part(number).exists():
                    yield number, rows

    def finish(self, refused: Sequence[Refusal]) -> None:
        """Leave of the hidden folder what tells, in a folder of results, what made them."""
        if not self.is_folder:
            shutil.rmtree(self.hidden)
            return
        self.state(done=True, **{_REFUSED: [*refused]})
        self.discard()

    def discard(self) -> None:
        """Forget the finished batches."""
        for path in self.parts():
            path.unlink()

    def _part(self, number: int) -> Path:
        return self.hidden / f"{number:06d}.npz"


def hidden_folder(output: Path, is_folder: bool) -> Path:
    """Return the hidden folder of a job, which lies in a folder of results, or beside a file."""
    return output / _HIDDEN if is_folder else output.with_name(f".{output.name}{_HIDDEN}")


@contextlib.contextmanager
def begun(output: Path, is_folder: bool, facts: Mapping[str, Any]) -> Iterator[OutputJob]:
    """Begin a job, or go on with it, alone; what has made nothing yet leaves nothing behind.

    Args:
        output: the folder or the file.
        is_folder: which of both.
        facts: `run`, `verb`, `options`, `input` and `backend`: with others it does not go on.

    Raises:
        EdkitError: the output holds something else, or somebody works on it.
    """
    hidden = hidden_folder(output, is_folder)
    job = OutputJob(output, hidden, json.loads(json.dumps(facts)))
    stated = job.stated()
    _check_same(job, stated)
    if not is_folder and output.exists() and not stated.get("assembled"):
        raise EdkitError(f"{str(output)!r} exists already: give another --output, or remove it.")
    if not stated and is_folder and _holds_anything(output):
        raise EdkitError(
            f"{str(output)!r} is not an empty folder, nor one that this command began: give "
            "another --output."
        )
    missing = [path for path in (hidden, *hidden.parents) if not path.exists()]
    hidden.mkdir(parents=True, exist_ok=True)
    try:
        with _held(job):
            for path in hidden.glob(f"*{_PART}"):  # of a process that was killed
                path.unlink()
            if not stated:
                job.state()
            yield job
    finally:
        is_empty = not is_folder or not _holds_anything(output)
        if hidden.exists() and is_empty and not job.parts() and not job.stated().get("done"):
            shutil.rmtree(hidden)
            for path in missing:
                with contextlib.suppress(OSError):
                    path.rmdir()


def digest(parts: Iterable[str]) -> str:
    """Return a short sum of texts in their order."""
    total = hashlib.sha256()
    for part in parts:
        total.update(part.encode("utf-8", "surrogateescape") + b"\0")
    return total.hexdigest()[:32]


def _check_same(job: OutputJob, stated: Mapping[str, Any]) -> None:
    """Raise EdkitError if the output was begun by another command."""
    for name, difference in _DIFFERENCES.items():
        if stated and stated.get(name) != job.facts[name]:
            value = stated.get(name)
            if isinstance(value, dict):
                value = ", ".join(f"{key} {one}" for key, one in value.items()) or "none"
            raise EdkitError(
                f"{str(job.output)!r} was begun {difference.format(value, value)}. Give that "
                "command to go on, or another --output."
            )


def _holds_anything(folder: Path) -> bool:
    if not folder.exists():
        return False
    return not folder.is_dir() or any(path.name != _HIDDEN for path in folder.iterdir())


@contextlib.contextmanager
def _held(job: OutputJob) -> Iterator[None]:
    """Hold the hidden folder as the only process that works on it."""
    with open(job.hidden / "lock", "a+b") as file:
        if not try_lock(file.fileno()):
            raise EdkitError(
                f"{str(job.output)!r} is being written by another process: wait for it, or give "
                "another --output."
            )
        yield
