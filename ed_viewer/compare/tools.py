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
        ways: the box of the alignments.
        swap: the button that lets the runs change places.
    """

    chosen = Signal(object)
    swapped = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(6, parent)
        self._theme = theme
        self.ways = QComboBox()
        self.ways.setAccessibleName("Align by")
        self.ways.setToolTip("Align runs by step, epoch or share of training")
        for way, words in _WAYS.items():
            self.ways.addItem(words, way)
        self.swap = QToolButton()
        self.swap.setAccessibleName("Swap A and B")
        self.swap.setToolTip("Swap A and B")
        self.swap.setIconSize(QSize(20, 20))
        self.difference = Toggle("B \N{MINUS SIGN} A", "accent", theme)
        self.difference.setAccessibleName("Difference")
        self.difference.setToolTip("Show B \N{MINUS SIGN} A instead of B")
        self.shared = Toggle("same scale", "accent", theme)
        self.shared.setChecked(True)
        self.shared.setAccessibleName("Shared scale")
        self.shared.setToolTip("Shared scale / own scale of colours and axes")
        self.compare = Toggle("A | B", "accent", theme)
        self.compare.setAccessibleName("Compare two runs")
        self.compare.setToolTip("Compare with the selected run")
        self._of_two = (self.ways, self.swap, self.shared, self.difference)
        self.add(self.ways, "Align by")
        self.add(self.swap, "Swap A and B")
        self.add(self.shared, "Shared scale")
        self.add(self.difference)
        self.add(self.compare)
        self.ways.currentIndexChanged.connect(self._choose)
        self.swap.clicked.connect(self.swapped)
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
        self.ways.setCurrentIndex((self.ways.currentIndex() + 1) % self.ways.count())

    def choose_way(self, way: Alignment) -> None:
        """Choose an alignment."""
        self.ways.setCurrentIndex(self.ways.findData(way))

    def _choose(self, index: int) -> None:
        self.chosen.emit(self.ways.itemData(index))

    def _restyle(self) -> None:
        self.swap.setIcon(icon("swap", self._theme.colour("text"), self._theme.colour("line")))
