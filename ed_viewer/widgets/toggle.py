"""A button that is on, off, or of no use now: filled, outlined, or faint."""

from PySide6.QtCore import QEvent, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from ed_viewer.palette import blend
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

    def event(self, event: QEvent) -> bool:
        """Be painted as the mouse comes and goes, also to a menu that opens (called by Qt)."""
        if event.type() in (QEvent.Type.Enter, QEvent.Type.Leave):
            self.update()
        return super().event(event)

    def sizeHint(self) -> QSize:  # noqa: N802, D102
        width = int(self.fontMetrics().horizontalAdvance(self.text()) * 1.1) + 24
        return QSize(width, self.fontMetrics().height() + 8)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        theme, usable, focus = self._theme, self.isEnabled(), self.hasFocus()
        filled = usable and self.isChecked()
        surface = theme.colour(self._colour if filled else "field")
        if usable and self.underMouse():
            surface = QColor(blend(surface.name(), theme.palette.muted, 0.12))
        quiet = self._colour if filled else "done" if usable else "line"
        # Half a pixel in, so that a border of one pixel is sharp.
        edge = 1.0 if focus else 0.5
        painter.setPen(QPen(theme.colour("accent" if focus else quiet), 2 * edge))
        painter.setBrush(surface)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(edge, edge, -edge, -edge), 5, 5)
        painter.setPen(theme.colour(("card" if filled else "text") if usable else "done"))
        painter.setFont(theme.font(bold=filled))
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self.text())
        painter.end()


def push_button(words: str, about: str, theme: Theme) -> Toggle:
    """Return a button of the same look that does something once, whenever it is pressed."""
    button = Toggle(words, "accent", theme)
    button.setCheckable(False)
    button.setToolTip(about)
    button.setAccessibleName(about)
    return button
