"""Icons as outlines in the unit square: drawn in the theme's colours, sharp at any size."""

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QColor,
    QIcon,
    QPainter,
    QPainterPath,
    QPainterPathStroker,
    QPixmap,
    QPolygonF,
)

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


def _stroked(path: QPainterPath, width: float = 0.08) -> QPainterPath:
    stroker = QPainterPathStroker()
    stroker.setWidth(width)
    stroker.setCapStyle(Qt.PenCapStyle.RoundCap)
    return stroker.createStroke(path)


def _lines(*lines: tuple[tuple[float, float], ...]) -> QPainterPath:
    path = QPainterPath()
    for line in lines:
        path.moveTo(*line[0])
        for corner in line[1:]:
            path.lineTo(*corner)
    return path


def _search() -> QPainterPath:
    path = _lines(((0.58, 0.58), (0.8, 0.8)))
    path.addEllipse(QPointF(0.42, 0.42), 0.22, 0.22)
    return _stroked(path)


def _full() -> QPainterPath:
    """Four corners."""
    near, far, by = 0.2, 0.8, 0.2
    corners = [((x, y + by * sy), (x, y), (x + by * sx, y))
               for x, sx in ((near, 1), (far, -1)) for y, sy in ((near, 1), (far, -1))]  # fmt: skip
    return _stroked(_lines(*corners))


def _theme() -> QPainterPath:
    """A disc, half of it filled."""
    ring = QPainterPath()
    ring.addEllipse(QPointF(0.5, 0.5), 0.3, 0.3)
    half = QPainterPath(QPointF(0.5, 0.2))
    half.arcTo(QRectF(0.2, 0.2, 0.6, 0.6), 90, 180)
    half.closeSubpath()
    return _stroked(ring).united(half)


def _layout() -> QPainterPath:
    """A window with a column and a foot."""
    path = _lines(((0.4, 0.22), (0.4, 0.64)), ((0.18, 0.64), (0.82, 0.64)))
    path.addRect(QRectF(0.18, 0.22, 0.64, 0.56))
    return _stroked(path)


def _help() -> QPainterPath:
    """A question mark in a ring."""
    ring = QPainterPath()
    ring.addEllipse(QPointF(0.5, 0.5), 0.32, 0.32)
    mark = QPainterPath(QPointF(0.4, 0.42))
    mark.cubicTo(QPointF(0.4, 0.26), QPointF(0.62, 0.28), QPointF(0.6, 0.43))
    mark.cubicTo(QPointF(0.59, 0.5), QPointF(0.5, 0.5), QPointF(0.5, 0.58))
    dot = QPainterPath()
    dot.addEllipse(QPointF(0.5, 0.69), 0.05, 0.05)
    return _stroked(ring, 0.07) + _stroked(mark, 0.07) + dot


def _more() -> QPainterPath:
    """Three dots."""
    path = QPainterPath()
    for x in (0.25, 0.5, 0.75):
        path.addEllipse(QPointF(x, 0.5), 0.065, 0.065)
    return path


_PATHS: dict[str, Callable[[], QPainterPath]] = {
    "play": lambda: _triangle(0.3, 0.8),
    "pause": lambda: _bar(0.28, 0.16) + _bar(0.56, 0.16),
    "next": _next,
    "last": _last,
    "previous": _next,
    "first": _last,
    "swap": _swap,
    "export": _export,
    "search": _search,
    "full": _full,
    "theme": _theme,
    "layout": _layout,
    "help": _help,
    "more": _more,
}
_MIRRORED = {"previous", "first"}


def icon(name: str, colour: QColor, faint: QColor) -> QIcon:
    """Return an icon; `faint` is its colour while it cannot be used."""
    result = QIcon()
    result.addPixmap(_picture(name, colour), QIcon.Mode.Normal)
    result.addPixmap(_picture(name, faint), QIcon.Mode.Disabled)
    return result


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
