"""Icons as outlines in the unit square: drawn in the theme's colours, sharp at any size."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPixmap, QPolygonF

_SIDE = 64  # pixels of the picture that Qt scales down


def _triangle(left: float, right: float) -> QPainterPath:
    path = QPainterPath()
    path.addPolygon(QPolygonF([QPointF(left, 0.2), QPointF(right, 0.5), QPointF(left, 0.8)]))
    path.closeSubpath()
    return path


def _bar(left: float, width: float) -> QPainterPath:
    path = QPainterPath()
    path.addRect(QRectF(left, 0.2, width, 0.6))
    return path


def _next() -> QPainterPath:
    return _triangle(0.36, 0.68)


def _last() -> QPainterPath:
    return _triangle(0.24, 0.64) + _bar(0.66, 0.1)


def _export() -> QPainterPath:
    """An arrow into a tray."""
    path = QPainterPath()
    path.addRect(QRectF(0.46, 0.14, 0.08, 0.34))
    arrow = [QPointF(0.32, 0.42), QPointF(0.68, 0.42), QPointF(0.5, 0.64)]
    path.addPolygon(QPolygonF(arrow))
    path.closeSubpath()
    for box in ((0.18, 0.58, 0.08, 0.24), (0.74, 0.58, 0.08, 0.24), (0.18, 0.76, 0.64, 0.08)):
        path.addRect(QRectF(*box))
    path.setFillRule(Qt.FillRule.WindingFill)
    return path


_PATHS: dict[str, Callable[[], QPainterPath]] = {
    "play": lambda: _triangle(0.3, 0.8),
    "pause": lambda: _bar(0.28, 0.16) + _bar(0.56, 0.16),
    "next": _next,
    "last": _last,
    "previous": _next,
    "first": _last,
    "export": _export,
}
_MIRRORED = {"previous", "first"}


def icon(name: str, colour: QColor, faint: QColor) -> QIcon:
    """Return an icon; `faint` is its colour while it cannot be used."""
    made = QIcon()
    made.addPixmap(_picture(name, colour), QIcon.Mode.Normal)
    made.addPixmap(_picture(name, faint), QIcon.Mode.Disabled)
    return made


def _picture(name: str, colour: QColor) -> QPixmap:
    picture = QPixmap(QSize(_SIDE, _SIDE))
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if name in _MIRRORED:
        painter.translate(_SIDE, 0)
        painter.scale(-1, 1)
    painter.scale(_SIDE, _SIDE)
    painter.fillPath(_PATHS[name](), colour)
    painter.end()
    return picture
