"""Arrays in files of every kind, as other programs write them."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io

from ed_core import Dataset
from ed_core.plugins.options import FilePath
from ed_plugins.datasets.arrays.loader import arrays

RANDOM = np.random.default_rng(0)
N = 30
CLASSES = np.arange(N) % 3
Named = dict[str, np.ndarray]


def load(path: Path, **options: Any) -> Dataset:
    return arrays(path=FilePath(str(path)), **options)


def save_npz(folder: Path, named: Named) -> Path:
    np.savez_compressed(folder / "my.npz", **named)
    return folder / "my.npz"


def save_hdf5(folder: Path, named: Named) -> Path:
    path = folder / f"my{len(list(folder.iterdir()))}.h5"  # what is loaded stays open
    with h5py.File(path, "w") as file:
        for name, array in named.items():
            file[name] = array.astype(object) if array.dtype.kind == "U" else array
    return path


def save_mat(folder: Path, named: Named) -> Path:
    scipy.io.savemat(folder / "my5.mat", named)
    return folder / "my5.mat"


def save_mat73(folder: Path, named: Named) -> Path:
    """Write what MATLAB writes with -v7.3: axes in the opposite order, and a block before HDF5."""
    path = folder / f"my{len(list(folder.iterdir()))}.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in named.items():
            file[name] = (array[:, None] if array.ndim == 1 else array).T
            kind = {"float64": "double", "float32": "single"}.get(array.dtype.name)
            file[name].attrs["MATLAB_class"] = np.bytes_(kind or array.dtype.name)
        file["#refs#/a"] = np.arange(3)
    with path.open("r+b") as raw:
        raw.write(b"MATLAB 7.3 MAT-file".ljust(128))
    return path


SAVES = [save_npz, save_hdf5, save_mat, save_mat73]


def everything(data: Dataset, name: str) -> np.ndarray:
    """Return the samples of a field in the order of the file."""
    if data.whole is not None:
        return np.asarray(data.whole[name][:])
    return np.concatenate([np.asarray(split[name][:]) for split in data.splits.values()])


def said(data: Dataset, about: str) -> list[tuple[str, str]]:
    return [(one.text, one.option) for one in data.input.findings if one.about == about]


def pictures(*shape: int, high: int = 256, dtype: str = "uint8") -> np.ndarray:
    array = RANDOM.integers(0, high, (N, *shape)).astype(dtype)
    array.flat[0], array.flat[1] = high - 1, 0
    return array
