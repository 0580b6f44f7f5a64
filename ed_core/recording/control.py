"""Requests to a trainer: `control.json`, numbered, replaced as a whole, checked when read.

    {"requests": [{"number": 1764041280000, "kind": "pause"},
                  {"number": 1764041293517, "kind": "weight", "head": "kl", "value": 4.0}]}

A trainer obeys each request whose number is above those it has seen, and begins by removing what an
earlier one was asked. A newer request for the same thing takes the place of an older one, so the
file stays small.
"""

import contextlib
import json
import os
import stat
import time
import warnings
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, replace
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import Any

from ed_core.recording.folder import written_whole
from ed_core.recording.layout import LARGEST_EXACT, one_line
from ed_core.recording.system import HAS_LOCKS, try_lock

RANGES = {"learning_rate": (1e-12, 1e3), "weight": (0.0, 1e9)}
"""The kinds of request that have a value, and the least and the largest."""

_PLAIN = ("pause", "resume", "stop", "save")
_MAX_BYTES = 64 * 1024  # of the file
_PATIENCE = 1.0  # seconds to wait for another writer, which may have been stopped as it wrote


@dataclass(frozen=True, slots=True)
class Request:
    """One thing that is asked for.

    Attributes:
        kind: `pause`, `resume`, `stop` (after the epoch), `save` (a checkpoint now),
            `learning_rate` (the present one) or `weight` (of a head).
        value: of the learning rate or the weight.
        head: whose weight.
        number: set by `ask`.
    """

    kind: str
    value: float | None = None
    head: str | None = None
    number: int = 0


class Inbox:
    """Requests that a trainer has not seen yet.

    Args:
        path: of `control.json`.
        heads: whose weights can be set.
    """

    def __init__(self, path: Path, heads: Collection[str]) -> None:
        self._path = path
        self._heads = heads
        self._seen = 0
        self._stamp: tuple[int, ...] = ()
        self._said = ""

    def news(self) -> list[Request]:
        """Return the new requests, the oldest first; warn of invalid ones and ignore them.

        As long as the file is the same, a call costs one look at its date.
        """
        try:
            status = os.stat(self._path)
        except OSError:
            return []
        stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
        if stamp == self._stamp:
            return []
        self._stamp = stamp
        requests, problem = read_requests(self._path, self._heads)
        if problem and problem != self._said:
            warnings.warn(
                f"{str(self._path)!r} contains an invalid request: {problem}.", stacklevel=2
            )
        self._said = problem
        new = sorted((r for r in requests if r.number > self._seen), key=lambda r: r.number)
        self._seen = new[-1].number if new else self._seen
        return new


def ask(path: Path, request: Request) -> Request:
    """Add a request to `control.json`; returns it with its number.

    Raises:
        ValueError: it is invalid.
        OSError: the file cannot be written.
    """
    with _alone(path.parent):
        earlier, _ = read_requests(path)
        newest = max((r.number for r in earlier), default=0)
        asked = replace(request, number=max(newest + 1, time.time_ns() // 10**6))
        _request(asdict(asked))
        others = [r for r in earlier if _about(r) != _about(asked)]
        entries = [{k: v for k, v in asdict(r).items() if v is not None} for r in (*others, asked)]
        with written_whole(path) as part:
            part.write_text(json.dumps({"requests": entries}, indent=1) + "\n", encoding="utf-8")
    return asked


def forget_requests(path: Path) -> None:
    """Remove what an earlier trainer was asked."""
    with _alone(path.parent), contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def read_requests(path: Path, heads: Collection[str] | None = None) -> tuple[list[Request], str]:
    """Return the valid requests in a file, and the fault of the first invalid one.

    Args:
        path: of `control.json`.
        heads: whose weights can be set; by default any.
    """
    requests, problem = [], ""
    try:
        entries = _entries(path)
    except FileNotFoundError:
        return [], ""
    except (OSError, ValueError, RecursionError) as error:
        return [], one_line(error)
    for entry in entries:
        try:
            requests.append(_request(entry, heads))
        except ValueError as error:
            problem = problem or one_line(error)
    return requests, problem


def _entries(path: Path) -> list[Any]:
    """Read the file; one that is no regular file (a pipe would hang the reader) is refused."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is not a regular file")
        text = os.read(descriptor, _MAX_BYTES + 1)
    finally:
        os.close(descriptor)
    if len(text) > _MAX_BYTES:
        raise ValueError(f"it has more than {_MAX_BYTES} bytes")
    raw = json.loads(text)
    entries = raw.get("requests") if isinstance(raw, dict) else None
    if not isinstance(entries, list):
        raise ValueError("it holds no list of requests")
    return entries


def _request(raw: Any, heads: Collection[str] | None = None) -> Request:
    """Return the request that an entry is; raises ValueError if it is none."""
    if not isinstance(raw, dict):
        raise ValueError(f"{raw!r:.60} is no request")
    number, kind, head = raw.get("number"), raw.get("kind"), raw.get("head")
    if type(number) is not int or not 0 < number < LARGEST_EXACT:
        raise ValueError(f"a request has the number {number!r:.60}")
    if kind in _PLAIN:
        return Request(kind, number=number)
    if not isinstance(kind, str) or kind not in RANGES:
        raise ValueError(f"unknown request {kind!r:.60}")
    if kind == "learning_rate":
        head = None
    elif not isinstance(head, str) or (heads is not None and head not in heads):
        choices = f"; the heads are {', '.join(heads)}" if heads else ""
        raise ValueError(f"no head {head!r:.60}{choices}")
    return Request(kind, _value(kind, raw.get("value")), head, number)


def _value(kind: str, value: Any) -> float:
    least, largest = RANGES[kind]
    real = isinstance(value, Real) and not isinstance(value, bool)
    # Compared as it is: a whole number may be too large for a float.
    if not real or value != value or not least <= value <= largest:
        what = kind.replace("_", " ")
        raise ValueError(f"{what} {value!r:.60} is not from {least:g} to {largest:g}")
    number = float(value)
    assert isfinite(number)
    return number


def _about(request: Request) -> tuple[str, str | None]:
    """Return what a request is about; of two about the same only the newer counts."""
    return ("pause" if request.kind == "resume" else request.kind), request.head


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other writers out, but go on when one does not let go."""
    if not HAS_LOCKS:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            try:
                if try_lock(descriptor):
                    break
            except OSError:
                pass
            time.sleep(0.01)
        yield
    finally:
        os.close(descriptor)
