"""What the window says: the banner of problems, the status line, and what to do without a run."""

import time

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QFontDatabase, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from ed_viewer.messages import Growth
from ed_viewer.runs_list import state_colour
from ed_viewer.theme import Theme
from ed_viewer.widgets.text import grouped, muted, plain, plain_state

_FIRST_STEPS = """\
edkit demo
edkit train vae --data mnist --view

model.fit(..., callbacks=[ed_core.Recorder("runs/mine", probes=[...], reference=batch)])"""


class Banner(QWidget):
    """One line on what is wrong, above the stage; gone when nothing is."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._words = plain(QLabel())
        self._words.setWordWrap(True)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._words.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.addWidget(self._words)
        self.setAutoFillBackground(True)
        self.setAccessibleName("Problem")
        theme.changed.connect(self._restyle)
        self._restyle()
        self.say("")

    @property
    def text(self) -> str:
        """What it says, "" while it is hidden."""
        return self._words.text()

    def say(self, problem: str) -> None:
        """Show a problem, or nothing."""
        self._words.setText(problem)
        self.setVisible(bool(problem))

    def _restyle(self) -> None:
        palette = self.palette()
        palette.setColor(palette.ColorRole.Window, self._theme.colour("warning"))
        palette.setColor(palette.ColorRole.WindowText, self._theme.colour("on_warning"))
        self.setPalette(palette)


class Welcome(QWidget):
    """What to do while there is no run."""

    def __init__(self, theme: Theme, root: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._head = plain(QLabel())
        self._text = muted(plain(QLabel()))
        self._code = plain(QLabel(_FIRST_STEPS))
        self._code.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._root = root
        inner = QVBoxLayout()
        inner.setSpacing(16)
        for widget in (self._head, self._text, self._code):
            inner.addWidget(widget)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addLayout(inner)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addStretch(2)
        layout.addLayout(row)
        layout.addStretch(3)
        theme.changed.connect(self._restyle)
        self._restyle()
        self.say_no_run()

    def say_no_run(self) -> None:
        """Say how a run is made."""
        self._head.setText("No run yet")
        self._text.setText(
            f"This window shows the runs in {self._root!r}, and opens the first one that appears.\n"
            "To make one, type one of these in a terminal, or add the last line to your own code:"
        )
        self._code.show()

    def say_opening(self, name: str) -> None:
        """Say that a run has no frame yet."""
        self._head.setText(name)
        self._text.setText("Waiting for its first frame …")
        self._code.hide()

    def _restyle(self) -> None:
        self._head.setFont(self._theme.font(1.6, bold=True))
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPointSizeF(self._theme.points)
        self._code.setFont(fixed)


class StatusLine(QWidget):
    """The writer's state, the age of its last frame, and the value under the mouse."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._dot = Dot(theme)
        self._state = plain(QLabel())
        self._message = muted(plain(QLabel()))
        self._value = plain(QLabel())
        self._value.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        for label in (self._message, self._value):
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
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

    def show_growth(self, growth: Growth | None) -> None:
        """Say how the run stands; called again as its last frame gets older."""
        self._dot.setVisible(growth is not None)
        if growth is None:
            self._state.setText("no run")
            return
        self._dot.set_colour(state_colour(growth.state))
        state = "paused" if growth.paused else growth.state
        said = [plain_state(state), f"{grouped(len(growth.steps))} frames"]
        if growth.live and growth.newest:
            said.insert(1, f"last frame {_age(time.time() - growth.newest)} ago")
        self._state.setText(" · ".join(said))

    def show_value(self, text: str) -> None:
        """Say what is under the mouse."""
        self._value.setText(text)

    def show_message(self, text: str) -> None:
        """Say something that is no problem of the run."""
        self._message.setText(text)


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


def _age(seconds: float) -> str:
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
