"""The middle of the window: what is wrong, and below it the stage, or what to do without a run."""

from pathlib import Path

from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from ed_viewer.messages import Frame, Growth
from ed_viewer.notices import Banner, Welcome
from ed_viewer.run_title import name_and_time
from ed_viewer.stage import Stage
from ed_viewer.theme import Theme


class Middle(QWidget):
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

    def show_growth(self, path: Path | None, growth: Growth, known: bool) -> None:
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
