"""Content of tiles: pixels, values and names."""

from dataclasses import dataclass, field

import numpy as np

from ed_viewer.style.text import spelled


@dataclass(frozen=True, slots=True, eq=False)
class TileRow:
    """One row: `pixels` (n, height, width, 4) uint8, and what the mouse reads out of it.

    Attributes:
        label: the row's name, at its left.
        values: (n, height, width, channels) behind the pixels.
        aspect: width over height of a tile on the screen; None for square pixels.
        dead: the columns that are marked as silent.
        names: of whole-number values, such as classes; the mouse reads them out.
        units: of a tile that lays units out in a square, how many there are; the rest is filling.
        moments: of a tile that is a chart, what stands side by side in it, such as the columns of a
            table.
    """

    pixels: np.ndarray
    label: str = ""
    values: np.ndarray | None = None
    aspect: float | None = None
    dead: frozenset[int] = frozenset()
    names: tuple[str, ...] = ()
    units: int = 0
    moments: tuple[str, ...] = ()

    @property
    def shape(self) -> tuple[float, float]:
        """Width and height of a tile, in its own pixels."""
        height, width = self.pixels.shape[1:3]
        return float(width), (height if self.aspect is None else width / self.aspect)


@dataclass(frozen=True, slots=True)
class TileStyle:
    """Rules of the layout of tiles.

    Attributes:
        gap: pixels between tiles.
        wrap: whether many columns may go on below, as a second block of all the rows.
        smallest: the smallest width of a tile; rows, then columns, that do not fit are left out.
        comfortable: columns are left out rather than that tiles are narrower, if they are because
            there are so many.
        below: whether the columns' names stand below instead of above.
        bare: whether names and titles are left out; the mouse still reads them out.
        pitch: pixels from a column to the next at least, so that each has room for its name.
    """

    gap: int = 2
    wrap: bool = False
    smallest: int = 20
    comfortable: int = 0
    below: bool = False
    bare: bool = False
    pitch: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class TileSet:
    """Rows of tiles with the names of columns, the titles of axes, and the pick."""

    rows: tuple[TileRow, ...] = ()
    columns: tuple[str, ...] = ()
    x_title: str = ""
    y_title: str = ""
    selected: tuple[int, int] | None = None
    style: TileStyle = field(default_factory=TileStyle)


def describe(tiles: TileSet, row: int, column: int, share: tuple[float, float]) -> str:
    """Return the value at a share (across, down) of a tile, in words."""
    tile, names = tiles.rows[row], tiles.columns
    name = names[column] if column < len(names) and names[column] else f"column {column + 1}"
    if tile.values is None or column >= len(tile.values):
        return ""
    height, width = tile.values.shape[1:3]
    x, y = min(int(share[0] * width), width - 1), min(int(share[1] * height), height - 1)
    unit = y * width + x + 1
    if unit > (tile.units or unit):
        return ""
    place = f"unit {unit}" if tile.units else f"({x}, {y})"
    place = tile.moments[x] if tile.moments else place
    value = ", ".join(_word(v, tile.names) for v in np.atleast_1d(tile.values[column, y, x]))
    return f"{tile.label or 'tile'} · {name} · {place} = {value}"


def _word(value: float, names: tuple[str, ...]) -> str:
    if not names:
        return spelled(value)
    return names[int(value)] if 0 <= value < len(names) else "no class"
