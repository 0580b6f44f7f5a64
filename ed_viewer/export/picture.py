"""Pictures of widgets as PNG, SVG or PDF; vectors stay vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from math import isfinite
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
    Qt,
)
from PySide6.QtGui import QColor, QImage, QPageSize, QPainter, QPdfWriter, QRegion
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QGraphicsItem,
    QGraphicsOpacityEffect,
    QGraphicsView,
    QLabel,
    QWidget,
)

from ed_viewer.reading.messages import Frame
from ed_viewer.session.alignment import RunView
from ed_viewer.style.text import moment
from ed_viewer.widgets.cards import Card

_GAP = 12  # pixels between two columns
_BELOW = 8  # and between what stands in one
Write = Callable[[Path], None]
"""Writes a file; slow, and to be called off the GUI thread."""
PICTURES = ("png", "svg", "pdf")
PAGE_MARGINS = QMargins(8, 0, 8, 8)
"""Around a page of the stage, whose panels reach its edges but the upper one."""
_SCALE = 2  # pixels of a PNG for one on the screen: a slide is larger than a window
_POINTS = 72  # of a PDF, an inch
_BOXES = (QComboBox, QAbstractSpinBox)
_TOOLS = (*_BOXES, QAbstractButton, QAbstractSlider)
_INDENT = 12  # pixels of the line above the widgets: where headings of panels begin


@dataclass(frozen=True, slots=True, eq=False)
class ExportFigure:
    """Columns of widgets, side by side.

    Attributes:
        columns: what stands in each, from the top; laid out, it need not be visible.
        margins: around all of them, in pixels of the screen.
        about: which run and step it shows; kept in the file.
        line: what stands above all of them, such as the step of a frame of a movie.
    """

    columns: tuple[tuple[QWidget, ...], ...]
    margins: QMargins = field(default_factory=QMargins)
    about: str = ""
    line: str = ""

    @classmethod
    def of(cls, widget: QWidget, margins: QMargins | None = None, about: str = "") -> ExportFigure:
        """Return the figure of one widget."""
        return cls(((widget,),), margins or QMargins(), about)

    @property
    def widgets(self) -> list[QWidget]:
        """All of them."""
        return [widget for column in self.columns for widget in column]

    @property
    def name(self) -> str:
        """What a screen reader would call it."""
        return next((w.accessibleName() for w in self.widgets if w.accessibleName()), "edkit")

    @property
    def size(self) -> QSize:
        """Of the picture, in pixels of the screen."""
        rects = [(at, widget.size()) for at, widget in self.places()]
        right = max((at.x() + size.width() for at, size in rects), default=0)
        bottom = max((at.y() + size.height() for at, size in rects), default=0)
        return QSize(right + self.margins.right(), bottom + self.margins.bottom())

    @property
    def head(self) -> int:
        """How high the line above the widgets is, in pixels of the screen."""
        return head_of(self.widgets[0]) if self.line else 0

    def places(self) -> Iterator[tuple[QPoint, QWidget]]:
        """Return the upper left corner of each widget in the picture."""
        x = self.margins.left()
        for column in self.columns:
            y = self.margins.top() + self.head
            for widget in column:
                yield QPoint(x, y), widget
                y += widget.height() + _BELOW
            x += max((widget.width() for widget in column), default=0) + _GAP


def head_of(widget: QWidget) -> int:
    """Return how high a line of a widget's type is, with space around it."""
    return widget.fontMetrics().height() + 2 * _BELOW


def describe_position(view: RunView, frame: Frame | None) -> str:
    """Return which frame of a run is shown, in words."""
    if frame is None or view.growth is None:
        return f"{name_of(view)}, no frame"
    number, growth = frame.request.frame, view.growth
    step, epoch = int(growth.steps[number]), float(growth.epochs[number])
    return f"{name_of(view)}, step {step}" + (f", epoch {epoch:.2f}" if isfinite(epoch) else "")


def where(view: RunView, frame: Frame | None) -> str:
    """Return which step of a run is shown, "" for none."""
    if frame is None or view.growth is None:
        return ""
    number, growth = frame.request.frame, view.growth
    return moment(int(growth.steps[number]), float(growth.epochs[number]))


def name_of(view: RunView) -> str:
    """Return what the folder of a run is called, "" while there is none."""
    return view.path.name if view.path else ""


def about(ours: str, theirs: str = "", signed: bool = False) -> str:
    """Return what a file says of the run that it shows, or of the two side by side."""
    if not theirs:
        return ours
    difference = "; B - A is shown instead of B" if signed else ""
    return f"A: {ours}; B: {theirs}{difference}"


def picture(figure: ExportFigure, kind: str, background: QColor) -> Write:
    """Draw a figure now, on the GUI thread, and return what writes it to a file.

    Args:
        figure: of widgets that are laid out.
        kind: one of `PICTURES`.
        background: behind what the widgets leave free.

    Raises:
        ValueError: a kind of another name.
    """
    if kind == "png":
        image = raster(figure, background, _SCALE)
        image.setText("Description", figure.about)
        return lambda path: _write(path, _png(image))
    if kind not in PICTURES:
        raise ValueError(f"expected one of {', '.join(PICTURES)}, received {kind!r}")
    data = (_svg if kind == "svg" else _pdf)(figure, background)
    return lambda path: _write(path, data)


def raster(figure: ExportFigure, background: QColor, scale: float = 1.0) -> QImage:
    """Return a figure as an image, `scale` pixels for one on the screen."""
    image = QImage(figure.size * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    image.fill(background)
    painter = QPainter(image)
    _render(figure, painter)
    painter.end()
    return image


def _svg(figure: ExportFigure, background: QColor) -> bytes:
    buffer, size = _buffer(), figure.size
    generator = QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setSize(size)
    generator.setViewBox(QRect(QPoint(), size))
    generator.setResolution(_dpi(figure))  # type in the size that it has on the screen
    generator.setTitle(figure.name)
    generator.setDescription(figure.about)
    _paint(figure, QPainter(generator), background)
    return bytes(buffer.data().data())


def _pdf(figure: ExportFigure, background: QColor) -> bytes:
    buffer, dpi = _buffer(), _dpi(figure)
    writer = QPdfWriter(buffer)
    writer.setResolution(dpi)
    writer.setCreator("edkit")
    writer.setTitle(figure.about or figure.name)
    page = QSizeF(figure.size) * (_POINTS / dpi)
    exact = QPageSize.SizeMatchPolicy.ExactMatch
    writer.setPageSize(QPageSize(page, QPageSize.Unit.Point, matchPolicy=exact))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    _paint(figure, QPainter(writer), background)
    return bytes(buffer.data().data())


def _paint(figure: ExportFigure, painter: QPainter, background: QColor) -> None:
    painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)  # else a PDF has JPEGs
    painter.fillRect(QRect(QPoint(), figure.size), background)
    with _as_vectors(figure.widgets):
        _render(figure, painter)
    painter.end()


def _render(figure: ExportFigure, painter: QPainter) -> None:
    alone = _alone(figure)
    if alone:  # the surface of a panel is that of the picture
        painter.fillRect(QRect(QPoint(), figure.size), alone[0].surface)
    if figure.line:
        first = figure.widgets[0]
        painter.setFont(first.font())
        painter.setPen(first.palette().text().color())
        line = QRect(figure.margins.left() + _INDENT, 0, figure.size.width(), figure.head)
        painter.drawText(line, int(Qt.AlignmentFlag.AlignVCenter), figure.line)
    with _without_focus(figure.widgets), _without_frame(alone):
        for corner, widget in figure.places():
            with _without_tools(widget) as tools:
                # Not `widget.render`: a plot has another method of that name.
                QWidget.render(widget, painter, corner, QRegion(), QWidget.RenderFlag.DrawChildren)
            for tool in tools:
                _write_choice(painter, tool, corner + tool.mapTo(widget, QPoint()))


@contextmanager
def _without_focus(widgets: Sequence[QWidget]) -> Iterator[None]:
    """Let no widget be marked as the one that the keys go to: it is no part of the picture."""
    focus = QApplication.focusWidget()
    inside = focus is not None and any(w is focus or w.isAncestorOf(focus) for w in widgets)
    if focus is None or not inside:
        yield
        return
    focus.clearFocus()
    try:
        yield
    finally:
        focus.setFocus(Qt.FocusReason.OtherFocusReason)


@contextmanager
def _without_frame(alone: Sequence[Card]) -> Iterator[None]:
    """Let panels that are all of a picture have no border."""
    for card in alone:
        card.framed = False
    try:
        yield
    finally:
        for card in alone:
            card.framed = True


def _alone(figure: ExportFigure) -> list[Card]:
    """Return the cards of a picture's widgets, [] where one of these has several."""
    cards_by_widget = [_cards(widget) for widget in figure.widgets]
    return (
        [card for cards in cards_by_widget for card in cards]
        if max(map(len, cards_by_widget)) <= 1
        else []
    )


def _cards(widget: QWidget) -> list[Card]:
    """Return the cards on show in a widget, itself included."""
    cards = [widget] if isinstance(widget, Card) else []
    return cards + [card for card in widget.findChildren(Card) if card.isVisibleTo(widget)]


@contextmanager
def _without_tools(widget: QWidget) -> Iterator[list[QWidget]]:
    """Let buttons, sliders and boxes be clear, in a picture of anything but the window.

    Hidden, they would have all else laid out anew. Yields the boxes: what is chosen in them says
    what the picture shows, and is written in their place.
    """
    widgets = [] if widget.isWindow() else widget.findChildren(QWidget)
    tools = [one for one in widgets if one.isVisibleTo(widget) and _is_tool(one)]
    effects = [QGraphicsOpacityEffect(tool) for tool in tools]
    for tool, effect in zip(tools, effects, strict=True):
        effect.setOpacity(0)
        tool.setGraphicsEffect(effect)
    try:
        yield [tool for tool in tools if isinstance(tool, _BOXES)]
    finally:
        for tool in tools:
            tool.setGraphicsEffect(None)  # type: ignore[arg-type]


def _is_tool(widget: QWidget) -> bool:
    named = widget.buddy() if isinstance(widget, QLabel) else None
    return isinstance(widget, _TOOLS) or isinstance(named, QAbstractSlider)


def _write_choice(painter: QPainter, tool: QWidget, corner: QPoint) -> None:
    """Write what is chosen in a box where the box would be."""
    assert isinstance(tool, _BOXES)
    text = tool.currentText() if isinstance(tool, QComboBox) else tool.text()
    painter.setFont(tool.font())
    painter.setPen(tool.palette().text().color())
    painter.drawText(QRect(corner, tool.size()), int(Qt.AlignmentFlag.AlignVCenter), text)


def _dpi(figure: ExportFigure) -> int:
    return figure.widgets[0].logicalDpiX()


@contextmanager
def _as_vectors(widgets: Sequence[QWidget]) -> Iterator[None]:
    """Let plots paint anew what they keep as pixels for speed: axes, and the points' symbols."""
    views = [view for widget in widgets for view in widget.findChildren(QGraphicsView)]
    views += [widget for widget in widgets if isinstance(widget, QGraphicsView)]
    items = [item for view in views for item in view.scene().items()]
    modes = [item.cacheMode() for item in items]
    backgrounds = [view.cacheMode() for view in views]
    hints = [view.renderHints() for view in views]
    for view in views:
        view.setRenderHint(QPainter.RenderHint.LosslessImageRendering)
        view.setCacheMode(QGraphicsView.CacheModeFlag.CacheNone)
    for item in items:
        item.setCacheMode(QGraphicsItem.CacheMode.NoCache)
        _set_export_mode(item, True)
    try:
        yield
    finally:
        for view, background, hint in zip(views, backgrounds, hints, strict=True):
            view.setCacheMode(background)
            view.setRenderHints(hint)
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


def unused(file: Path) -> Path:
    """Return the path, or `name-2.png`, `name-3.png`, ... where it is taken (may be slow)."""
    if not file.exists():
        return file
    named = (file.with_name(f"{file.stem}-{number}{file.suffix}") for number in count(2))
    return next(path for path in named if not path.exists())
