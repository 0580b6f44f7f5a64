"""Inference feature: files dropped on the window, and the run on show at work on them."""

from pathlib import Path

from PySide6.QtCore import QEvent, QObject, Qt, QUrl, Signal
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent

from ed_core.recording import find_runs
from ed_viewer.inference.dialog import InferenceDialog
from ed_viewer.inference.process import VerbProcess
from ed_viewer.inference.results import InferenceResults, ResultReader
from ed_viewer.inference.task import InferenceTask, offered
from ed_viewer.reading.run_names import absolute_path
from ed_viewer.widgets.controls import take_copy
from ed_viewer.window.feature import Feature
from ed_viewer.window.workbench import Workbench

_PATIENCE = 2000  # milliseconds that a closing window waits for a disk
_NO_RUN = "Open a run first: it is put to work on the files that are dropped"
_ONE = "Drop one file or one folder"
_STILL = "The run is still being read: try again in a moment"
_UNRECORDED = "Nothing of this run was recorded: use the command, such as edkit predict RUN FILES"
_NOTHING = "This run offers nothing to do with files: its recording shows no head that does"
_BUSY = "The run is at work: stop it first, or wait"


class InferenceFeature(Feature):
    """Puts the run on show to work on a file or a folder, in a process of its own.

    A run that is dropped is opened instead.

    Attributes:
        dialog: None until it was asked for; process: that works.
    """

    name = "inference"
    looked = Signal(object, bool)

    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench)
        self.dialog: InferenceDialog | None = None
        self.process = VerbProcess(self)
        self.process.ended.connect(self._on_ended)
        self._readers: list[ResultReader] = []
        self.looked.connect(self._on_looked, Qt.ConnectionType.QueuedConnection)
        bench.setAcceptDrops(True)
        bench.installEventFilter(self)
        words = "Put to work: the run on files of yours"
        self.command("work", words, "Ctrl+P", self.show_dialog, menu="File")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Take files that are dropped on the window or the dialog (called by Qt)."""
        if isinstance(event, QDropEvent) and event.mimeData().hasUrls():
            take_copy(event, wanted=True)
            if event.isAccepted() and not isinstance(event, QDragEnterEvent | QDragMoveEvent):
                self.drop(event.mimeData().urls())
            return True
        return False

    def drop(self, urls: list[QUrl]) -> None:
        """Open the run, or offer to work on the input, that was dropped."""
        paths = [absolute_path(url.toLocalFile()) for url in urls if url.isLocalFile()]
        if len(urls) != 1 or not paths:
            self.bench.status.show_message(_ONE)
            return

        def look() -> str:
            self.looked.emit(paths[0], is_run(paths[0]))
            return ""

        self.bench.jobs.run(look, f"{paths[0].name} cannot be read")

    def show_dialog(self, source: Path | None = None) -> None:
        """Show what the run on show can do with files; with an input, if there is one."""
        session = self.bench.session
        if session.path is None or session.run is None:
            over = session.growth is not None and not session.growth.live
            words = _UNRECORDED if over else _STILL
            self.bench.status.show_message(words if session.path else _NO_RUN)
            return
        verbs = offered(session.run)
        if not verbs:
            self.bench.status.show_message(_NOTHING)
            return
        if self.dialog is None:
            self.dialog = InferenceDialog(self.bench.theme, self.bench)
            self.dialog.setAcceptDrops(True)
            self.dialog.installEventFilter(self)
            self.dialog.started.connect(self.start)
            self.dialog.stopped.connect(self.process.stop)
            self.process.progressed.connect(self.dialog.show_progress)
        if self.process.running:
            self.bench.status.show_message(_BUSY)
        else:
            self.dialog.offer(session.path, self.bench.runs.title(session.path), verbs)
            if source is not None:
                self.dialog.take(source)
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def start(self, task: InferenceTask) -> None:
        """Start a task."""
        assert self.dialog is not None
        if not self.process.running:
            self.process.start(task)
            self.dialog.set_running(f"Working on {task.input}; starting takes a few seconds …")

    def end(self) -> None:
        """End the process and the threads: the window closes."""
        self.process.end()
        for reader in self._readers:
            reader.leave()
            reader.wait(_PATIENCE)

    def _on_looked(self, path: Path, run: bool) -> None:
        if run:
            self.bench.open(path)
        else:
            self.show_dialog(path)

    def _on_ended(self, words: str, good: bool) -> None:
        assert self.dialog is not None
        self.bench.status.show_message(words)
        if not good:
            (self.dialog.finish if self.process.stopped else self.dialog.fail)(words)
            return
        self.dialog.finish(words, self.process.refused)
        assert self.process.task is not None
        reader = ResultReader(self.process.task, self)
        queued = Qt.ConnectionType.QueuedConnection
        reader.read.connect(self._on_read, queued)
        reader.painted.connect(self.dialog.table.paint, queued)
        reader.failed.connect(self.dialog.fail, queued)
        for before in self._readers:
            before.leave()
        self._readers = [one for one in self._readers if one.isRunning()] + [reader]
        reader.start()

    def _on_read(self, results: InferenceResults) -> None:
        if self.dialog is not None:
            self.dialog.show_results(results)


def is_run(path: Path) -> bool:
    """Tell whether a path is a run, a folder of runs, or a segment of a recording."""
    if path.is_dir():
        return bool(find_runs(path)) or (path / "recording").exists()
    return path.suffix == ".h5" and path.parent.name == "recording"
