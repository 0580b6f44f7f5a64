"""Painting of the timeline: bands of epochs, ticks, checkpoints, events, loop and cursor."""

from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF

from ed_core.recording import Event
from ed_viewer.reading.messages import CHECKPOINT
from ed_viewer.style.palette import Side, run_colour
from ed_viewer.style.text import grouped, moment
from ed_viewer.style.theme import Theme
from ed_viewer.timeline.scale import TimelineScale

_TICKS = 3  # pixels a tick at least: closer ones would be a grey block
_APART = 8  # pixels from checkpoint to checkpoint at least: closer ones would hide the frames
_BAND = 5  # pixels, of an epoch that is still shaded on its own
_NEAR = 6  # pixels from an event within which the mouse is on it
_MOST, _FEW = 8, 3  # events that are told at once, in a tip and on a line
_STRIP = 3  # pixels, of the line below that says which part is on show


@dataclass(slots=True)
class Picture:
    """Content of the timeline.

    Attributes:
        epochs: (frames,), one for each step of the scale.
        known_epochs: the steps and the epochs, (known,) each, of the frames whose epoch is known.
        events: what happened, as it is told.
        beside: the steps beside which the frames and the checkpoints of a second run lie; None
            while there is none.
        checkpoints, hand_changes: (events,) the steps of checkpoints and of changes by hand.
    """

    scale: TimelineScale = field(default_factory=TimelineScale)
    epochs: np.ndarray = field(default_factory=lambda: np.empty(0))
    known_epochs: tuple[np.ndarray, np.ndarray] = (np.empty(0), np.empty(0))
    events: tuple[Event, ...] = ()
    checkpoints: np.ndarray = field(default_factory=lambda: np.empty(0))
    hand_changes: np.ndarray = field(default_factory=lambda: np.empty(0))
    beside: tuple[np.ndarray, np.ndarray] | None = None
    frame: int = -1
    loop: tuple[int, int] | None = None
    live: bool = False

    def set_frames(self, steps: np.ndarray, epochs: np.ndarray, live: bool) -> None:
        """Take other frames, (frames,) each."""
        self.scale.set_steps(steps)
        self.epochs, self.live = epochs, live
        sure = np.isfinite(epochs)
        self.known_epochs = self.scale.steps[sure], epochs[sure]

    def set_events(self, events: tuple[Event, ...]) -> None:
        """Take other events."""
        self.events = events
        steps = np.array([event.step for event in events], float)
        are_checkpoints = np.array([event.kind == CHECKPOINT for event in events], bool)
        self.checkpoints, self.hand_changes = steps[are_checkpoints], steps[~are_checkpoints]

    def events_at(self, x: float) -> list[Event]:
        """Return the events at a pixel."""
        if not self.events:
            return []
        xs = self.scale.x_of(np.array([event.step for event in self.events], float))
        return [self.events[i] for i in np.flatnonzero(np.abs(xs - x) <= _NEAR)]

    def words_at(self, x: float, most: int = _MOST) -> list[str]:
        """Return the last of the events at a pixel, each in words, and how many are earlier."""
        near = self.events_at(x)
        earlier = [f"and {grouped(len(near) - most)} earlier"] if len(near) > most else []
        return [_words(event) for event in near[-most:]] + earlier

    def describe(self, x: float) -> str:
        """Return what is at a pixel, in words: events before frames."""
        near, frame = self.words_at(x, _FEW), self.scale.frame_at(x)
        if near or frame < 0:
            return " · ".join(near)
        step, epoch = int(self.scale.steps[frame]), self.epochs[frame]
        return f"frame {frame + 1} · {moment(step, epoch)}"


class TimelinePainter:
    """Draws a `Picture` into the bar.

    Args:
        painter: of the widget, open.
        theme: colours.
        bar: the rectangle of the ticks; the epochs' numbers go above it.
    """

    def __init__(self, painter: QPainter, theme: Theme, bar: QRectF) -> None:
        self._painter, self._theme, self._bar = painter, theme, bar

    def paint(self, picture: Picture) -> None:
        """Draw everything, the cursor on top."""
        painter, bar = self._painter, self._bar
        self._fill("card")
        painter.drawRoundedRect(bar.adjusted(-4, 0, 4, 0), 4, 4)
        if not len(picture.scale.steps):
            return
        painter.save()
        painter.setClipRect(bar.adjusted(-8, -bar.top(), 8, 20))
        self._epochs(picture)
        self._loop(picture)
        self._ticks(picture)
        self._events(picture)
        self._cursor(picture)
        painter.restore()
        if picture.scale.zoomed:
            self._strip(picture.scale)

    def _epochs(self, picture: Picture) -> None:
        """Shade every second epoch, or group of epochs, and write the numbers that have room."""
        painter, bar, scale = self._painter, self._bar, picture.scale
        steps, epochs = picture.known_epochs
        if not len(epochs):
            return
        inside = np.interp(scale.view, steps, epochs)
        metrics = painter.fontMetrics()
        first, last = int(inside[0]), int(np.ceil(inside[1]))
        room = (scale.room[1] - scale.room[0]) / max(inside[1] - inside[0], 1e-9)
        widest = metrics.horizontalAdvance(f"{last}") + 16
        every = _round_up(widest / room)
        group = 1 if room >= _BAND else every
        self._fill("line")
        painter.setOpacity(0.45)
        for epoch in range(first - first % (2 * group) + group, last + 1, 2 * group):
            left, right = scale.x_of(np.interp((epoch, epoch + group), epochs, steps))
            painter.drawRect(QRectF(left, bar.top(), right - left, bar.height()))
        painter.setOpacity(1.0)
        painter.setPen(self._theme.colour("muted"))
        free = bar.left() - 1
        for epoch in range(first - first % every, last + 1, every):
            x = float(scale.x_of(np.interp(epoch, epochs, steps)))
            text = str(epoch) if free > bar.left() else f"epoch {epoch}"
            width = metrics.horizontalAdvance(text)
            if x >= free and x + width < bar.right() + 8 and epoch <= epochs[-1]:
                painter.drawText(QPointF(x, bar.top() - 6), text)
                free = x + width + 12

    def _loop(self, picture: Picture) -> None:
        if picture.loop is None:
            return
        painter, bar = self._painter, self._bar
        left, right = (float(x) for x in self._xs(picture, list(picture.loop)))
        self._fill("accent")
        painter.setOpacity(0.28)
        painter.drawRect(QRectF(left, bar.top(), right - left, bar.height()))
        painter.setOpacity(1.0)
        painter.setPen(QPen(self._theme.colour("accent"), 2))
        for x, inwards in ((left, 5), (right, -5)):
            bracket = [(x + inwards, bar.top()), (x, bar.top()), (x, bar.bottom())]
            bracket.append((x + inwards, bar.bottom()))
            painter.drawPolyline(QPolygonF([QPointF(*corner) for corner in bracket]))

    def _ticks(self, picture: Picture) -> None:
        painter, middle = self._painter, self._bar.center().y()
        seen = picture.scale.ticks(_TICKS)
        if picture.beside is None:
            self._lines(seen, middle - 4, middle + 4, QPen(self._theme.colour("done"), 1))
        else:
            self._two_rows(picture.scale, seen, *picture.beside)
        if picture.live:
            self._fill("live")
            edge = float(picture.scale.x_of(picture.scale.steps[-1]))
            painter.drawEllipse(QPointF(edge, middle), 4, 4)

    def _two_rows(
        self, scale: TimelineScale, ours: np.ndarray, frames: np.ndarray, checkpoints: np.ndarray
    ) -> None:
        """Draw the ticks of both runs in their colours, run B below."""
        bar, middle = self._bar, self._bar.center().y()
        first, second = (run_colour(self._theme.palette, side) for side in Side)
        self._lines(ours, middle - 7, middle - 2, QPen(first, 1))
        self._lines(scale.ticks(_TICKS, frames), middle + 2, middle + 7, QPen(second, 1))
        self._lines(scale.ticks(_APART, checkpoints), middle + 1, bar.bottom() - 1, QPen(second, 2))

    def _events(self, picture: Picture) -> None:
        """Draw checkpoints as tall ticks, and what was changed by hand as diamonds on the edge."""
        painter, bar = self._painter, self._bar
        checkpoints = picture.scale.ticks(_APART, picture.checkpoints)
        foot = bar.bottom() if picture.beside is None else bar.center().y()
        self._lines(checkpoints, bar.top() + 1, foot - 1, QPen(self._theme.colour("muted"), 2))
        painter.setPen(QPen(self._theme.colour("card"), 1))
        painter.setBrush(self._theme.colour("failed"))
        for x in _pixels(picture.scale, picture.hand_changes):
            y = bar.bottom() - 3
            corners = [(x - 5, y), (x, y - 5), (x + 5, y), (x, y + 5)]
            painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in corners]))

    def _cursor(self, picture: Picture) -> None:
        if not 0 <= picture.frame < len(picture.scale.steps):
            return
        painter, bar = self._painter, self._bar
        x = round(float(self._xs(picture, [picture.frame])[0])) + 0.5
        painter.setPen(QPen(self._theme.colour("accent"), 2))
        painter.drawLine(QPointF(x, bar.top()), QPointF(x, bar.bottom()))
        self._fill("accent")
        top = bar.top() - 4
        shape = [(x - 6, top), (x + 6, top), (x + 6, top + 6), (x, top + 12), (x - 6, top + 6)]
        painter.drawPolygon(QPolygonF([QPointF(*corner) for corner in shape]))

    def _strip(self, scale: TimelineScale) -> None:
        """Say at the foot which part of the run is on show."""
        (start, end), bar = scale.whole, self._bar
        track = QRectF(bar.left(), bar.bottom() + 3, bar.width(), _STRIP)
        self._fill("line")
        self._painter.drawRect(track)
        left, right = ((step - start) / (end - start) * bar.width() for step in scale.view)
        self._fill("done")
        length = max(right - left, 8.0)
        left = min(left, bar.width() - length)
        self._painter.drawRect(QRectF(bar.left() + left, track.top(), length, _STRIP))

    def _xs(self, picture: Picture, frames: list[int]) -> np.ndarray:
        return picture.scale.x_of(picture.scale.steps[frames])

    def _fill(self, colour: str) -> None:
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(QColor(self._theme.colour(colour)))

    def _lines(self, xs: np.ndarray, top: float, bottom: float, pen: QPen) -> None:
        self._painter.setPen(pen)
        self._painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for x in np.round(xs):
            self._painter.drawLine(QPointF(x, top), QPointF(x, bottom))
        self._painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)


def _pixels(scale: TimelineScale, steps: np.ndarray) -> np.ndarray:
    """Return where events lie, those of one pixel once, without those out of view."""
    left, right = scale.room
    xs = np.unique(np.round(scale.x_of(steps)))
    return xs[(xs >= left - 1) & (xs <= right + 1)]


def _words(event: Event) -> str:
    text = event.text or event.kind.replace("_", " ")
    return text if "step" in text else f"{text} (step {grouped(event.step)})"


def _round_up(number: float) -> int:
    """Return the next of 1, 2, 5, 10, 20, 50, ..."""
    size = 1
    while True:
        for digit in (1, 2, 5):
            if digit * size >= number:
                return digit * size
        size *= 10
