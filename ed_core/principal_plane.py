"""The plane of the first two principal axes of codes, for figures and the window."""

import numpy as np


def principal_plane(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the plane in which codes vary most.

    By the smaller of the two Gram matrices: a decomposition of all the codes takes ten times as
    long. The sign of an axis is free: here its largest loading is positive.

    Args:
        codes: (samples, size), finite.

    Returns:
        The mean code (size,), the axes (2, size), of length 1, or 0 where there are fewer, and the
        share of the variance along each (2,), 0 where there is none.
    """
    codes = codes.astype("float64")
    mean = codes.mean(axis=0)
    centred = codes - mean
    few = len(codes) < codes.shape[1]
    values, vectors = np.linalg.eigh(centred @ centred.T if few else centred.T @ centred)
    values, axes = np.maximum(values[::-1], 0.0), vectors[:, ::-1][:, :2].T
    if few:
        axes = (axes @ centred) / np.sqrt(np.maximum(values[:2], 1e-12))[:, None]
    axes = np.pad(axes, ((0, 2 - len(axes)), (0, 0)))
    largest = np.abs(axes).argmax(axis=1)
    axes = axes * np.where(axes[[0, 1], largest] < 0, -1.0, 1.0)[:, None]
    variance = float(values.sum())
    shares = np.pad(values[:2], (0, max(2 - len(values), 0))) / max(variance, 1e-300)
    return mean, axes, shares if variance > 1e-12 else np.zeros(2)
