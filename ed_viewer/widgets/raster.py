"""Many points as one picture: the cost is that of the pixels, not of the points."""

import numpy as np
from PySide6.QtGui import QColor

from ed_viewer.palette import Palette

Box = tuple[float, float, float, float]


def rasterise(
    points: np.ndarray,
    labels: np.ndarray,
    window: tuple[float, float, float, float],
    palette: Palette,
    size: int,
) -> tuple[np.ndarray, Box]:
    """Return a picture (size, size, 4) uint8 RGBA, row 0 at the bottom, and where it lies.

    Args:
        points: (samples, 2).
        labels: (samples,) the class of each, -1 for points that are left out.
        window: left, right, bottom, top of the picture.
        palette: for the colours of the classes.
        size: pixels of each side.
    """
    left, right, down, up = window
    cells = ((points - (left, down)) / (right - left, up - down) * size).astype(np.int64)
    inside = ((cells >= 0) & (cells < size)).all(axis=1) & (labels >= 0)
    colours = np.array([QColor(c).getRgb() for c in palette.classes], np.uint8)
    picture = np.zeros((size, size, 4), np.uint8)
    column, row = cells[inside].T
    picture[row, column] = colours[labels[inside] % len(colours)]
    return picture, (left, down, right - left, up - down)
