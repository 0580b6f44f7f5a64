"""HDF5 files that point elsewhere: whoever reads them opens no other file."""

import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from ed_core.runs.weights_file import _MARK, _SUM, write_arrays

SHAPE = (4, 3)
# A reader that follows a pointer opens the FIFO, and waits there for ever.
READERS = {
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
{reader}
try:
    read(Path(sys.argv[1]))
except Exception as error:
    print(type(error).__name__, " ".join(str(error).split()))
else:
    print("read")
"""


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    path = tmp_path / "canary"
    os.mkfifo(path)
    return path


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


@pytest.fixture
def first(tmp_path: Path) -> Callable[..., Path]:
    """Make a good file, and put something in the place of its first array."""

    def make(put: Callable[[h5py.File, str, Path], None] | None, canary: Path) -> Path:
        path = tmp_path / "file.h5"
        write_arrays(path, [np.zeros(SHAPE, "<f4"), np.ones(SHAPE, "<f4")], {"step": 1})
        if put:
            with h5py.File(path, "r+") as file:
                del file["00000"]
                put(file, "00000", canary)
            data = path.read_bytes() + _SUM.pack(_MARK, 2, 0)[:-4]
            path.write_bytes(data + struct.pack("<I", zlib.crc32(data)))  # as a forger would
        return path

    return make


def read(reader: str, path: Path) -> str:
    command = [sys.executable, "-W", "error", "-c", READ.replace("{reader}", READERS[reader])]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("put", [_stored_elsewhere, _virtual, _linked, _soft])
def test_no_other_file_is_opened(
    reader: str, put: Callable[..., None], first: Callable[..., Path], canary: Path
) -> None:
    said = read(reader, first(put, canary))
    assert said.startswith(("EdkitError", "ValueError")), said
    assert "link" in said or "outside the file" in said or "another file" in said, said


@pytest.mark.parametrize("reader", READERS)
def test_a_good_file_is_read(reader: str, first: Callable[..., Path], canary: Path) -> None:
    assert read(reader, first(None, canary)) == "read"
