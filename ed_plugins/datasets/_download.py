"""Files of data sets: from EDKIT_DATA, from the user's cache, or from their publishers."""

import gzip
import hashlib
import os
import tempfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

import numpy as np
from platformdirs import user_cache_dir

from ed_core import EdkitError

_SECONDS = 30  # without an answer, before the next publisher is tried
_LARGEST = 64 * 2**20  # bytes of a download; the largest file that is fetched has 26 MB
# (split, field, the file's name, bytes of its content); the same for MNIST and its kin.
_FILES = (
    ("train", "image", "train-images-idx3-ubyte.gz", 47_040_016),
    ("train", "label", "train-labels-idx1-ubyte.gz", 60_008),
    ("test", "image", "t10k-images-idx3-ubyte.gz", 7_840_016),
    ("test", "label", "t10k-labels-idx1-ubyte.gz", 10_008),
)


@dataclass(frozen=True, slots=True)
class Remote:
    """A gzip file with known size and checksum of its content.

    Args:
        name: of the file.
        size: of the content, in bytes.
        sha256: of the content, not of the file, so that a recompressed copy passes.
    """

    name: str
    size: int
    sha256: str


def content(folder: str, remote: Remote, mirrors: Sequence[str]) -> bytes:
    """Return the content of a file; fetch it from the first mirror that has it if it is not here.

    Args:
        folder: where it lies below EDKIT_DATA and below the cache.
        remote: which file.
        mirrors: the addresses of the folders that hold it, each ending in "/".

    Raises:
        EdkitError: EDKIT_DATA is no folder, the file is damaged, or it cannot be fetched.
    """
    candidates = [place / folder / remote.name for place in places()]
    for path in candidates:
        if path.is_file():
            try:
                return _checked(path, remote)
            except ValueError as error:
                raise EdkitError(f"{str(path)!r}: {error}. Replace or delete it.") from error
    failures = []
    for mirror in mirrors:
        try:
            return _fetch(mirror + remote.name, candidates[-1], remote)
        except (OSError, HTTPException, ValueError) as error:
            failures.append(f"{mirror}{remote.name} ({_one_line(error)})")
    raise EdkitError(
        f"data set {folder!r} is not here: looked for {' and '.join(map(str, candidates))}, then "
        f"tried {' and '.join(failures)}. Set EDKIT_DATA to the folder that holds "
        f"{folder}/{remote.name}, or put it and the other files into {candidates[-1].parent}."
    )


def places() -> list[Path]:
    """Return the folders of data sets: EDKIT_DATA if it is set, then the user's cache.

    Raises:
        EdkitError: EDKIT_DATA is no folder.
    """
    cache = Path(user_cache_dir("edkit"))
    named = os.environ.get("EDKIT_DATA")
    if not named:
        return [cache]
    if not Path(named).is_dir():
        raise EdkitError(f"EDKIT_DATA is {named!r}, which is not a folder: correct or unset it.")
    return [Path(named), cache]


def _checked(path: Path, remote: Remote) -> bytes:
    """Return the content of the file at `path`; raise ValueError unless it is the expected one."""
    try:
        with gzip.open(path) as file:
            data = file.read(remote.size + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(
            f"expected a gzip file with {remote.size:,} bytes in it, "
            f"found {path.stat().st_size:,} bytes that cannot be read ({_one_line(error)})"
        ) from error
    digest = hashlib.sha256(data).hexdigest()
    if digest != remote.sha256:
        more = "more than " * (len(data) > remote.size)
        raise ValueError(
            f"expected {remote.size:,} bytes with sha256 {remote.sha256[:16]}, "
            f"found {more}{min(len(data), remote.size):,} with {digest[:16]}"
        )
    return data


def _fetch(url: str, path: Path, remote: Remote) -> bytes:
    """Download a file to `path`, either completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file, urlopen(url, timeout=_SECONDS) as answer:
            while block := answer.read(2**20):
                file.write(block)
                if file.tell() > _LARGEST:
                    raise ValueError(f"expected at most {_LARGEST:,} bytes, more came")
        data = _checked(part, remote)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return data


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()).strip("<>")[:120] or type(error).__name__


def is_here(folder: str) -> bool:
    """Return whether all four files lie in EDKIT_DATA or the cache, so that none is fetched."""
    names = [name for _, _, name, _ in _FILES]
    return all(any((place / folder / name).is_file() for place in places()) for name in names)


def read_splits(
    folder: str, mirrors: Sequence[str], sha256: Sequence[str]
) -> dict[str, dict[str, np.ndarray]]:
    """Return `image` (samples, 28, 28, 1), floats in 0..1, and `label` (samples,) of each split.

    Args:
        folder: where the files lie below EDKIT_DATA and below the cache.
        mirrors: the publishers' addresses.
        sha256: of the content of the training images, training labels, test images, test labels.

    Raises:
        EdkitError: a file is damaged, or is not here and cannot be fetched.
    """
    splits: dict[str, dict[str, np.ndarray]] = {"train": {}, "test": {}}
    for (split, field, name, size), checksum in zip(_FILES, sha256, strict=True):
        array = decode(content(folder, Remote(name, size, checksum), mirrors))
        if field == "image":
            # Divided, not multiplied by 1/255, which takes 255 above 1.
            array = np.divide(array, np.float32(255), dtype="float32")[..., None]
        splits[split][field] = array
    return splits


def decode(data: bytes) -> np.ndarray:
    """Return the array of bytes in an IDX file whose content has been checked.

    It begins with 0, 0, the type (8: bytes), the number of axes, and each axis' length as a
    big-endian 32-bit integer. http://yann.lecun.com/exdb/mnist/
    """
    axes = data[3]
    shape = np.frombuffer(data, ">u4", axes, offset=4)
    return np.frombuffer(data, "uint8", offset=4 + 4 * axes).reshape(shape)
