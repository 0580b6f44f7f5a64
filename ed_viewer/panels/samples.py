"""What a decoder or a generator makes of the same noise in every frame."""

import numpy as np

from ed_viewer.imaging import as_images, image_levels, pixels
from ed_viewer.messages import Arrays
from ed_viewer.palette import grey_table
from ed_viewer.panel import Panel, panel
from ed_viewer.widgets.mosaic import across, mosaic
from ed_viewer.widgets.tiles import TileRow, Tiles, TileSet, TileStyle


@panel("samples")
class SamplesPanel(Panel):
    """A sheet of samples; of a conditional model a row a class."""

    tab = "Samples"
    heading = "Samples"
    telling = 2

    def build(self) -> None:
        """One sheet."""
        self._tiles = Tiles(self.source.theme)
        self._tiles.hovered.connect(self.hovered)
        self._tiles.resized.connect(self._draw)
        self.body.addWidget(self._tiles, 1)
        self._arrays: Arrays = {}

    def show_frame(self, arrays: Arrays) -> None:
        """Draw `images` (samples, ...), and `classes` (samples,) where they were asked for."""
        self._arrays = arrays
        self._draw()

    def _draw(self) -> None:
        if not self._arrays:
            return
        images = as_images(np.asarray(self._arrays["images"], np.float32))
        asked = self._arrays.get("classes")
        self.set_caption(f"{len(images)} draws of noise, the same in every frame")
        made = pixels(images, image_levels(images), grey_table())
        if asked is None:
            rows = mosaic(made, images, across(images, self._tiles.size()))
        else:
            rows = self._by_class(made, images, np.asarray(asked, np.int64))
        self._tiles.show_tiles(TileSet(rows, style=TileStyle(smallest=8)))

    def _by_class(
        self, made: np.ndarray, images: np.ndarray, asked: np.ndarray
    ) -> tuple[TileRow, ...]:
        label = str(self.source.probe.options.get("label") or "")
        names = self.source.names(label, int(asked.max()) + 1)
        return tuple(
            TileRow(made[asked == number], names[number], images[asked == number])
            for number in np.unique(asked)
        )
