"""One line of quiet type that ends in dots where it has no room."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ed_viewer.theme import Theme
from ed_viewer.widgets.text import tip

_NARROW = 160  # pixels


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

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        painter.setPen(self._theme.colour(self._colour))
        right = Qt.TextElideMode.ElideRight
        short = self.fontMetrics().elidedText(self.text, right, self.width())
        if short != self.text and self.width() < self._least:
            short = ""  # a few letters and dots say nothing; the tool tip says it all
        flags = self._align | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(self.rect(), int(flags) | int(Qt.TextFlag.TextSingleLine), short)
        painter.end()
