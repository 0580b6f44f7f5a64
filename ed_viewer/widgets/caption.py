"""One line of quiet type that says less where it has no room."""

import re

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ed_viewer.theme import Theme
from ed_viewer.widgets.text import tip

_NARROW = 160  # pixels
_GAP = re.compile(r" · |  ")  # between the parts of a text, the first of which says most


class Caption(QWidget):
    """Plain text in a colour of the palette; a QLabel would cut a letter in two."""

    def __init__(
        self,
        theme: Theme,
        colour: str = "muted",
        align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignRight,
        least: int = _NARROW,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._least = least  # pixels: what is cut shorter than that is left out
        self._theme = theme
        self._colour = colour
        self._align = align
        self.text = ""
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def say(self, text: str) -> None:
        """Show another text."""
        if text != self.text:
            self.text = text
            tip(self, text)
            self.update()

    def sizeHint(self) -> QSize:  # noqa: N802, D102
        return QSize(0, self.fontMetrics().height())

    @property
    def shown(self) -> str:
        """What there is room for: parts at the end are left out whole, the tool tip has them."""
        metrics, said = self.fontMetrics(), self.text
        while metrics.horizontalAdvance(said) > self.width() and _GAP.search(said):
            said = said[: list(_GAP.finditer(said))[-1].start()]
        if metrics.horizontalAdvance(said) <= self.width():
            return said
        if self.width() < self._least:
            return ""  # a few letters and dots say nothing
        return metrics.elidedText(said, Qt.TextElideMode.ElideRight, self.width())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        painter.setPen(self._theme.colour(self._colour))
        flags = self._align | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect(), int(flags) | int(Qt.TextFlag.TextSingleLine), self.shown)
        painter.end()
