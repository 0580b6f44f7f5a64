"""Baselines, the floors of measures: PCA, the untrained model, the most frequent class."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod, sqrt
from typing import Any, Literal

import numpy as np
from scipy.linalg import eigh

from ed_core.data.targets import present
from ed_core.engine import precision
from ed_core.runs.rebuilding import build
from ed_core.runs.run import Run

_EXACT = 2000  # dimensions up to which the eigenvectors of the covariance take 4 s of a processor
_FEW = 200  # rows up to which a full decomposition takes less: it grows with their square
_BLOCK = 8 * 2**20  # bytes of float64 that are looked at in one go
_LEFT = 1e-2  # share of the variance that is left, from which products of float32 are exact enough
_SAME = 1e-12  # of the mean: a smaller spread is rounding; that of float32 is 6e-8
_MORE = 10  # dimensions of the random subspace beyond the components; Halko et al., 2011

Solver = Literal["full", "covariance", "randomized"]


@dataclass(frozen=True, slots=True)
class PrincipalComponents:
    """The mean and the first principal components of some samples, in float64.

    Args:
        mean: (dimensions,).
        axes: (components, dimensions), orthonormal, the one of the largest variance first.
    """

    mean: np.ndarray
    axes: np.ndarray

    def restore(self, samples: np.ndarray) -> np.ndarray:
        """Return samples (samples, ...) projected on the components, float64 in their own shape."""
        centred = samples.reshape(-1, len(self.mean)).astype("float64") - self.mean
        restored = centred @ self.axes.T @ self.axes + self.mean
        return np.asarray(restored.reshape(samples.shape))


def principal_components(train: Any, components: int) -> PrincipalComponents:
    """Fit a PCA, block by block: no copy of the samples is held.

    Every block is brought near 0 before it is multiplied, so that a constant that is added to all
    samples changes no component. The components are exact, but for samples of more
    than 2,000 dimensions, where they come from a random subspace (Halko et al., 2011, algorithm
    4.4).

    Args:
        train: (samples, ...) numbers, or anything that slices like them.
        components: as many as the code has numbers; at most the samples or the dimensions.
    """
    rows, dimensions = len(train), prod(train.shape[1:])
    count = min(components, rows, dimensions)
    solver = _solver(rows, dimensions)
    if solver == "covariance":
        return _from_covariance(train, count)
    mean = sum(block.sum(axis=0) for block in _blocks(train)) / rows
    if solver == "full":
        held = np.concatenate(list(_blocks(train, mean)))
        _, spread, axes = np.linalg.svd(held, full_matrices=False)
    else:
        spread, axes = _random_subspace(train, mean, count)
    return _components(mean, axes[:count], float(spread[0]))


def _components(mean: np.ndarray, axes: np.ndarray, spread: float) -> PrincipalComponents:
    """Return the components; none where all samples are the same, and only rounding differs."""
    same = spread <= _SAME * float(np.abs(mean).max(initial=0.0))
    return PrincipalComponents(mean, axes[:0] if same else axes)


def pca_reconstruction(train: Any, test: np.ndarray, components: int) -> np.ndarray:
    """Return `test` projected on the first principal components of `train`, float64 in its shape.

    Args:
        train: (samples, ...) numbers, or anything that slices like them.
        test: (samples, ...) numbers.
        components: as many as the code has numbers; at most the samples or the dimensions.
    """
    return principal_components(train, components).restore(test)


def _solver(rows: int, dimensions: int) -> Solver:
    """Return how the components are found: exactly, unless that takes long."""
    if rows < dimensions and rows <= _FEW:
        return "full"
    return "covariance" if dimensions <= _EXACT else "randomized"


def _blocks(
    samples: Any, mean: np.ndarray | float = 0.0, dtype: Any = "float64"
) -> Iterator[np.ndarray]:
    """Yield some samples at a time as (samples, dimensions), less their mean."""
    dimensions = prod(samples.shape[1:])
    step = max(_BLOCK // (8 * max(dimensions, 1)), 1)
    for first in range(0, len(samples), step):
        block = np.array(samples[first : first + step], dtype).reshape(-1, dimensions)
        block -= mean
        yield block


def _from_covariance(train: Any, count: int) -> PrincipalComponents:
    """Return the eigenvectors of the largest eigenvalues of the covariance.

    Products of float32 take half the time of those of float64, and their rounding counts only where
    the components leave almost nothing: there they are taken again in float64.
    """
    some = np.asarray(train[:_FEW]).reshape(-1, prod(train.shape[1:]))
    near = some.mean(axis=0, dtype="float64").astype("float32")
    off, scatter = _scatter(train, near, np.result_type(some.dtype, "float32"))
    squares, axes = _largest(scatter, count)
    if np.trace(scatter) - squares.sum() < _LEFT * np.trace(scatter):
        off, scatter = _scatter(train, near, np.dtype("float64"))
        squares, axes = _largest(scatter, count)
    return _components(near + off, axes, sqrt(max(squares[0], 0.0) / len(train)))


def _scatter(train: Any, near: np.ndarray, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean less `near`, and the sum of (x - mean)(x - mean)', both in float64; one pass.

    With the mean m and any c near it, that is the sum of (x - c)(x - c)' less n (m - c)(m - c)'.
    """
    total, scatter = np.zeros(len(near)), np.zeros((len(near), len(near)))
    for block in _blocks(train, near, dtype):
        total += np.ones(len(block), dtype) @ block
        scatter += block.T @ block
    off = total / len(train)
    return off, scatter - len(train) * np.outer(off, off)


def _largest(scatter: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the largest eigenvalues (count,), falling, and their vectors (count, dimensions)."""
    size = len(scatter)
    squares, vectors = eigh(scatter, subset_by_index=(size - count, size - 1))
    return squares[::-1], np.ascontiguousarray(vectors.T[::-1])


def _random_subspace(train: Any, mean: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the singular values and the axes (count, dimensions), almost, from a few passes.

    Subspace iteration, with as many steps and the same random start as scikit-learn has.
    """
    size, smaller = len(mean), min(len(train), len(mean))
    steps = 7 if count < 0.1 * smaller else 4
    start = np.random.RandomState(0).normal(size=(size, min(count + _MORE, size)))
    basis = np.linalg.qr(start)[0]
    for step in range(steps + 1):
        image = np.zeros_like(basis)
        for block in _blocks(train, mean):
            image += block.T @ (block @ basis)
        if step < steps:
            basis = np.linalg.qr(image)[0]
    # With Y = X basis: an orthonormal basis Q of Y's range gives X'Q, without Q ever being held.
    squares, turned = np.linalg.eigh(basis.T @ image)
    significant = squares > max(squares[-1], 0.0) * 1e-14
    if not significant.any():
        return np.zeros(1), basis.T[:0]
    projected = (image @ turned[:, significant]) / np.sqrt(squares[significant])
    axes, spread, _ = np.linalg.svd(projected, full_matrices=False)
    return spread, axes.T[:count]


def untrained(run: Run) -> Any:
    """Return the run's model as it was before the first step."""
    with precision.as_trained(run.info):
        return build(run.spec, run.fields, run.info["params"], seed=run.info.get("seed", 0))


def majority(parts: Iterable[np.ndarray]) -> int:
    """Return the most frequent class; -1 is left out; 0 where there is no class.

    Args:
        parts: class numbers, some samples at a time, of any shape.
    """
    counts = np.zeros(1, np.int64)
    for labels in parts:
        occurring = np.bincount(labels[present(labels)].astype(np.int64))
        counts, occurring = (
            (counts, occurring) if len(counts) >= len(occurring) else (occurring, counts)
        )
        counts[: len(occurring)] += occurring
    return int(counts.argmax())
