"""Training in a process of its own, which may outlive the window."""

import contextlib
import secrets
import subprocess
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QObject, QThread, Signal

from ed_core.recording import RunFolder
from ed_viewer.new_run.command import environment, program
from ed_viewer.reading.run_names import absolute_path

_POLL = 0.2  # seconds between two looks at the process
_END = 16 * 1024  # bytes at the end of the log, in which the error stands
_MISTAKE = 2  # the exit status of the command after a mistake of its user


class TrainingProcess(QThread):
    """Thread that starts `edkit train` or `edkit demo`, finds its run folder and notices its end.

    All files are touched here. What the training says goes to a file beside the run folders, and
    into the run's folder once there is one; a mistake of the user leaves nothing behind.

    Args:
        arguments: from `train` or `demo` on.
        out: the folder in which the run's folder is made.

    Attributes:
        process: the training, None before it has started.
        folder: of the run, None until it is there.
        log: the file that holds what it says.
        problem: what went wrong, in one line, or "".

    Signals:
        logged: its log is in another file now (this object, as in the others).
        said: a line, before there is a folder (and the line).
        began: the run's folder is there.
        ended: the process has.
    """

    logged = Signal(object)
    said = Signal(object, str)
    began = Signal(object)
    ended = Signal(object)

    def __init__(self, arguments: Sequence[str], out: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.folder: Path | None = None
        self.log = out
        self.problem = ""
        self._arguments = list(arguments)
        self._out = out
        self.process: subprocess.Popen[bytes] | None = None
        self._known: set[Path] = set()
        self._leave = threading.Event()
        self._asked_to_stop = False
        self._line = ""

    @property
    def title(self) -> str:
        """The name of the run's folder or, before there is one, of the model or the demo."""
        name, *rest = self._arguments
        return self.folder.name if self.folder else rest[0] if name == "train" else name

    @property
    def running(self) -> bool:
        """Whether it trains, or is about to."""
        if self.process is None:
            return self.isRunning() and not self._leave.is_set()
        return self.process.poll() is None

    def stop(self) -> None:
        """Ask the training to save a checkpoint and end."""
        self._asked_to_stop = True
        if self.process is not None:
            self.process.terminate()

    def leave(self) -> bool:
        """End this thread and not the training; returns whether it ended within two seconds."""
        self._leave.set()
        return self.wait(2000)

    def run(self) -> None:
        """Watch over the training (called by Qt, in the thread)."""
        is_new = not self._out.exists()
        try:
            self._start()
        except OSError as error:
            self.problem = f"nothing can be written in {str(self._out)!r}: {error.strerror}."
            self.ended.emit(self)
            return
        process = self.process
        assert process is not None
        if self._asked_to_stop:
            process.terminate()
        while not self._leave.wait(_POLL):
            status = process.poll()
            with contextlib.suppress(OSError):  # a folder that goes while it is looked at
                self._find_folder(process.pid)
                self._listen()
            if status is not None:
                self.problem = self._problem(status)
                with contextlib.suppress(OSError):
                    self._clear(status, is_new)
                self.ended.emit(self)
                return
        if process.poll() is None:
            process.returncode = 0  # else Popen would warn of a process without a wait

    def _start(self) -> None:
        self._out.mkdir(parents=True, exist_ok=True)
        self._known = set(self._out.glob("*/run.json"))
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        self.log = self._out / f"{self.title}-{stamp}-{secrets.token_hex(3)}.log"
        with open(self.log, "xb") as log:
            self.process = subprocess.Popen(
                [*program(), *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(),
                start_new_session=True,  # neither Ctrl-C nor the window's end reaches it
            )
        self.logged.emit(self)

    def _find_folder(self, process: int) -> None:
        if self.folder is not None:
            return
        for file in set(self._out.glob("*/run.json")) - self._known:
            if RunFolder(file.parent).was_held_by(process):
                self.folder = absolute_path(file.parent)
                self.log = self.log.rename(
                    RunFolder(self.folder).log
                )  # the training keeps its hold on it
                self.logged.emit(self)
                self.began.emit(self)
                return

    def _listen(self) -> None:
        """Tell the newest line, until the run's folder tells more."""
        line = _lines(self.log)[-1:] if self.folder is None else []
        if line and line[0] != self._line:
            self._line = line[0]
            self.said.emit(self, self._line)

    def _problem(self, status: int) -> str:
        if not status or self._asked_to_stop:
            return ""
        line = ""
        with contextlib.suppress(OSError):
            line = _problem(self.log)
        line = line or f"the training ended with status {status}."
        return line if status == _MISTAKE else f"{line} Its log: {self.log}"

    def _clear(self, status: int, is_new: bool) -> None:
        """Leave nothing of a training that never began, unless it is to be looked into."""
        if self.folder is None and (status == _MISTAKE or self._asked_to_stop):
            self.log.unlink()
            if is_new:
                self._out.rmdir()


def _problem(log: Path) -> str:
    """Return the command's own line on what is wrong, else the last one that there is."""
    lines = _lines(log)
    own = [x for x in lines if x.startswith("edkit: ") and not x.startswith("edkit: warning: ")]
    own_lines = own or lines
    return own_lines[-1].removeprefix("edkit: ") if own_lines else ""


def _lines(log: Path) -> list[str]:
    """Return the last lines of a log that say something."""
    with open(log, "rb") as file:
        file.seek(max(log.stat().st_size - _END, 0))
        text = file.read().decode(errors="replace")
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return [line for line in lines if line]
