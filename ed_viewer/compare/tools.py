"""The buttons of a comparison, at the right of the tabs: few while there is none."""

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QComboBox, QToolButton, QWidget

from ed_viewer.session.alignment import Alignment
from ed_viewer.style.icons import icon
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.controls import Toggle
from ed_viewer.widgets.tool_row import ToolRow

_WAYS = {
    Alignment.STEP: "step",
    Alignment.EPOCH: "epoch",
    Alignment.SHARE: "share",
}


class CompareTools(ToolRow):
    """Compare or not; and while two runs are compared, how, swap them, their difference.

    Signals:
        chosen: another alignment.
        swapped: the runs shall change places.

    Attributes:
        compare: the toggle of the comparison.
        difference: the toggle of the difference.
        shared: the toggle of the one scale.
    """

    chosen = Signal(object)
    swapped = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(6, parent)
        self._theme = theme
        self._ways = QComboBox()
        self._ways.setAccessibleName("Align by")
        self._ways.setToolTip("Align runs by step, epoch or share of training (X)")
        for way, words in _WAYS.items():
            self._ways.addItem(words, way)
        self._swap = QToolButton()
        self._swap.setAccessibleName("Swap A and B")
        self._swap.setToolTip("Swap A and B (B)")
        self._swap.setIconSize(QSize(20, 20))
        self.difference = Toggle("B \N{MINUS SIGN} A", "accent", theme)
        self.difference.setAccessibleName("Difference")
        self.difference.setToolTip("Show B \N{MINUS SIGN} A instead of B (D)")
        self.shared = Toggle("same scale", "accent", theme)
        self.shared.setChecked(True)
        self.shared.setAccessibleName("Shared scale")
        self.shared.setToolTip("Shared scale / own scale of colours and axes (Y)")
        self.compare = Toggle("A | B", "accent", theme)
        self.compare.setAccessibleName("Compare two runs")
        self.compare.setToolTip("Compare with the selected run (C)")
        self._of_two = (self._ways, self._swap, self.shared, self.difference)
        self.add(self._ways, "Align by (X)")
        self.add(self._swap, "Swap A and B (B)")
        self.add(self.shared, "Shared scale (Y)")
        self.add(self.difference)
        self.add(self.compare)
        self._ways.currentIndexChanged.connect(self._choose)
        self._swap.clicked.connect(self.swapped)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.set_on(False)

    def set_on(self, on: bool) -> None:
        """Show what is of use while two runs are compared, or hide it."""
        self.compare.setChecked(on)
        if not on:
            self.difference.setChecked(False)
        self.use(self._of_two, on)

    def next_way(self) -> None:
        """Choose the next alignment."""
        self._ways.setCurrentIndex((self._ways.currentIndex() + 1) % self._ways.count())

    def choose_way(self, way: Alignment) -> None:
        """Choose an alignment."""
        self._ways.setCurrentIndex(self._ways.findData(way))

    def _choose(self, index: int) -> None:
        self.chosen.emit(self._ways.itemData(index))

    def _restyle(self) -> None:
        self._swap.setIcon(icon("swap", self._theme.colour("text"), self._theme.colour("line")))
