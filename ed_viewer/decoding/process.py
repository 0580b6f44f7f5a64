"""Decoding process: messages in and out, and the reason of its end."""

from collections.abc import Sequence

from PySide6.QtCore import QObject, QProcess, QTimer, Signal

from ed_core.decoding.wire import Unpacker, WireError

_PATIENCE = 180_000  # milliseconds without an answer: Keras starts slowly on a busy machine
FAREWELL = 5000  # milliseconds for a killed process to go
_LAST_WORDS = 2000  # bytes of its standard error that are kept


class DecoderProcess(QObject):
    """Process that exchanges messages and is never waited for.

    It is killed when an answer takes too long, or when its output is no message.

    Signals:
        came: a Message.
        ended: it ended by itself; why, for people.
    """

    came = Signal(object)
    ended = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._process: QProcess | None = None
        self._unpacker = Unpacker()
        self._errors = b""
        self._watch = QTimer(self)
        self._watch.setSingleShot(True)
        self._watch.timeout.connect(self._give_up)

    @property
    def running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None

    @property
    def number(self) -> int:
        """Its process number, 0 while there is none."""
        return self._process.processId() if self._process else 0

    def start(self, command: Sequence[str]) -> None:
        """Start a program, of which a first message is expected."""
        self._unpacker, self._errors = Unpacker(), b""
        process = self._process = QProcess(self)
        process.readyReadStandardOutput.connect(self._read)
        process.readyReadStandardError.connect(self._read_errors)
        process.finished.connect(self._on_end)
        process.errorOccurred.connect(self._on_error)
        program, *arguments = command
        process.start(program, arguments)
        if self.running:  # it may have failed at once
            self._watch.start(_PATIENCE)

    def send(self, message: bytes) -> None:
        """Send a packed message, which is to be answered."""
        if self._process is not None:
            self._process.write(message)
            if not self._watch.isActive():
                self._watch.start(_PATIENCE)

    def expect(self, more: bool) -> None:
        """Say, when an answer came, whether it owes another."""
        self._watch.stop()
        if more and self._process is not None:
            self._watch.start(_PATIENCE)

    def stop(self, wait: bool = False) -> None:
        """End it at once, it has nothing to lose; may wait until it is gone."""
        self._watch.stop()
        process, self._process = self._process, None
        if process is None:
            return
        process.readyReadStandardOutput.disconnect(self._read)
        process.readyReadStandardError.disconnect(self._read_errors)
        process.finished.disconnect(self._on_end)
        process.errorOccurred.disconnect(self._on_error)
        holder = self.parent()
        process.setParent(holder.parent() if holder else None)  # it may outlive both by a moment
        process.finished.connect(process.deleteLater)
        process.kill()
        if wait:
            process.waitForFinished(FAREWELL)

    def _read(self) -> None:
        if self._process is None:
            return
        try:
            messages = self._unpacker.feed(bytes(self._process.readAllStandardOutput().data()))
        except WireError as error:
            self._errors = str(error).encode()
            self._process.kill()
            return
        for message in messages:
            self.came.emit(message)

    def _read_errors(self) -> None:
        if self._process is not None:
            errors = self._errors + self._process.readAllStandardError().data()
            self._errors = errors[-_LAST_WORDS:]

    def _give_up(self) -> None:
        if self._process is not None:
            self._errors = f"no answer for {_PATIENCE // 1000} seconds".encode()
            self._process.kill()

    def _on_error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart and self._process is not None:
            self._errors = self._process.errorString().encode()
            self._on_end()

    def _on_end(self, *_: object) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        self._watch.stop()
        lines = self._errors.decode(errors="replace").strip().splitlines()
        code = process.exitCode()
        crashed = process.exitStatus() is QProcess.ExitStatus.CrashExit
        why = lines[-1][:200] if lines else f"signal {code}" if crashed else f"status {code}"
        process.deleteLater()
        self.ended.emit(why)
