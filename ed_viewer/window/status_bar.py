"""The status line: how the run on show stands, what happened, and the value under the mouse."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QSize, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from ed_viewer.reading.messages import RunInfo, RunProgress
from ed_viewer.style.text import counted, grouped, number, plain_state
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.labels import Caption
from ed_viewer.window.runs_list import state_colour

MESSAGE = 15_000  # milliseconds that a message stays
_WINDOW = 30.0  # seconds of training that the speed is of


class StatusLine(QWidget):
    """The writer's state, the age of its last frame, lag, dropped frames; a message; a value.

    Attributes:
        lag: seconds from written to painted, None while that is not known.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.lag: float | None = None
        self._dot = Dot(theme)
        left = Qt.AlignmentFlag.AlignLeft
        self._name = Caption(theme, "text", left, least=0)
        self._state = Caption(theme, "text", left, least=0)
        self._message = Caption(theme, align=left, least=0)
        self._value = Caption(theme, "text", least=0)
        self._hint = ""
        self._said = ""
        self._forget = QTimer(self)
        self._forget.setSingleShot(True)
        self._forget.setInterval(MESSAGE)
        self._forget.timeout.connect(lambda: self.show_message(""))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 2, 12, 2)
        layout.setSpacing(8)
        layout.addWidget(self._name, 6)
        layout.addWidget(self._dot)
        layout.addWidget(self._state, 8)
        layout.addWidget(self._message, 2)
        layout.addWidget(self._value, 2)
        layout.addStretch(0)
        self._name.hide()
        self._message.hide()
        self._value.hide()

    @property
    def text(self) -> str:
        """What it says at its left."""
        return self._state.text

    @property
    def message(self) -> str:
        """What it says beside that."""
        return self._message.text

    @property
    def name(self) -> str:
        """What it calls the run, "" while that stands elsewhere on the screen."""
        return self._name.text

    def show_growth(
        self, growth: RunProgress | None, done: Sequence[str] = (), problem: str = ""
    ) -> None:
        """Say how the run stands; called again as its last frame gets older.

        Args:
            growth: how far it has come, None without a run.
            done: its progress in words, while it trains.
            problem: why it failed, if it has.
        """
        self._dot.setVisible(growth is not None)
        if growth is None:
            _fit(self._state, "no run")
            return
        self._dot.set_colour(state_colour(growth.state))
        state = plain_state("paused" if growth.paused else growth.state)
        said = [f"{state}: {problem}" if problem else state, *done]
        if growth.live and growth.newest:
            said.append(f"last frame {_age(time.time() - growth.newest)} ago")
        said.append(counted(len(growth.steps), "frame"))
        if growth.live and self.lag is not None:
            said.append(f"lag {self.lag * 1000:.0f} ms")
        dropped = _dropped(growth)
        said += [f"{grouped(dropped)} dropped"] if dropped or (growth.live and dropped == 0) else []
        said += ["recorded without checksums"] if growth.unchecked else []
        _fit(self._state, " · ".join(said))

    def show_name(self, name: str) -> None:
        """Say which run is on show, or leave it to the list and to the frame of the window."""
        _fit(self._name, name)
        self._name.setVisible(bool(name))

    def show_value(self, text: str) -> None:
        """Say what is under the mouse."""
        self._value.say(text)
        self._value.setVisible(bool(text))  # without one, a message has its room

    def show_message(self, text: str) -> None:
        """Say something that is no problem of the run, for a while."""
        self._said = text
        self._show(text or self._hint)
        self._forget.start() if text else self._forget.stop()

    def show_hint(self, text: str) -> None:
        """Say what the mouse can do where it is, unless something else is being said."""
        self._hint = text
        self._show(self._said or text)

    def _show(self, text: str) -> None:
        self._message.say(text)
        self._message.setVisible(bool(text))


def progress(growth: RunProgress, run: RunInfo | None, info: Mapping[str, Any]) -> list[str]:
    """Return how far a live training has come, how fast it is, and what is left of it, in words.

    Args:
        growth: how far it has come.
        run: what is fixed in it, None while that is not known.
        info: what its `run.json` says; without it the speed is in steps.
    """
    facts = run.header.run if run else {}
    epochs = _count(info.get("epochs") or facts.get("total_epochs") or facts.get("epochs"))
    steps, epoch, seconds = _newest(growth)
    if not epochs or not len(steps):
        return []
    share = min(float(epoch[-1]) / epochs, 1.0)
    said = [f"epoch {epoch[-1]:.1f} of {grouped(epochs)}", f"{100 * share:.0f} %"]
    since = min(int(np.searchsorted(seconds, seconds[-1] - _WINDOW)), len(seconds) - 2)
    passed = float(seconds[-1] - seconds[since]) if since >= 0 else 0.0
    if growth.paused or passed <= 0:
        return said
    speed = float(steps[-1] - steps[since]) / passed
    batch = _count(info.get("batch_size"))
    said.append(f"{number(speed * (batch or 1))} {'samples' if batch else 'steps'}/s")
    pace = float(epoch[-1] - epoch[since]) / passed
    if pace > 0:
        said.append(f"{_age((epochs - float(epoch[-1])) / pace)} left")
    return said


def _newest(growth: RunProgress) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return steps, epochs and seconds (rows,) each, of what was recorded last."""
    frames = {"step": growth.steps, "epoch": growth.epochs, "seconds": growth.seconds}
    tables = (frames, growth.scalars, growth.curves)
    known = [rows for rows in tables if len(rows.get("step", ()))]
    newest = max(known, key=lambda rows: float(rows["step"][-1]), default=frames)
    return newest["step"], newest["epoch"], newest["seconds"]


def _count(value: Any) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _fit(caption: Caption, text: str) -> None:
    """Say something in as much of the line as it needs."""
    caption.say(text)
    caption.setMaximumWidth(caption.fontMetrics().horizontalAdvance(text) + 1)


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


def _dropped(growth: RunProgress) -> int | None:
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
