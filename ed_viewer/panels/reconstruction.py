"""Panel of reconstructions: input, output and signed difference of images, videos or signals."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

import numpy as np
from PySide6.QtWidgets import QComboBox

from ed_core.recording.layout import PRESENT
from ed_viewer.panels.base import Panel, panel
from ed_viewer.reading.messages import Arrays
from ed_viewer.style.palette import Palette, difference_table, grey_table
from ed_viewer.style.pixels import (
    Levels,
    Scale,
    as_images,
    finite_range,
    half_range,
    image_levels,
    is_signal,
    mean_square,
    pixels,
)
from ed_viewer.style.text import counted, number, span
from ed_viewer.widgets.controls import Toggle
from ed_viewer.widgets.plots.rows import RowPlots
from ed_viewer.widgets.plots.signals import SignalCaption, SignalPlots
from ed_viewer.widgets.tiles.pickable import PICTURES, Sheet
from ed_viewer.widgets.tiles.tile_set import TileRow, TileSet
from ed_viewer.widgets.video_bar import VideoBar

Form = Literal["image", "video", "signal"]

_AXES: dict[object, int] = {"image": 3, "video": 4, "signal": 2}  # of a sample
_ROOMY = 700  # pixels: a narrower panel has no room for the video bar
_CHANGE = "out − in"
_POINTS = "grey: input, colour: output"
_WAVES = "grey: input, colour: output, below: output − input"


def form_of(kind: object, shape: tuple[int, ...]) -> Form:
    """Return the form in which samples are shown, by their field or else by their axes."""
    if kind in ("image", "video", "signal") and len(shape) == _AXES[kind]:
        return kind
    if len(shape) > 3:
        return "video"
    return "signal" if is_signal(shape) else "image"


@panel("reconstruction")
class ReconstructionPanel(Panel):
    """Rows of a reconstruction; levels are those of the inputs, the same in every frame."""

    tab = "Reconstruct"
    heading = "Reconstruction"
    telling = 3
    no_difference = ""

    def build(self) -> None:
        """Choose images, a video or curves by the field."""
        field = str(self.source.probe.options.get("field", ""))
        if field not in ("", "image"):
            self.set_heading(f"Reconstruction · {field}")
        self._compared = self.source.probe.options.get("compared") is not False
        self._inputs = self.source.reference.get(field) if self._compared else None
        there = self.source.reference.get(field + PRESENT)
        if self._inputs is not None and there is not None:  # what is missing is not drawn
            self._inputs = np.where(np.asarray(there) > 0, np.asarray(self._inputs), np.nan)
        shape = self.source.probe.arrays["output"].shape[1:]
        self.form = form_of(self.source.fields.get(field, {}).get("kind"), shape)
        self._arrays: Arrays = {}
        self._own: Levels | None = None
        self._shown: tuple[np.ndarray | None, np.ndarray] | None = None
        if self.form == "signal":
            names = self.source.fields.get(field, {}).get("names") or ()
            after = "B − A" if self.source.signed else "output"
            words = SignalCaption(after=after, moments=tuple(map(str, names)))
            theme, is_table = self.source.theme, bool(names) and shape == (len(names),)
            self.signals: SignalPlots | RowPlots = (
                RowPlots(theme, words) if is_table else SignalPlots(theme, words=words)
            )
            self.body.addWidget(self.signals, 1)
            return
        self._make_tools(shape)
        self.sheet = Sheet(self.source.theme)
        self.sheet.resized.connect(self._draw)
        self.sheet.picked.connect(self._say)
        self.body.addWidget(self.sheet, 1)

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        if self.form == "video":
            self._show_tools()

    def show_frame(self, arrays: Arrays) -> None:
        """Draw `output` (samples, ...) below the inputs of the same samples."""
        self._arrays = arrays
        self._draw()

    def restyle(self) -> None:
        """Draw the difference on the new page colour."""
        super().restyle()
        if self.form == "signal":
            self.signals.restyle()
        self._draw()

    def _make_tools(self, shape: tuple[int, ...]) -> None:
        channels = shape[-1] if len(shape) > 2 else 1
        self.channel: QComboBox | None = None
        if channels not in (1, 3):
            self.channel = QComboBox()
            self.channel.setAccessibleName("Channel")
            self.channel.setToolTip("Channel shown")
            self.channel.addItems(["mean", *(f"channel {n + 1}" for n in range(channels))])
            self.channel.currentIndexChanged.connect(self._draw)
            self.tools.addWidget(self.channel)
        self.film: VideoBar | None = None
        if self.form == "video":
            self.film = VideoBar(shape[0], self.source.theme)
            self.film.moved.connect(self._draw)
            self.strip = Toggle("all frames", "accent", self.source.theme)
            self.strip.setToolTip("All frames of each video, side by side")
            self.strip.setAccessibleName("All frames")
            self.strip.toggled.connect(self._show_tools)
            self.strip.toggled.connect(self._turn)
            self.tools.addWidget(self.strip)  # first: it stays under the mouse that clicked it
            self.tools.addWidget(self.film)

    def _show_tools(self) -> None:
        """Show what chooses the moment where there is room; else the one that was chosen stays."""
        assert self.film is not None
        roomy = self.width() >= _ROOMY
        self.strip.setVisible(roomy)
        self.film.setVisible(roomy and not self.strip.isChecked())

    def _turn(self) -> None:
        """Draw a column a sample, or a column a frame: what was picked was of the other kind."""
        self.sheet.choose(None)
        self._draw()

    def _draw(self) -> None:
        if not self._arrays:
            return
        output = np.asarray(self._arrays["output"], np.float32)
        inputs = None if self._inputs is None else np.asarray(self._inputs[: len(output)])
        if self.source.signed or (inputs is not None and inputs.shape != output.shape):
            # Of two runs the difference alone; and a model may answer in another shape.
            inputs = None
        if self.form == "signal":
            self._draw_waves(inputs, output)
        else:
            self._draw_tiles(inputs, output)
        self._shown = inputs, output
        self._say()

    def _draw_waves(self, inputs: np.ndarray | None, output: np.ndarray) -> None:
        signals = output if inputs is None else inputs
        levels, _ = self.source.scale("output", (finite_range(signals), grey_table()), signals)
        self.signals.show_signals(inputs, output, levels, self.source.class_names(len(output)))

    def _draw_tiles(self, inputs: np.ndarray | None, output: np.ndarray) -> None:
        scale = self._scale(inputs, output)
        if self.film is not None and self.strip.isChecked():
            originals = [None] * len(output) if inputs is None else inputs
            videos = (self._rows(*both, scale) for both in zip(originals, output, strict=True))
            self.sheet.show_tiles(_strips(videos, output.shape[1]))
            return
        if self.film is not None:
            moment = self.film.frame
            inputs, output = None if inputs is None else inputs[:, moment], output[:, moment]
        names = self.source.class_names(len(output))
        rows = self._rows(inputs, output, scale)
        self.sheet.show_tiles(TileSet(rows, names, style=PICTURES))

    def _say(self) -> None:
        """Set the caption: size and colours of the errors."""
        if self._shown is None:
            return
        inputs, output = self._shown
        if self.source.signed:
            (_, high), _ = self.source.scale("output", (finite_range(output), grey_table()), output)
            parts = self._errors("mean square", output)
            self.set_caption(
                " · ".join([span(high), *parts]), "" if self.form == "signal" else "first"
            )
            return
        if inputs is None:
            lack = "input of this shape" if self._compared else "truth on the same scale"
            self.set_caption(f"no error: no {lack} recorded")
            return
        levels, _ = self._scale(inputs, output)
        waves = self.form == "signal"
        drawn = _POINTS if waves and isinstance(self.signals, RowPlots) else _WAVES
        more = drawn if waves else f"difference {span(half_range(levels))}"
        parts = self._errors("mean squared error", output - inputs)
        self.set_caption(" · ".join([*parts, more]), "" if waves else "last")

    def _errors(self, name: str, error: np.ndarray) -> list[str]:
        """Return the mean square of errors (samples, ...): of what is picked, then of all.

        Whatever else is chosen, it is said of what they are.
        """
        of = counted(len(error), "sample")
        if self.form == "signal":
            return [f"{name} {number(mean_square(error))} of {of}", *self.signals.cut]
        if self._channel is not None:
            error, of = error[..., [self._channel]], f"channel {self._channel + 1} of {of}"
        strip = self.film is not None and self.strip.isChecked()
        if self.film is not None:
            of = f"{of}, {counted(error.shape[1], 'frame')} each"
        pick, every = self.sheet.sample, f"{number(mean_square(error))} of {of}"
        if pick is None:
            return [f"{name} {every}", *self.sheet.cut("frame" if strip else "sample")]
        one, word = (error[:, pick], "frame") if strip else (error[pick], "sample")
        return [f"{name} {number(mean_square(one))} of {word} {pick + 1}", every]

    def _scale(self, inputs: np.ndarray | None, output: np.ndarray) -> Scale:
        """Return that of all inputs, or without any of the output, whatever of them is shown."""
        arrays = output if inputs is None else inputs
        if self._own is None or inputs is None:
            self._own = image_levels(arrays)
        return self.source.scale("output", (self._own, grey_table()), arrays)

    @property
    def _channel(self) -> int | None:
        """The channel that is shown, None for their mean or for all."""
        chosen = self.channel.currentIndex() - 1 if self.channel is not None else -1
        return chosen if chosen >= 0 else None

    def _rows(
        self, inputs: np.ndarray | None, output: np.ndarray, scale: Scale
    ) -> tuple[TileRow, ...]:
        channel = self._channel
        after = self.source.images(output, channel)
        if inputs is None:
            label = "B − A" if self.source.signed else "output"
            return (TileRow(pixels(after, *scale), label, after),)
        before = as_images(inputs, channel)
        return _compared(before, after, scale, self.source.theme.palette)


def _compared(
    before: np.ndarray, after: np.ndarray, scale: Scale, palette: Palette
) -> tuple[TileRow, ...]:
    """Return the rows of inputs and outputs (n, height, width, channels), and their difference."""
    # Half the range of the inputs: a trained model's differences would be too faint in all.
    reach = half_range(scale[0])
    with np.errstate(invalid="ignore"):  # of two infinities
        change = (after - before).mean(axis=-1, keepdims=True)
    return (
        TileRow(pixels(before, *scale), "input", before),
        TileRow(pixels(after, *scale), "output", after),
        TileRow(pixels(change, (-reach, reach), difference_table(palette)), _CHANGE, change),
    )


def _strips(videos: Iterable[tuple[TileRow, ...]], frames: int) -> TileSet:
    """Return the rows of one video after the other, a column a frame."""
    rows: list[TileRow] = []
    for sample, (first, *others) in enumerate(videos):
        rows += [replace(first, label=f"{sample + 1} · {first.label}"), *others]
    return TileSet(tuple(rows), tuple(f"frame {n + 1}" for n in range(frames)))
