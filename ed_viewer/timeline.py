"""The bar of recorded frames: epochs, a tick a frame, the cursor; a drag scrubs."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from ed_viewer.theme import Theme
from ed_viewer.widgets.text import grouped

_SIDE = 12  # pixels left free at both ends, so that the handle is never cut
_TICKS = 3  # pixels a tick at least: closer ones would be a grey block


class Timeline(QWidget):
    """Frames lie at their step, so that an interval that grows is seen to grow.

    Signals:
        scrubbed: the frame nearest to where the mouse was pressed or dragged.
        hovered: which frame is under the mouse, in words.
    """

    scrubbed = Signal(int)
    hovered = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._steps = np.empty(0)
        self._epochs = np.empty(0)
        self._frame = -1
        self._live = False
        self.setAccessibleName("Timeline")
        self.setToolTip("Drag to scrub through the training")
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802, D102
        return QSize(400, 2 * self.fontMetrics().height() + 14)

    def set_frames(self, steps: np.ndarray, epochs: np.ndarray, live: bool) -> None:
        """Show these frames, (frames,) each."""
        self._steps, self._epochs, self._live = np.asarray(steps, float), epochs, live
        self.update()

    def set_frame(self, frame: int) -> None:
        """Put the cursor on a frame."""
        self._frame = frame
        self.update()

    def x_of(self, frame: int) -> float:
        """Return where a frame lies, in pixels."""
        return float(self._xs()[frame])

    def frame_at(self, x: float) -> int:
        """Return the frame nearest to x, -1 if there is none."""
        if not len(self._steps):
            return -1
        return int(np.abs(self._xs() - x).argmin())

    def _xs(self) -> np.ndarray:
        steps = self._steps
        room = max(self.width() - 2 * _SIDE, 1)
        span = steps[-1] - steps[0] if len(steps) > 1 else 0.0
        if span <= 0:
            return np.full(len(steps), float(_SIDE))
        return _SIDE + (steps - steps[0]) / span * room

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self.fontMetrics().height()
        bar = QRectF(_SIDE, line + 6, self.width() - 2 * _SIDE, self.height() - line - 12)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("card"))
        painter.drawRoundedRect(bar.adjusted(-4, 0, 4, 0), 4, 4)
        if len(self._steps):
            xs = self._xs()
            self._paint_epochs(painter, bar, xs)
            self._paint_ticks(painter, bar, xs)
            self._paint_cursor(painter, bar, xs)
        painter.end()

    def _paint_epochs(self, painter: QPainter, bar: QRectF, xs: np.ndarray) -> None:
        """Shade every second epoch and write as many numbers as have room."""
        last = int(np.floor(self._epochs[-1])) if np.isfinite(self._epochs[-1]) else 0
        starts = np.interp(np.arange(min(last, 10_000) + 1), self._epochs, xs)
        painter.setBrush(self._theme.colour("line"))
        painter.setOpacity(0.45)
        for epoch in range(1, len(starts), 2):
            end = starts[epoch + 1] if epoch + 1 < len(starts) else xs[-1]
            painter.drawRect(QRectF(starts[epoch], bar.top(), end - starts[epoch], bar.height()))
        painter.setOpacity(1.0)
        painter.setPen(self._theme.colour("muted"))
        widest = self.fontMetrics().horizontalAdvance(f"epoch {last} ")
        free = 0.0
        for epoch, x in enumerate(starts):
            text = f"epoch {epoch}" if epoch == 0 else str(epoch)
            if x >= free and x + widest < self.width():
                painter.drawText(QPointF(x, bar.top() - 6), text)
                free = x + widest * (1.2 if epoch == 0 else 0.9)

    def _paint_ticks(self, painter: QPainter, bar: QRectF, xs: np.ndarray) -> None:
        painter.setPen(QPen(self._theme.colour("done"), 1))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        kept = np.unique((xs / _TICKS).astype(np.int64)) * _TICKS if len(xs) > 200 else xs
        for x in np.round(kept):
            painter.drawLine(QPointF(x, bar.center().y() - 4), QPointF(x, bar.center().y() + 4))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)
        if self._live:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour("live"))
            painter.drawEllipse(QPointF(xs[-1], bar.center().y()), 4, 4)

    def _paint_cursor(self, painter: QPainter, bar: QRectF, xs: np.ndarray) -> None:
        if not 0 <= self._frame < len(xs):
            return
        x = round(xs[self._frame]) + 0.5
        painter.setPen(QPen(self._theme.colour("accent"), 2))
        painter.drawLine(QPointF(x, bar.top()), QPointF(x, bar.bottom()))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour("accent"))
        top = bar.top() - 4
        shape = [(x - 6, top), (x + 6, top), (x + 6, top + 6), (x, top + 12), (x - 6, top + 6)]
        painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in shape]))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        if event.button() == Qt.MouseButton.LeftButton:
            self._scrub(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._scrub(event.position().x())
        frame = self.frame_at(event.position().x())
        if frame >= 0:
            step = grouped(int(self._steps[frame]))
            self.hovered.emit(f"frame {frame + 1} · step {step} · epoch {self._epochs[frame]:.2f}")

    def leaveEvent(self, event: object) -> None:  # noqa: N802, D102
        self.hovered.emit("")

    def _scrub(self, x: float) -> None:
        frame = self.frame_at(x)
        if frame >= 0:
            self.scrubbed.emit(frame)
