"""Tiles of images: the grid of a folder's files, and where one lies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ed_core import EdkitError
from ed_core.data.tiles import starts


@dataclass(frozen=True, slots=True)
class TileGrid:
    """The tiles of all files, file after file, row after row.

    Args:
        side: of a tile, in pixels.
        files: the number of each tile's file, (tiles,).
        corners: top and left of each tile, in pixels of its image, (tiles, 2).
        at_once: files whose tiles are mixed while training, since no more are kept in memory.
    """

    side: int
    files: np.ndarray
    corners: np.ndarray
    at_once: int = 0

    def __len__(self) -> int:
        return len(self.files)

    def rows_of(self, files: np.ndarray) -> np.ndarray:
        """Return the tiles of some files, increasing."""
        return np.flatnonzero(np.isin(self.files, files))

    def cut(self, image: np.ndarray, tile: int) -> np.ndarray:
        """Return a tile of an image (height, width, ...)."""
        top, left = self.corners[tile]
        return image[top : top + self.side, left : left + self.side]


def grid_of(
    sizes: Sequence[tuple[int, int]], paths: Sequence[str], side: int, overlap: int
) -> TileGrid:
    """Return the tiles of files; raise EdkitError for an image that is smaller than one.

    Args:
        sizes: height and width of each image.
        paths: of the files.
        side: of a tile, in pixels.
        overlap: pixels that neighbours share at least.
    """
    files, corners = [], []
    for number, (height, width) in enumerate(sizes):
        if min(height, width) < side:
            raise EdkitError(
                f"{paths[number]!r} has {height}x{width} pixels, less than a tile of "
                f"{side}x{side}: say tile={min(height, width)} or less, or leave it out."
            )
        for top in starts(height, side, overlap):
            for left in starts(width, side, overlap):
                files.append(number)
                corners.append((top, left))
    return TileGrid(side, np.array(files), np.array(corners))
