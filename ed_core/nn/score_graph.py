"""Anomaly scores as graphs of Keras' own layers, to be exported with a model.

The numbers are those of `residuals`, in the precision of the backend. Tensors are symbolic,
(samples, ..., channels), of a known size.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from keras import layers, ops
from scipy.ndimage import gaussian_filter1d

from ed_core.nn import residuals

Tensor = Any


def squared(x: Tensor, y: Tensor) -> Tensor:
    """Return the squared difference of every position, channels summed."""
    return ops.sum(ops.square(x - y), axis=-1)


def smoothed(x: Tensor, y: Tensor, positions: int, sigma: float = residuals.SMOOTH) -> Tensor:
    """Return the square of the smoothed difference; see `residuals.smoothed`."""
    return ops.sum(ops.square(blurred(x - y, positions, sigma)), axis=-1)


def multiscale(x: Tensor, y: Tensor, positions: int) -> Tensor:
    """Return the sum of smoothed maps; see `residuals.multiscale`."""
    return sum(s**positions * smoothed(x, y, positions, s) for s in residuals.SCALES)


def dissimilarity(x: Tensor, y: Tensor, positions: int) -> Tensor:
    """Return 1 - SSIM of every position; see `residuals.dissimilarity`."""
    axes = tuple(range(1, len(x.shape)))
    span = ops.max(x, axis=axes, keepdims=True) - ops.min(x, axis=axes, keepdims=True)
    c1, c2 = (ops.square(k * ops.maximum(span, 1e-6)) for k in residuals.STABLE)

    def mean(of: Tensor) -> Tensor:
        return blurred(of, positions, residuals.WINDOW)

    mx, my = mean(x), mean(y)
    vx, vy, cov = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    similarity = (2 * mx * my + c1) * (2 * cov + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))
    return ops.mean(ops.maximum(1 - similarity, 0), axis=-1)


def distance(codes: Tensor, normal: residuals.CodeDistribution) -> Tensor:
    """Return the squared Mahalanobis distance of codes (samples, ..., channels), (samples,).

    Maps are averaged over their positions first, as `residuals.flat_codes` does.
    """
    axes = tuple(range(1, len(codes.shape) - 1))
    flat = ops.mean(codes, axis=axes) if axes else codes
    root = np.linalg.cholesky(normal.precision)  # squares then lose no sign to rounding
    off = layers.Dense(len(root), trainable=False)
    whitened = off(flat)
    off.set_weights([root, -normal.mean @ root])
    return ops.sum(ops.square(whitened), axis=-1)


def blurred(x: Tensor, positions: int, sigma: float) -> Tensor:
    """Return a tensor smoothed by a Gaussian along the axes before its channels."""
    last = len(x.shape) - 1
    for axis in range(last - positions, last):
        x = _along(x, axis, sigma)
    return x


def _along(x: Tensor, axis: int, sigma: float) -> Tensor:
    """Multiply an axis by the matrix of scipy's filter, which holds its reflection at the ends."""
    letters = "abcdef"[: len(x.shape)]
    to = letters.replace(letters[axis], "z")
    matrix = gaussian_filter1d(np.eye(x.shape[axis]), sigma, axis=0)
    filtering = layers.EinsumDense(
        f"{letters},{letters[axis]}z->{to}", tuple(x.shape[1:]), trainable=False
    )
    y = filtering(x)
    filtering.set_weights([matrix.T])
    return y


MAPS: Mapping[str, Callable[[Tensor, Tensor, int], Tensor]] = {
    "smoothed": smoothed,
    "smoothed_2": lambda x, y, positions: smoothed(x, y, positions, 2.0),
    "multiscale": multiscale,
    "ssim": dissimilarity,
    "squared": lambda x, y, _: squared(x, y),
}
"""The scores that are a map of the residual, by their names in `detector.RESIDUALS`."""
