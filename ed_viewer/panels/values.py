"""Panel of predicted and true values: a scatter, curves or maps."""

from math import sqrt
from typing import ClassVar, Protocol

import numpy as np
from PySide6.QtWidgets import QWidget

from ed_viewer.panels.base import Panel, panel
from ed_viewer.panels.context import PanelContext
from ed_viewer.panels.fallback import plain_axis
from ed_viewer.reading.messages import Arrays
from ed_viewer.style.palette import (
    class_table,
    difference_table,
    grey_table,
    value_table,
    whole_classes,
)
from ed_viewer.style.pixels import (
    as_images,
    finite_range,
    half_range,
    image_levels,
    mean_square,
    pixels,
    striped,
)
from ed_viewer.style.text import counted, grouped, measured, span, with_unit
from ed_viewer.widgets.plots.scatter import TruthPlot
from ed_viewer.widgets.plots.signals import SignalCaption, SignalPlots
from ed_viewer.widgets.tiles.pickable import PICTURES, Sheet
from ed_viewer.widgets.tiles.tile_set import TileRow, TileSet


class ValueView(Protocol):
    """Base of the views of values; a view makes its widget once and draws often."""

    widget: QWidget
    sample: int | None
    """The one that is shown alone, None while several are."""

    @property
    def cut(self) -> list[str]:
        """The samples that have no room, in words."""

    def show(self, truth: np.ndarray | None, predicted: np.ndarray) -> None:
        """Draw (samples, ...) of either, without an axis of size 1 at the end."""

    def restyle(self) -> None:
        """Take colours and type from the theme."""


@panel("predictions/values")
class ValuesPanel(Panel):
    """Values as points (one a sample), curves (a line) or maps (an area)."""

    tab = "Values"
    telling = 2

    def build(self) -> None:
        """Choose the view by the axes of a sample."""
        options, source = self.source.probe.options, self.source
        self._target = str(options.get("target") or "")
        self.set_heading(f"Values · {options.get('output') or self._target}")
        self._shape = _bare(source.probe.arrays["values"].shape)
        make = _VIEWS.get(len(self._shape) - 1, _Maps)
        self.view = make(source, self._target)
        self._last: tuple[np.ndarray | None, np.ndarray] | None = None
        if isinstance(self.view, _Maps):
            self.view.sheet.picked.connect(self._say)
            self.view.sheet.resized.connect(self._say)
        self.body.addWidget(self.view.widget, 1)

    def show_frame(self, arrays: Arrays) -> None:
        """Draw `values` (samples, ...)."""
        predicted = np.asarray(arrays["values"], np.float32).reshape(self._shape)
        truth = self.source.truth(self._target, self._shape)
        truth = None if truth is None else np.asarray(truth, np.float32)
        self._last = (truth, predicted)
        self.view.show(truth, predicted)
        self._say()

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        super().restyle()
        self.view.restyle()

    def _say(self) -> None:
        """Set the caption: the errors, the samples they are over, and what has no room."""
        if self._last is None:
            return
        truth, predicted = self._last
        if truth is None:
            parts = ["no true values recorded: predictions only"]
        elif not np.isfinite(truth).any():
            parts = ["no sample has a true value"]
        else:
            parts = self._errors(truth, predicted)
        reach = self.view.reach if isinstance(self.view, _Maps) else None
        unit = self.source.unit(self._target)
        more = [] if reach is None else [f"difference {with_unit(span(reach), unit)}"]
        self.set_caption(" · ".join([*parts, *self.view.cut, *more]), "last" if more else "")

    def _errors(self, truth: np.ndarray, predicted: np.ndarray) -> list[str]:
        """Return the error of the picked sample, then that of all samples with a value."""
        error = np.where(np.isfinite(truth), predicted - truth, np.nan).reshape(len(truth), -1)
        there = np.isfinite(truth).reshape(len(truth), -1).any(axis=1)
        has_value = np.isfinite(error).any(axis=1)
        every, pick = self._rmse(error), self.view.sample
        parts = [f"RMSE {every}", counted(int(has_value.sum()), "sample")]
        if pick is not None:
            one = f"RMSE {self._rmse(error[pick])} of sample {pick + 1}"
            parts = [one, f"{every} of {counted(int(has_value.sum()), 'sample')}"]
        none, lost = int((~there).sum()), int((there & ~has_value).sum())
        parts += [f"{grouped(none)} without a true value left out"] if none else []
        return parts + ([f"{grouped(lost)} not finite left out"] if lost else [])

    def _rmse(self, error: np.ndarray) -> str:
        return measured(sqrt(mean_square(error)), self.source.unit(self._target))


class _Points:
    """Predicted against true, a colour a class, where the samples have one each."""

    sample: int | None = None
    cut: ClassVar[list[str]] = []

    def __init__(self, source: PanelContext, target: str) -> None:
        samples = source.probe.arrays["values"].shape[:1]
        named = (name for name in source.fields if source.classes(name))
        self._label = next((n for n in named if source.truth(n, samples) is not None), "")
        self._source = source
        names = source.classes(self._label)
        quantity = plain_axis(source.quantity(target))
        own = source.own_colours(self._label)
        plot = TruthPlot(quantity, names, own, source.theme, source.unit(target))
        self.widget: QWidget = plot

    def show(self, truth: np.ndarray | None, predicted: np.ndarray) -> None:
        labels = self._source.truth(self._label, predicted.shape)
        classes = np.zeros(len(predicted), np.int64)
        if labels is not None:
            classes = whole_classes(labels)
        assert isinstance(self.widget, TruthPlot)
        source = self._source
        levels = source.ranges.put(source.side, "found", finite_range(predicted))
        self.widget.show_values(truth, predicted, classes, levels)

    def restyle(self) -> None:
        assert isinstance(self.widget, TruthPlot)
        self.widget.restyle()


class _Curves:
    """True values quiet, predicted ones in colour."""

    sample: int | None = None

    def __init__(self, source: PanelContext, target: str) -> None:
        words = SignalCaption("true", "predicted", unit=source.unit(target))
        self._waves = SignalPlots(source.theme, words=words)
        self.widget: QWidget = self._waves

    @property
    def cut(self) -> list[str]:
        return self._waves.cut

    def show(self, truth: np.ndarray | None, predicted: np.ndarray) -> None:
        self._waves.show_signals(truth, predicted)

    def restyle(self) -> None:
        self._waves.restyle()


class _Maps:
    """Inputs, true values, predicted ones on the same scale, and the signed difference.

    Attributes:
        reach: the difference with the full colour, None where none is drawn.
    """

    def __init__(self, source: PanelContext, target: str) -> None:
        self._source, self._target = source, target
        self.sheet = Sheet(source.theme)
        self.widget: QWidget = self.sheet
        self._last: tuple[np.ndarray | None, np.ndarray] | None = None
        self.reach: float | None = None

    @property
    def sample(self) -> int | None:
        return self.sheet.sample

    @property
    def cut(self) -> list[str]:
        return self.sheet.cut()

    def show(self, truth: np.ndarray | None, predicted: np.ndarray) -> None:
        self._last = (truth, predicted)
        inputs = self._source.pictures(predicted.shape[:3])
        rows = [
            TileRow(pixels(colours, image_levels(colours), grey_table()), name, colours)
            for name, colours in ((n, as_images(a)) for n, a in inputs.items() if n != self._target)
        ]
        unit = self._source.unit(self._target)
        has_truth = truth is not None and bool(np.isfinite(truth).any())
        own = finite_range(truth if truth is not None and has_truth else predicted)
        low, high = self._source.ranges.put(self._source.side, "maps", own)
        palette = self._source.theme.palette
        none = class_table((palette.line, palette.card))
        for name, maps in (("true", truth), ("predicted", predicted)):
            if maps is not None:
                images = as_images(maps)
                label = f"{name} ({unit})" if unit else name
                colours = pixels(images, (low, high), value_table())
                # Where the truth is not known, quiet stripes: nothing has gone wrong.
                colours = striped(colours, maps, none) if name == "true" else colours
                rows.append(TileRow(colours, label, images))
        self.reach = None
        if truth is not None and has_truth:
            self.reach = reach = half_range((low, high))
            change = as_images(np.where(np.isnan(truth), np.nan, predicted - truth))
            colours = pixels(change, (-reach, reach), difference_table(palette))
            rows.append(TileRow(striped(colours, truth, none), "predicted − true", change))
        self.sheet.show_tiles(TileSet(tuple(rows), style=PICTURES))

    def restyle(self) -> None:
        if self._last is not None:
            self.show(*self._last)


_VIEWS: dict[int, type[_Points] | type[_Curves] | type[_Maps]] = {0: _Points, 1: _Curves, 2: _Maps}
"""Axes of a sample to the view; more are shown as maps of their first frame."""


def _bare(shape: tuple[int, ...]) -> tuple[int, ...]:
    return shape[:-1] if len(shape) > 1 and shape[-1] == 1 else shape
