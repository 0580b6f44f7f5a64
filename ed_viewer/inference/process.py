"""Process of a verb: started, listened to, stopped."""

import re

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal

from ed_viewer.inference.task import InferenceTask
from ed_viewer.new_run.command import environment

_PATIENCE = 10_000  # milliseconds that a process gets to end by itself
_AT_THE_END = 2000  # milliseconds, as the window closes
_KEPT = 64 * 1024  # bytes of what it says
_REFUSED = "Refused: "
_SHARE = re.compile(r"([\d,]+) of ([\d,]+) samples")  # a line of its own


class VerbProcess(QObject):
    """Process of one task at a time; it is never waited for while the window is open.

    Signals:
        ended: in one line, how; and whether there are results.
        progressed: how many samples are finished, of how many.

    Attributes:
        task: that it does or did last.
        stopped: whether it was asked to stop.
    """

    ended = Signal(str, bool)
    progressed = Signal(int, int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.task: InferenceTask | None = None
        self._said = b""
        self.stopped = False
        self._process = QProcess(self)
        self._process.setProcessChannelMode(QProcess.ProcessChannelMode.MergedChannels)
        self._process.readyRead.connect(self._listen)
        self._process.finished.connect(self._finish)
        self._process.errorOccurred.connect(self._fail)
        self._kill = QTimer(self, singleShot=True, interval=_PATIENCE)
        self._kill.timeout.connect(self._process.kill)

    @property
    def running(self) -> bool:
        """Whether it works."""
        return self._process.state() != QProcess.ProcessState.NotRunning

    @property
    def number(self) -> int:
        """Its process number, 0 while there is none."""
        return int(self._process.processId())

    def start(self, task: InferenceTask) -> None:
        """Start a task."""
        self.task, self._said, self.stopped = task, b"", False
        variables = QProcessEnvironment()
        for name, value in environment().items():
            variables.insert(name, value)
        self._process.setProcessEnvironment(variables)
        program, *arguments = task.command
        self._process.start(program, arguments)

    def stop(self) -> None:
        """Ask it to stop after the batch under way: what is finished is kept."""
        self.stopped = True
        self._process.terminate()
        self._kill.start()

    def end(self) -> None:
        """Stop it for good: the window closes."""
        self._process.blockSignals(True)
        if self.running:
            self._process.terminate()
            if not self._process.waitForFinished(_AT_THE_END):
                self._process.kill()
                self._process.waitForFinished(_AT_THE_END)

    @property
    def refused(self) -> list[str]:
        """What was refused, with the reason, one line each."""
        return [x.removeprefix(_REFUSED) for x in self._lines() if x.startswith(_REFUSED)]

    def _lines(self) -> list[str]:
        lines = self._said.decode(errors="replace").splitlines()
        return [line.strip() for line in lines if line.strip()]

    def _listen(self) -> None:
        self._said = (self._said + bytes(self._process.readAll().data()))[-_KEPT:]
        shares = [share for line in self._lines() if (share := _SHARE.fullmatch(line))]
        if shares:
            done, total = (int(count.replace(",", "")) for count in shares[-1].groups())
            self.progressed.emit(done, total)

    def _finish(self, status: int, how: QProcess.ExitStatus) -> None:
        self._kill.stop()
        self._listen()
        assert self.task is not None
        lines = self._lines()
        if self.stopped:
            self.ended.emit("Stopped; what is finished is kept. Start goes on with it.", False)
        elif how != QProcess.ExitStatus.NormalExit or status:
            own = [line for line in lines if line.startswith("edkit: ")]
            last = (own or lines or [f"edkit ended with status {status}."])[-1]
            self.ended.emit(last.removeprefix("edkit: "), False)
        else:
            done = [line for line in lines if " samples in " in line]
            self.ended.emit(f"{' '.join(done[-1:])} Results in {self.task.folder}".strip(), True)

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:  # the others finish as well
            self.ended.emit("The command could not be started.", False)
