"""HDF5 files that point elsewhere: whoever reads them opens no other file.

A reader that follows a pointer, or looks for a filter where HDF5 keeps plugins, opens a FIFO there,
and waits for ever.
"""

import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from support import patience

from ed_core.recording import RecordingWriter
from ed_core.runs.weights_file import _MARK, _SUM, write_arrays

SHAPE = (2, 4, 3)  # of the array of a recording
# Each reads the file, and says of which array why it is not read.
READERS = {
    "recording": """
from ed_core.recording.segment import Segment
def read(path):
    Segment(path, growing=False).read("p", "a", 0)
""",
    "weights and checkpoints": "from ed_core.runs.weights_file import read_arrays as read",
    "arrays of a user": """
from ed_plugins.datasets.arrays.hdf5 import open_hdf5, try_hdf5
def read(path):
    try_hdf5(path)
    arrays, left = open_hdf5(path)
    assert "00001" in arrays and not arrays.keys() & left.keys()
    if "00000" in left:
        raise ValueError(left["00000"])
""",
}
READ = """
import sys
from pathlib import Path
import h5py
{reader}
for path in map(Path, sys.argv[1:]):
    try:
        read(path)
    except Exception as error:
        print(type(error).__name__, " ".join(str(error).split()), flush=True)
    else:
        print("read", flush=True)
    assert not h5py.h5pl.size(), "HDF5 may load plugins"
"""


def _stored_elsewhere(file: h5py.File, name: str, canary: Path) -> None:
    file.create_dataset(name, SHAPE, "<f4", external=[(str(canary), 0, h5py.h5f.UNLIMITED)])


def _virtual(file: h5py.File, name: str, canary: Path) -> None:
    layout = h5py.VirtualLayout(SHAPE, "<f4")
    layout[:] = h5py.VirtualSource(str(canary), "a", SHAPE)
    file.create_virtual_dataset(name, layout)


def _linked(file: h5py.File, name: str, canary: Path) -> None:
    file[name] = h5py.ExternalLink(str(canary), "/a")


def _soft(file: h5py.File, name: str, canary: Path) -> None:
    file["elsewhere"] = h5py.ExternalLink(str(canary), "/a")
    file[name] = h5py.SoftLink("/elsewhere")


def _filtered(file: h5py.File, name: str, canary: Path) -> None:
    """An array packed by a filter that nobody has: HDF5 looks through the folder of plugins."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk(SHAPE)
    plist.set_filter(32001, h5py.h5z.FLAG_OPTIONAL)
    space = h5py.h5s.create_simple(SHAPE)
    group = file.require_group(os.path.dirname(name) or "/")
    where = os.path.basename(name).encode()
    dataset = h5py.h5d.create(group.id, where, h5py.h5t.IEEE_F32LE, space, plist)
    dataset.write_direct_chunk((0,) * len(SHAPE), bytes(4 * int(np.prod(SHAPE))), 0)


POINTERS: dict[str, tuple[Callable[[h5py.File, str, Path], None] | None, tuple[str, ...]]] = {
    "nothing": (None, ("read",)),
    "external storage": (_stored_elsewhere, ("outside the file", "another file")),
    "virtual": (_virtual, ("outside the file", "another file")),
    "external link": (_linked, ("link",)),
    "soft link": (_soft, ("link",)),
    "foreign filter": (_filtered, ("foreign filter", "by the filter")),
    "pipe": (None, ("not a regular file",)),
}


@pytest.fixture
def make(header: Callable[..., Any], frame: Callable[[int], Any]) -> Callable[[str, Path], str]:
    """Write a good file of a kind; return the name of its first array."""

    def write(reader: str, path: Path) -> str:
        if reader != "recording":
            write_arrays(path, [np.zeros(SHAPE, "<f4"), np.ones(SHAPE, "<f4")], {"step": 1})
            return "00000"
        folder = path.with_suffix("")
        folder.mkdir()
        with RecordingWriter(folder, header(), {"x": np.zeros((2, 3), "f4")}) as writer:
            writer.append(0, 0.0, 0.0, frame(0))
        writer.path.rename(path)
        return "probes/p/a"

    return write


def _spoil(path: Path, name: str, put: Callable[..., None], canary: Path, summed: bool) -> None:
    """Put something in the place of an array, with the sum of a whole file, as a forger would."""
    with h5py.File(path, "r+") as file:
        del file[name]
        put(file, name, canary)
    if summed:
        data = path.read_bytes() + _SUM.pack(_MARK, 2, 0)[:-4]
        path.write_bytes(data + struct.pack("<I", zlib.crc32(data)))


@pytest.mark.parametrize("reader", READERS)
def test_no_other_file_is_opened(
    reader: str, tmp_path: Path, make: Callable[[str, Path], str]
) -> None:
    canary = tmp_path / "plugins" / "libh5canary.so"
    canary.parent.mkdir()
    os.mkfifo(canary)
    paths = [tmp_path / f"{number:04d}.h5" for number in range(len(POINTERS))]
    for path, (pointer, (put, _)) in zip(paths, POINTERS.items(), strict=True):
        if pointer == "pipe":
            os.mkfifo(path)
            continue
        name = make(reader, path)
        if put:
            _spoil(path, name, put, canary, reader != "recording")
    code = READ.replace("{reader}", READERS[reader])
    command = [sys.executable, "-W", "error", "-c", code, *map(str, paths)]
    environment = {**os.environ, "HDF5_PLUGIN_PATH": str(canary.parent)}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=patience.SECONDS, env=environment
        )
    except subprocess.TimeoutExpired as error:
        lines = bytes(error.stdout or b"").decode().splitlines()
        pytest.fail(f"it opened what {[*POINTERS][len(lines)]!r} points to; before that: {lines}")
    said = dict(zip(POINTERS, done.stdout.splitlines(), strict=False))
    assert done.returncode == 0, (said, done.stderr[-2000:])
    for pointer, (_, words) in POINTERS.items():
        assert any(word in said[pointer] for word in words), (pointer, said)
        starts = ("read", "EdkitError", "ValueError", "DamagedError")
        assert said[pointer].startswith(starts), said
