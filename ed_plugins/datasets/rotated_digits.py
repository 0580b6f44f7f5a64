"""Digits rotated by a known angle: a class and a number from one image."""

from typing import Literal

import numpy as np
from scipy import ndimage

from ed_core import Dataset, EdkitError, Field, Fields, content_generator, dataset
from ed_plugins.datasets._download import is_here
from ed_plugins.datasets.digits import digits
from ed_plugins.datasets.mnist import mnist


@dataset
def rotated_digits(
    *, source: Literal["auto", "mnist", "digits"] = "auto", degrees: float = 45.0, seed: int = 0
) -> Dataset:
    """Handwritten digits, each turned by a random angle, with its class and the angle in degrees.

    Args:
        source: the upright digits; auto takes mnist if its files are here, else digits.
        degrees: the largest angle; the angles are uniform in [-degrees, degrees], and a positive
            one turns anticlockwise.
        seed: of the angles.
    """
    if not 0 <= degrees <= 180:
        raise EdkitError(f"option 'degrees' is from 0 to 180, received {degrees:g}.")
    if source == "auto":
        source = "mnist" if is_here("mnist") else "digits"
    upright = mnist() if source == "mnist" else digits()
    fields = Fields(
        image=upright.fields["image"],
        label=upright.fields["label"],
        angle=Field((), "value", unit="°"),
    )
    splits = {}
    for number, (split, arrays) in enumerate(upright.splits.items()):
        angle = content_generator(seed, number).uniform(-degrees, degrees, len(arrays["label"]))
        angle = angle.astype("float32")
        image = rotate(arrays["image"], angle)
        splits[split] = {"image": image, "label": arrays["label"], "angle": angle}
    return Dataset(fields, splits)


def rotate(images: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Return images (samples, size, size, 1), each turned anticlockwise about its centre.

    Bilinear interpolation; what comes in from outside is 0.

    Args:
        images: (samples, size, size, 1), float32 in 0..1.
        degrees: (samples,).
    """
    turned = np.empty_like(images)
    centre = (images.shape[1] - 1) / 2
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    # From (row, column) of the new image to those of the old; rows count downwards.
    matrices = np.stack([cos, sin, -sin, cos], axis=-1).reshape(-1, 2, 2)
    offsets = centre - matrices.sum(axis=2) * centre
    for old, new, matrix, offset in zip(images, turned, matrices, offsets, strict=True):
        ndimage.affine_transform(
            old[..., 0], matrix, offset, output=new[..., 0], order=1, mode="grid-constant"
        )
    return np.clip(turned, 0, 1, out=turned)  # rounding may leave the range slightly
