"""Random shifts and mirror images of training images."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def moved(
    batch: dict[str, np.ndarray], random: np.random.Generator, params: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Return the batch with its images shifted and mirrored by the options `shift` and `flip`."""
    image = shift_and_flip(batch["image"], random, params["shift"], params["flip"])
    return {**batch, "image": image}


def shift_and_flip(
    images: np.ndarray, random: np.random.Generator, shift: int, flip: bool
) -> np.ndarray:
    """Return images, each moved by up to `shift` pixels and half of them mirrored.

    Pixels from beyond the border are 0.

    Args:
        images: (samples, height, width, channels).
        random: generator of the shifts and of the choice of mirrored images.
        shift: largest shift in pixels, up or down and left or right.
        flip: mirror left and right.
    """
    samples, height, width = images.shape[:3]
    padded = np.pad(images, ((0, 0), (shift, shift), (shift, shift), (0, 0)))
    top, left = random.integers(0, 2 * shift + 1, (2, samples, 1))
    rows = top + np.arange(height)
    columns = left + np.arange(width)
    if flip:
        mirrored = random.random((samples, 1)) < 0.5
        columns = np.where(mirrored, columns[:, ::-1], columns)
    return padded[np.arange(samples)[:, None, None], rows[:, :, None], columns[:, None]]
