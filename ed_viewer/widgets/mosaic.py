"""Many images of one size in rows, as wide and as high as the room is."""

from math import ceil

import numpy as np
from PySide6.QtCore import QSize

from ed_viewer.widgets.tiles import TileRow

_EVEN = 0.85  # of the largest size that is possible


def across(images: np.ndarray, room: QSize) -> int:
    """Return how many images (n, height, width, channels) stand side by side to fill the room.

    Rows that are all full are worth somewhat smaller images.
    """
    count, height, width = images.shape[:3]
    sizes = {
        n: min(room.width() / n, room.height() / ceil(count / n) * width / height)
        for n in range(1, count + 1)
    }
    good = [n for n, size in sizes.items() if size >= _EVEN * max(sizes.values())]
    return min(good, key=lambda n: (-count % n, -sizes[n]), default=1)


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
        dead: (n,) whether a tile is marked as never active.
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
