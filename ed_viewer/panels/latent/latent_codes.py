"""Panel of latent codes: a scatter coloured by class, with a handle for live decoding."""

import numpy as np
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout

from ed_viewer.decoding.client import DecoderClient, DecoderState
from ed_viewer.panels.base import Panel, panel
from ed_viewer.panels.latent.axes_choice import AxesChoice
from ed_viewer.panels.latent.code_editor import CodeEditor
from ed_viewer.panels.latent.code_handle import CodeHandle
from ed_viewer.panels.latent.interpolation import InterpolationStrip
from ed_viewer.panels.latent.projection import Axes
from ed_viewer.reading.messages import Arrays
from ed_viewer.style.text import counted, grouped, muted, plain
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.controls import Toggle
from ed_viewer.widgets.plots.scatter import Limits, Scatter

_LOW = 330  # pixels of a panel: below, the interpolation leaves no room for the plot
_NARROW = 640  # pixels: below, the code editor leaves no room for the plot
_SHARE = 3  # of the row, beside 6 of the plot
_FEW = 16  # units of a code: of more, those that vary most come first
_HINT = "Drag the ring or click a point to decode it. Shift+click: interpolate to it"


class EditorLayout:
    """Layout of the code editor beside the plot and the interpolation strip below it.

    In a low panel the strip replaces the editor. A narrow panel, such as that of run A beside B,
    has the plot alone until the user opens one of them: the plots of two runs are equally wide.

    Args:
        hand, between: what stands there.
        left: the column of the plot.
        row: of that column; a second column is added, without width while it is empty.
        theme: colours and type.

    Attributes:
        toggle: replaces the editor by the interpolation, in a low panel.
        decode: shows the editor, in a narrow panel.
    """

    def __init__(
        self,
        hand: CodeEditor,
        between: InterpolationStrip,
        left: QVBoxLayout,
        row: QHBoxLayout,
        theme: Theme,
    ) -> None:
        self.editor, self.interpolation, self._left, self._row = hand, between, left, row
        self._able = self._has_way = self._low = self._narrow = False
        self._right = QVBoxLayout()
        self._right.addWidget(hand)
        row.addLayout(self._right, _SHARE)
        left.addWidget(between, 1)
        self.toggle = Toggle("interpolate", "accent", theme)
        self.toggle.setAccessibleName("Interpolate between two samples")
        self.toggle.setToolTip("Interpolate between two samples instead of decoding by hand")
        self.toggle.toggled.connect(self._show)
        self.toggle.hide()
        self.decode = Toggle("decode", "accent", theme)
        self.decode.setAccessibleName("Decode by hand")
        self.decode.setToolTip("Show the image that is decoded from the ring")
        self.decode.toggled.connect(self._show)
        self.decode.hide()

    def set_size(self, width: int, height: int) -> None:
        """Take the size of the panel."""
        low, narrow = height < _LOW, width < _NARROW
        if (low, narrow) != (self._low, self._narrow):
            self._low, self._narrow = low, narrow
            # The column keeps its width, whatever stands in it.
            self.interpolation.setMinimumWidth(self.editor.minimumSizeHint().width() if low else 0)
            (self._right if low else self._left).addWidget(self.interpolation, 1)
            self._show()

    def use(self, hand: bool, way: bool) -> None:
        """Show what can be used."""
        self._able, self._has_way = hand, way
        self._show()

    def _show(self, _: object = None) -> None:
        instead = self._low and self._has_way and self.toggle.isChecked()
        self.toggle.setVisible(self._low and self._has_way)
        self.decode.setVisible(self._narrow and self._able and not instead)
        hand = self._able and not instead and (self.decode.isChecked() or not self._narrow)
        self.editor.setVisible(hand)
        self.interpolation.setVisible(self._has_way and (instead or not self._low))
        self._row.setStretchFactor(self._right, _SHARE if hand or instead else 0)


@panel("latent_codes")
class LatentCodesPanel(Panel):
    """Scatter of two dimensions of the code, or of its first two principal axes.

    With a decoder there is a handle: the code under it is decoded while it is dragged.

    Attributes:
        codes: (samples, latent) of the frame on show; axes: what is drawn of them.
        scatter, choice: the plot, and the choice of its axes.
        handle, editor, interpolation: the code that is decoded, its numbers and its picture, and
            the way between two codes; with a decoder alone.
        reason: why nothing can be decoded.
    """

    tab = "Latent"
    heading = "Codes"
    no_difference = "Codes of two runs cannot be subtracted: each run has a space of its own."
    share = 2

    def build(self) -> None:
        """The scatter, with the code editor and the interpolation around it."""
        source, theme = self.source, self.source.theme
        label = source.probe.options.get("label")
        labels = source.reference.get(str(label)) if label else None
        self.scatter = Scatter(theme, self._share)
        self.scatter.legend.toggled.connect(self._say)
        self.scatter.set_classes(labels, () if labels is None else source.classes(str(label)))
        self.axes: Axes | None = None
        self.codes = np.empty((0, 0))
        self._known = np.empty(0, bool)
        self.choice = AxesChoice(source.decoder)
        self.choice.changed.connect(self._redraw)
        self.tools.addWidget(self.choice)
        self.interpolation: InterpolationStrip
        self._left = QVBoxLayout()
        self._left.setSpacing(8)
        self._left.addWidget(self.scatter, 3)
        side = QHBoxLayout()
        side.setSpacing(16)
        side.addLayout(self._left, 6)
        self.body.addLayout(side, 1)
        if source.decoder is not None:
            self._build_hand(source.decoder, side)

    def show_frame(self, arrays: Arrays) -> None:
        """Draw `codes` (samples, latent)."""
        codes = np.asarray(arrays["codes"], np.float64)
        self.codes = np.nan_to_num(codes)
        self._known = np.asarray(np.isfinite(codes).all(axis=1))
        self._redraw()
        if self.source.decoder is not None:
            self._hold()

    @property
    def settled(self) -> bool:
        """Whether the decoded images belong to the current frame."""
        return self.source.decoder is None or not self.source.decoder.busy

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        if self.source.decoder is not None:
            self.editor_layout.set_size(self.width(), self.height())

    def _share(self, window: Limits) -> Limits:
        """Return the limits that suit the points of both runs, if these have the same axes."""
        assert self.axes is not None
        ranges, side, (across, upwards) = self.source.ranges, self.source.side, self.axes.titles
        x = ranges.replace(side, f"x: {across}", window[:2], "x: ")
        return (*x, *ranges.replace(side, f"y: {upwards}", window[2:], "y: "))

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        super().restyle()
        self.scatter.restyle()
        if self.source.decoder is not None:
            self.handle.restyle(self.source.theme)
            self.editor.restyle()
            self.interpolation.restyle()

    def _build_hand(self, decoder: DecoderClient, side: QHBoxLayout) -> None:
        theme, columns = self.source.theme, self.source.columns
        self.handle = CodeHandle(self.scatter.item, self)
        self.handle.dragged.connect(self._take)
        self.editor = CodeEditor(decoder, theme, columns)
        self.editor.edited.connect(self._take)
        self.editor.relabelled.connect(lambda: self.interpolation.set_label(self.editor.label))
        names = self.source.class_names(10**6)
        self.interpolation = InterpolationStrip(decoder, theme, names, columns)
        self.interpolation.chosen.connect(self._take)
        self.scatter.clicked.connect(self._click)
        self.scatter.setToolTip(_HINT)
        self.reason = muted(plain(QLabel()))
        self.reason.setWordWrap(True)
        self.reason.hide()
        self.editor_layout = EditorLayout(self.editor, self.interpolation, self._left, side, theme)
        self.tools.addWidget(self.editor_layout.decode)
        self.tools.addWidget(self.editor_layout.toggle)
        self._left.addWidget(self.reason)
        decoder.changed.connect(self._on_decoder)
        decoder.start()
        self._on_decoder()

    def _redraw(self) -> None:
        codes = self.codes
        if not codes.size:
            return
        self.axes = self.choice.axes_of(codes)
        points = self.axes.points
        if self.axes.directions is not None:  # t-SNE may be that of another frame
            points = np.where(self._known[:, None], points, np.nan)
        self.scatter.show_points(points, self.axes.titles)
        self._say()
        if self.source.decoder is not None:
            self._show_handle()

    def _say(self) -> None:
        """Set the caption: numbers of samples drawn and recorded, and of dimensions."""
        codes, drawn = self.codes, self.scatter.drawn
        if not codes.size:
            return
        parts = [self.choice.about] if self.choice.about else []
        count = counted(len(codes), "sample")
        parts.append(count if drawn == len(codes) else f"{grouped(drawn)} of {count}")
        parts += [*self._unlabelled(len(codes)), counted(codes.shape[1], "dimension")]
        self.set_caption(" · ".join(parts))

    def _unlabelled(self, samples: int) -> list[str]:
        """Return how many of the first samples have no label, [] where all have one."""
        none = self.scatter.unlabelled(samples)
        return [f"{grouped(none)} without label"] if none else []

    def _hold(self) -> None:
        """Keep the edited code while the frame changes; at first it is the mean."""
        codes = self.codes
        self.handle.keep(codes)
        if not self.handle.touched:  # the order stays once somebody works with it
            varied = np.argsort(-codes.var(axis=0), kind="stable")
            order = varied if len(varied) > _FEW else np.sort(varied)
            margin = 0.1 * np.ptp(codes, axis=0)
            self.editor.units.set_ranges(order, codes.min(0) - margin, codes.max(0) + margin)
        self._show_handle()
        decoder = self.source.decoder
        if (
            decoder is not None and decoder.state is not DecoderState.ENDED
        ):  # only a drag starts it again
            self.interpolation.set_samples(len(codes))
            self.editor.show_code(self.handle.code)
            self.interpolation.ask()

    def _take(self, code: np.ndarray) -> None:
        """Edit another code (latent,)."""
        self.handle.take(code)
        self.editor.show_code(self.handle.code)
        self._show_handle()

    def _show_handle(self) -> None:
        able = self.source.decoder is not None and self.source.decoder.usable
        self.handle.show(self.axes, able)

    def _click(self, sample: int, shift: bool) -> None:
        if sample < len(self.codes) and self.source.decoder is not None:
            self.interpolation.set_end(int(shift), sample)
            if not shift:
                self._take(self.codes[sample])

    def _on_decoder(self) -> None:
        """Show the controls that can be used, or the reason why not."""
        decoder = self.source.decoder
        assert decoder is not None
        wrong = decoder.size and self.codes.size and decoder.size != self.codes.shape[1]
        why = f"the decoder takes codes of {decoder.size} numbers." if wrong else decoder.words
        able = decoder.usable and not wrong
        way = able and (decoder.encodes or decoder.state is not DecoderState.READY)
        self.editor_layout.use(able, way)
        self.reason.setVisible(not able)
        self.reason.setText(f"Live decoding unavailable: {why}")
        self._show_handle()
        if decoder.state is DecoderState.READY and self.codes.size:
            self._hold()
