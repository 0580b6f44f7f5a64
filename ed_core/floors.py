"""What a model must beat: a PCA, the untrained model, the most frequent class."""

from math import prod
from typing import Any

import numpy as np
from sklearn.decomposition import PCA

from ed_core.arrange import present
from ed_core.run import Run, build

_EXACT = 2000  # dimensions up to which the eigenvectors of the covariance take 4 s of a processor
_FEW = 200  # rows up to which a full decomposition takes less: it grows with their square


def pca_reconstruction(train: Any, test: np.ndarray, components: int) -> np.ndarray:
    """Return `test` projected on the first principal components of `train`, in its own shape.

    Fitted from the covariance where that is small, so that 60,000 x 784 takes a second and no copy
    of the data.

    Args:
        train: (samples, ...) floats, or anything that slices like them.
        test: (samples, ...) floats.
        components: as many as the code has numbers; at most the samples or the dimensions.
    """
    dimensions = prod(test.shape[1:])
    rows = np.asarray(train[:], "float32").reshape(-1, dimensions)
    if (rows == rows[0]).all():  # one sample: it is the mean, and there are no components
        return np.broadcast_to(rows[0].reshape(test.shape[1:]), test.shape)
    solver = _solver(*rows.shape)
    pca = PCA(min(components, *rows.shape), svd_solver=solver, random_state=0).fit(rows)
    projected = pca.transform(test.reshape(-1, dimensions).astype("float32", copy=False))
    return np.asarray(pca.inverse_transform(projected)).reshape(test.shape)


def _solver(rows: int, dimensions: int) -> str:
    """Return how scikit-learn finds the components: exactly, unless that takes long."""
    if rows < dimensions and rows <= _FEW:
        return "full"
    return "covariance_eigh" if dimensions <= _EXACT else "randomized"


def untrained(run: Run) -> Any:
    """Return the run's model as it was before the first step."""
    return build(run.spec, run.data.fields, run.info["params"], seed=run.info.get("seed", 0))


def majority(labels: np.ndarray) -> int:
    """Return the most frequent class of `labels`, of any shape, -1 left out; 0 where none is."""
    known = labels[present(labels)].astype(np.int64)
    return int(np.bincount(known).argmax()) if known.size else 0
