"""Which layer of the activations is shown, and how."""

from collections.abc import Mapping

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ed_core.recording import ArrayInfo
from ed_viewer.theme import Theme
from ed_viewer.widgets.choice import make_choice
from ed_viewer.widgets.toggle import Toggle

_ROWS, _FEW = 8, 4  # channels, samples: with more, or fewer, it opens as a mosaic of one sample
_BY_CHANNEL = "Samples × channels"
_ONE_SAMPLE = "All channels of one sample"


class ActivationChoice(QWidget):
    """The layer; for maps a view; levels of all frames or of one.

    Signals:
        turned: another layer or another view of it.
    """

    turned = Signal()

    def __init__(self, layers: Mapping[str, ArrayInfo], theme: Theme) -> None:
        super().__init__()
        self._layers = layers
        self.layers = make_choice("Layer", list(layers))
        self.view = make_choice("View", [_BY_CHANNEL, _ONE_SAMPLE])
        self.fixed = Toggle("fixed levels", "accent", theme)
        self.fixed.setToolTip("Same scale in all frames of this layer, or one per frame")
        self.fixed.setAccessibleName("Fixed levels")
        self.fixed.setChecked(True)
        self._roomy = True
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for tool in (self.layers, self.view, self.fixed):
            row.addWidget(tool)
        self._open()
        self.layers.currentTextChanged.connect(self._open)
        self.view.currentTextChanged.connect(self.turned)

    @property
    def layer(self) -> str:
        """The name of the layer."""
        return self.layers.currentText()

    @property
    def one_sample(self) -> bool:
        """Whether all channels of one sample are shown, and not some of all samples."""
        return self._has_maps() and self.view.currentText() == _ONE_SAMPLE

    def set_roomy(self, roomy: bool) -> None:
        """Show all, or the layer alone."""
        self._roomy = roomy
        self.view.setVisible(roomy and self._has_maps())
        self.fixed.setVisible(roomy)

    def _open(self) -> None:
        """Open a layer in the view that suits it."""
        shape = self._layers[self.layer].shape
        one = self._has_maps() and (shape[-1] > _ROWS or shape[0] < _FEW)
        self.view.setCurrentText(_ONE_SAMPLE if one else _BY_CHANNEL)
        self.set_roomy(self._roomy)
        self.turned.emit()

    def _has_maps(self) -> bool:
        return len(self._layers[self.layer].shape) == 4
