"""Input, output and difference, one above the other; signals as curves."""

import numpy as np
from PySide6.QtWidgets import QWidget

from ed_viewer.imaging import (
    as_images,
    finite_range,
    image_levels,
    is_signal,
    pixels,
)
from ed_viewer.messages import Arrays
from ed_viewer.palette import difference_table, grey_table
from ed_viewer.panel import Panel, panel
from ed_viewer.widgets.tiles import TileRow, Tiles, TileSet, TileStyle
from ed_viewer.widgets.waves import Waves


@panel("reconstruction")
class ReconstructionPanel(Panel):
    """Rows of a reconstruction; levels are those of the inputs, the same in every frame."""

    heading = "Reconstruction"
    no_difference = ""

    def build(self) -> None:
        """Choose images or curves by the shape of a sample."""
        field = str(self.source.probe.options.get("field", ""))
        self._inputs = self.source.reference.get(field)
        shape = self.source.probe.arrays["output"].shape[1:]
        self._error = ""
        self._tiles: Tiles | None = None
        self._waves: Waves | None = None
        widget: QWidget
        if is_signal(shape):
            widget = self._waves = Waves(self.source.theme)
        else:
            widget = self._tiles = Tiles(self.source.theme)
            self._tiles.hovered.connect(self.hovered)
        self.body.addWidget(widget, 1)

    def show_frame(self, arrays: Arrays) -> None:
        """Draw `output` (samples, ...) below the inputs of the same samples."""
        output = np.asarray(arrays["output"], np.float32)
        inputs = None if self._inputs is None else np.asarray(self._inputs[: len(output)])
        if self.source.signed or (inputs is not None and inputs.shape != output.shape):
            # Of two runs the difference alone; and a model may answer in another shape.
            inputs = None
        if inputs is not None:
            error = float(np.mean(np.square(np.nan_to_num(output - inputs))))
            self._error = f"squared error {error:.2g}"
            self.set_caption(self._error)
        if self._waves is not None:
            shown = output if inputs is None else inputs
            alone = (finite_range(shown), grey_table())
            levels, _ = self.source.scale("output", alone, shown)
            self._waves.show_signals(inputs, output, levels)
        if self._tiles is not None:
            self._tiles.show_tiles(self._rows(inputs, output, self._tiles))

    def restyle(self) -> None:
        """Draw the difference on the new page colour."""
        super().restyle()
        if self._waves is not None:
            self._waves.restyle()

    def _rows(self, inputs: np.ndarray | None, output: np.ndarray, tiles: Tiles) -> TileSet:
        after = self.source.images(output)
        names = self.source.class_names(len(after))
        style = TileStyle(wrap=True)
        if inputs is None:
            alone = (image_levels(after), grey_table())
            scale = self.source.scale("output", alone, after)
            row = TileRow(pixels(after, *scale), "B − A" if self.source.signed else "output", after)
            if self.source.signed:
                said = f"mean square {float(np.mean(np.square(after))):.2g}"
                self.set_caption(f"{said} · from −{scale[0][1]:.2g} to +{scale[0][1]:.2g}")
            return TileSet((row,), names, style=style)
        before = as_images(inputs)
        alone = (image_levels(before), grey_table())
        scale = self.source.scale("output", alone, before)
        levels = scale[0]
        # Half the range of the inputs: a trained model's differences would be too faint in all.
        reach = (levels[1] - levels[0]) / 2
        change = (after - before).mean(axis=-1, keepdims=True)
        table = difference_table(self.source.theme.palette)
        self.set_caption(f"{self._error} · difference from −{reach:.2g} to +{reach:.2g}")
        rows = (
            TileRow(pixels(before, *scale), "input", before),
            TileRow(pixels(after, *scale), "output", after),
            TileRow(pixels(change, (-reach, reach), table), "difference", change),
        )
        return TileSet(rows, names, style=style)
