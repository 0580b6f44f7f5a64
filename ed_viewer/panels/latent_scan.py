"""What the decoder makes of a grid over two dimensions of the code."""

import numpy as np

from ed_viewer.imaging import image_levels, pixels
from ed_viewer.messages import Arrays
from ed_viewer.palette import grey_table
from ed_viewer.panel import Panel, panel
from ed_viewer.widgets.tiles import TileRow, Tiles, TileSet, TileStyle


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
        self._tiles = Tiles(self.source.theme)
        self._tiles.hovered.connect(self.hovered)
        self.body.addWidget(self._tiles, 1)

    def show_frame(self, arrays: Arrays) -> None:
        """Draw `grid` (rows, columns, height, width, channels) with `x` and `y` as its names."""
        grid = np.asarray(arrays["grid"], np.float32)
        columns = tuple(_signed(v) for v in arrays["x"])
        names = [_signed(v) for v in np.sort(arrays["y"])[::-1]]
        images = self.source.images(grid.reshape(-1, *grid.shape[2:]))
        scale = self.source.scale("grid", (image_levels(images), grey_table()), images)
        made = pixels(images, *scale).reshape(*grid.shape[:2], *images.shape[1:3], 4)
        values = images.reshape(*grid.shape[:2], *images.shape[1:])
        rows = tuple(
            TileRow(made[row], name, values[row]) for row, name in enumerate(names[: len(grid)])
        )
        first, second = self._dimensions()
        style = TileStyle(gap=0, smallest=4, below=True)
        self._tiles.show_tiles(
            TileSet(rows, columns, f"code {first}", f"code {second}", style=style)
        )

    def _dimensions(self) -> tuple[int, int]:
        given = self.source.probe.options.get("dimensions", (0, 1))
        first, second = (int(d) + 1 for d in given)
        return first, second


def _signed(value: float) -> str:
    return f"{round(float(value), 1) + 0.0:.1f}".replace("-", "\u2212")
