"""Mosaic of many images of one size, in rows that fill the room."""

from math import ceil

import numpy as np
from PySide6.QtCore import QSize

from ed_viewer.widgets.tiles.tile_set import TileRow


def across(images: np.ndarray, room: QSize) -> int:
    """Return how many images (n, height, width, channels) stand side by side to fill the room.

    Full rows are worth somewhat smaller images.
    """
    count, height, width = images.shape[:3]

    def worth(columns: int) -> float:
        rows = ceil(count / columns)
        size = min(room.width() / columns, room.height() / rows * width / height)
        return size * count / (columns * rows)

    return max(range(1, count + 1), key=worth, default=1)


def mosaic(
    pixels: np.ndarray,
    values: np.ndarray,
    columns: int,
    dead: np.ndarray | None = None,
    numbered: bool = False,
) -> tuple[TileRow, ...]:
    """Return rows of so many tiles.

    Args:
        pixels: (n, height, width, 4) uint8.
        values: (n, height, width, channels) behind them.
        columns: of a row; the last may be shorter.
        dead: (n,) whether a tile is marked as silent.
        numbered: whether a row's name says which tiles it holds, from 1.
    """
    rows = []
    for start in range(0, len(pixels), columns):
        end = min(start + columns, len(pixels))
        marked = () if dead is None else np.flatnonzero(dead[start:end]).tolist()
        label = (f"{start + 1}–{end}" if end > start + 1 else str(end)) if numbered else ""
        part = slice(start, end)
        rows.append(TileRow(pixels[part], label, values[part], dead=frozenset(marked)))
    return tuple(rows)
