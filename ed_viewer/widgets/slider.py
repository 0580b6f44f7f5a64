"""A slider whose groove can be seen on a card, dark or light: Qt's own is nearly as dark."""

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QSlider, QStyle, QStyleOptionSlider, QWidget

from ed_viewer.theme import Theme

_GROOVE, _KNOB = 4.0, 7.0  # pixels: the height of the one, the radius of the other


class Slider(QSlider):
    """Horizontal; it is dragged and keyed like any other."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def event(self, event: QEvent) -> bool:
        """Be painted as the mouse comes and goes, also to a menu that opens (called by Qt)."""
        if event.type() in (QEvent.Type.Enter, QEvent.Type.Leave):
            self.update()
        return super().event(event)

    def sizeHint(self) -> QSize:  # noqa: N802, D102
        return QSize(84, 22)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        kind, part = QStyle.ComplexControl.CC_Slider, QStyle.SubControl.SC_SliderHandle
        knob = self.style().subControlRect(kind, option, part, self)
        at = QPointF(QRectF(knob).center())
        groove = QRectF(_KNOB, at.y() - _GROOVE / 2, self.width() - 2 * _KNOB, _GROOVE)
        theme, usable = self._theme, self.isEnabled()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("done" if usable else "line"))
        painter.drawRoundedRect(groove, _GROOVE / 2, _GROOVE / 2)
        painter.setBrush(theme.colour("accent" if usable else "line"))
        done = QRectF(groove.topLeft(), QPointF(at.x(), groove.bottom()))
        painter.drawRoundedRect(done, _GROOVE / 2, _GROOVE / 2)
        strong = usable and (self.underMouse() or self.isSliderDown() or self.hasFocus())
        painter.setPen(QPen(theme.colour("accent" if usable else "line"), 3 if strong else 2))
        painter.setBrush(theme.colour("card"))
        painter.drawEllipse(at, _KNOB - 1, _KNOB - 1)
        painter.end()
