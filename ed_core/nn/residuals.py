"""Residual maps of reconstructions, and distances of codes from those of normal samples.

Numpy in, numpy out. A map holds a number of 0 or more for every position, channels summed; a score
is the mean of a map unless a function says otherwise.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

SMOOTH = 1.0  # pixels, the standard deviation that measured best on MNIST and Fashion-MNIST
SCALES = (1.0, 2.0, 4.0)  # pixels, of the multi-scale map
WINDOW = 1.5  # pixels, the deviation of the window of SSIM; Wang et al., 2004, section III.B
STABLE = 0.01, 0.03  # K1 and K2 of SSIM, shares of the range; the same section


def squared(original: np.ndarray, restored: np.ndarray) -> np.ndarray:
    """Return the squared difference of every position, (samples, ...), channels summed."""
    return np.square(original.astype("float64") - restored).sum(axis=-1)


def smoothed(
    original: np.ndarray, restored: np.ndarray, positions: int, sigma: float = SMOOTH
) -> np.ndarray:
    """Return the square of the difference smoothed by a Gaussian, (samples, ...).

    Neighbouring residuals of one sign tell a missing stroke from noise.

    Args:
        original: (samples, ..., channels).
        restored: in the same shape.
        positions: axes before the channels along which it is smoothed: 2 of images, 1 of signals.
        sigma: standard deviation of the Gaussian, in pixels.
    """
    left = original.astype("float64") - restored
    return np.square(gaussian_filter(left, _sigmas(left.ndim, positions, sigma))).sum(axis=-1)


def multiscale(original: np.ndarray, restored: np.ndarray, positions: int) -> np.ndarray:
    """Return the sum over `SCALES` of the smoothed map times the square of its scale.

    White noise then counts alike at every scale of an image, and a defect at the one of its size.
    """
    return np.sum(
        [s**positions * smoothed(original, restored, positions, s) for s in SCALES], axis=0
    )


def dissimilarity(original: np.ndarray, restored: np.ndarray, positions: int) -> np.ndarray:
    """Return 1 - SSIM of every position, (samples, ...); 0 where both are the same.

    Structural similarity (Wang et al., 2004; for defects Bergmann et al., 2019), with its Gaussian
    window, the mean over the channels. The range is that of each original.
    """
    x, y = original.astype("float64"), restored.astype("float64")
    sigmas = _sigmas(x.ndim, positions, WINDOW)
    axes = tuple(range(1, x.ndim))
    span = np.maximum(np.ptp(x, axis=axes, keepdims=True), 1e-6)
    c1, c2 = ((k * span) ** 2 for k in STABLE)
    mx, my = gaussian_filter(x, sigmas), gaussian_filter(y, sigmas)
    vx = gaussian_filter(x * x, sigmas) - mx * mx
    vy = gaussian_filter(y * y, sigmas) - my * my
    cov = gaussian_filter(x * y, sigmas) - mx * my
    similarity = (2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))
    return np.asarray(np.clip(1 - similarity, 0, None).mean(axis=-1))


def _sigmas(axes: int, positions: int, sigma: float) -> tuple[float, ...]:
    """Return the deviation along each axis: none along samples, frames and channels."""
    return (*(0.0,) * (axes - 1 - positions), *(sigma,) * positions, 0.0)


@dataclass(frozen=True, slots=True)
class CodeDistribution:
    """Gaussian distribution of the codes of normal samples.

    Args:
        mean: (numbers,).
        precision: the inverse of the covariance, (numbers, numbers).
    """

    mean: np.ndarray
    precision: np.ndarray

    @classmethod
    def fit(cls, codes: np.ndarray) -> "CodeDistribution":
        """Fit it with the covariance shrunk as Ledoit and Wolf (2004) have it.

        Args:
            codes: of normal samples, (samples, numbers), two samples or more.
        """
        codes = codes.astype("float64")
        from sklearn.covariance import ledoit_wolf  # a training does without its import

        covariance, _ = ledoit_wolf(codes)
        scale = max(float(np.trace(covariance)) / len(covariance), 1e-12)
        precision = np.linalg.inv(covariance + 1e-6 * scale * np.eye(len(covariance)))
        return cls(codes.mean(axis=0), precision)

    def distance(self, codes: np.ndarray) -> np.ndarray:
        """Return the squared Mahalanobis distance of each code from the mean, (samples,).

        Mahalanobis, 1936; of the codes of a network Lee et al., 2018.
        """
        off = codes.astype("float64") - self.mean
        return np.einsum("ij,jk,ik->i", off, self.precision, off)


def flat_codes(codes: Any) -> np.ndarray:
    """Return codes as (samples, numbers): maps (samples, ..., channels) averaged over positions."""
    array = np.asarray(codes)
    return array.reshape(len(array), -1, array.shape[-1]).mean(axis=1)
