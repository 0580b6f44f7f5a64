"""New-run feature: the form, the training process, and the question at its end."""

from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from ed_viewer.new_run.catalogue import Catalogue, CatalogueProcess
from ed_viewer.new_run.dialog import NewRunDialog
from ed_viewer.new_run.log import LogView
from ed_viewer.new_run.training_process import TrainingProcess
from ed_viewer.reading.messages import RunEntry
from ed_viewer.widgets.controls import push_button
from ed_viewer.window.feature import Feature
from ed_viewer.window.workbench import Workbench


class CloseChoice(Enum):
    """Answer about a running training when the window closes."""

    TRAIN_ON = "Keep training"
    STOP = "Save and stop"
    CANCEL = "Cancel"


class CloseQuestion(QMessageBox):
    """Message box with one button for each answer."""

    def __init__(self, names: Sequence[str], parent: QWidget) -> None:
        super().__init__(parent)
        one = len(names) == 1
        self.setWindowTitle("Close the window")
        self.setIcon(QMessageBox.Icon.Question)
        self.setText(f"{names[0]} is training." if one else f"{len(names)} runs are training.")
        self.setInformativeText(
            "Training continues in the background; reopen it with edkit view. Or save a checkpoint "
            "and stop; continue with edkit train --resume."
        )
        roles = QMessageBox.ButtonRole
        self.choices = {
            CloseChoice.TRAIN_ON: self.addButton(CloseChoice.TRAIN_ON.value, roles.AcceptRole),
            CloseChoice.STOP: self.addButton(CloseChoice.STOP.value, roles.DestructiveRole),
            CloseChoice.CANCEL: self.addButton(CloseChoice.CANCEL.value, roles.RejectRole),
        }
        self.setDefaultButton(self.choices[CloseChoice.TRAIN_ON])
        self.setEscapeButton(self.choices[CloseChoice.CANCEL])

    def answer(self) -> CloseChoice:
        """Ask, and wait for the answer."""
        self.exec()
        self.deleteLater()
        clicked = self.clickedButton()
        answers = [answer for answer, button in self.choices.items() if button is clicked]
        return answers[0] if answers else CloseChoice.CANCEL


class NewRunFeature(Feature):
    """Feature that starts trainings; the catalogue is requested when the form first opens.

    Args:
        bench: what it works with.
        log: shows what a training says.
    """

    name = "new_run"

    def __init__(self, bench: Workbench, log: LogView) -> None:
        super().__init__(bench)
        self._log = log
        self.runs_tool = push_button("New", "Train a model", bench.theme)
        self.runs_tool.clicked.connect(self.show_form)
        self.dialog: NewRunDialog | None = None
        self.trainers: list[TrainingProcess] = []
        self._starting: TrainingProcess | None = None
        self._entries: list[RunEntry] = []
        self.inquiry = CatalogueProcess(self)
        self.inquiry.answered.connect(self._on_answered)
        self.inquiry.failed.connect(self._on_failed)
        bench.reader.listed.connect(self._on_listed, Qt.ConnectionType.QueuedConnection)
        bench.welcome.new_run.clicked.connect(self.show_form)
        buttons = self.runs_tool, bench.welcome.new_run
        self.command(
            "new", "New run: train a model", "Ctrl+N", self.show_form, menu="File", buttons=buttons
        )

    def show_form(self) -> None:
        """Show the form; what was typed in it is still there."""
        if self.dialog is None:
            self.dialog = NewRunDialog(self.bench.root, self.bench.theme, self.bench)
            self.dialog.asked.connect(self._ask)
            self.dialog.started.connect(self.start)
            self.dialog.cancelled.connect(self._cancel)
            self._ask()
        self.dialog.show()
        self.dialog.raise_()
        self.dialog.activateWindow()

    def start(self) -> None:
        """Start the training that the form says."""
        assert self.dialog is not None
        form = self.dialog.form
        assert form is not None
        if refused := form.refused:
            self.dialog.foot.say_problem(refused)
            return
        self._starting = self.train(form.arguments(), form.out)
        self.dialog.set_starting(True)

    def train(self, arguments: Sequence[str], out: Path) -> TrainingProcess:
        """Start a training, show its run as soon as there is one, and ask of it at the end.

        Args:
            arguments: of the command.
            out: the folder in which the run's folder is made.
        """
        trainer = TrainingProcess(arguments, out, self)
        queued = Qt.ConnectionType.QueuedConnection
        trainer.logged.connect(self._on_logged, queued)
        trainer.began.connect(self._on_began, queued)
        trainer.ended.connect(self._on_ended, queued)
        self.trainers.append(trainer)
        trainer.start()
        return trainer

    def may_close(self) -> bool:
        """Ask what is to become of what still trains; whatever has ended is not asked about."""
        running = [trainer for trainer in self.trainers if trainer.running]
        if not running:
            return True
        answer = CloseQuestion([trainer.title for trainer in running], self.bench).answer()
        if answer is CloseChoice.STOP:
            for trainer in running:
                trainer.stop()
        return answer is not CloseChoice.CANCEL

    def end(self) -> None:
        """End the threads; what trains goes on, or was asked to stop."""
        if self.dialog is not None:
            self.dialog.end()
        self.inquiry.end()
        for trainer in self.trainers:
            trainer.leave()

    def _ask(self) -> None:
        if self.dialog is not None:
            self.dialog.wait()
        self.inquiry.ask()

    def _on_answered(self, catalogue: Catalogue) -> None:
        if self.dialog is not None:
            self.dialog.show_catalogue(catalogue, self._entries)

    def _on_failed(self, problem: str) -> None:
        if self.dialog is not None:
            self.dialog.fail(problem)

    def _on_listed(self, entries: list[RunEntry]) -> None:
        self._entries = entries
        if self.dialog is not None and self.dialog.form is not None:
            self.dialog.form.show_runs(entries)

    def _cancel(self) -> None:
        if self._starting is not None:
            self._starting.stop()

    def _on_logged(self, trainer: TrainingProcess) -> None:
        if trainer.folder in (None, self.bench.session.path):
            self._log.follow(trainer.log)

    def _on_began(self, trainer: TrainingProcess) -> None:
        """Show the new run, which the list of runs then has as well."""
        self._started(trainer)
        if self.dialog is not None:
            self.dialog.close()
        assert trainer.folder is not None
        self.bench.open(trainer.folder)

    def _on_ended(self, trainer: TrainingProcess) -> None:
        trainer.wait()
        self.trainers.remove(trainer)
        trainer.deleteLater()
        before = trainer is self._starting
        self._started(trainer)
        if before and trainer.problem and self.dialog is not None:
            self.dialog.foot.say_problem(trainer.problem)
            self.dialog.show()
        elif trainer.problem:
            self.bench.status.show_message(f"{trainer.title}: {trainer.problem}")

    def _started(self, trainer: TrainingProcess) -> None:
        if trainer is self._starting and self.dialog is not None:
            self._starting = None
            self.dialog.set_starting(False)


Train = Callable[[Sequence[str], Path], TrainingProcess]


def demo_arguments(root: str) -> list[str]:
    """Return the command that trains the demo below `root`, without a window."""
    return ["demo", "--no-window", "--out", root]


class DemoStart(Feature):
    """Starts the demo and says how it goes until its run is found, like any other.

    Args:
        bench: what it works with.
        train: starts a training with the arguments of the command, in a folder.
    """

    name = "demo"

    def __init__(self, bench: Workbench, train: Train) -> None:
        super().__init__(bench)
        self._train = train
        bench.welcome.demo.clicked.connect(self.start)

    def start(self) -> None:
        """Start the process."""
        self.bench.welcome.say_demo("Starting the demo; its first images appear here …", True)
        root = self.bench.root
        trainer = self._train(demo_arguments(root), Path(root))
        queued = Qt.ConnectionType.QueuedConnection
        trainer.said.connect(self._on_said, queued)
        trainer.ended.connect(self._on_ended, queued)

    def _on_said(self, trainer: TrainingProcess, line: str) -> None:
        self.bench.welcome.say_demo(f"Demo: {line}", True)

    def _on_ended(self, trainer: TrainingProcess) -> None:
        message = f"The demo failed: {trainer.problem}" if trainer.problem else ""
        self.bench.welcome.say_demo(message, False)
        if message:
            self.bench.status.show_message(message)
