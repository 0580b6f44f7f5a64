"""What every pixel is taken for: image, truth, prediction, overlay, and the IoU of each class."""

import numpy as np
from PySide6.QtWidgets import QHBoxLayout, QLabel

from ed_viewer.imaging import as_images, class_pixels, finite_range, image_levels, overlaid, pixels
from ed_viewer.messages import Arrays
from ed_viewer.palette import class_table, grey_table, value_table
from ed_viewer.panel import Panel, panel
from ed_viewer.tally import confusion, intersection_over_union
from ed_viewer.widgets.scores import Score, Scores
from ed_viewer.widgets.sheet import PICTURES, Sheet
from ed_viewer.widgets.slider import Slider
from ed_viewer.widgets.text import muted, plain
from ed_viewer.widgets.tile_set import TileRow, TileSet

_ROOMY = 440  # pixels: a narrower panel has no room for the list of classes
_WORDY = 330  # and of one whose slider has its name beside it


@panel("predictions/classes")
class SegmentationPanel(Panel):
    """A column a sample; pixels without a truth are striped and do not count."""

    tab = "Segmentation"
    telling = 3

    def build(self) -> None:
        """The pictures, the slider of the overlay, the classes with their IoU."""
        options = self.source.probe.options
        self._target = str(options.get("target") or "")
        self.set_heading(f"Segmentation · {options.get('output') or self._target}")
        self._named = muted(plain(QLabel("overlay")))
        self.tools.addWidget(self._named)
        self._opacity = Slider(self.source.theme)
        self._opacity.setAccessibleName("Opacity of the overlay")
        self._opacity.setToolTip("Opacity of the prediction over the image")
        self._opacity.setRange(0, 100)
        self._opacity.setValue(50)
        self._opacity.setMinimumWidth(48)
        self._opacity.setMaximumWidth(110)
        self._opacity.valueChanged.connect(self._draw)
        self.tools.addWidget(self._opacity)
        self._sheet = Sheet(self.source.theme)
        self._sheet.hovered.connect(self.hovered)
        self._sheet.resized.connect(self._draw)
        self._scores = Scores("class and IoU", self.source.theme)
        row = QHBoxLayout()
        row.setSpacing(16)
        row.addWidget(self._sheet, 1)
        row.addWidget(self._scores)
        self.body.addLayout(row, 1)
        self._arrays: Arrays = {}

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        self._scores.setVisible(self.width() >= _ROOMY)
        self._named.setVisible(self.width() >= _WORDY)

    def show_frame(self, arrays: Arrays) -> None:
        """Draw `classes` (samples, height, width)."""
        self._arrays = arrays
        self._draw()

    def restyle(self) -> None:
        """Draw in the colours of the new theme."""
        super().restyle()
        self._draw()

    def _draw(self) -> None:
        if not self._arrays:
            return
        found = np.asarray(self._arrays["classes"]).astype(np.int64)
        truth = self.source.truth(self._target, found.shape)
        if truth is not None:
            truth = np.nan_to_num(np.asarray(truth, np.float64), nan=-1).astype(np.int64)
        classes = self._classes(found, truth)
        colours = self.source.colours(self._target, classes)
        names = self.source.names(self._target, classes)
        self._sheet.show_tiles(TileSet(self._rows(found, truth, colours, names), style=PICTURES))
        values: list[float | None] = [None] * classes
        if truth is not None:
            counts = confusion(truth, found, classes)
            iou = intersection_over_union(counts)
            values = [None if np.isnan(v) else float(v) for v in iou]
            self._describe(counts, iou)
        rows = zip(names, colours, values, strict=True)
        self._scores.show_scores([Score(*row) for row in rows])

    def _classes(self, found: np.ndarray, truth: np.ndarray | None) -> int:
        known = len(self.source.classes(self._target))
        seen = max(int(found.max()), -1 if truth is None else int(truth.max()))
        return max(known, seen + 1)

    def _rows(
        self,
        found: np.ndarray,
        truth: np.ndarray | None,
        colours: tuple[str, ...],
        names: tuple[str, ...],
    ) -> tuple[TileRow, ...]:
        palette = self.source.theme.palette
        table, stripes = class_table(colours), class_table((palette.line, palette.card))
        rows = [_picture(name, array) for name, array in self.source.pictures(found.shape).items()]
        made = class_pixels(found, table, stripes)
        if truth is not None:
            true = class_pixels(truth, table, stripes)
            rows.append(TileRow(true, "truth", truth[..., None], names=names))
        rows.append(TileRow(made, "prediction", found[..., None], names=names))
        if rows[0].label not in ("truth", "prediction"):
            over = overlaid(rows[0].pixels, made, self._opacity.value() / 100)
            rows.append(TileRow(over, "overlay", found[..., None], names=names))
        return tuple(rows)

    def _describe(self, counts: np.ndarray, iou: np.ndarray) -> None:
        if not counts.any():
            self.set_caption("no pixel has a truth")
            return
        right = 100 * np.trace(counts) / counts.sum()
        said = f"mean IoU {np.nanmean(iou):.3f} · {right:.1f} % of pixels right"
        self.set_caption(f"{said} · {self._sheet.samples}")


def _picture(name: str, array: np.ndarray) -> TileRow:
    """Return a row of an input: an image, or a value such as the elevation, of all one scale."""
    images = as_images(array)
    if array.ndim == 4 and array.shape[-1] == 3:
        return TileRow(pixels(images, image_levels(images), grey_table()), name, images)
    table = grey_table() if name == "image" else value_table()
    levels = image_levels(images) if name == "image" else finite_range(array)
    return TileRow(pixels(images, levels, table), name, images)
