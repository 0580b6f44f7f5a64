"""Context of a panel: names, colours, levels and the truth of its run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ed_core.labels import class_name, class_names, quantity
from ed_core.recording import ProbeInfo
from ed_viewer.decoding.client import DecoderClient
from ed_viewer.style.palette import NO_CLASS, Side, class_colour, difference_table, grey_table
from ed_viewer.style.pixels import (
    Levels,
    Ranges,
    Scale,
    as_images,
    finite_range,
    image_levels,
    pixels,
)
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.tiles.charts import bar_pixels, chart_levels, line_pixels


@dataclass(frozen=True, slots=True, eq=False)
class Stamps:
    """Samples as tiles: pictures, rows of a table as bars, signals as lines.

    Attributes:
        pixels: (samples, height, width, 4) uint8.
        values: (samples, ...) behind them, as a `TileRow` has them.
        levels: of the values.
        moments: what stands side by side in a chart; () of pictures.
    """

    pixels: np.ndarray
    values: np.ndarray
    levels: Levels
    moments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class PanelContext:
    """Facts of a run for a panel, known before the first frame.

    Attributes:
        probe: the probe that it shows: name, kind, arrays, options.
        fields: facts of each field of the reference batch.
        reference: the fixed batch that the probe looks at, field to (samples, ...).
        theme: colours and type.
        side: the run that it shows, A or, beside it, B.
        ranges: of colours and axes, shared by all panels of this probe, of both runs while two are
            compared.
        signed: whether the arrays are differences of two runs: zero is the middle of the colours.
        decoder: client of a separate process that decodes and encodes; None for small panels.
    """

    probe: ProbeInfo
    fields: Mapping[str, Mapping[str, Any]]
    reference: Mapping[str, np.ndarray]
    theme: Theme
    side: Side = Side.A
    ranges: Ranges = field(default_factory=Ranges)
    signed: bool = False
    decoder: DecoderClient | None = None

    def classes(self, name: str) -> tuple[str, ...]:
        """Return the class names of a field, () if it is not a class field."""
        names = self.fields.get(name, {}).get("classes") or ()
        return tuple(str(n) for n in names) if isinstance(names, list | tuple) else ()

    def names(self, name: str, classes: int) -> tuple[str, ...]:
        """Return the name of each class of a field, its number where it has none."""
        return class_names(self.classes(name), classes)

    def own_colours(self, name: str) -> tuple[str, ...]:
        """Return the colours that the data give the classes of a field, () for none."""
        colours = self.fields.get(name, {}).get("colours") or ()
        return tuple(str(c) for c in colours) if isinstance(colours, list | tuple) else ()

    def colours(self, name: str, classes: int) -> tuple[str, ...]:
        """Return the colour of each class of a field, on this theme."""
        own = self.own_colours(name)
        return tuple(class_colour(self.theme.palette, n, own) for n in range(classes))

    def quantity(self, name: str) -> str:
        """Return what an axis of a field says: its name, and its unit in brackets."""
        return quantity(name, self.unit(name))

    def unit(self, name: str) -> str:
        """Return the unit of a field, "" where it has none."""
        return str(self.fields.get(name, {}).get("unit") or "")

    def truth(self, name: str, shape: tuple[int, ...]) -> np.ndarray | None:
        """Return the first samples of a field, None if it has not this shape (samples, ...).

        An axis of size 1 at the end does not count; -1 or NaN stands where there is no truth.
        """
        target = self.reference.get(name)
        if target is None or len(target) < shape[0]:
            return None
        first = target[: shape[0]]
        return first.reshape(shape) if first.shape in (shape, (*shape, 1)) else None

    def pictures(self, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        """Return the model's inputs of the shape (samples, height, width), images first."""
        inputs = {}
        for kind in ("image", "value"):
            for name, facts in self.fields.items():
                if facts.get("kind") != kind or not facts.get("input", kind == "image"):
                    continue
                array = self.reference.get(name)
                if array is not None and array[: shape[0]].shape[:3] == shape:
                    inputs[name] = array[: shape[0]]
        return inputs

    def scale(self, name: str, scale: Scale, values: np.ndarray, steady: bool = False) -> Scale:
        """Return the levels and colours to draw values in; `scale` is that of a run alone.

        The levels are the union with those of the other run. Differences are drawn in signed
        colours, as far below zero as above it, over all that was seen.

        Args:
            name: what it is that is drawn, such as the name of a layer.
            scale: levels and colours of these values, were they alone.
            values: any shape.
            steady: whether the levels shall be those of all that was seen.
        """
        if self.signed:
            reach = max(*map(abs, finite_range(values)), 1e-6)
            scale, steady = ((-reach, reach), difference_table(self.theme.palette)), True
        take = self.ranges.widen if steady else self.ranges.put
        return take(self.side, name, scale[0]), scale[1]

    def images(self, array: np.ndarray, channel: int | None = None) -> np.ndarray:
        """Return `as_images`; of differences the mean over the colours, which has a sign."""
        channels = as_images(array, channel)
        return channels.mean(axis=-1, keepdims=True) if self.signed else channels

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of the table whose rows are the samples, () without one."""
        named = (facts.get("names") or () for facts in self.fields.values())
        return next((tuple(map(str, names)) for names in named if names), ())

    def stamps(self, name: str, samples: np.ndarray) -> Stamps:
        """Return samples (n, ...) as tiles, in a scale of this name."""
        samples = np.asarray(samples, np.float32)
        if not self._is_signal(samples.shape[1:]):
            images = self.images(samples)
            scale = self.scale(name, (image_levels(images), grey_table()), images)
            return Stamps(pixels(images, *scale), images, scale[0])
        alone = chart_levels(finite_range(samples)), grey_table()
        levels, _ = self.scale(name, alone, samples)
        length, columns = samples.shape[1], self.columns
        values = samples.reshape(len(samples), 1, length, -1)
        if columns and samples.shape[1:] == (len(columns),):
            drawn = bar_pixels(samples, levels, self.theme.palette, self.signed)
            return Stamps(drawn, values, levels, columns)
        times = tuple(f"time {n}" for n in range(length))
        return Stamps(line_pixels(samples, levels, self.theme.palette), values, levels, times)

    def _is_signal(self, shape: tuple[int, ...]) -> bool:
        """Tell whether samples of this shape are like a field of signals, or of a table's rows."""
        return any(
            facts.get("kind") == "signal" and self.reference[name].shape[1:] == shape
            for name, facts in self.fields.items()
            if name in self.reference
        )

    def class_names(self, samples: int) -> tuple[str, ...]:
        """Return the class of each of the first samples, or "no label"; () without any classes."""
        for name, facts in self.fields.items():
            if facts.get("kind") == "class" and name in self.reference:
                labels, classes = self.reference[name][:samples], self.classes(name)
                if labels.ndim == 1:
                    return tuple(_name_of(classes, label) for label in labels)
        return ()


def _name_of(classes: tuple[str, ...], label: float) -> str:
    return class_name(classes, int(label) if np.isfinite(label) else NO_CLASS)
