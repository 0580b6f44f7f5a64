"""The arrays of an HDF5 file, opened with suspicion: nothing is read from outside the file.

HDF5 can crash or hang on a damaged file, which only another process survives. Run as
`python -m ed_plugins._hdf5 FILE SECONDS`, this opens it: exit status 0 if that goes well in time,
else 1 with the reason on standard output.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from ed_core.trial import limit_child, try_in_child

_SECONDS = 20.0  # until a file that cannot be opened is given up
_ENTRIES = 1000
_RATIO = 2000  # bytes that a stored one may stand for; deflate comes to 1032


def try_hdf5(path: Path) -> None:
    """Raise ValueError unless another process can open the file and read the ends of its arrays."""
    problem = try_in_child(__name__, str(path), _SECONDS)
    if problem:
        raise ValueError(problem)


def open_hdf5(path: Path) -> dict[str, Any]:
    """Return the file's arrays by name, FIELD or GROUP/FIELD: h5py data sets, not yet read.

    Raises:
        ValueError: it holds links, data sets that are stored elsewhere, or deeper groups.
        OSError: it cannot be read.
    """
    file = h5py.File(path, "r", locking=False)
    found = dict(_walk(file, ""))
    for name, entry in list(found.items()):
        if isinstance(entry, h5py.Group):
            del found[name]
            found.update(_walk(entry, f"{name}/"))
    for name, entry in found.items():
        if not isinstance(entry, h5py.Dataset):
            raise ValueError(f"{name!r} is a group in a group; expected SPLIT/FIELD or FIELD")
        if entry.is_virtual or entry.external:
            raise ValueError(f"{name!r} is stored in another file, which is not read")
        if entry.nbytes > _RATIO * (entry.id.get_storage_size() + 64):
            raise ValueError(f"{name!r} says {entry.shape}, but far less is stored")
    return found


def _walk(group: h5py.Group, prefix: str) -> Iterator[tuple[str, Any]]:
    if len(group) > _ENTRIES:
        raise ValueError(f"it holds {len(group)} entries; expected at most {_ENTRIES}")
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{prefix + name!r} is a link, which is not followed")
        yield prefix + name, group[name]


def _main(path: str, seconds: str) -> int:
    limit_child(float(seconds))
    try:
        for entry in open_hdf5(Path(path)).values():
            dict(entry.attrs)
            if entry.ndim and len(entry):
                entry[0], entry[-1]
    except Exception as error:  # a damaged file breaks HDF5 in many ways
        print(" ".join(str(error).split())[:200] or type(error).__name__)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
