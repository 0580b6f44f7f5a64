"""Where the hand and the way between two samples stand beside the plot of the codes."""

from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from ed_viewer.between import Between
from ed_viewer.hand import Hand
from ed_viewer.theme import Theme
from ed_viewer.widgets.toggle import Toggle

_LOW = 330  # pixels of a panel: below, the plot would have no room above the way
_NARROW = 640  # pixels: below, the plot would have no room beside the hand
_SHARE = 3  # of the row, beside 6 of the plot


class HandPlace:
    """The hand stands beside the plot and the way below it; in a low panel in the hand's place.

    A narrow panel, such as that of run A beside B, has the plot alone until one of them is asked
    for: of the two runs the plots are equally wide.

    Args:
        hand, between: what stands there.
        left: the column of the plot.
        row: of that column; another is put beside it, which takes no room while it is empty.
        theme: colours and type.

    Attributes:
        toggle: shows the way in the place of the hand, in a low panel.
        decode: shows the hand, in a narrow panel.
    """

    def __init__(
        self, hand: Hand, between: Between, left: QVBoxLayout, row: QHBoxLayout, theme: Theme
    ) -> None:
        self._hand, self._between, self._left, self._row = hand, between, left, row
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
            self._between.setMinimumWidth(self._hand.minimumSizeHint().width() if low else 0)
            (self._right if low else self._left).addWidget(self._between, 1)
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
        self._hand.setVisible(hand)
        self._between.setVisible(self._has_way and (instead or not self._low))
        self._row.setStretchFactor(self._right, _SHARE if hand or instead else 0)
