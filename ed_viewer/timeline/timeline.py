"""Timeline widget: a drag scrubs, with Shift it loops; the wheel zooms."""

import html

import numpy as np
from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from ed_core.recording import Event
from ed_viewer.style.text import tell_value
from ed_viewer.style.theme import Theme
from ed_viewer.timeline.painting import Picture, TimelinePainter
from ed_viewer.timeline.scale import TimelineScale

_NOTCH = 120  # eighths of a degree: one step of a mouse wheel
_ZOOM = 1.25  # a notch
_PAN = 60  # pixels a notch
GESTURES = (
    ("Drag", "Scrub"),
    ("Shift+Drag", "Loop a range; Shift+click: clear loop"),
    ("Wheel", "Zoom; double click: show the whole run"),
    ("Shift+Wheel", "Pan; also: drag with the middle button"),
)
"""For people: the keys and buttons, and what they do."""
_SIDE = 12  # pixels left free at both ends, so that the handle is never cut


class Gestures(QObject):
    """Interpreter of mouse presses, drags and the wheel; it zooms and pans the scale itself.

    Signals:
        scrubbed: the frame nearest to where the mouse was pressed or dragged.
        looped: first and last frame of a range; the same one twice for none.
        viewed: another part is on show.
    """

    scrubbed = Signal(int)
    looped = Signal(int, int)
    viewed = Signal()

    def __init__(self, scale: TimelineScale, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._scale = scale
        self._held = Qt.MouseButton.NoButton
        self._grip = 0.0  # pixels
        self._start = -1  # of a range, -1 for none

    def press(self, event: QMouseEvent) -> None:
        """Scrub, or begin a range."""
        x = event.position().x()
        self._held, self._grip, self._start = event.button(), x, -1
        frame = self._scale.frame_at(x)
        if event.button() != Qt.MouseButton.LeftButton or frame < 0:
            return
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self._start = frame
        self._reach(frame)

    def move(self, event: QMouseEvent) -> None:
        """Go on with what the press began."""
        x = event.position().x()
        frame = self._scale.frame_at(x)
        if self._held == Qt.MouseButton.MiddleButton:
            self._scale.pan(self._grip - x)
            self._grip = x
            self.viewed.emit()
        elif self._held == Qt.MouseButton.LeftButton and frame >= 0:
            self._reach(frame)

    def release(self) -> None:
        """Let go."""
        self._held = Qt.MouseButton.NoButton

    def turn(self, event: QWheelEvent) -> None:
        """Zoom around the mouse, or move along."""
        across, along = event.angleDelta().x(), event.angleDelta().y()
        notches = (along or across) / _NOTCH
        if event.modifiers() & Qt.KeyboardModifier.ShiftModifier or abs(across) > abs(along):
            self._scale.pan(-notches * _PAN)
        elif len(self._scale.steps) > 1:
            self._scale.zoom(_ZOOM**notches, event.position().x())
        self.viewed.emit()
        event.accept()

    def _reach(self, frame: int) -> None:
        if self._start >= 0:
            self.looped.emit(self._start, frame)
        else:
            self.scrubbed.emit(frame)


class Timeline(QWidget):
    """Bar with frames at their steps, so that a growing interval is visible.

    Signals:
        scrubbed: the frame nearest to where the mouse was pressed or dragged.
        looped: first and last frame of a range; the same one twice for none.
        viewed: another part is on show, because somebody wants to see it.

    Attributes:
        picture: what is painted.
    """

    scrubbed = Signal(int)
    looped = Signal(int, int)
    viewed = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.picture = Picture()
        self._scale = self.picture.scale
        self._gestures = Gestures(self._scale, self)
        self._gestures.scrubbed.connect(self.scrubbed)
        self._gestures.looped.connect(self.looped)
        self._gestures.viewed.connect(self._on_viewed)
        self._following = False
        self.setAccessibleName("Timeline")
        self.setMouseTracking(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:  # noqa: N802, D102
        return QSize(400, 2 * self.fontMetrics().height() + 16)

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102
        self._scale.room = (float(_SIDE), float(max(self.width() - _SIDE, _SIDE + 1)))

    def set_frames(self, steps: np.ndarray, epochs: np.ndarray, live: bool) -> None:
        """Show these frames, (frames,) each."""
        self.picture.set_frames(steps, epochs, live)
        self._look()

    def set_events(self, events: tuple[Event, ...]) -> None:
        """Mark these on the bar."""
        if events != self.picture.events:
            self.picture.set_events(events)
            self.update()

    def set_beside(self, marks: tuple[np.ndarray, np.ndarray] | None) -> None:
        """Mark a second run below the first, or no longer.

        Args:
            marks: the steps of this run beside which the frames and the checkpoints of the other
                lie, increasing; None for no other run.
        """
        self.picture.beside = marks
        self.update()

    def set_frame(self, frame: int, following: bool = False) -> None:
        """Put the cursor on a frame; while following, the live edge stays in view."""
        moved = frame != self.picture.frame
        self.picture.frame, self._following = frame, following
        if moved:
            self._look()
        self.update()

    def set_loop(self, loop: tuple[int, int] | None) -> None:
        """Mark the range in which playing repeats."""
        self.picture.loop = loop
        self.update()

    def zoom(self, factor: float) -> None:
        """Show a part shorter by `factor` around the cursor; 0 shows all."""
        if factor == 0:
            self._scale.reset()
        elif len(self._scale.steps) > 1:
            self._scale.zoom(factor, self.x_of(self.picture.frame))
        self._on_viewed()

    @property
    def view(self) -> tuple[float, float]:
        """The first and the last step on show."""
        return self._scale.view

    @property
    def zoomed(self) -> bool:
        """Whether that is only a part of the run."""
        return self._scale.zoomed

    def show_view(self, view: tuple[float, float]) -> None:
        """Show a part again."""
        self._scale.view = view
        self.update()

    def _on_viewed(self) -> None:
        self.update()
        self.viewed.emit()

    def x_of(self, frame: int) -> float:
        """Return where a frame lies, in pixels."""
        return float(self._scale.x_of(self._scale.steps[frame]))

    def frame_at(self, x: float) -> int:
        """Return the frame nearest to x, -1 if there is none."""
        return self._scale.frame_at(x)

    def _look(self) -> None:
        """Bring into view what the cursor is on."""
        if self._following and len(self._scale.steps):
            self._scale.reveal(float(self._scale.steps[-1]))
        elif 0 <= self.picture.frame < len(self._scale.steps):
            self._scale.reveal(float(self._scale.steps[self.picture.frame]))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self.fontMetrics().height()
        bar = QRectF(_SIDE, line + 6, self.width() - 2 * _SIDE, self.height() - line - 14)
        TimelinePainter(painter, self._theme, bar).paint(self.picture)
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        self._gestures.press(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        self._gestures.move(event)
        tell_value(self, self.picture.describe(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        self._gestures.release()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802, D102
        self.zoom(0)

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802, D102
        self._gestures.turn(event)

    def leaveEvent(self, event: object) -> None:  # noqa: N802, D102
        tell_value(self, "")

    def event(self, event: QEvent) -> bool:
        """Answer the request for a tool tip with the events under the mouse (called by Qt)."""
        if event.type() != QEvent.Type.ToolTip or not isinstance(event, QHelpEvent):
            return super().event(event)
        tip_text = self.picture.words_at(event.pos().x())
        tip_text = tip_text or [f"{keys}: {words}" for keys, words in GESTURES]
        QToolTip.showText(event.globalPos(), "<br>".join(html.escape(s) for s in tip_text), self)
        return True
