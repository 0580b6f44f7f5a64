"""A value that is predicted, and the true one: a scatter, curves or maps."""

from collections.abc import Callable
from math import sqrt
from typing import Protocol

import numpy as np
from PySide6.QtWidgets import QWidget

from ed_viewer.finite import mean_square
from ed_viewer.imaging import (
    as_images,
    finite_range,
    half_range,
    image_levels,
    pixels,
    striped,
)
from ed_viewer.messages import Arrays
from ed_viewer.palette import (
    class_table,
    difference_table,
    grey_table,
    value_table,
    whole_classes,
)
from ed_viewer.panel import Panel, panel
from ed_viewer.panels.fallback import plain_axis
from ed_viewer.source import Source
from ed_viewer.widgets.sheet import PICTURES, Sheet
from ed_viewer.widgets.text import counted, grouped, measured
from ed_viewer.widgets.tile_set import TileRow, TileSet
from ed_viewer.widgets.truth_plot import TruthPlot
from ed_viewer.widgets.wave_words import WaveWords
from ed_viewer.widgets.waves import Waves


class View(Protocol):
    """One way to show values; it makes its widget once and draws often."""

    widget: QWidget

    def show(self, truth: np.ndarray | None, found: np.ndarray) -> None:
        """Draw (samples, ...) of either, without an axis of size 1 at the end."""

    def restyle(self) -> None:
        """Take colours and type from the theme."""


@panel("predictions/values")
class ValuesPanel(Panel):
    """One number a sample as points, a line of them as curves, an area as maps."""

    tab = "Values"
    telling = 2

    def build(self) -> None:
        """Choose the view by the axes of a sample."""
        options, source = self.source.probe.options, self.source
        self._target = str(options.get("target") or "")
        self.set_heading(f"Values · {options.get('output') or self._target}")
        self._shape = _bare(source.probe.arrays["values"].shape)
        make = _VIEWS.get(len(self._shape) - 1, _Maps)
        self.view = make(source, self._target, self.hovered.emit)
        self.body.addWidget(self.view.widget, 1)

    def show_frame(self, arrays: Arrays) -> None:
        """Draw `values` (samples, ...)."""
        found = np.asarray(arrays["values"], np.float32).reshape(self._shape)
        truth = self.source.truth(self._target, self._shape)
        if truth is None:
            self.set_caption("no truth recorded: predicted values alone")
        else:
            truth = np.asarray(truth, np.float32)
            self._describe(truth, found)
        self.view.show(truth, found)

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        super().restyle()
        self.view.restyle()

    def _describe(self, truth: np.ndarray, found: np.ndarray) -> None:
        known = np.isfinite(truth) & np.isfinite(found)
        error = found[known] - truth[known]
        if not np.isfinite(truth).any():
            self.set_caption("no sample has a true value")
            return
        rmse = measured(sqrt(mean_square(error)), self.source.unit(self._target))
        some = known.reshape(len(known), -1).any(axis=1)
        said = [f"RMSE {rmse}", counted(int(some.sum()), "sample")]
        if not some.all():
            said.append(f"{grouped(int((~some).sum()))} without a true value left out")
        self.set_caption(" · ".join(said))


class _Points:
    """Predicted against true, a colour a class, where the samples have one each."""

    def __init__(self, source: Source, target: str, hovered: Callable[[str], None]) -> None:
        samples = source.probe.arrays["values"].shape[:1]
        named = (name for name in source.fields if source.classes(name))
        self._label = next((n for n in named if source.truth(n, samples) is not None), "")
        self._source = source
        names = source.classes(self._label)
        quantity = plain_axis(source.quantity(target))
        own = source.own_colours(self._label)
        plot = TruthPlot(quantity, names, own, source.theme, source.unit(target))
        plot.hovered.connect(hovered)
        self.widget: QWidget = plot

    def show(self, truth: np.ndarray | None, found: np.ndarray) -> None:
        labels = self._source.truth(self._label, found.shape)
        known = np.zeros(len(found), np.int64)
        if labels is not None:
            known = whole_classes(labels)
        assert isinstance(self.widget, TruthPlot)
        self.widget.show_values(truth, found, known)

    def restyle(self) -> None:
        assert isinstance(self.widget, TruthPlot)
        self.widget.restyle()


class _Curves:
    """True values quiet, predicted ones in colour."""

    def __init__(self, source: Source, target: str, hovered: Callable[[str], None]) -> None:
        words = WaveWords("true", "predicted", unit=source.unit(target))
        self._waves = Waves(source.theme, words=words)
        self._waves.hovered.connect(hovered)
        self.widget: QWidget = self._waves

    def show(self, truth: np.ndarray | None, found: np.ndarray) -> None:
        self._waves.show_signals(truth, found)

    def restyle(self) -> None:
        self._waves.restyle()


class _Maps:
    """Inputs, true values, predicted ones on the same scale, and the signed difference."""

    def __init__(self, source: Source, target: str, hovered: Callable[[str], None]) -> None:
        self._source, self._target = source, target
        self._sheet = Sheet(source.theme)
        self._sheet.hovered.connect(hovered)
        self.widget: QWidget = self._sheet
        self._last: tuple[np.ndarray | None, np.ndarray] | None = None

    def show(self, truth: np.ndarray | None, found: np.ndarray) -> None:
        self._last = (truth, found)
        inputs = self._source.pictures(found.shape[:3])
        rows = [
            TileRow(pixels(made, image_levels(made), grey_table()), name, made)
            for name, made in ((n, as_images(a)) for n, a in inputs.items() if n != self._target)
        ]
        unit = self._source.unit(self._target)
        known = truth is not None and bool(np.isfinite(truth).any())
        low, high = finite_range(truth if truth is not None and known else found)
        palette = self._source.theme.palette
        none = class_table((palette.line, palette.card))
        for name, maps in (("true", truth), ("predicted", found)):
            if maps is not None:
                images = as_images(maps)
                label = f"{name} ({unit})" if unit else name
                made = striped(pixels(images, (low, high), value_table()), maps, none)
                rows.append(TileRow(made, label, _read_out(images, maps)))
        if truth is not None and known:
            reach = half_range((low, high))
            difference = found - truth
            change = as_images(difference)
            made = pixels(change, (-reach, reach), difference_table(palette))
            rows.append(
                TileRow(
                    striped(made, difference, none), "difference", _read_out(change, difference)
                )
            )
        self._sheet.show_tiles(TileSet(tuple(rows), style=PICTURES))

    def restyle(self) -> None:
        if self._last is not None:
            self.show(*self._last)


_VIEWS: dict[int, type[_Points] | type[_Curves] | type[_Maps]] = {0: _Points, 1: _Curves, 2: _Maps}
"""Axes of a sample to the view; more are shown as maps of their first frame."""


def _read_out(images: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Return images (n, height, width, 1) with what has no value, drawn as stripes, as NaN."""
    missing = np.isnan(maps)
    return (
        np.where(missing[..., None], np.nan, images)
        if missing.shape == images.shape[:3]
        else images
    )


def _bare(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape
