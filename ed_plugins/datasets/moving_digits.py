"""Generated videos of bouncing digits, which need no download."""

from collections.abc import Mapping

import numpy as np
from scipy import ndimage

from ed_core import Dataset, Field, Fields, content_generator, dataset
from ed_plugins.datasets._options import check_least
from ed_plugins.datasets.digits import digits as still_digits

_SPEED = 0.08, 0.25  # of the free way, a frame


@dataset
def moving_digits(
    *, frames: int = 10, size: int = 32, digits: int = 2, samples: int = 1000, seed: int = 0
) -> Dataset:
    """Videos of embedded digits that bounce at the walls, after Moving MNIST.

    Srivastava et al., "Unsupervised Learning of Video Representations using LSTMs", 2015: each
    digit keeps its speed, and where digits overlap the brighter pixel counts. A digit is half as
    wide as the frame. No digit occurs in two splits. With a single digit there is
    also its class, `label`.

    Args:
        frames: of a video.
        size: of a frame, in pixels.
        digits: in a video.
        samples: of the training split; the validation split has a tenth of that, the test split a
            fifth.
        seed: of the digits and their paths.
    """
    check_least(1, frames=frames, digits=digits)
    check_least(5, samples=samples)
    check_least(16, size=size)
    still = still_digits()
    fields = Fields(video=Field((frames, size, size, 1), "video"))
    if digits == 1:
        fields["label"] = still.fields["label"]
    splits = {}
    sources = _apart(still.splits)
    counts = {"train": samples, "test": samples // 5, "validation": max(samples // 10, 1)}
    for number, (split, count) in enumerate(counts.items()):
        random = content_generator(seed, number)
        chosen = random.integers(len(sources[split]["label"]), size=(count, digits))
        image = _resized(sources[split]["image"][..., 0], size // 2)
        where = paths(random, (count, digits), frames, size - size // 2)
        arrays = {"video": film(image[chosen], where, size)}
        if digits == 1:
            arrays["label"] = sources[split]["label"][chosen[:, 0]]
        splits[split] = arrays
    return Dataset(fields, splits)


def _apart(splits: Mapping[str, Mapping[str, np.ndarray]]) -> dict[str, Mapping[str, np.ndarray]]:
    """Return the still digits of each split: validation and test share those not trained on."""
    rest = splits["test"]
    middle = len(rest["label"]) // 2
    return {
        "train": splits["train"],
        "validation": {name: array[:middle] for name, array in rest.items()},
        "test": {name: array[middle:] for name, array in rest.items()},
    }


def paths(
    random: np.random.Generator, shape: tuple[int, int], frames: int, room: int
) -> np.ndarray:
    """Return the places of digits, whole pixels (*shape, frames, 2), on straight lines that bounce.

    Args:
        random: generator of the starts, directions and speeds.
        shape: (samples, digits).
        frames: of a video.
        room: largest row and column of a digit's upper left corner.
    """
    start = random.uniform(0, room, (*shape, 1, 2))
    angle = random.uniform(0, 2 * np.pi, (*shape, 1, 1))
    speed = room * random.uniform(*_SPEED, (*shape, 1, 1))
    step = speed * np.concatenate([np.sin(angle), np.cos(angle)], axis=-1)
    straight = start + step * np.arange(frames)[:, None]
    # A path through mirrored rooms, folded back into one of them.
    return np.rint(room - np.abs(room - straight % (2 * room))).astype(int)


def film(images: np.ndarray, where: np.ndarray, size: int) -> np.ndarray:
    """Return videos (samples, frames, size, size, 1) of images on black; the brightest pixel wins.

    Args:
        images: (samples, digits, height, width).
        where: the corner of each in each frame, (samples, digits, frames, 2), row and column.
        size: of a frame.
    """
    samples, digits, height, width = images.shape
    videos = np.zeros((samples, where.shape[2], size, size), "float32")
    sample = np.arange(samples)[:, None, None]
    for frame in range(where.shape[2]):
        for digit in range(digits):
            row, column = where[:, digit, frame].T[:, :, None, None]
            at = (sample, frame, row + np.arange(height)[:, None], column + np.arange(width))
            videos[at] = np.maximum(videos[at], images[:, digit])
    return videos[..., None]


def _resized(images: np.ndarray, size: int) -> np.ndarray:
    """Return square images (samples, size, size) by bilinear interpolation."""
    factor = size / images.shape[1]
    return ndimage.zoom(images, (1, factor, factor), order=1, mode="nearest", grid_mode=True)
