"""Embedded handwritten digits, which need no download."""

import numpy as np

from ed_core import Dataset, Field, Fields, dataset

_TEST = 360  # of 1,797


@dataset
def digits() -> Dataset:
    """Handwritten digits, 1,437 + 360 of 8x8 enlarged to 32x32; embedded (Alpaydin, 1998)."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    image = enlarge(images.reshape(-1, 8, 8) / 16.0, 4)[..., None].astype("float32")
    parts = train_test_split(
        image, labels.astype("uint8"), test_size=_TEST, stratify=labels, random_state=0
    )
    fields = {
        "image": Field((32, 32, 1)),
        "label": Field((), "class", tuple("0123456789")),
    }
    splits = {
        "train": {"image": parts[0], "label": parts[2]},
        "test": {"image": parts[1], "label": parts[3]},
    }
    return Dataset(Fields(fields), splits)


def enlarge(images: np.ndarray, factor: int) -> np.ndarray:
    """Return square images (samples, size, size) enlarged by bilinear interpolation.

    The old pixels' centres lie at the centres of the new pixels' blocks.
    """
    size = images.shape[1]
    where = (np.arange(size * factor) + 0.5) / factor - 0.5
    each = [np.interp(where, np.arange(size), unit) for unit in np.eye(size)]
    weights = np.stack(each, axis=1)
    return weights @ images @ weights.T
