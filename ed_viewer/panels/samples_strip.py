"""The same noise at several steps: a row a sample, a column a step."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtGui import QFontMetrics

from ed_viewer.imaging import as_images
from ed_viewer.lookback import Lookback
from ed_viewer.messages import Arrays
from ed_viewer.widgets.text import grouped
from ed_viewer.widgets.tile_set import TileRow, TileSet, TileStyle

_ROWS = 10  # at most
_SMALL = 24  # pixels of a tile at least
_MOST = 16  # columns
_STEP = 10_000  # that has room in its column while none is known
_APART = 9  # pixels between two names, as `tile_layout` wants them


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """What is drawn.

    Attributes:
        pixels: (columns, rows, height, width, 4) uint8.
        values: (columns, rows, height, width, channels) behind them.
        labels: the name of each row.
    """

    pixels: np.ndarray
    values: np.ndarray
    labels: Sequence[str]


def plan(arrays: Arrays, room: QSize, metrics: QFontMetrics, step: int = _STEP) -> Lookback:
    """Return which samples, and how many steps, have room.

    Args:
        arrays: of the frame on show, `images` and, of a conditional model, `classes`.
        room: in pixels.
        metrics: of the type of the names.
        step: the longest of them.
    """
    images = as_images(np.asarray(arrays["images"][:1]))
    height = room.height() - 2 * metrics.height()
    most = int(np.clip(height // _SMALL, 2, _ROWS))
    samples = _chosen(len(arrays["images"]), arrays.get("classes"), most)
    tile = height / max(len(samples), 1) * images.shape[2] / images.shape[1]
    pitch = max(tile + 2, _pitch((grouped(step),), metrics))
    columns = int(np.clip((room.width() - 4 * metrics.height()) // pitch, 2, _MOST))
    return Lookback(columns, samples)


def strip_tiles(strip: Strip, steps: np.ndarray, metrics: QFontMetrics) -> TileSet:
    """Return a strip with its names; steps (columns,) are -1 where there is no frame."""
    rows = tuple(
        TileRow(strip.pixels[:, row], label, strip.values[:, row])
        for row, label in enumerate(strip.labels)
    )
    names = tuple(grouped(int(step)) if step >= 0 else "–" for step in steps)
    style = TileStyle(smallest=8, pitch=_pitch(names, metrics))
    return TileSet(rows, names, "step", style=style)


def _pitch(names: Sequence[str], metrics: QFontMetrics) -> int:
    return max((metrics.horizontalAdvance(name) for name in names), default=0) + _APART


def _chosen(count: int, classes: np.ndarray | None, most: int) -> tuple[int, ...]:
    """Return the first samples, or the first of each class, then the second ones, in order."""
    if classes is None:
        return tuple(range(min(count, most)))
    kinds = np.unique(classes)[:most]
    each = max(most // len(kinds), 1)
    return tuple(int(n) for kind in kinds for n in np.flatnonzero(classes == kind)[:each])
