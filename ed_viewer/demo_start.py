"""The first start: a button that trains the demo's model, as any run that is started here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from ed_viewer.launch.trainer import Trainer
from ed_viewer.new_run import NewRun
from ed_viewer.part import Part

if TYPE_CHECKING:
    from ed_viewer.window import Window


def demo_arguments(root: str) -> list[str]:
    """Return the command that trains the demo below `root`, without a window."""
    return ["demo", "--no-window", "--out", root]


class DemoStart(Part):
    """Starts the demo and says how it goes until its run is found, like any other."""

    name = "demo"

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        window.welcome.demo.clicked.connect(self.start)

    def start(self) -> None:
        """Start the process."""
        self.window.welcome.say_demo("Starting the demo; its first images appear here …", True)
        root = self.window.root
        trainer = self.window.part(NewRun).train(demo_arguments(root), Path(root))
        queued = Qt.ConnectionType.QueuedConnection
        trainer.said.connect(self._on_said, queued)
        trainer.ended.connect(self._on_ended, queued)

    def _on_said(self, trainer: Trainer, line: str) -> None:
        self.window.welcome.say_demo(f"The demo says: {line}", True)

    def _on_ended(self, trainer: Trainer) -> None:
        said = f"The demo failed: {trainer.problem}" if trainer.problem else ""
        self.window.welcome.say_demo(said, False)
        if said:
            self.window.status.show_message(said)
