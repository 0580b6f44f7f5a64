"""Weights and checkpoints: what is written is read; what is foreign or damaged is refused."""

import json
import os
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support import patience

from ed_core.errors import EdkitError
from ed_core.runs.weights_file import check_fit, read_arrays, write_arrays

ARRAYS = [np.arange(12, dtype="f4").reshape(3, 4), np.zeros((), "i8"), np.ones(3, "f4")]
VARIABLES = [
    SimpleNamespace(shape=a.shape, path=f"layer/{i}", dtype=a.dtype.name)
    for i, a in enumerate(ARRAYS)
]
_types = st.sampled_from(["<f2", "<f4", "<f8", "<i4", "<i8", "|u1", "<u4", "|b1"])
_arrays = hnp.arrays(_types, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
_facts = st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text(max_size=5))


@given(st.lists(_arrays, max_size=6), _facts)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_round_trip(tmp_path: Path, arrays: list[np.ndarray], facts: dict[str, Any]) -> None:
    write_arrays(tmp_path / "w.h5", arrays, facts)
    found, said = read_arrays(tmp_path / "w.h5")
    assert said == {name: value for name, value in facts.items() if name != "checksums"}
    assert [a.tobytes() for a in found] == [a.tobytes() for a in arrays]
    assert [(a.dtype, a.shape) for a in found] == [(a.dtype, a.shape) for a in arrays]
    assert [path.name for path in tmp_path.iterdir()] == ["w.h5"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A good file of the three arrays."""
    write_arrays(tmp_path / "weights.h5", ARRAYS, {"step": 3})
    return tmp_path / "weights.h5"


def edit(change: Callable[[h5py.File], Any]) -> Callable[[Path], None]:
    """Return the function that changes the contents of the file at a path."""

    def spoil(path: Path) -> None:
        with h5py.File(path, "r+") as file:
            change(file)

    return spoil


def replace(name: str, **new: Any) -> Callable[[Path], None]:
    """Return the function that makes a data set anew."""
    return edit(lambda file: (file.pop(name), file.create_dataset(name, **new)))


def link(name: str, target: Any) -> Callable[[Path], None]:
    """Return the function that makes a data set a link."""
    return edit(lambda file: (file.pop(name), file.__setitem__(name, target)))


def facts(text: str) -> Callable[[Path], None]:
    """Return the function that writes other facts."""
    return replace("facts", data=np.frombuffer(text.encode(), "u1"))


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((3, 4), "<f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "a", (3, 4))
    del file["00000"]
    file.create_virtual_dataset("00000", layout)


def _foreign_filter(file: h5py.File) -> None:
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((3, 4))
    plist.set_filter(32015, h5py.h5z.FLAG_OPTIONAL)
    space = h5py.h5s.create_simple((3, 4))
    del file["00000"]
    h5py.h5d.create(file.id, b"00000", h5py.h5t.IEEE_F32LE, space, plist)


def _unlink_then(make: Callable[[Path], Any]) -> Callable[[Path], None]:
    return lambda path: (path.unlink(), make(path))[0]


_external = [("/etc/passwd", 0, 48)]
SPOILT: dict[str, tuple[Callable[[Path], Any], str]] = {
    "missing": (Path.unlink, "cannot be read"),
    "empty": (lambda p: p.write_bytes(b""), "cannot be read"),
    "text": (lambda p: p.write_text("weights"), "cannot be read"),
    "pickle": (lambda p: p.write_bytes(pickle.dumps(ARRAYS)), "cannot be read"),
    "half": (lambda p: os.truncate(p, p.stat().st_size // 2), "cannot be read"),
    "nearly whole": (lambda p: os.truncate(p, p.stat().st_size - 1), "sum at its end is missing"),
    "directory": (_unlink_then(Path.mkdir), "not a regular file"),
    "FIFO": (_unlink_then(os.mkfifo), "not a regular file"),
    "device": (_unlink_then(lambda p: p.symlink_to("/dev/zero")), "not a regular file"),
    "no facts": (edit(lambda f: f.pop("facts")), "facts is missing"),
    "array missing": (edit(lambda f: f.pop("00001")), "00001 is missing"),
    "soft link": (link("00000", h5py.SoftLink("/00002")), "is missing or is a link"),
    "external link": (link("00000", h5py.ExternalLink("/x.h5", "/a")), "is missing or is a link"),
    "external storage": (replace("00000", shape=(12,), dtype="f4", external=_external), "outside"),
    "virtual": (edit(_virtual), "points outside"),
    "unknown filter": (edit(_foreign_filter), "foreign filter"),
    "gzip": (replace("00000", data=ARRAYS[0], compression=1), "foreign filter"),
    "nothing stored": (replace("00000", shape=(10**9,), dtype="f8"), "but less is stored"),
    "2**50 facts": (replace("facts", shape=(2**50,), dtype="u1"), "but less is stored"),
    "chunks not stored": (replace("00000", shape=(2**50,), dtype="f8", chunks=(9,)), "in pieces"),
    "text array": (replace("00000", data=b"text"), "not an array of numbers"),
    "complex": (replace("00000", data=np.zeros((3, 4), "c8")), "not an array of numbers"),
    "compound": (replace("00000", data=np.zeros(3, "f4,i4")), "not an array of numbers"),
    "vlen": (replace("00000", shape=(3,), dtype=h5py.vlen_dtype("f4")), "not an array of numbers"),
    "group": (edit(lambda f: (f.pop("00000"), f.create_group("00000"))), "not an array of numbers"),
    "flipped": (edit(lambda f: f["00000"].__setitem__((1, 1), 5.5)), "checksums do not fit"),
    "other type": (replace("00000", data=ARRAYS[0].astype("f8")), "checksums do not fit"),
    "other shape": (replace("00002", data=np.ones(4, "f4")), "checksums do not fit"),
    "list": (facts("[1, 2]"), "cannot be read"),
    "number": (facts("1"), "cannot be read"),
    "no JSON": (facts("{"), "cannot be read"),
    "no UTF-8": (replace("facts", data=np.full(9, 0xFF, "u1")), "cannot be read"),
    "nested": (facts("[" * 100_000), "cannot be read"),
    "no sums": (facts("{}"), "checksums"),
    "sums are a number": (facts('{"checksums": 3}'), "cannot be read"),
    "sums are a text": (facts('{"checksums": "abc"}'), "its checksums are no list"),
    "too many sums": (facts(json.dumps({"checksums": [0] * 9999})), "00003 is missing"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_spoilt_file_is_refused_in_one_line(path: Path, name: str) -> None:
    spoil, problem = SPOILT[name]
    spoil(path)
    with pytest.raises(EdkitError, match=re.escape(problem)) as caught:
        read_arrays(path)
    text = str(caught.value)
    assert text.startswith(repr(str(path)))
    assert text.isprintable()
    assert len(text) < 300 + len(str(path))


def test_every_cut_and_flip_is_noticed(path: Path, long: bool) -> None:
    """Whatever bit flips, the arrays are those that were written or the file is refused."""
    data, rng = path.read_bytes(), np.random.default_rng(0)
    expected = [array.tobytes() for array in ARRAYS]
    for position in rng.integers(0, len(data), 3000 if long else 200):
        changed = bytearray(data)
        changed[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(changed)
        try:
            arrays, _ = read_arrays(path)
        except EdkitError:
            continue
        assert [array.tobytes() for array in arrays] == expected, position
    for end in rng.integers(0, len(data), 300 if long else 30):
        path.write_bytes(data[:end])
        with pytest.raises(EdkitError):
            read_arrays(path)


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        (ARRAYS[:2], "holds 2 arrays, this model has 3"),
        ([*ARRAYS, ARRAYS[0]], "holds 4 arrays, this model has 3"),
        ([ARRAYS[0].T, *ARRAYS[1:]], r"array 0 is (4, 3), expected (3, 4)"),
        ([ARRAYS[0], ARRAYS[1], np.full(3, np.nan)], "layer/2 holds numbers that are not finite"),
        ([np.full((3, 4), np.inf), *ARRAYS[1:]], "layer/0 holds numbers that are not finite"),
        ([np.full((3, 4), -np.inf, "f2"), *ARRAYS[1:]], "layer/0 holds numbers that are not"),
    ],
)
def test_arrays_of_another_model(path: Path, arrays: list[np.ndarray], problem: str) -> None:
    with pytest.raises(EdkitError, match=re.escape(problem)) as caught:
        check_fit(arrays, VARIABLES, path)
    assert str(caught.value).isprintable()


def test_arrays_that_fit(path: Path) -> None:
    check_fit(read_arrays(path)[0], VARIABLES, path)


def test_failed_write_leaves_the_old_file(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_arrays(path, ARRAYS, {"best": float("inf")})
    with pytest.raises(TypeError):
        write_arrays(path, [ARRAYS[0], np.array([object()])], {})
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["weights.h5"]


FULL = """
import resource, sys
from pathlib import Path
import numpy as np
from ed_core.runs.weights_file import read_arrays, write_arrays
path = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
for size in (10_000_000, 300_000):
    try:
        write_arrays(path, [np.ones(size)], {})
    except OSError as error:
        print(error.errno, flush=True)
print(len(read_arrays(path)[0]), sorted(file.name for file in path.parent.iterdir()))
"""


def test_full_disk_leaves_the_old_file_and_the_process(path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", FULL, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience.SECONDS)
    assert done.returncode == 0, done.stderr[-1000:]
    assert done.stdout == "27\n27\n3 ['weights.h5']\n"
    assert done.stderr == ""
