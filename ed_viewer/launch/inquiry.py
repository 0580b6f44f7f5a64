"""Asks the command what there is, in a process of its own: the window never imports Keras."""

from PySide6.QtCore import QObject, QProcess, Signal

from ed_viewer.launch.catalogue import Catalogue
from ed_viewer.launch.command import plugins, program

_PATIENCE = 2000  # milliseconds that a killed process gets to go


class Inquiry(QObject):
    """One question at a time; it takes as long as importing Keras does.

    Signals:
        answered: the Catalogue.
        failed: why there is none, in one line.
    """

    answered = Signal(object)
    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process = QProcess(self)
        self._process.finished.connect(self._finish)
        self._process.errorOccurred.connect(self._fail)

    def ask(self) -> None:
        """Ask, unless the answer is under way."""
        if self._process.state() == QProcess.ProcessState.NotRunning:
            command = [*program(), "list", "--json", *plugins()]
            self._process.start(command[0], command[1:])

    def end(self) -> None:
        """Ask no more."""
        self._process.blockSignals(True)
        self._process.kill()
        self._process.waitForFinished(_PATIENCE)

    def _finish(self, status: int, how: QProcess.ExitStatus) -> None:
        said = bytes(self._process.readAllStandardError().data()).decode(errors="replace")
        if how != QProcess.ExitStatus.NormalExit or status:
            lines = said.strip().splitlines() or [f"edkit list ended with status {status}."]
            self.failed.emit(lines[-1].removeprefix("edkit: "))
            return
        text = bytes(self._process.readAllStandardOutput().data()).decode(errors="replace")
        try:
            found = Catalogue.read(text)
        except ValueError as error:
            self.failed.emit(f"the answer of edkit list --json cannot be read: {error}")
            return
        self.answered.emit(found)

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:  # the others finish as well
            self.failed.emit(f"{program()[0]} could not be started.")
