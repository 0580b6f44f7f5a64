"""A card with words where a panel would be."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QVBoxLayout

from ed_viewer.theme import Theme
from ed_viewer.widgets.card import Card
from ed_viewer.widgets.text import muted, plain


class Notice(Card):
    """Plain words in the middle of a card."""

    def __init__(self, theme: Theme, words: str = "") -> None:
        super().__init__(theme)
        self._label = muted(plain(QLabel(words)))
        self._label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._label.setWordWrap(True)
        self._label.setMargin(24)
        QVBoxLayout(self).addWidget(self._label)

    @property
    def text(self) -> str:
        """What it says."""
        return self._label.text()

    def say(self, words: str) -> None:
        """Say something else."""
        self._label.setText(words)
