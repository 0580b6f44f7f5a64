"""Panel of segmentations: image, truth, prediction, overlay, and the IoU of each class."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtWidgets import QBoxLayout, QLabel

from ed_core.confusion import confusion, intersection_over_union
from ed_viewer.panels.base import Panel, panel
from ed_viewer.panels.context import PanelContext
from ed_viewer.reading.messages import Arrays
from ed_viewer.style.palette import class_table, grey_table, value_table
from ed_viewer.style.pixels import (
    as_images,
    class_pixels,
    finite_range,
    image_levels,
    overlaid,
    pixels,
)
from ed_viewer.style.text import counted, muted, plain, signed
from ed_viewer.widgets.controls import Slider
from ed_viewer.widgets.score_bars import Score, ScoreBars
from ed_viewer.widgets.tiles.pickable import PICTURES, Sheet
from ed_viewer.widgets.tiles.tile_set import TileRow, TileSet

_CHANGES = ("only B right", "both right or both wrong", "only A right")
_ROOMY = 440  # pixels: a narrower panel has no room for the list of classes
_WIDE = 1.5  # times as wide as high is one that has room for both side by side
_EDGES = 24  # pixels at the left and the right of it
_WORDY = 330  # and of one whose slider has its name beside it


@dataclass(frozen=True, slots=True, eq=False)
class ClassLayer:
    """Classes of a field: names, colours, and the truth of every pixel.

    Attributes:
        names, colours: one a class.
        truth: (samples, height, width), -1 where there is none; None where nothing is known.
    """

    names: tuple[str, ...]
    colours: tuple[str, ...]
    truth: np.ndarray | None


def rows_of(
    source: PanelContext, layer: ClassLayer, predicted: np.ndarray, opacity: float
) -> tuple[TileRow, ...]:
    """Return the inputs, the truth, the prediction, and its overlay on the first input.

    Args:
        source: of the panel.
        layer: the classes.
        predicted: (samples, height, width) predicted class numbers.
        opacity: of the prediction over the input, 0..1.
    """
    rows = _inputs(source, layer, predicted)
    row = _class_row(source, layer, predicted, "prediction")
    rows.append(row)
    if rows[0].label not in ("truth", "prediction"):
        over = overlaid(rows[0].pixels, row.pixels, opacity)
        rows.append(TileRow(over, "overlay", row.values, names=layer.names))
    return tuple(rows)


def rows_of_change(
    source: PanelContext, layer: ClassLayer, ours: np.ndarray, theirs: np.ndarray, opacity: float
) -> tuple[TileRow, ...]:
    """Return the inputs, the truth, and how many errors B has more than A: -1, 0 or 1 a pixel.

    Without a truth, the classes of B where it differs from A.

    Args:
        source: of the panel.
        layer: the classes.
        ours: (samples, height, width) class numbers of run A.
        theirs: those of run B.
        opacity: of the change over the input, 0..1.
    """
    rows = _inputs(source, layer, theirs)
    if layer.truth is None:
        other = np.where(ours == theirs, -1, theirs)
        return (*rows, _class_row(source, layer, other, "B where it differs"))
    more = (theirs != layer.truth).astype(np.int64) - (ours != layer.truth)
    change = np.where(layer.truth >= 0, more + 1, -1)
    palette = source.theme.palette
    table = class_table((palette.below, palette.zero, palette.above))
    colours = class_pixels(change, table, _stripes(source))
    rows.append(TileRow(colours, "errors", change[..., None], names=_CHANGES))
    if rows[0].label != "truth":
        visible = np.where((more != 0)[..., None], colours, rows[0].pixels)
        over = overlaid(rows[0].pixels, visible, opacity)
        rows.append(TileRow(over, "overlay", change[..., None], names=_CHANGES))
    return tuple(rows)


def _inputs(source: PanelContext, layer: ClassLayer, predicted: np.ndarray) -> list[TileRow]:
    rows = [_picture(name, array) for name, array in source.pictures(predicted.shape).items()]
    if layer.truth is not None:
        rows.append(_class_row(source, layer, layer.truth, "truth"))
    return rows


def _class_row(source: PanelContext, layer: ClassLayer, labels: np.ndarray, name: str) -> TileRow:
    colours = class_pixels(labels, class_table(layer.colours), _stripes(source))
    return TileRow(colours, name, labels[..., None], names=layer.names)


def _stripes(source: PanelContext) -> np.ndarray:
    return class_table((source.theme.palette.line, source.theme.palette.card))


def _picture(name: str, array: np.ndarray) -> TileRow:
    """Return a row of an input: an image, or a value such as the elevation, of all one scale."""
    images = as_images(array)
    if array.ndim == 4 and array.shape[-1] == 3:
        return TileRow(pixels(images, image_levels(images), grey_table()), name, images)
    table = grey_table() if name == "image" else value_table()
    levels = image_levels(images) if name == "image" else finite_range(array)
    return TileRow(pixels(images, levels, table), name, images)


@panel("predictions/classes")
class SegmentationPanel(Panel):
    """A column a sample; pixels without a truth are striped and do not count.

    Attributes:
        sheet: the pictures; scores: the IoU of each class.
        opacity: of the overlay.
        predicted: (samples, height, width) class numbers of the frame on show, of both runs if
            their difference is shown.
    """

    tab = "Segmentation"
    telling = 3
    no_difference = ""
    kept = ("classes",)

    def build(self) -> None:
        """The pictures, the slider of the overlay, the classes with their IoU."""
        options = self.source.probe.options
        self._target = str(options.get("target") or "")
        self.set_heading(f"Segmentation · {options.get('output') or self._target}")
        self._named = muted(plain(QLabel("overlay")))
        self.tools.addWidget(self._named)
        self.opacity = Slider(self.source.theme)
        self.opacity.setAccessibleName("Opacity of the overlay")
        self.opacity.setToolTip("Opacity of the prediction over the image")
        self.opacity.setRange(0, 100)
        self.opacity.setValue(50)
        self.opacity.setMinimumWidth(48)
        self.opacity.setMaximumWidth(110)
        self.opacity.valueChanged.connect(self._draw)
        self.tools.addWidget(self.opacity)
        self._named.setBuddy(self.opacity)
        self.sheet = Sheet(self.source.theme)
        self.sheet.resized.connect(self._draw)
        self.sheet.picked.connect(self._score)
        self.scores = ScoreBars(self.source.theme)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._row.setSpacing(16)
        self._row.addWidget(self.sheet, 1)
        self._row.addWidget(self.scores)
        self.body.addLayout(self._row, 1)
        self.predicted: tuple[np.ndarray, ...] = ()

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        # Beside pictures in a panel that is not wide the list would leave them little room.
        high = self.width() < _WIDE * self.height()
        ways = QBoxLayout.Direction
        self._row.setDirection(ways.TopToBottom if high else ways.LeftToRight)
        self.scores.set_flat(self.height() // 3 if high else 0, self.width() - _EDGES)
        self.scores.setVisible(self.width() >= _ROOMY)
        self._named.setVisible(self.width() >= _WORDY)

    def show_frame(self, arrays: Arrays) -> None:
        """Draw `classes` (samples, height, width), of a difference those of both runs."""
        sides = ("A/", "B/") if self.source.signed else ("",)
        self.predicted = tuple(np.asarray(arrays[f"{s}classes"]).astype(np.int64) for s in sides)
        self._draw()

    def restyle(self) -> None:
        """Draw in the colours of the new theme."""
        super().restyle()
        self._draw()

    def _draw(self) -> None:
        if not self.predicted:
            return
        layer, opacity = self._known(), self.opacity.value() / 100
        if self.source.signed:
            ours, theirs = self.predicted
            rows = rows_of_change(self.source, layer, ours, theirs, opacity)
        else:
            rows = rows_of(self.source, layer, self.predicted[0], opacity)
        self.sheet.show_tiles(TileSet(rows, style=PICTURES))
        self._score()

    def _score(self) -> None:
        """Show the scores of all samples, or of the one that is picked."""
        if not self.predicted:
            return
        layer = self._known()
        pick = self.sheet.sample
        tallies = [_tally(layer, predicted, pick) for predicted in self.predicted]
        of = counted(len(self.predicted[0]), "sample") if pick is None else f"sample {pick + 1}"
        values: list[float | None] = [None] * len(layer.names)
        if layer.truth is None:
            self.set_caption("no ground truth recorded")
        elif not tallies[0].pixels:
            self.set_caption("no pixel is labelled")
        else:
            iou = tallies[0].iou if len(tallies) == 1 else tallies[1].iou - tallies[0].iou
            values = [None if np.isnan(v) else float(v) for v in iou]
            self.set_caption(" · ".join([_describe(*tallies), of, *self.sheet.cut()]))
        scores = zip(layer.names, layer.colours, values, strict=True)
        title = f"IoU of {of}" + (", B − A" if self.source.signed else "")
        self.scores.show_scores([Score(*score) for score in scores], title, self.source.signed)

    def _known(self) -> ClassLayer:
        """Return the classes, as many as the field has or as are seen, and the truth."""
        truth = self.source.truth(self._target, self.predicted[0].shape)
        if truth is not None:
            truth = np.nan_to_num(np.asarray(truth, np.float64), nan=-1).astype(np.int64)
        seen = [int(labels.max()) + 1 for labels in (*self.predicted, truth) if labels is not None]
        count = max(len(self.source.classes(self._target)), *seen)
        names = self.source.names(self._target, count)
        return ClassLayer(names, self.source.colours(self._target, count), truth)


@dataclass(frozen=True, slots=True, eq=False)
class _Tally:
    """Scores: number of labelled pixels, percent right, and the IoU of each class."""

    pixels: int
    right: float
    iou: np.ndarray


def _tally(layer: ClassLayer, predicted: np.ndarray, pick: int | None) -> _Tally:
    """Return the scores of all samples, or of the one that is picked."""
    truth = np.full(predicted.shape, -1) if layer.truth is None else layer.truth
    of = slice(None) if pick is None else pick
    counts = confusion(truth[of], predicted[of], len(layer.names))
    right = 100 * np.trace(counts) / max(counts.sum(), 1)
    return _Tally(int(counts.sum()), float(right), intersection_over_union(counts))


def _describe(ours: _Tally, theirs: _Tally | None = None) -> str:
    """Return the scores of a run, or by how much those of another are higher, in words."""
    if theirs is None:
        there, count = int(np.isfinite(ours.iou).sum()), len(ours.iou)
        of = "" if there == count else f" ({there} of {count} classes)"  # others are not there
        return f"mean IoU {np.nanmean(ours.iou):.3f}{of} · {ours.right:.1f} % of pixels right"
    iou, right = np.nanmean(theirs.iou) - np.nanmean(ours.iou), theirs.right - ours.right
    return signed(f"mean IoU {iou:+.3f} · pixels right {right:+.1f} points")
