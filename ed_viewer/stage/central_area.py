"""The middle of the window: what is wrong, and below it the stage, or what to do without a run."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from ed_viewer.reading.messages import OVER, Frame, RunProgress
from ed_viewer.reading.run_names import name_and_time
from ed_viewer.stage.stage import Stage
from ed_viewer.style.text import muted, plain
from ed_viewer.style.theme import Theme

_FIRST_STEPS = """\
edkit demo
edkit train vae --data mnist --view

model.fit(..., callbacks=[ed_core.Recorder("runs/mine", probes=[...], reference=batch)])"""
_ELSE = "Or run one of these in a terminal, or add the last line to your code:"


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
        self.demo = QPushButton("Start the demo")
        self.demo.setToolTip("Train an auto-encoder on handwritten digits (about a minute)")
        self._else = muted(plain(QLabel(_ELSE)))
        self._how = muted(plain(QLabel()))
        self._how.setWordWrap(True)
        self._how.hide()
        self.new_run = QPushButton("New run …")
        self.new_run.setToolTip("Train a model")
        self._ways = (self.demo, self.new_run, self._else, self._code)
        self._root = root
        inner = QVBoxLayout()
        inner.setSpacing(16)
        inner.addWidget(self._head)
        inner.addWidget(self._text)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.demo)
        buttons.addWidget(self.new_run)
        buttons.addStretch(1)
        inner.addLayout(buttons)
        for widget in (self._how, self._else, self._code):
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

    @property
    def how(self) -> str:
        """What it says of the demo that was started here."""
        return self._how.text()

    def say_no_run(self) -> None:
        """Say how a run is made."""
        self._head.setText("No run yet")
        self._text.setText(
            f"Runs in {self._root!r} are listed here; the first that appears is opened."
        )
        for widget in self._ways:
            widget.show()

    def say_opening(self, name: str, state: str = "waiting", damaged: bool = False) -> None:
        """Say that a run has no frame yet, never will have one, or none that can be read."""
        self._head.setText(name)
        if damaged and state in OVER:
            words = "No frame can be read; the line above says why."
        elif state in OVER:
            words = "The run ended before its first frame was recorded."
        elif state == "unknown":
            words = "There is nothing to show."
        else:
            words = "Waiting for its first frame …"
        self._text.setText(words)
        for widget in self._ways:
            widget.hide()
        self._how.hide()

    def say_demo(self, text: str, running: bool) -> None:
        """Say how the demo goes that was started here."""
        self._how.setText(text)
        self._how.setVisible(bool(text))
        self.demo.setEnabled(not running)

    def _restyle(self) -> None:
        self._head.setFont(self._theme.font(1.6, bold=True))
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPointSizeF(self._theme.points)
        self._code.setFont(fixed)


class CentralArea(QWidget):
    """Shows the stage as soon as the run has a frame.

    Args:
        theme: colours and type.
        root: the folder of runs, as it is called in messages.

    Attributes:
        banner, welcome, stage: its three parts.
    """

    def __init__(self, theme: Theme, root: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.stage = Stage(theme)
        self.welcome = Welcome(theme, root)
        self.banner = Banner(theme)
        self._problems: dict[str, str] = {}
        self._problem = ""  # of the recording, and if there is none:
        self._damaged = ""  # of the frame on show
        self._stack = QStackedWidget()  # a layout would show its first widget as a window
        self._stack.addWidget(self.welcome)
        self._stack.addWidget(self.stage)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 0)
        layout.setSpacing(8)
        layout.addWidget(self.banner)
        layout.addWidget(self._stack, 1)

    def set_problem(self, of: str, problem: str) -> None:
        """Say in the banner what is wrong with something, or nothing any more."""
        self._problems[of] = problem
        self.banner.say(" · ".join(said for said in self._problems.values() if said))

    def show_opening(self, path: Path) -> None:
        """Clear the stage for another run."""
        self.stage.clear_run()
        self._problem = self._damaged = ""
        self.set_problem("", "")
        self.welcome.say_opening(name_and_time(path.name)[0])
        self._stack.setCurrentWidget(self.welcome)

    def show_growth(self, path: Path | None, growth: RunProgress, known: bool) -> None:
        """Show the stage, or why there is nothing on it.

        Args:
            path: of the run.
            growth: how far it has come.
            known: whether its header has been read.
        """
        self._problem = growth.problem
        self.set_problem("", self._problem or self._damaged)
        some = known and len(growth.steps) > 0
        if not some and path is not None:
            name = name_and_time(path.name)[0]
            self.welcome.say_opening(name, growth.state, damaged=bool(growth.problem))
        self._stack.setCurrentWidget(self.stage if some else self.welcome)

    def show_frame(self, frame: Frame) -> None:
        """Draw a frame, and say what of it cannot be read."""
        self.stage.show_frame(frame)
        self._damaged = "; ".join(sorted(set(frame.damaged.values())))
        self.set_problem("", self._problem or self._damaged)
