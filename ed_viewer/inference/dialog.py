"""Dialog of a task: input, verb and folder; then its results."""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from ed_viewer.inference.results import SHOWN, InferenceResults, ResultTable
from ed_viewer.inference.task import ClassKey, InferenceTask, OfferedVerb, free_folder
from ed_viewer.stage.central_area import Banner
from ed_viewer.style.text import grouped, muted, plain
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.controls import PathLine, ProgressLine, folder_at

_SIZE = QSize(820, 620)  # pixels; fits a projector
_EMPTY = "Pictures or rows stand here once it is done."
_REFUSED = 3  # that are named
_CLASSES = 40  # whose colours are named
_NOTE = "A new folder; nothing is overwritten."


class InferenceDialog(QDialog):
    """Stays open beside the window, which goes on showing what it shows.

    Args:
        theme: colours and type.
        parent: the window.

    Signals:
        started: the InferenceTask that is wanted.
        stopped: stop it.
    """

    started = Signal(object)
    stopped = Signal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Put to work")
        self._run = Path()
        self._verbs: Sequence[OfferedVerb] = ()
        self._proposed = ""
        self._running = False
        self.source, self.folder, self.verb = PathLine(), PathLine(), QComboBox()
        self.source.setPlaceholderText("a file or a folder: pictures, CSV, npz, WAV …")
        self.problem = Banner(theme)
        self.words = muted(plain(QLabel(_EMPTY)))
        self.words.setWordWrap(True)
        self.key = QLabel(textFormat=Qt.TextFormat.RichText)
        self.key.setWordWrap(True)
        self.busy = ProgressLine(theme)
        self.table = ResultTable()
        self.start, self.open_folder = _button("Start"), _button("Open the folder")
        self.start.setDefault(True)
        close = _button("Close")
        close.clicked.connect(self.reject)
        self.start.clicked.connect(self._start_or_stop)
        self.open_folder.clicked.connect(self._open_folder)
        self._stack = QStackedWidget()
        self._stack.addWidget(QWidget())
        self._stack.addWidget(self.table)
        self._lay_out(close)
        self.source.dropped.connect(self.source.replace)
        self.folder.dropped.connect(self._take_place)
        self.source.textChanged.connect(self._propose)
        self.verb.currentIndexChanged.connect(self._propose)
        self.folder.textChanged.connect(self._enable)
        self.resize(_SIZE)
        self._show_state("", running=False)

    def offer(self, run: Path, title: str, verbs: Sequence[OfferedVerb]) -> None:
        """Take another run; while one works nothing changes."""
        if self._running:
            return
        self.setWindowTitle(f"Put to work: {title}")
        before = self.verb.currentText()
        self._run, self._verbs = run, verbs
        self.verb.clear()
        self.verb.addItems([verb.words for verb in verbs])
        self.verb.setCurrentIndex(max(self.verb.findText(before), 0))
        self._enable()

    def take(self, source: Path) -> None:
        """Take an input."""
        if not self._running:
            self.source.setText(str(source))

    @property
    def task(self) -> InferenceTask:
        """What is asked for now."""
        verb = self._verbs[self.verb.currentIndex()]
        return InferenceTask(self._run, verb, _path(self.source), _path(self.folder))

    def set_running(self, words: str) -> None:
        """Show that it works."""
        self._stack.setCurrentIndex(0)
        self.busy.wait()
        self._show_state(words, running=True)

    def show_progress(self, done: int, total: int) -> None:
        """Show how many samples are finished."""
        self.busy.show_share(done, total)
        self.words.setText(f"{grouped(done)} of {grouped(total)} samples …")

    def finish(self, words: str, refused: Sequence[str] = ()) -> None:
        """Say how it ended, and what was refused."""
        lines = [words, *(f"Refused: {one}" for one in refused[:_REFUSED])]
        lines += [f"... and {len(refused) - _REFUSED} more."] if len(refused) > _REFUSED else []
        self._show_state("\n".join(lines), running=False)

    def fail(self, problem: str) -> None:
        """Say why there is no result."""
        self._show_state("", problem, running=False)

    def show_results(self, results: InferenceResults) -> None:
        """Show the results."""
        self.table.show_results(results)
        self._stack.setCurrentWidget(self.table)
        self.key.setText(_key(self.task.verb.key))
        self.key.setVisible(bool(self.key.text()))
        if results.count > len(results.rows):
            first = f"The first {SHOWN} of {grouped(results.count)} are shown."
            self.words.setText(f"{self.words.text()}\n{first}")

    def _show_state(self, words: str, problem: str = "", *, running: bool) -> None:
        self._running = running
        self.problem.say(problem)
        self.words.setText(words)
        self.words.setVisible(bool(words))
        self.key.hide()
        self.busy.setVisible(running)
        self.start.setText("Stop" if running else "Start")
        for widget in self._inputs:
            widget.setEnabled(not running)
        self._enable()

    def _start_or_stop(self) -> None:
        if self._running:
            self.stopped.emit()
        else:
            self.started.emit(self.task)

    def _propose(self) -> None:
        """Name a new folder, unless the user has named one."""
        if self.folder.text() == self._proposed and self.source.text().strip() and self._verbs:
            verb = self._verbs[max(self.verb.currentIndex(), 0)]
            self._proposed = str(free_folder(_path(self.source), verb.name))
            self.folder.setText(self._proposed)
        self._enable()

    def _enable(self) -> None:
        said = self.source.text().strip() and self.folder.text().strip() and self._verbs
        self.start.setEnabled(self._running or bool(said))
        self.open_folder.setEnabled(not self._running and bool(self.words.text()))

    def _open_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(self.folder.text()))

    def _lay_out(self, close: QPushButton) -> None:
        file, directory, into = _button("File …"), _button("Folder …"), _button("Browse …")
        file.clicked.connect(self._ask_for_file)
        directory.clicked.connect(self._ask_for_folder)
        into.clicked.connect(self._ask_where)
        self._inputs = (self.source, self.folder, self.verb, file, directory, into)
        form = QFormLayout()
        form.setVerticalSpacing(12)
        names = ("&Input", "&Do", "&Results in")
        rows = ((self.source, file, directory), (self.verb,), (self.folder, into))
        for name, widgets in zip(names, rows, strict=True):
            row = QHBoxLayout()
            row.setSpacing(8)
            for place, widget in enumerate(widgets):
                row.addWidget(widget, int(place == 0))
            label = QLabel(name)
            label.setBuddy(widgets[0])
            widgets[0].setAccessibleName(name.replace("&", ""))
            form.addRow(label, row)
        form.addRow("", muted(plain(QLabel(_NOTE))))
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.open_folder)
        buttons.addStretch(1)
        buttons.addWidget(close)
        buttons.addWidget(self.start)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 24, 24, 16)
        layout.setSpacing(12)
        layout.addLayout(form)
        for line in (self.problem, self.words, self.key, self.busy):
            layout.addWidget(line)
        layout.addWidget(self._stack, 1)
        layout.addLayout(buttons)

    def _ask_for_file(self) -> None:
        self._take(QFileDialog.getOpenFileName(self, "Choose a file", self.source.text())[0])

    def _ask_for_folder(self) -> None:
        self._take(QFileDialog.getExistingDirectory(self, "Choose a folder", self.source.text()))

    def _ask_where(self) -> None:
        place = QFileDialog.getExistingDirectory(self, "Folder", str(_path(self.folder).parent))
        if place:
            self._take_place(place)

    def _take_place(self, place: str) -> None:
        """Write the results into a new folder there."""
        new = free_folder(_path(self.source), self.task.verb.name, folder_at(Path(place)))
        self.folder.replace(str(new))

    def _take(self, chosen: str) -> None:
        if chosen:
            self.source.setText(chosen)


def _key(classes: Sequence[ClassKey]) -> str:
    """Return classes as rich text, a square of its colour before the name of each."""
    shown = [
        f'<span style="color:{colour}">\N{BLACK SQUARE}</span>&nbsp;'
        + escape(name).replace(" ", "&nbsp;")
        for colour, name in classes[:_CLASSES]
    ]
    more = len(classes) - len(shown)
    return " &nbsp; ".join([*shown, *([f"+ {grouped(more)}"] if more else [])])


def _path(line: PathLine) -> Path:
    return Path(line.text().strip()).expanduser()


def _button(words: str) -> QPushButton:
    push = QPushButton(words)
    push.setAutoDefault(False)
    return push
