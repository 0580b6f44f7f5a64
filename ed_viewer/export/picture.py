"""A widget as PNG, SVG or PDF; what a widget paints as vectors stays vectors."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from PySide6.QtCore import (
    QBuffer,
    QByteArray,
    QIODevice,
    QMargins,
    QMarginsF,
    QPoint,
    QRect,
    QSize,
    QSizeF,
)
from PySide6.QtGui import QColor, QImage, QPageSize, QPainter, QPdfWriter, QRegion
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QGraphicsItem, QGraphicsView, QWidget

Write = Callable[[Path], None]
"""Writes a file; slow, and to be called off the GUI thread."""

PICTURES = ("png", "svg", "pdf")
PAGE_MARGINS = QMargins(8, 0, 8, 8)
"""Around a page of the stage, whose panels reach its edges but the upper one."""

_SCALE = 2  # pixels of a PNG for one on the screen: a slide is larger than a window
_POINTS = 72
_NONE = QMargins()


def picture(widget: QWidget, kind: str, background: QColor, margins: QMargins = _NONE) -> Write:
    """Draw a widget now, on the GUI thread, and return what writes it to a file.

    Args:
        widget: laid out; it need not be visible.
        kind: one of `PICTURES`.
        background: behind what the widget leaves free, and in the margins.
        margins: around the widget, in pixels of the screen.

    Raises:
        ValueError: a kind of another name.
    """
    if kind == "png":
        image = raster(widget, background, margins, _SCALE)
        return lambda path: _write(path, _png(image))
    if kind not in PICTURES:
        raise ValueError(f"expected one of {', '.join(PICTURES)}, received {kind!r}")
    data = (_svg if kind == "svg" else _pdf)(widget, background, margins)
    return lambda path: _write(path, data)


def raster(
    widget: QWidget, background: QColor, margins: QMargins = _NONE, scale: float = 1.0
) -> QImage:
    """Return a widget as an image, `scale` pixels for one on the screen."""
    image = QImage(_size(widget, margins) * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(background)
    painter = QPainter(image)
    _render(widget, painter, margins)
    painter.end()
    return image


def _svg(widget: QWidget, background: QColor, margins: QMargins) -> bytes:
    buffer, size = _buffer(), _size(widget, margins)
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(size)
    generator.setViewBox(QRect(QPoint(), size))
    generator.setResolution(widget.logicalDpiX())  # type in the size that it has on the screen
    generator.setTitle(widget.accessibleName() or "edkit")
    _paint(widget, QPainter(generator), background, margins)
    return bytes(buffer.data().data())


def _pdf(widget: QWidget, background: QColor, margins: QMargins) -> bytes:
    buffer, dpi = _buffer(), widget.logicalDpiX()
    writer = QPdfWriter(buffer)
    writer.setResolution(dpi)
    writer.setCreator("edkit")
    page = QSizeF(_size(widget, margins)) * (_POINTS / dpi)
    exact = QPageSize.SizeMatchPolicy.ExactMatch
    writer.setPageSize(QPageSize(page, QPageSize.Unit.Point, matchPolicy=exact))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    _paint(widget, QPainter(writer), background, margins)
    return bytes(buffer.data().data())


def _paint(widget: QWidget, painter: QPainter, background: QColor, margins: QMargins) -> None:
    painter.fillRect(QRect(QPoint(), _size(widget, margins)), background)
    with _as_vectors(widget):
        _render(widget, painter, margins)
    painter.end()


def _render(widget: QWidget, painter: QPainter, margins: QMargins) -> None:
    corner = QPoint(margins.left(), margins.top())
    # Not `widget.render`: a plot has another method of that name.
    QWidget.render(widget, painter, corner, QRegion(), QWidget.RenderFlag.DrawChildren)


def _size(widget: QWidget, margins: QMargins) -> QSize:
    return widget.size().grownBy(margins)


@contextmanager
def _as_vectors(widget: QWidget) -> Iterator[None]:
    """Let plots paint anew what they keep as pixels for speed: axes, and the points' symbols."""
    views = widget.findChildren(QGraphicsView)
    views += [widget] if isinstance(widget, QGraphicsView) else []
    items = [item for view in views for item in view.scene().items()]
    modes = [item.cacheMode() for item in items]
    backgrounds = [view.cacheMode() for view in views]
    for view in views:
        view.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)
    for item in items:
        item.setCacheMode(QGraphicsItem.CacheMode.NoCache)
        _set_export_mode(item, True)
    try:
        yield
    finally:
        for view, background in zip(views, backgrounds, strict=True):
            view.setCacheMode(background)
        for item, mode in zip(items, modes, strict=True):
            item.setCacheMode(mode)
            _set_export_mode(item, False)


def _set_export_mode(item: QGraphicsItem, on: bool) -> None:
    """Tell an item of pyqtgraph's; it is not imported here, for it may not be in use."""
    if hasattr(item, "setExportMode"):
        item.setExportMode(on, {"antialias": True, "resolutionScale": 1.0} if on else None)


def _write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def _buffer() -> QBuffer:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    return buffer


def _png(image: QImage) -> bytes:
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not image.save(buffer, "PNG"):  # type: ignore[call-overload]
        raise OSError("the picture cannot be written as PNG")
    return bytes(data.data())
