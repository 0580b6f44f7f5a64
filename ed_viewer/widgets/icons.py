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


def _swap() -> QPainterPath:
    """Two arrows, one above the other."""
    path = QPainterPath()
    for y, tail, head in ((0.34, 0.14, 0.86), (0.66, 0.86, 0.14)):
        back = head + (tail - head) * 0.36
        path.addRect(QRectF(min(tail, back), y - 0.045, abs(back - tail), 0.09))
        corners = ((back, y - 0.17), (head, y), (back, y + 0.17))
        path.addPolygon(QPolygonF([QPointF(*corner) for corner in corners]))
        path.closeSubpath()
    return path


_PATHS: dict[str, Callable[[], QPainterPath]] = {
    "play": lambda: _triangle(0.3, 0.8),
    "pause": lambda: _bar(0.28, 0.16) + _bar(0.56, 0.16),
    "next": _next,
    "last": _last,
    "previous": _next,
    "first": _last,
    "swap": _swap,
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
