"""The first start: a button that trains the demo's model, in a process of its own."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from PySide6.QtCore import QProcess, QProcessEnvironment

from ed_viewer.part import Part

if TYPE_CHECKING:
    from ed_viewer.window import Window

_PATIENCE = 1500  # milliseconds that the process has to save what it did, when the window closes


def demo_command(root: str) -> list[str]:
    """Return the arguments of Python that train the demo below `root`, without a window."""
    return ["-m", "ed_core.command", "demo", "--no-window", "--out", root]


class DemoStart(Part):
    """Starts the demo and says how it goes until its run is found, like any other.

    Attributes:
        arguments: of Python, for the process.
    """

    name = "demo"

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self.arguments = demo_command(window.root)
        self._said = ""
        self._process = QProcess(self)
        self._process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        environment = QProcessEnvironment.systemEnvironment()
        environment.insert("PYTHONUNBUFFERED", "1")  # lines come in the order they were written in
        self._process.setProcessEnvironment(environment)
        self._process.readyRead.connect(self._read)
        self._process.finished.connect(self._on_finished)
        self._process.errorOccurred.connect(self._on_error)
        window.welcome.demo.clicked.connect(self.start)

    def start(self) -> None:
        """Start the process."""
        self._said = ""
        self.window.welcome.say_demo("Starting the demo; its first images appear here …", True)
        self._process.start(sys.executable, self.arguments)

    def end(self) -> None:
        """End the demo with the window that it was started for; its run can be resumed."""
        self._process.blockSignals(True)
        if self._process.state() != QProcess.ProcessState.NotRunning:
            self._process.terminate()
            if not self._process.waitForFinished(_PATIENCE):
                self._process.kill()
                self._process.waitForFinished(_PATIENCE)

    def _read(self) -> None:
        lines = bytes(self._process.readAll().data()).decode(errors="replace").split("\n")
        said = next((line.strip() for line in reversed(lines) if line.strip()), "")
        if said:
            self._said = said
            self.window.welcome.say_demo(f"Demo: {said}", True)

    def _on_finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._read()
        if code or status == QProcess.ExitStatus.CrashExit:
            self._fail(self._said or f"it ended with status {code}")
        else:
            self.window.welcome.say_demo("", False)

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._fail(self._process.errorString())

    def _fail(self, why: str) -> None:
        said = f"The demo failed: {why}"
        self.window.welcome.say_demo(said, False)
        self.window.status.show_message(said)
