"""Cost of viewers to a trainer: the time of its steps and its files, with and without ten.

EDKIT_DATA=../shared/data python scripts/benchmarks/viewers.py [MODEL] [DATA] [--backend NAME]

Every line is a training of its own from the same seed, all lines in turn, several rounds. Viewers
that draw take processors from a trainer on the same machine, as any program does: `busy` processes
that never touch the run, each as busy as a viewer was, tell that apart from waiting for viewers, as
do `stopped` viewers, which hold the run's files open and do nothing. With `--apart` the trainer has
one processor and the others have another, so that nothing is shared but the run's files.
"""

import argparse
import contextlib
import itertools
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ed_core.recording import Recording, RunFolder
from ed_core.runs.weights_file import read_arrays

_CHILD = Path(__file__).with_name("viewers_child.py")
_TURN = 1.0  # seconds from act to act of what is done to viewers
_LOOP = 3  # viewers that are ended and started again: a start alone takes a second of a processor

Act = Callable[["Viewers", int], None]


def main() -> int:
    """Parse the command line and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="?", default="dense_autoencoder")
    parser.add_argument("data", nargs="?", default="fashion_mnist")
    parser.add_argument("--backend", default=os.environ.get("KERAS_BACKEND", "jax"))
    parser.add_argument("--epochs", type=int, default=4, help="the first one is not timed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--viewers", type=int, default=10)
    parser.add_argument("--apart", action="store_true", help="on processors of their own (Linux)")
    arguments = parser.parse_args()
    os.environ.update(KERAS_BACKEND=arguments.backend, QT_QPA_PLATFORM="offscreen")
    found: dict[str, list[dict[str, float]]] = {name: [] for name in SCENES}
    with tempfile.TemporaryDirectory() as out:
        for number, name in itertools.product(range(arguments.rounds), SCENES):
            share = found["drawing"][-1]["others"] / arguments.viewers if name == "busy" else 0.0
            result = measure(name, Path(out) / f"{name}{number}", arguments, share)
            result["same"] = same(Path(out) / "alone0", Path(out) / f"{name}{number}")
            found[name].append(result)
            print(f"round {number + 1}, {name}: {result}", file=sys.stderr, flush=True)
    say(found, arguments)
    return 0


def say(found: dict[str, list[dict[str, float]]], arguments: argparse.Namespace) -> None:
    """Print a line a scene: medians, and ratios to the training alone of the same round."""
    what = (
        f"{arguments.model} on {arguments.data}, {arguments.backend}, {arguments.viewers} viewers"
    )
    where = "a processor for the trainer, one for the others" if arguments.apart else "all shared"
    print(f"{what}, {arguments.rounds} rounds, {where}")
    print("viewers    ms a step (ratio)  processor ms a step (ratio)  cores of viewers  same files")
    alone = found["alone"]
    for name, results in found.items():
        said = []
        for key in ("wall", "cpu"):
            ratio = statistics.median(r[key] / a[key] for r, a in zip(results, alone, strict=True))
            said.append(f"{statistics.median(r[key] for r in results):6.2f} ({ratio:4.2f})")
        others = statistics.median(result["others"] for result in results)
        equal = "yes" if all(result["same"] for result in results) else "NO"
        print(f"{name:9}  {said[0]:>17}  {said[1]:>27}  {others:16.2f}  {equal}")


def measure(name: str, out: Path, arguments: argparse.Namespace, share: float) -> dict[str, float]:
    """Train once in a scene; return milliseconds a step and cores that the others took."""
    what = (arguments.model, arguments.data, str(arguments.epochs))
    own, others = _processors() if arguments.apart else (None, None)
    with child("train", out, *what, on=own) as trainer, Viewers(others) as viewers:
        assert trainer.stdout
        path = trainer.stdout.readline().strip()
        count, act = SCENES[name]
        for _ in range(arguments.viewers if count is None else count):
            viewers.start("busy", share) if name == "busy" else viewers.start("view", path)
        viewers.ready()
        if name == "stopped":
            viewers.send(signal.SIGSTOP)
        print("go", file=trainer.stdin, flush=True)
        before, began = viewers.seconds(), time.monotonic()
        with acting(viewers, act):
            line = trainer.stdout.readline()
        taken = (viewers.seconds() - before) / (time.monotonic() - began)
        viewers.send(signal.SIGCONT)
    wall, cpu = (float(number) for number in line.split())
    return {"wall": wall, "cpu": cpu, "others": taken}


class Viewers:
    """Processes beside the trainer, all ended on leaving.

    Args:
        on: the processor that they share, None for any.
    """

    def __init__(self, on: int | None) -> None:
        self._on = on
        self._stack = ExitStack()
        self._alive: list[tuple[subprocess.Popen[str], list[str]]] = []
        self._gone = 0.0

    def start(self, kind: str, at: Any) -> None:
        """Start a process, `view` or `busy`."""
        process = self._stack.enter_context(child(kind, at, on=self._on))
        self._alive.append((process, [kind, at]))

    def ready(self) -> None:
        """Wait until each has drawn a frame."""
        for process, _ in self._alive:
            assert process.stdout
            assert process.stdout.readline(), "a viewer ended before it drew anything"

    def send(self, number: int) -> None:
        """Send a signal to all."""
        for process, _ in self._alive:
            process.send_signal(number)

    def renew(self, place: int, number: int) -> None:
        """End a process by a signal and start another in its place."""
        process, what = self._alive.pop(place % len(self._alive))
        self._gone += _seconds(process.pid)
        process.send_signal(number)
        process.wait()
        self.start(*what)

    def seconds(self) -> float:
        """Return the seconds of the processor that they took, those that have ended included."""
        return self._gone + sum(_seconds(process.pid) for process, _ in list(self._alive))

    def __enter__(self) -> "Viewers":
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()


SCENES: dict[str, tuple[int | None, Act]] = {
    "alone": (0, lambda viewers, turn: None),
    "drawing": (None, lambda viewers, turn: None),
    "busy": (None, lambda viewers, turn: None),
    "stopped": (None, lambda viewers, turn: None),
    "hung": (None, lambda v, turn: v.send(signal.SIGCONT if turn % 2 else signal.SIGSTOP)),
    "killed": (_LOOP, lambda viewers, turn: viewers.renew(0, signal.SIGKILL)),
    "closed": (_LOOP, lambda viewers, turn: viewers.renew(0, signal.SIGTERM)),
}
"""How many viewers (None for all), and what is done to them every second."""


@contextmanager
def acting(viewers: Viewers, act: Act) -> Iterator[None]:
    """Act on the viewers, turn by turn, while the block runs."""
    end = threading.Event()

    def work() -> None:
        for turn in itertools.count():
            act(viewers, turn)
            if end.wait(_TURN):
                break

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


@contextmanager
def child(
    kind: str, at: Any, *more: str, on: int | None = None
) -> Iterator["subprocess.Popen[str]"]:
    """Run a trainer, a viewer or a busy process, on a processor or on any."""
    command = [sys.executable, str(_CHILD), kind, str(at), *more]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
    if on is not None:
        os.sched_setaffinity(process.pid, {on})  # before it starts threads
    try:
        yield process
        if kind == "train" and process.wait() != 0:
            raise RuntimeError("the training failed")
    finally:
        process.kill()
        process.communicate()


def same(one: Path, other: Path) -> bool:
    """Tell whether two trainings left the same weights and recordings, bit for bit."""
    (first,), (second,) = one.iterdir(), other.iterdir()
    stored = [read_arrays(RunFolder(path).weights)[0] for path in (first, second)]
    if not all(np.array_equal(a, b) for a, b in zip(*stored, strict=True)):
        return False
    with Recording(first) as a, Recording(second) as b:
        assert a.header
        assert a.problem == b.problem == ""
        if not np.array_equal(a.steps, b.steps):
            return False
        rows = a.scalars(), b.scalars()
        told = [name for name in rows[0] if name != "seconds"]
        if not all(np.array_equal(rows[0][n], rows[1][n], equal_nan=True) for n in told):
            return False
        for probe, frame in itertools.product(a.header.probes, range(len(a))):
            arrays = a.read(probe.name, frame), b.read(probe.name, frame)
            if any(arrays[0][n].tobytes() != arrays[1][n].tobytes() for n in arrays[0]):
                return False
    return True


def _processors() -> tuple[int, int]:
    """Return two different processors."""
    one, other, *_ = sorted(os.sched_getaffinity(0))
    return one, other


def _seconds(process: int) -> float:
    """Return the seconds of the processor that a process has taken."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


if __name__ == "__main__":
    sys.exit(main())
