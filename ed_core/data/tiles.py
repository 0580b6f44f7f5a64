"""Tiles of large pictures: where they lie, and how much each counts where several overlap."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ed_core.data.lazy import at_a_time

ALIGNED = 16  # pixels: tiles begin where four halvings of the whole picture would meet theirs
Call = Callable[[dict[str, np.ndarray]], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Tiling:
    """How pictures are cut into tiles.

    Args:
        size: height and width of a tile, in pixels; () takes each picture in one piece.
        overlap: pixels that neighbours share at least.
    """

    size: tuple[int, ...]
    overlap: int


@dataclass(frozen=True, slots=True)
class Band:
    """What was computed of the rows of a picture in which no tile is missing any more.

    Args:
        rows: of the picture.
        maps: of these rows, by name, (rows, width, ...): the blended ones of the tiles.
        others: what is no map of a tile, by name, (tiles, ...): of the tiles that begin here.
    """

    rows: slice
    maps: dict[str, np.ndarray]
    others: dict[str, np.ndarray]


def starts(length: int, tile: int, overlap: int = 0, multiple: int = 1) -> list[int]:
    """Return where the tiles of one axis begin: they cover it evenly, the last one ends with it.

    Args:
        length: of the axis, in pixels.
        tile: of one tile; an axis that is shorter has one.
        overlap: pixels that neighbours share at least, less than a tile.
        multiple: all but the last begin at a multiple of it, where the tiles leave room for it.
    """
    if length <= tile:
        return [0]
    multiple = multiple if tile - overlap >= multiple else 1
    last, step = length - tile, tile - overlap
    if multiple == 1:
        count = -(-last // step)
        return [number * last // count for number in range(count + 1)]
    # In multiples: all but the last are spread evenly up to where the last one can follow.
    end = max(0, -(-(last - step) // multiple))
    count = -(-end // (step // multiple))
    return [*(number * end // max(count, 1) * multiple for number in range(count + 1)), last]


def shares(length: int, tile: int, firsts: list[int]) -> np.ndarray:
    """Return how much each tile counts along one axis, (tiles, tile); at each pixel their sum is 1.

    The outer quarter of an overlap counts nothing, since a network sees least there; the share
    rises as a raised cosine over the middle half.

    Args:
        length: of the axis, in pixels.
        tile: of one tile.
        firsts: where the tiles begin, from `starts`.
    """
    pixel = np.arange(tile) + 0.5
    weights = np.ones((len(firsts), tile))
    for number, (one, other) in enumerate(pairwise(firsts)):
        overlap = one + tile - other
        if overlap > 0:
            rise = np.clip(2 * pixel / overlap - 0.5, 0, 1)
            weights[number + 1] *= np.square(np.sin(np.pi / 2 * rise))
            weights[number] *= np.square(np.sin(np.pi / 2 * rise[::-1]))
    total = np.zeros(max(length, tile))
    for first, weight in zip(firsts, weights, strict=True):
        total[first : first + tile] += weight
    parts = [
        weight / total[first : first + tile] for first, weight in zip(firsts, weights, strict=True)
    ]
    return np.stack(parts).astype("float32")


def in_tiles(call: Call, inputs: Mapping[str, np.ndarray], tiling: Tiling) -> Iterator[Band]:
    """Yield what is computed of one picture, tile by tile, from its upper edge to its lower one.

    What is held at a time is a row of tiles, whatever the height of the picture.

    Args:
        call: a function of fields, (tiles, *size, ...) each, to outputs (tiles, ...).
        inputs: field to (height, width, ...); of those without these axes all tiles get the same.
        tiling: of a size.
    """
    height, width = _extent(inputs)
    tall, wide = tiling.size
    tops = starts(height, tall, tiling.overlap, ALIGNED)
    lefts = starts(width, wide, tiling.overlap, ALIGNED)
    down, across = shares(height, tall, tops), shares(width, wide, lefts)
    held: dict[str, np.ndarray] = {}
    for number, top in enumerate(tops):
        others: dict[str, list[np.ndarray]] = {}
        for columns, outputs in _row(call, inputs, tiling, top, lefts):
            for name, array in outputs.items():
                if array.shape[1:3] != tiling.size:
                    others.setdefault(name, []).append(array)
                    continue
                room = (tall, max(width, wide), *array.shape[3:])
                whole = held.setdefault(name, np.zeros(room, "float32"))
                for column, tile in zip(columns, array, strict=True):
                    share = down[number][:, None] * across[column]
                    share = share.reshape(*share.shape, *[1] * (tile.ndim - 2))
                    whole[:, lefts[column] : lefts[column] + wide] += share * tile
        end = tops[number + 1] if number + 1 < len(tops) else height
        maps = {name: whole[: end - top, :width] for name, whole in held.items()}
        yield Band(slice(top, end), maps, {k: np.concatenate(v) for k, v in others.items()})
        held = {name: _moved(whole, end - top) for name, whole in held.items()}


def _extent(inputs: Mapping[str, np.ndarray]) -> tuple[int, int]:
    shape = next(array.shape for array in inputs.values() if array.ndim >= 2)
    return shape[0], shape[1]


def _row(
    call: Call, inputs: Mapping[str, np.ndarray], tiling: Tiling, top: int, lefts: list[int]
) -> Iterator[tuple[range, dict[str, np.ndarray]]]:
    """Yield the outputs of a row of tiles, some at a time, with the numbers of their columns."""
    extent = _extent(inputs)
    tall, wide = tiling.size

    def tile(array: np.ndarray, left: int) -> np.ndarray:
        if array.shape[:2] != extent:
            return array
        part = array[top : top + tall, left : left + wide]
        lacking = [(0, size - side) for size, side in zip(tiling.size, part.shape, strict=False)]
        if any(more for _, more in lacking):  # a picture smaller than a tile goes on as its mirror
            part = np.pad(part, [*lacking, *[(0, 0)] * (part.ndim - 2)], "symmetric")
        return part

    one = {name: tile(array, 0)[None] for name, array in inputs.items()}
    # A power of two, filled up with the last tile: compiled once for pictures of many widths.
    step = 2 ** int(np.log2(at_a_time(one, one)))
    step = min(step, 2 ** int(np.ceil(np.log2(len(lefts)))))
    for first in range(0, len(lefts), step):
        columns = range(first, min(first + step, len(lefts)))
        places = [lefts[min(first + number, len(lefts) - 1)] for number in range(step)]
        batch = {
            name: np.stack([tile(array, left) for left in places]) for name, array in inputs.items()
        }
        outputs = call(batch)
        yield columns, {name: np.asarray(x)[: len(columns)] for name, x in outputs.items()}


def _moved(whole: np.ndarray, rows: int) -> np.ndarray:
    """Return the sums of a row of tiles for the next one: what they share, then nothing."""
    moved = np.zeros_like(whole)
    moved[: len(whole) - rows] = whole[rows:]
    return moved
