"""A combo box as panels have it: as wide as its longest entry, and named for who cannot see it."""

from collections.abc import Sequence

from PySide6.QtWidgets import QComboBox, QSizePolicy


def make_choice(name: str, entries: Sequence[str]) -> QComboBox:
    """Return a box to choose one of several entries."""
    box = QComboBox()
    box.setAccessibleName(name)
    box.setToolTip(name)
    box.addItems(list(entries))
    box.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    return box
