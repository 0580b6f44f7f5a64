"""Samples as points in a plane, told apart by class: a colour, a marker and a name each."""

import numpy as np
from matplotlib.axes import Axes
from scipy.spatial.distance import cdist

from ed_core.figures.material import Material
from ed_core.figures.style import BLUE, FAINT, PLATE, TEXT, class_colour, dark, marks


def draw_points(axes: Axes, material: Material, points: np.ndarray) -> None:
    """Draw samples where they lie, each class in its own colour and marker, its name at its medoid.

    Args:
        axes: of the plane.
        material: whose first samples they are.
        points: (samples, 2).
    """
    if material.label is None:
        axes.scatter(points[:, 0], points[:, 1], s=16, color=BLUE, alpha=0.6, linewidths=0)
        return
    labels = material.samples[material.label][: len(points)].astype("int64")
    unknown = points[labels < 0]
    axes.scatter(unknown[:, 0], unknown[:, 1], s=12, color=FAINT, linewidths=0)
    numbers = np.unique(labels[labels >= 0])
    for number in numbers:
        x, y = points[labels == number].T
        style = marks(int(number))
        axes.scatter(x, y, s=20, alpha=0.65, linewidths=0, **style)
    for number, (x, y) in zip(numbers, _places(points, labels, numbers), strict=True):
        name = material.class_name(int(number))
        axes.annotate(
            name,
            (x, y),
            color=dark(class_colour(number)),
            fontsize=TEXT if len(name) > 2 else TEXT + 4,
            fontweight="bold",
            ha="center",
            va="center",
            bbox=PLATE,
        )


def _places(points: np.ndarray, labels: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return where each class is named (classes, 2): at its medoid, moved off the other names.

    The medoid is a sample, so that no name stands between two parts of its class.
    """
    span = np.maximum(np.ptp(points, axis=0), 1e-12)
    places = np.array([_medoid(points[labels == n]) for n in numbers]) / span
    reach = np.array([0.16, 0.05])  # of the plane, that a name takes
    for _ in range(200):
        apart = places[:, None] - places[None]
        overlap = np.clip(1 - np.abs(apart) / reach, 0, None).prod(axis=-1)
        np.fill_diagonal(overlap, 0)
        away = np.where(apart[..., 1] == 0, 1e-3, np.sign(apart[..., 1]))
        places[:, 1] += 0.01 * (overlap * away).sum(axis=1)
    return places * span


def _medoid(points: np.ndarray) -> np.ndarray:
    """Return the one of the points (samples, 2) that is nearest to all others together."""
    found: np.ndarray = points[cdist(points, points).sum(axis=1).argmin()]
    return found
