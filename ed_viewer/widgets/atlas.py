"""All tiles of a row in one image, and how a tile comes out of it."""

from math import ceil

import numpy as np
from PySide6.QtCore import QPoint, QRect, QSize, Qt
from PySide6.QtGui import QImage


def make_atlas(pixels: np.ndarray) -> QImage:
    """Return tiles (n, height, width, 4), one below the other."""
    count, height, width = pixels.shape[:3]
    tall = np.ascontiguousarray(pixels).reshape(count * height, width, 4)
    image = QImage(tall.data, width, count * height, 4 * width, QImage.Format.Format_RGB32)
    return image.copy()  # owns its bytes: the array may go before the image does


def cut(atlas: QImage, source: QRect, size: QSize) -> QImage:
    """Return one tile for SVG, its pixels repeated: those who show it would smooth them.

    Qt's SVG takes no notice of the part of an image that is asked for.
    """
    times = max(ceil(size.width() / source.width()), ceil(size.height() / source.height()))
    return atlas.copy(source).scaled(source.size() * times)


def shrunk(atlas: QImage, source: QRect, size: QSize) -> tuple[QImage, QRect]:
    """Average when a tile is drawn smaller than it is; leaving out pixels would lose thin lines."""
    if size.width() >= source.width() or size.height() < 1:
        return atlas, source
    tiles = atlas.height() // source.height()
    smooth = Qt.TransformationMode.SmoothTransformation
    keep = Qt.AspectRatioMode.IgnoreAspectRatio
    return (
        atlas.scaled(size.width(), size.height() * tiles, keep, smooth),
        QRect(QPoint(0, 0), size),
    )
