"""Streams: every sample once, in order, in bounded memory; what was stopped goes on to the same."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ed_core import EdkitError, Field, Fields
from ed_core.inference.job import begun
from ed_core.inference.stream import Stopped, Stream, Summary
from ed_core.inference.tables import FileWriter

BATCH = 32
OUTPUTS = Fields(code=Field((2,), "value"))


class Numbers:
    """Samples that are their own number; some cannot be read, and some are not taken."""

    findings = ()
    fields = Fields(x=Field((1,), "value"))

    def __init__(self, count: int, bad: Any = (), odd: Any = ()) -> None:
        self.names = [f"{row:05d}.txt" for row in range(count)]
        self.bad, self.odd = set(bad), set(odd)
        self.read_rows: list[int] = []
        self.lock = threading.Lock()

    def read(self, rows: range) -> list[Any]:
        with self.lock:
            self.read_rows += rows
        return [
            EdkitError(f"row {row} is broken") if row in self.bad else self.sample(row)
            for row in rows
        ]

    def sample(self, row: int) -> Any:
        return {"x": np.full(1, np.nan if row in self.odd else row, "f4")}

    def place(self, row: int) -> None:
        return None


class Doubling:
    """An inference without a model: x to (x, 2 x)."""

    batch_size = BATCH
    outputs = OUTPUTS

    def prepared(self, samples: Any) -> Any:
        if np.isnan(samples["x"]).any():
            raise EdkitError("expected finite numbers")
        return samples

    def __call__(self, samples: Any) -> Any:
        assert len(samples["x"]) <= BATCH
        x = self.prepared(samples)["x"]
        return {"code": np.concatenate([x, 2 * x], axis=1)}


FACTS = {"run": "r", "verb": "encode", "options": {}, "input": "i", "backend": "jax"}


def work(output: Path, samples: Any, facts: Any = FACTS, **more: Any) -> Summary:
    strict = more.pop("strict", False)
    inference: Any = Doubling()
    writer = FileWriter(OUTPUTS, output.suffix)
    with begun(output, False, facts) as job:
        return Stream(samples, inference, writer, strict).run(job, **more)


@given(st.integers(1, 3 * BATCH + 5), st.sets(st.integers(0, 100)), st.sets(st.integers(0, 100)))
def test_every_sample_is_given_back_once_in_its_order(
    tmp_path_factory: Any, count: int, bad: set[int], odd: set[int]
) -> None:
    output = tmp_path_factory.mktemp("out") / "codes.npz"
    good = [row for row in range(count) if row not in bad | odd]
    samples = Numbers(count, bad, odd)
    if not good:
        with pytest.raises(EdkitError, match=r"none of|broken|finite"):
            work(output, samples)
        assert not [*output.parent.iterdir()]
        return
    summary = work(output, samples)
    with np.load(output) as arrays:
        assert arrays["name"].tolist() == [samples.names[row] for row in good]
        np.testing.assert_array_equal(arrays["code"], [[row, 2 * row] for row in good])
    assert [name for name, _ in summary.refused] == [
        name for row, name in enumerate(samples.names) if row not in good
    ]
    assert summary.samples == count
    assert [*output.parent.iterdir()] == [output]


def test_few_batches_are_read_ahead(tmp_path: Path) -> None:
    samples = Numbers(20 * BATCH)
    most = 0

    def progress(done: int, total: int) -> None:
        nonlocal most
        most = max(most, len(samples.read_rows) - done)

    work(tmp_path / "codes.npz", samples, progress=progress)
    assert BATCH < most <= 3 * BATCH
    assert sorted(samples.read_rows) == [*range(20 * BATCH)]


def stop_after(batches: int) -> Callable[[], bool]:
    left = [batches]

    def stop() -> bool:
        left[0] -= 1
        return left[0] <= 0

    return stop


@pytest.mark.parametrize("ending", [".csv", ".npz", ".h5", ".parquet"])
def test_what_was_stopped_goes_on_to_the_same_bytes(tmp_path: Path, ending: str) -> None:
    if ending == ".parquet":
        pytest.importorskip("pyarrow")
    bad = {3, 2 * BATCH, 5 * BATCH + 1}
    whole, output = tmp_path / f"whole{ending}", tmp_path / f"codes{ending}"
    expected = work(whole, Numbers(6 * BATCH, bad))
    for _ in range(2):
        with pytest.raises(Stopped):
            work(output, Numbers(6 * BATCH, bad), stop=stop_after(2))
        assert not output.exists()
    samples = Numbers(6 * BATCH, bad)
    assert work(output, samples) == expected
    assert output.read_bytes() == whole.read_bytes()
    assert not {*range(BATCH, 2 * BATCH)} & {*samples.read_rows}  # finished, nothing to mend
    assert sorted(path.name for path in tmp_path.iterdir()) == [output.name, whole.name]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"run": "s"}, "with another run, or with other weights"),
        ({"verb": "predict"}, "was begun by edkit encode"),
        ({"options": {"seed": 3}}, r"with other options \(none\)"),
        ({"input": "j"}, "with another input, or with one that has changed since"),
        ({"backend": "torch"}, "on jax: add --backend jax"),
    ],
)
def test_another_command_does_not_go_on(tmp_path: Path, change: Any, message: str) -> None:
    output = tmp_path / "codes.csv"
    with pytest.raises(Stopped):
        work(output, Numbers(2 * BATCH), stop=stop_after(1))
    with pytest.raises(EdkitError, match=message):
        work(output, Numbers(2 * BATCH), {**FACTS, **change})
    work(output, Numbers(2 * BATCH))


def test_nothing_of_the_user_is_overwritten(tmp_path: Path) -> None:
    output = tmp_path / "codes.csv"
    output.write_text("mine")
    with pytest.raises(EdkitError, match="exists already"):
        work(output, Numbers(3))
    output.unlink()
    with pytest.raises(Stopped):
        work(output, Numbers(2 * BATCH), stop=stop_after(1))
    output.write_text("mine")  # while it was stopped
    with pytest.raises(EdkitError, match="exists already"):
        work(output, Numbers(2 * BATCH))
    assert output.read_text() == "mine"


def test_strict_ends_at_the_first_sample_and_goes_on_once_it_is_mended(tmp_path: Path) -> None:
    output, whole = tmp_path / "new" / "codes.csv", tmp_path / "whole.csv"
    with pytest.raises(EdkitError, match=r"'00002.txt': row 2 is broken. Mend it"):
        work(output, Numbers(3 * BATCH, {2}), strict=True)
    assert not output.parent.exists()
    with pytest.raises(EdkitError, match="row 40 is broken"):
        work(output, Numbers(3 * BATCH, {40}), strict=True)
    work(output, Numbers(3 * BATCH), strict=True)
    work(whole, Numbers(3 * BATCH))
    assert output.read_bytes() == whole.read_bytes()


def test_a_reader_that_fails_is_told_of_the_sample_alone(tmp_path: Path) -> None:
    samples = Numbers(BATCH)
    read = samples.read

    def failing(rows: range) -> list[Any]:
        if 7 in rows:
            raise RuntimeError("oh no")
        return read(rows)

    samples.read = failing  # type: ignore[method-assign]
    summary = work(tmp_path / "codes.csv", samples)
    assert summary.refused == (("00007.txt", "RuntimeError: oh no"),)


def test_two_processes_do_not_write_one_output(tmp_path: Path) -> None:
    output = tmp_path / "codes.csv"
    with begun(output, False, FACTS), pytest.raises(EdkitError, match="by another process"):
        work(output, Numbers(3))
    assert work(output, Numbers(3)).samples == 3


CHILD = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import test_stream as t
class Slow(t.Numbers):
    def read(self, rows):
        time.sleep(0.001)
        return super().read(rows)
print("ready", flush=True)
t.work(Path(sys.argv[2]), Slow(100 * t.BATCH, {5, 500}))
"""


@pytest.mark.waits
def test_a_killed_job_goes_on_to_the_same_bytes(tmp_path: Path, long: bool) -> None:
    output, whole = tmp_path / "codes.csv", tmp_path / "whole.csv"
    work(whole, Numbers(100 * BATCH, {5, 500}))
    command = [sys.executable, "-c", CHILD, str(Path(__file__).parent), str(output)]
    killed, random = 0, np.random.default_rng()
    for _ in range(40 if long else 3):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            time.sleep(random.uniform(0, 0.3))
            child.kill()
            killed += child.wait() == -signal.SIGKILL
        assert not output.exists() or output.read_bytes() == whole.read_bytes()
    assert killed
    if not output.exists():
        work(output, Numbers(100 * BATCH, {5, 500}))
    assert output.read_bytes() == whole.read_bytes()
    hidden = tmp_path / ".codes.csv.edkit"
    if hidden.exists():  # killed between the last rename and the end
        work(output, Numbers(100 * BATCH, {5, 500}))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["codes.csv", "whole.csv"]


def test_samples_of_several_shapes_are_computed_apart(tmp_path: Path) -> None:
    samples = Numbers(BATCH)
    samples.sample = lambda row: {"x": np.full(1 + row % 2, row, "f4")}  # type: ignore[method-assign]

    class Means:
        batch_size = BATCH
        outputs = OUTPUTS

        def __call__(self, given: Any) -> Any:
            means = given["x"].mean(axis=1, keepdims=True)
            return {"code": np.concatenate([means, means], axis=1)}

    inference: Any = Means()
    output = tmp_path / "codes.npz"
    with begun(output, False, FACTS) as job:
        Stream(samples, inference, FileWriter(OUTPUTS, ".npz")).run(job)
    with np.load(output) as arrays:
        np.testing.assert_array_equal(arrays["code"][:, 0], np.arange(BATCH))
