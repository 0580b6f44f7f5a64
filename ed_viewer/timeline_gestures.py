"""What the mouse does on the timeline: it scrubs, makes a loop, zooms and moves what is on show."""

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QMouseEvent, QWheelEvent

from ed_viewer.timeline_scale import Scale

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


class Gestures(QObject):
    """Hands on what a press, a drag or a turn of the wheel means; moves the scale itself.

    Signals:
        scrubbed: the frame nearest to where the mouse was pressed or dragged.
        looped: first and last frame of a range; the same one twice for none.
        viewed: another part is on show.
    """

    scrubbed = Signal(int)
    looped = Signal(int, int)
    viewed = Signal()

    def __init__(self, scale: Scale, parent: QObject | None = None) -> None:
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
