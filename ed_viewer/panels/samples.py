"""Panel of samples decoded from the same noise in every frame."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtGui import QFontMetrics

from ed_viewer.panels.base import Panel, panel
from ed_viewer.reading.messages import Arrays, FrameHistory, Lookback
from ed_viewer.style.palette import grey_table
from ed_viewer.style.pixels import Scale, as_images, image_levels, pixels
from ed_viewer.style.text import counted, grouped, span
from ed_viewer.widgets.controls import Toggle
from ed_viewer.widgets.tiles.mosaic import across, mosaic
from ed_viewer.widgets.tiles.tile_set import TileRow, TileSet, TileStyle
from ed_viewer.widgets.tiles.tiles import Tiles

_ROWS = 10  # at most
_SMALL = 24  # pixels of a tile at least
_MOST = 16  # columns
_STEP = 10_000  # that has room in its column while none is known
_APART = 9  # pixels between two names, as `tile_layout` wants them


@dataclass(frozen=True, slots=True, eq=False)
class SampleHistory:
    """Samples of several steps.

    Attributes:
        pixels: (columns, rows, height, width, 4) uint8.
        values: (columns, rows, height, width, channels) behind them.
        labels: the name of each row.
    """

    pixels: np.ndarray
    values: np.ndarray
    labels: Sequence[str]


def plan(arrays: Arrays, room: QSize, metrics: QFontMetrics, step: int = _STEP) -> Lookback:
    """Return the samples, and the number of steps, that have room.

    Args:
        arrays: of the frame on show, `images` and, of a conditional model, `classes`.
        room: in pixels.
        metrics: of the type of the names.
        step: the longest of them.
    """
    images = as_images(np.asarray(arrays["images"][:1]))
    height = room.height() - 2 * metrics.height()
    most = int(np.clip(height // _SMALL, 2, _ROWS))
    samples = _chosen(len(arrays["images"]), arrays.get("classes"), most)
    tile = height / max(len(samples), 1) * images.shape[2] / images.shape[1]
    pitch = max(tile + 2, _pitch((grouped(step),), metrics))
    columns = int(np.clip((room.width() - 4 * metrics.height()) // pitch, 2, _MOST))
    return Lookback(columns, samples)


def strip_tiles(strip: SampleHistory, steps: np.ndarray, metrics: QFontMetrics) -> TileSet:
    """Return a strip with its names; steps (columns,) are -1 where there is no frame."""
    rows = tuple(
        TileRow(strip.pixels[:, row], label, strip.values[:, row])
        for row, label in enumerate(strip.labels)
    )
    names = tuple(grouped(int(step)) if step >= 0 else "–" for step in steps)
    style = TileStyle(smallest=8, pitch=_pitch(names, metrics))
    return TileSet(rows, names, "step", style=style)


def _pitch(names: Sequence[str], metrics: QFontMetrics) -> int:
    return max((metrics.horizontalAdvance(name) for name in names), default=0) + _APART


def _chosen(count: int, classes: np.ndarray | None, most: int) -> tuple[int, ...]:
    """Return the first samples, or the first of each class, then the second ones, in order."""
    if classes is None:
        return tuple(range(min(count, most)))
    kinds = np.unique(classes)[:most]
    each = max(most // len(kinds), 1)
    return tuple(int(n) for kind in kinds for n in np.flatnonzero(classes == kind)[:each])


@panel("samples")
class SamplesPanel(Panel):
    """A sheet of samples, of a conditional model a row a class; or some of them over time.

    Attributes:
        tiles: the samples; over_time: the toggle.
        arrays: the frame on show; past: earlier ones beside it, None for none.
    """

    tab = "Samples"
    heading = "Samples"
    telling = 2
    no_difference = ""
    places = ("classes",)

    def build(self) -> None:
        """One sheet, and the choice of what stands on it."""
        self.over_time = Toggle("over time", "accent", self.source.theme)
        self.over_time.setAccessibleName("Samples over time")
        self.over_time.setToolTip("The same noise at several steps up to this one, side by side")
        self.over_time.toggled.connect(self._toggle)
        self.tools.addWidget(self.over_time)
        self.tiles = Tiles(self.source.theme)
        self.tiles.resized.connect(self._refit)
        self.body.addWidget(self.tiles, 1)
        self.arrays: Arrays = {}
        self.past: FrameHistory | None = None
        self._wanted: Lookback | None = None

    @property
    def lookback(self) -> Lookback | None:
        """The samples and the number of steps that have room, while they are shown over time."""
        return self._wanted

    def look_back(self, on: bool) -> bool:
        """Show the samples over time, or those of one step."""
        self.over_time.setChecked(on)
        return True

    def show_past(self, past: FrameHistory) -> None:
        """Take the samples of earlier steps."""
        self.past = past if past.arrays else None  # none of its frames is there yet

    def show_frame(self, arrays: Arrays) -> None:
        """Draw `images` (samples, ...), and `classes` (samples,) where they were asked for."""
        self.arrays = arrays
        self._refit()

    def _toggle(self, on: bool) -> None:
        self.past = self.past if on else None
        self._refit()

    def _refit(self) -> None:
        """Draw as much as has room, and ask for it."""
        lookback = None
        if self.over_time.isChecked() and self.arrays:
            newest_step = () if self.past is None else (int(self.past.steps.max()),)
            metrics = self.tiles.fontMetrics()
            lookback = plan(self.arrays, self.tiles.size(), metrics, *newest_step)
        if lookback != self._wanted:
            self._wanted = lookback
            self.looking.emit()
        self._draw()

    def _draw(self) -> None:
        if not self.arrays:
            return
        if self.past is not None and self.over_time.isChecked():
            self._draw_strip(self.past)
            return
        images = self.source.images(np.asarray(self.arrays["images"], np.float32))
        asked = self.arrays.get("classes")
        colours = self._pixels(images)
        if asked is None:
            rows = mosaic(colours, images, across(images, self.tiles.size()))
        else:
            rows = self._by_class(colours, images, np.asarray(asked, np.int64))
        self.tiles.show_tiles(TileSet(rows, style=TileStyle(smallest=8)))
        parts = [f"{counted(len(images), 'sample')} · same noise in every frame"]
        hidden = sum(len(row.pixels[self.tiles.columns :]) for row in rows)
        hidden += sum(len(row.pixels) for row in rows[len(rows) - self.tiles.hidden_rows :])
        parts += [f"no room for {grouped(hidden)}"] if hidden else []
        signed = self.source.signed
        parts = [*([span(self._scale(images)[0][1])] if signed else []), *parts]
        self.set_caption(" · ".join(parts), "first" if signed else "")

    def _draw_strip(self, past: FrameHistory) -> None:
        images_over_time = past.arrays["images"]
        images = self.source.images(images_over_time.reshape(-1, *images_over_time.shape[2:]))
        shape = images_over_time.shape[:2]
        colours = self._pixels(images).reshape(*shape, *images.shape[1:3], 4)
        none = self.source.theme.colour("card")
        colours[past.steps < 0] = (none.blue(), none.green(), none.red(), 255)
        strip = SampleHistory(
            colours, images.reshape(*shape, *images.shape[1:]), self._labels(past.samples)
        )
        self.tiles.show_tiles(strip_tiles(strip, past.steps, self.tiles.fontMetrics()))
        steps = len(np.unique(past.steps[past.steps >= 0]))
        last = f" up to {grouped(int(past.steps[-1]))}" if steps else ""
        of, at = len(self.arrays["images"]), counted(steps, "step")
        some = counted(of, "sample") if shape[1] == of else f"{shape[1]} of {of} samples"
        self.set_caption(f"{some} at {at}{last}, same noise")

    def _pixels(self, images: np.ndarray) -> np.ndarray:
        return pixels(images, *self._scale(images))

    def _scale(self, images: np.ndarray) -> Scale:
        return self.source.scale("images", (image_levels(images), grey_table()), images)

    def _labels(self, samples: Sequence[int]) -> tuple[str, ...]:
        asked = self.arrays.get("classes")
        if asked is None:
            return tuple(str(number + 1) for number in samples)
        names = self._names(np.asarray(asked, np.int64))
        return tuple(names[int(asked[number])] for number in samples)

    def _names(self, asked: np.ndarray) -> tuple[str, ...]:
        label = str(self.source.probe.options.get("label") or "")
        return self.source.names(label, int(asked.max()) + 1)

    def _by_class(
        self, colours: np.ndarray, images: np.ndarray, asked: np.ndarray
    ) -> tuple[TileRow, ...]:
        names = self._names(asked)
        return tuple(
            TileRow(colours[asked == number], names[number], images[asked == number])
            for number in np.unique(asked)
        )
