"""What stands below the form: the command, what is wrong with it, and the buttons."""

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from ed_viewer.notices import Banner
from ed_viewer.theme import Theme
from ed_viewer.widgets.card import Card
from ed_viewer.widgets.text import muted, plain, tip


class Foot(QWidget):
    """The command as it is started, a line on how it goes, and Defaults, Close and Start."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._command = plain(QLabel())
        self._command.setWordWrap(True)
        self._command.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._command.setAccessibleName("Command")
        self._problem = Banner(theme)
        self._words = muted(plain(QLabel()))
        self._words.setWordWrap(True)
        self.copy = button("Copy", self._copy)
        self.defaults = button("Defaults")
        self.close_button = button("Close")
        self.start = button("Start")
        self.start.setToolTip("Start this training (Ctrl+Return)")
        self.start.setShortcut("Ctrl+Return")
        self._lay_out()
        theme.changed.connect(self._restyle)
        self._restyle()

    @property
    def command(self) -> str:
        """The command that is shown."""
        return self._command.text()

    @property
    def problem(self) -> str:
        """What it says is wrong, or ""."""
        return self._problem.text

    @property
    def words(self) -> str:
        """What it says on how it goes, or ""."""
        return self._words.text()

    def show_command(self, command: str) -> None:
        """Show another command."""
        self._command.setText(command)

    def say(self, words: str) -> None:
        """Say how it goes."""
        self._problem.say("")
        self._words.setText(words)
        tip(self._words, words)
        self._words.show()

    def say_problem(self, problem: str) -> None:
        """Say why it was not started."""
        self._words.hide()
        self._problem.say(problem)

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.command)
        self.say("Command copied.")

    def _lay_out(self) -> None:
        card = Card(self._theme)
        inside = QHBoxLayout(card)
        inside.setContentsMargins(12, 6, 6, 6)
        inside.addWidget(self._command, 1)
        inside.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignTop)
        said = QWidget()
        said.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(said)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._problem)
        column.addWidget(self._words)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.defaults)
        row.addWidget(said, 1)
        row.addWidget(self.close_button)
        row.addWidget(self.start)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(card)
        layout.addLayout(row)

    def _restyle(self) -> None:
        fixed = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        fixed.setPointSizeF(self._theme.points)
        self._command.setFont(fixed)


def button(words: str, pressed: Callable[[], object] | None = None) -> QPushButton:
    """Return a button that Return in a field does not press."""
    made = QPushButton(words)
    made.setAutoDefault(False)
    if pressed is not None:
        made.clicked.connect(pressed)
    return made
