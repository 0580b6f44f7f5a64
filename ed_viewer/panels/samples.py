"""Panel of samples decoded from the same noise in every frame."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtGui import QFontMetrics

from ed_viewer.panels.base import Panel, panel
from ed_viewer.panels.context import Stamps
from ed_viewer.reading.messages import Arrays, FrameHistory, Lookback
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
        moments: what stands side by side in a chart, () of pictures.
    """

    pixels: np.ndarray
    values: np.ndarray
    labels: Sequence[str]
    moments: tuple[str, ...] = ()


def plan(
    arrays: Arrays,
    room: QSize,
    metrics: QFontMetrics,
    step: int = _STEP,
    *,
    aspect: float = 1.0,
) -> Lookback:
    """Return the samples, and the number of steps, that have room.

    Args:
        arrays: of the frame on show, `images` and, of a conditional model, `classes`.
        room: in pixels.
        metrics: of the type of the names.
        step: the longest of them.
        aspect: width over height of a sample.
    """
    height = room.height() - 2 * metrics.height()
    most = int(np.clip(height // _SMALL, 2, _ROWS))
    samples = _chosen(len(arrays["images"]), arrays.get("classes"), most)
    tile = height / max(len(samples), 1) * aspect
    pitch = max(tile + 2, _pitch((grouped(step),), metrics))
    columns = int(np.clip((room.width() - 4 * metrics.height()) // pitch, 2, _MOST))
    return Lookback(columns, samples)


def strip_tiles(strip: SampleHistory, steps: np.ndarray, metrics: QFontMetrics) -> TileSet:
    """Return a strip with its names; steps (columns,) are -1 where there is no frame."""
    rows = tuple(
        TileRow(strip.pixels[:, row], label, strip.values[:, row], moments=strip.moments)
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

    def restyle(self) -> None:
        """Draw charts in the colours of the theme."""
        super().restyle()
        self._refit()

    def _toggle(self, on: bool) -> None:
        self.past = self.past if on else None
        self._refit()

    def _refit(self) -> None:
        """Draw as much as has room, and ask for it."""
        if not self.arrays:
            return
        stamps = self.source.stamps("images", self.arrays["images"])
        lookback = None
        if self.over_time.isChecked():
            newest_step = () if self.past is None else (int(self.past.steps.max()),)
            (high, wide), metrics = stamps.pixels.shape[1:3], self.tiles.fontMetrics()
            room = self.tiles.size()
            lookback = plan(self.arrays, room, metrics, *newest_step, aspect=wide / high)
        if lookback != self._wanted:
            self._wanted = lookback
            self.looking.emit()
        if self.past is not None and self.over_time.isChecked():
            self._draw_strip(self.past)
        else:
            self._draw(stamps)

    def _draw(self, stamps: Stamps) -> None:
        asked = self.arrays.get("classes")
        if asked is None:
            columns = across(stamps.pixels, self.tiles.size())
            rows = mosaic(stamps.pixels, stamps.values, columns)
        else:
            rows = self._by_class(stamps, np.asarray(asked, np.int64))
        rows = tuple(replace(row, moments=stamps.moments) for row in rows)
        self.tiles.show_tiles(TileSet(rows, style=TileStyle(smallest=8)))
        parts = [f"{counted(len(stamps.pixels), 'sample')} · same noise in every frame"]
        hidden = sum(len(row.pixels[self.tiles.columns :]) for row in rows)
        hidden += sum(len(row.pixels) for row in rows[len(rows) - self.tiles.hidden_rows :])
        parts += [f"no room for {grouped(hidden)}"] if hidden else []
        signed = self.source.signed
        parts = [*([span(stamps.levels[1])] if signed else []), *parts]
        self.set_caption(" · ".join(parts), "first" if signed else "")

    def _draw_strip(self, past: FrameHistory) -> None:
        images_over_time = past.arrays["images"]
        shape = images_over_time.shape[:2]
        stamps = self.source.stamps(
            "images", images_over_time.reshape(-1, *images_over_time.shape[2:])
        )
        colours = stamps.pixels.reshape(*shape, *stamps.pixels.shape[1:])
        none = self.source.theme.colour("card")
        colours[past.steps < 0] = (none.blue(), none.green(), none.red(), 255)
        values = stamps.values.reshape(*shape, *stamps.values.shape[1:])
        strip = SampleHistory(colours, values, self._labels(past.samples), stamps.moments)
        self.tiles.show_tiles(strip_tiles(strip, past.steps, self.tiles.fontMetrics()))
        steps = len(np.unique(past.steps[past.steps >= 0]))
        last = f" up to {grouped(int(past.steps[-1]))}" if steps else ""
        of, at = len(self.arrays["images"]), counted(steps, "step")
        some = counted(of, "sample") if shape[1] == of else f"{shape[1]} of {of} samples"
        self.set_caption(f"{some} at {at}{last}, same noise")

    def _labels(self, samples: Sequence[int]) -> tuple[str, ...]:
        asked = self.arrays.get("classes")
        if asked is None:
            return tuple(str(number + 1) for number in samples)
        names = self._names(np.asarray(asked, np.int64))
        return tuple(names[int(asked[number])] for number in samples)

    def _names(self, asked: np.ndarray) -> tuple[str, ...]:
        label = str(self.source.probe.options.get("label") or "")
        return self.source.names(label, int(asked.max()) + 1)

    def _by_class(self, stamps: Stamps, asked: np.ndarray) -> tuple[TileRow, ...]:
        names = self._names(asked)
        return tuple(
            TileRow(stamps.pixels[asked == number], names[number], stamps.values[asked == number])
            for number in np.unique(asked)
        )
