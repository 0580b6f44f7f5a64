"""Neighbours that stay neighbours: t-SNE of the data beside t-SNE of the code."""

import numpy as np
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from ed_core.figures.material import Material
from ed_core.figures.points import draw_points
from ed_core.figures.style import WIDTH
from ed_core.probes import flat

_SAMPLES = 1500  # of which one map takes 4 s
_COMPONENTS = 50
_PERPLEXITY = 30.0
_HEIGHT = 6.4  # inches


def tsne(materials: list[Material]) -> Figure | None:
    """Return the original data beside the code; of two runs the codes of both.

    Codes of two numbers are shown as they are by `latent_scatter`, and need no map.
    """
    planes = []
    for material in materials:
        codes = material.codes
        if codes is None or codes.shape[1] < 3:
            return None
        planes.append((material, codes, material.name or "code"))
    if len(materials) == 1:
        main = materials[0]
        field = next(iter(main.encoder.input))
        planes.insert(0, (main, flat(main.samples[field]), f"original {field}"))
    figure = Figure(figsize=(WIDTH, _HEIGHT))
    figure.set_layout_engine("constrained", wspace=0.06)
    for axes, (material, rows, name) in zip(figure.subplots(1, len(planes)), planes, strict=True):
        draw_points(axes, material, embedded(rows[:_SAMPLES]))
        axes.set_title(f"{name}, t-SNE of {rows.shape[1]:,} numbers")
        axes.set(xticks=[], yticks=[])  # the axes of t-SNE mean nothing
        axes.spines[:].set_visible(True)
    return figure


def embedded(rows: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return samples (samples, size) as points (samples, 2), after a PCA to 50 components.

    Van der Maaten & Hinton, 2008; started from the principal components, so that what lies far
    apart stays so. In one thread: several take ten times as long on a busy machine.
    """
    rows = rows.astype("float64")
    if len(rows) < 4 or not np.ptp(rows, axis=0).any():
        return np.zeros((len(rows), 2))  # there is nothing to tell apart
    components = min(_COMPONENTS, *rows.shape)
    perplexity = min(_PERPLEXITY, (len(rows) - 1) / 3)
    with threadpool_limits(1):
        rows = PCA(components, random_state=seed).fit_transform(rows)
        method = TSNE(2, init="pca", perplexity=perplexity, random_state=seed)
        points: np.ndarray = method.fit_transform(rows)
    return points
