"""Where the hand and the way between two samples stand beside the plot of the codes."""

from PySide6.QtWidgets import QVBoxLayout

from ed_viewer.between import Between
from ed_viewer.hand import Hand
from ed_viewer.theme import Theme
from ed_viewer.widgets.toggle import Toggle

_LOW = 330  # pixels of a panel: below, the plot would have no room above the way


class HandPlace:
    """The hand stands beside the plot and the way below it; in a low panel in the hand's place.

    Attributes:
        toggle: shows the way in the place of the hand, in a low panel.
    """

    def __init__(self, hand: Hand, between: Between, left: QVBoxLayout, theme: Theme) -> None:
        self._hand, self._between, self._left = hand, between, left
        self._able = self._has_way = self._low = False
        self.right = QVBoxLayout()
        self.right.addWidget(hand)
        left.addWidget(between, 1)
        self.toggle = Toggle("way", "accent", theme)
        self.toggle.setAccessibleName("Way between two samples")
        self.toggle.setToolTip("The way from one sample to another, in the place of the hand")
        self.toggle.toggled.connect(self._show)
        self.toggle.hide()

    def set_height(self, height: int) -> None:
        """Take the height of the panel."""
        low = height < _LOW
        if low != self._low:
            self._low = low
            # The column keeps its width, whatever stands in it.
            self._between.setMinimumWidth(self._hand.minimumWidth() if low else 0)
            (self.right if low else self._left).addWidget(self._between, 1)
            self._show()

    def use(self, hand: bool, way: bool) -> None:
        """Show what can be used."""
        self._able, self._has_way = hand, way
        self._show()

    def _show(self, _: object = None) -> None:
        instead = self._low and self._has_way and self.toggle.isChecked()
        self.toggle.setVisible(self._low and self._has_way)
        self._hand.setVisible(self._able and not instead)
        self._between.setVisible(self._has_way and (instead or not self._low))
