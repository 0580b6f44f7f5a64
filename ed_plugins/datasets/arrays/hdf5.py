"""The arrays of an HDF5 file, opened with suspicion: nothing is read from outside the file.

HDF5 can crash or hang on a damaged file, which only another process survives. Run as
`python -m ed_plugins.datasets.arrays.hdf5 FILE SECONDS`, this opens it: exit status 0 if that goes
well in time, else 1 with the reason on standard output.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py

from ed_core.data.memory import available
from ed_core.recording.checked_file import foreign_filter, is_elsewhere, is_hard_link, open_file
from ed_core.recording.sandbox import limit_child, try_in_child

FACTS = ("kind", "classes", "MATLAB_class", "MATLAB_empty")  # attributes that are read
_SECONDS = 20.0  # until a file that cannot be opened is given up
_ENTRIES = 1000
_RATIO = 2000  # bytes that a stored one may stand for; deflate comes to 1032
_FILTERS = {  # that HDF5 and h5py bring themselves
    *(h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32),
    *(h5py.h5z.FILTER_SZIP, h5py.h5z.FILTER_NBIT, h5py.h5z.FILTER_SCALEOFFSET),
    h5py.h5z.FILTER_LZF,
}


def try_hdf5(path: Path) -> None:
    """Raise ValueError unless another process can open the file and read the ends of its arrays."""
    problem = try_in_child(__name__, str(path), _SECONDS)
    if problem:
        raise ValueError(problem)


def open_hdf5(path: Path) -> tuple[dict[str, h5py.Dataset], dict[str, str]]:
    """Return the file's arrays, by name FIELD or GROUP/FIELD, not yet read; and what is left out.

    What is left out, by name and with its reason: links, arrays that are stored elsewhere or packed
    by a foreign filter, groups in groups, and claims that are far beyond the memory.

    Raises:
        ValueError: it is no HDF5 file, or holds too many entries.
        OSError: it cannot be read.
    """
    file = open_file(path, user_block=True)
    arrays: dict[str, h5py.Dataset] = {}
    left: dict[str, str] = {}
    for name, entry in [*_walk(file, "", left)]:
        inner = _walk(entry, f"{name}/", left) if isinstance(entry, h5py.Group) else ()
        for inner_name, one in (*inner, *[(name, entry)] * (not isinstance(entry, h5py.Group))):
            reason = _reason(one)
            if reason:
                left[inner_name] = reason
            else:
                arrays[inner_name] = one
    return arrays, left


def _walk(group: h5py.Group, prefix: str, left: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """Return what stands in a group, but what is a link or of MATLAB's own."""
    if len(group) > _ENTRIES:
        raise ValueError(f"it holds {len(group)} entries; expected at most {_ENTRIES}")
    for name in group:
        if not prefix and name.startswith("#"):  # such as #refs#, where MATLAB keeps its cells
            continue
        if is_hard_link(group, name):
            yield prefix + name, group[name]
        else:
            left[prefix + name] = "it is a link, which is not followed: copy the array itself"


def _reason(entry: Any) -> str:
    """Return why an entry is not read, "" if it is."""
    if isinstance(entry, h5py.Group):
        return "it is a group in a group: expected SPLIT/FIELD or FIELD"
    if not isinstance(entry, h5py.Dataset):
        return "it is a type, and no array"
    if entry.shape is None:
        return "expected (samples, ...), found nothing"
    if is_elsewhere(entry):
        return "it is stored in another file, which is not read: copy the array itself"
    if foreign := foreign_filter(entry, _FILTERS):
        return f"it is packed by the filter {foreign}: write it with compression='gzip', or none"
    free = available()
    if entry.nbytes > max(free, _RATIO * (entry.id.get_storage_size() + 64)):
        return f"it says {entry.shape}, more than there is memory, but far less is stored"
    if entry.chunks and (size := _chunk_bytes(entry)) > free // 2:
        return f"it is stored in pieces of {size:,} bytes, more than there is memory: use chunks"
    return ""


def _chunk_bytes(array: h5py.Dataset) -> int:
    """Return the size of an unpacked chunk, 0 where there are none."""
    size = array.dtype.itemsize if array.chunks else 0
    for length in array.chunks or ():
        size *= length
    return size


def _main(path: str, seconds: str) -> int:
    limit_child(float(seconds))
    try:
        for entry in open_hdf5(Path(path))[0].values():
            for name in FACTS:
                entry.attrs.get(name)
            if entry.ndim and len(entry):
                entry[0], entry[-1]
    except Exception as error:  # a damaged file breaks HDF5 in many ways
        print(" ".join(str(error).split())[:200] or type(error).__name__)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
