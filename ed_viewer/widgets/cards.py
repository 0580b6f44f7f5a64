"""Cards, badges of runs and notices."""

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from ed_viewer.style.palette import Side, run_colour
from ed_viewer.style.text import muted, plain
from ed_viewer.style.theme import Theme

_RADIUS = 6.0  # pixels
SIDE = 20  # pixels


class Card(QWidget):
    """Surface with a border in the theme's colours, behind its children."""

    framed = True
    """Whether it has a border and round corners; False for an exported picture of one card."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    @property
    def surface(self) -> QColor:
        """The colour of its background."""
        return self._theme.colour("card")

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        if not self.framed:
            painter.fillRect(self.rect(), self.surface)
            painter.end()
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.colour("line"), 1))
        painter.setBrush(self.surface)
        # Half a pixel in, so that the border is one sharp pixel wide.
        painter.drawRoundedRect(
            QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), _RADIUS, _RADIUS
        )
        painter.end()
        if self.hasFocus():
            self._paint_focus()

    def _paint_focus(self) -> None:
        painter = QPainter(self)
        painter.setPen(QPen(self._theme.colour("accent"), 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self.rect().adjusted(1, 1, -1, -1))
        painter.end()


def paint_badge(painter: QPainter, rect: QRectF, side: Side, theme: Theme) -> None:
    """Draw the letter of a run into a square."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(run_pen(theme, side, 2.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), 4, 4)
    painter.setPen(theme.colour("text"))
    painter.setFont(theme.font(0.9, bold=True))
    painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), side.value)
    painter.restore()


def run_pen(theme: Theme, side: Side, width: float) -> QPen:
    """Return the pen of a run's lines, in pixels: A is solid, B is dashed."""
    pen = QPen(run_colour(theme.palette, side), width)
    pen.setCosmetic(True)  # or a plot would take the width for one on its axes
    if side is Side.B:
        pen.setDashPattern([4.0, 2.5])
    return pen


class Badge(QWidget):
    """The letter of a run."""

    def __init__(self, side: Side, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._side = side
        self._theme = theme
        self.setFixedSize(QSize(SIDE, SIDE))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        paint_badge(painter, QRectF(self.rect()), self._side, self._theme)
        painter.end()


class Notice(Card):
    """Plain text in the middle of a card."""

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
