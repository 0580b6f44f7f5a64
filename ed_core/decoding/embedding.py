"""Embedding of samples in two dimensions by t-SNE."""

import numpy as np
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

_COMPONENTS = 50
_PERPLEXITY = 30.0


def embedded(rows: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return samples (samples, size) as points (samples, 2), after a PCA to 50 components.

    Van der Maaten & Hinton, 2008; started from the principal components, so that what lies far
    apart stays so. In one thread: several take ten times as long on a busy machine.
    """
    rows = rows.astype("float64")
    rows -= rows.mean(axis=0)  # a common offset would cost digits
    if len(rows) < 4 or not np.ptp(rows, axis=0).any():
        return np.zeros((len(rows), 2))  # all samples are equal
    components = min(_COMPONENTS, *rows.shape)
    perplexity = min(_PERPLEXITY, (len(rows) - 1) / 3)
    with threadpool_limits(1):
        rows = PCA(components, random_state=seed).fit_transform(rows)
        method = TSNE(2, init="pca", perplexity=perplexity, random_state=seed)
        points: np.ndarray = method.fit_transform(rows)
    return points
