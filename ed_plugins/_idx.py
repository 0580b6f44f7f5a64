"""The IDX files of MNIST and its kin: images and labels of a training and a test split."""

from collections.abc import Sequence

import numpy as np

from ed_plugins._fetch import Remote, content, places

# (split, what it holds, the file's name, bytes of its content); the same for MNIST and its kin.
_FILES = (
    ("train", "image", "train-images-idx3-ubyte.gz", 47_040_016),
    ("train", "label", "train-labels-idx1-ubyte.gz", 60_008),
    ("test", "image", "t10k-images-idx3-ubyte.gz", 7_840_016),
    ("test", "label", "t10k-labels-idx1-ubyte.gz", 10_008),
)


def is_here(folder: str) -> bool:
    """Return whether all four files lie in EDKIT_DATA or the cache, so that nothing is fetched."""
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
