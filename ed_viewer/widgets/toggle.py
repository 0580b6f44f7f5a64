"""A button that is on, off, or of no use now: filled, outlined, or faint."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from ed_viewer.theme import Theme


class Toggle(QAbstractButton):
    """A word in a rounded frame, filled with a colour of the palette while it is checked."""

    def __init__(
        self, words: str, colour: str, theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._colour = colour
        self.setText(words)
        self.setCheckable(True)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def sizeHint(self) -> QSize:  # noqa: N802, D102
        width = int(self.fontMetrics().horizontalAdvance(self.text()) * 1.1) + 24
        return QSize(width, self.fontMetrics().height() + 8)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        usable = self.isEnabled()
        colour = self._theme.colour(self._colour if usable else "line")
        filled = usable and self.isChecked()
        focus = self.hasFocus()
        edge = self._theme.colour("accent") if focus else colour
        painter.setPen(QPen(edge, 2 if focus else 1.5))
        painter.setBrush(colour if filled else Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 5, 5)
        ink = self._theme.colour("card") if filled else self._theme.colour(self._colour)
        painter.setPen(ink if usable else self._theme.colour("done"))
        painter.setFont(self._theme.font(bold=True))
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self.text())
        painter.end()
