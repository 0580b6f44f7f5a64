"""The status line: how the run on show stands, what happened, and the value under the mouse."""

import time

import numpy as np
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QWidget

from ed_viewer.messages import Growth
from ed_viewer.runs_list import state_colour
from ed_viewer.theme import Theme
from ed_viewer.widgets.caption import Caption
from ed_viewer.widgets.text import counted, grouped, plain, plain_state


class StatusLine(QWidget):
    """The writer's state, the age of its last frame, lag, dropped frames; a message; a value.

    Attributes:
        lag: seconds from written to painted, None while that is not known.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lag: float | None = None
        self._dot = Dot(theme)
        self._state = plain(QLabel())
        self._message = Caption(theme, align=Qt.AlignmentFlag.AlignLeft, least=0)
        self._value = Caption(theme, "text", least=0)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 2, 12, 2)
        layout.setSpacing(8)
        layout.addWidget(self._dot)
        layout.addWidget(self._state)
        layout.addWidget(self._message, 1)
        layout.addWidget(self._value, 1)

    @property
    def text(self) -> str:
        """What it says at its left."""
        return self._state.text()

    @property
    def message(self) -> str:
        """What it says beside that."""
        return self._message.text

    def show_growth(self, growth: Growth | None) -> None:
        """Say how the run stands; called again as its last frame gets older."""
        self._dot.setVisible(growth is not None)
        if growth is None:
            self._state.setText("no run")
            return
        self._dot.set_colour(state_colour(growth.state))
        state = "paused" if growth.paused else growth.state
        said = [plain_state(state), counted(len(growth.steps), "frame")]
        if growth.live and growth.newest:
            said.insert(1, f"last frame {_age(time.time() - growth.newest)} ago")
        if growth.live and self.lag is not None:
            said.append(f"lag {self.lag * 1000:.0f} ms")
        dropped = _dropped(growth)
        said += [f"{grouped(dropped)} dropped"] if dropped or (growth.live and dropped == 0) else []
        said += ["recorded without checksums"] if growth.unchecked else []
        self._state.setText(" · ".join(said))

    def show_value(self, text: str) -> None:
        """Say what is under the mouse."""
        self._value.say(text)

    def show_message(self, text: str) -> None:
        """Say something that is no problem of the run."""
        self._message.say(text)


class Dot(QWidget):
    """A dot in a colour of the palette."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._colour = "done"
        self.setFixedSize(QSize(12, 12))

    def set_colour(self, name: str) -> None:
        """Take another colour, by its name in the palette."""
        self._colour = name
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.colour(self._colour))
        painter.drawEllipse(QPointF(6, 6), 5, 5)
        painter.end()


def _dropped(growth: Growth) -> int | None:
    """Return how many frames the recorder could not write in time, None if it did not say."""
    column = growth.scalars.get("dropped_frames")
    if column is None:
        return None
    known = column[np.isfinite(column)]
    return int(known[-1]) if len(known) else None


def _age(seconds: float) -> str:
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
