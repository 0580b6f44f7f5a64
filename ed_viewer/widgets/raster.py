"""Many points as one picture: the cost is that of the pixels, not of the points."""

import numpy as np
from PySide6.QtGui import QColor

from ed_viewer.palette import NO_CLASS, NOT_DRAWN, Palette, class_colour

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
        labels: (samples,) the class of each, `NO_CLASS` for none, which lies below the others,
            `NOT_DRAWN` for points that are left out.
        window: left, right, bottom, top of the picture.
        palette: for the colours of the classes.
        size: pixels of each side.
    """
    left, right, down, up = window
    cells = ((points - (left, down)) / (right - left, up - down) * size).astype(np.int64)
    inside = ((cells >= 0) & (cells < size)).all(axis=1) & (labels > NOT_DRAWN)
    of_classes, none = palette.classes, class_colour(palette, NO_CLASS)
    colours = np.array([QColor(c).getRgb() for c in (*of_classes, none)], np.uint8)
    numbers = np.where(labels >= 0, labels % len(of_classes), len(of_classes))
    picture = np.zeros((size, size, 4), np.uint8)
    for some in (inside & (labels < 0), inside & (labels >= 0)):
        column, row = cells[some].T
        picture[row, column] = colours[numbers[some]]
    return picture, (left, down, right - left, up - down)
