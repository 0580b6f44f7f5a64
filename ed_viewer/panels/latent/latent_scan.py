"""Panel of a decoded grid over two dimensions of the code."""

import numpy as np

from ed_viewer.panels.base import Panel, panel
from ed_viewer.reading.messages import Arrays
from ed_viewer.style.text import ordinal, signed, span
from ed_viewer.widgets.tiles.tile_set import TileRow, TileSet, TileStyle
from ed_viewer.widgets.tiles.tiles import Tiles

_READABLE = 18  # pixels of a tile: below, fewer are shown
_LOW = 130  # pixels: below, names at the sides would leave no room for the grid
_DIGITS = 4  # after the point, at most
_FEWEST = 5  # tiles in a row or a column that are left


@panel("latent_scan")
class LatentScanPanel(Panel):
    """One image of all decoded codes, with the values of the code at its sides.

    As the recorder lays it out, the first row of the grid is the largest value of y: upwards on
    the screen is upwards in the code, as in the scatter beside it.
    """

    tab = "Latent"
    heading = "Decoded grid"
    no_difference = ""
    places = ("x", "y")

    def build(self) -> None:
        """One set of tiles without gaps."""
        self.tiles = Tiles(self.source.theme)
        self.tiles.resized.connect(self._draw)
        self.body.addWidget(self.tiles, 1)
        self._arrays: Arrays = {}
        self._levels = (0.0, 1.0)

    def show_frame(self, arrays: Arrays) -> None:
        """Draw `grid` (rows, columns, height, width, channels) with `x` and `y` as its names."""
        self._arrays = arrays
        self._draw()

    def restyle(self) -> None:
        """Draw charts in the colours of the theme."""
        super().restyle()
        self._draw()

    def _draw(self) -> None:
        if not self._arrays:
            return
        longest = max(self._arrays["grid"].shape[:2])
        every = 1
        tile_row = self._grid(every)
        while self.tiles.tile_width(tile_row) < _READABLE and longest // (every + 1) >= _FEWEST:
            every += 1
            tile_row = self._grid(every)
        self.tiles.show_tiles(tile_row)
        parts = [f"every {ordinal(every)} row, column"] if every > 1 else []
        change = self.source.signed
        parts = [*([span(self._levels[1])] if change else []), *parts]
        self.set_caption(" · ".join(parts), "first" if change else "")

    def _grid(self, every: int) -> TileSet:
        """Return the grid, or of its rows and columns every second, third ... around the middle."""
        whole = np.asarray(self._arrays["grid"], np.float32)
        down, across = (np.arange((n - 1) % every // 2, n, every) for n in whole.shape[:2])
        grid = whole[down][:, across]
        columns = tuple(_names(self._arrays["x"])[n] for n in across)
        names = [_names(np.sort(self._arrays["y"])[::-1])[n] for n in down]
        stamps = self.source.stamps("grid", grid.reshape(-1, *grid.shape[2:]))
        self._levels, charts = stamps.levels, stamps.moments
        colours = stamps.pixels.reshape(*grid.shape[:2], *stamps.pixels.shape[1:])
        values = stamps.values.reshape(*grid.shape[:2], *stamps.values.shape[1:])
        rows = tuple(
            TileRow(colours[row], name, values[row], moments=charts)
            for row, name in enumerate(names[: len(grid)])
        )
        first, second = self._dimensions()
        low = self.tiles.height() < _LOW
        style = TileStyle(gap=2 if charts else 0, smallest=4, below=True, bare=low)
        return TileSet(rows, columns, f"code {first}", f"code {second}", style=style)

    def _dimensions(self) -> tuple[int, int]:
        recorded = self.source.probe.options.get("dimensions", (0, 1))
        first, second = (int(d) + 1 for d in recorded)
        return first, second


def _names(values: np.ndarray) -> list[str]:
    """Return values with so many digits that no two read the same, one after the point at least."""
    different = len(np.unique(values))
    texts: list[str] = []
    for digits in range(1, _DIGITS + 1):
        rounded = (round(float(value), digits) + 0.0 for value in values)  # no minus before 0
        texts = [signed(f"{value:.{digits}f}") for value in rounded]
        if len(set(texts)) == different:
            break
    return texts
