"""Playback controls: buttons that move the cursor, and a counter of its position."""

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from ed_viewer.reading.messages import Frame
from ed_viewer.session.cursor import Playback
from ed_viewer.session.session import SPEEDS, Session
from ed_viewer.style.icons import icon
from ed_viewer.style.text import grouped, moment, muted, plain
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.controls import Toggle

_BUTTONS = (
    ("first", "First frame"),
    ("previous", "Previous frame"),
    ("play", "Play or pause"),
    ("next", "Next frame"),
)

_SPACE = 4  # pixels
_TIMELINE = 200  # pixels that the timeline has at least
_LATE = 250  # milliseconds without anything drawn while the cursor is elsewhere


class Transport(QWidget):
    """First, previous, play, next, LIVE; the speed; frame, step and epoch.

    Args:
        session: what it moves.
        theme: colours and type.
        drawn: returns the frames that are really on show.

    Signals:
        resized: it needs another width.

    Attributes:
        buttons: by what they do; speed: the choice beside them.
        more: the line below the step.
    """

    resized = Signal()

    def __init__(
        self,
        session: Session,
        theme: Theme,
        drawn: Callable[[], set[int]],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._session = session
        self._on_show = drawn
        self._theme = theme
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(_SPACE)
        self.buttons: dict[str, QToolButton] = {}
        for name, words in _BUTTONS:
            button = self.buttons[name] = QToolButton()
            button.setToolTip(words)
            button.setAccessibleName(words)
            button.setIconSize(QSize(20, 20))
            button.setFixedSize(36, 32)
            layout.addWidget(button)
        self.live = Toggle("LIVE", "live", theme)
        self.live.setToolTip("Follow the newest frame")
        layout.addWidget(self.live)
        self.speed = QComboBox()
        self.speed.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # after a click the space bar plays
        self.speed.setAccessibleName("Speed")
        self.speed.setToolTip("Playback speed, recorded frames per second")
        for speed in SPEEDS:
            self.speed.addItem(f"{speed} /s", speed)
        self.speed.setCurrentIndex(SPEEDS.index(session.speed))
        layout.addWidget(self.speed)
        layout.addSpacing(12)
        self._where = plain(QLabel())
        self.more = muted(plain(QLabel()))
        counter = QVBoxLayout()
        counter.setSpacing(0)
        counter.addWidget(self._where)
        counter.addWidget(self.more)
        layout.addLayout(counter)
        self._late = QTimer(self)
        self._late.setSingleShot(True)
        self._late.timeout.connect(self._show_late)
        self._connect()
        self.restyle()

    def fit(self, width: int) -> None:
        """Leave the timeline beside it room in so many pixels: what a key does as well goes."""
        buttons = [self.buttons[name] for name in ("first", "previous", "next")]
        gone = [widget for widget in (*buttons, self.live) if widget.isHidden()]
        lack = _TIMELINE - width + self.sizeHint().width() + sum(map(_wide, gone))
        for group in (buttons, [self.live]):
            for widget in group:
                widget.setVisible(lack <= 0)
            lack -= sum(map(_wide, group))

    def _connect(self) -> None:
        session, buttons = self._session, self.buttons
        buttons["first"].clicked.connect(self._first)
        buttons["previous"].clicked.connect(self._previous)
        buttons["next"].clicked.connect(self._next)
        buttons["play"].clicked.connect(session.toggle)
        self.live.clicked.connect(session.follow)
        self.speed.currentIndexChanged.connect(self._choose_speed)
        session.moved.connect(self.refresh)
        session.grew.connect(self.refresh)
        session.drawn.connect(self._on_drawn)
        self._theme.changed.connect(self.restyle)

    def refresh(self, _: object = None) -> None:
        """Show where the cursor is and what moves it."""
        cursor, growth = self._session.cursor, self._session.growth
        some = cursor.count > 0
        for button in self.buttons.values():
            button.setEnabled(some)
        self.live.setEnabled(cursor.live)
        self.live.setChecked(cursor.following)
        playing = cursor.playback is Playback.PLAYING
        self._set_icon("play", "pause" if playing else "play")
        if not some or growth is None or cursor.frame < 0:
            self._where.setText("")
            self.more.setText("")
            return
        self._make_room(int(growth.steps[-1]), float(growth.epochs[-1]))
        step, epoch = growth.steps[cursor.frame], growth.epochs[cursor.frame]
        self._where.setText(_counter(int(step), epoch))
        self.more.setText(f"frame {cursor.frame + 1} of {grouped(cursor.count)}")
        if not self._late.isActive():
            self._late.start(_LATE)

    def _on_drawn(self, _: Frame) -> None:
        self.refresh()
        if self._session.settled:
            self._late.stop()
        else:
            self._late.start(_LATE)

    def _show_late(self) -> None:
        """Show which step the panels still show while a slow disk delays the next."""
        session, growth = self._session, self._session.growth
        if session.settled or growth is None:
            return
        others = self._on_show() - {session.cursor.frame}
        if others and min(others) < len(growth.steps):
            self.more.setText(f"showing step {grouped(int(growth.steps[min(others)]))}")

    def restyle(self) -> None:
        """Take colours and type from the theme."""
        font = self._theme.font(1.25, bold=True)
        self._where.setFont(font)
        for name in self.buttons:
            self._set_icon(name, name)
        self.refresh()

    def _make_room(self, step: int, epoch: float) -> None:
        """Fix the width for this many digits: the timeline must not move while they count."""
        # 0 is as wide as any digit in the fonts whose digits are all of one width.
        longest = "".join("0" if c.isdigit() else c for c in _counter(step, epoch))
        wide = QFontMetrics(self._where.font()).horizontalAdvance(longest) + 8
        if wide != self._where.width():
            self._where.setFixedWidth(wide)
            self.resized.emit()

    def _set_icon(self, button: str, name: str) -> None:
        colours = self._theme.colour("text"), self._theme.colour("line")
        self.buttons[button].setIcon(icon(name, *colours))

    def _first(self) -> None:
        self._session.scrub(0)

    def _previous(self) -> None:
        self._session.step(-1)

    def _next(self) -> None:
        self._session.step(1)

    def _choose_speed(self, index: int) -> None:
        self._session.set_speed(SPEEDS[index])


def _wide(widget: QWidget) -> int:
    return max(widget.sizeHint().width(), widget.minimumWidth()) + _SPACE


def _counter(step: int, epoch: float) -> str:
    return moment(step, epoch)
