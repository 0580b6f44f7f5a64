"""A training that is started from the window: real windows, real processes, nothing left behind."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from pytestqt.qtbot import QtBot
from support import patience

from ed_core.recording import RunFolder
from ed_viewer.new_run.catalogue import Catalogue
from ed_viewer.new_run.feature import CloseChoice, CloseQuestion, NewRunFeature
from ed_viewer.new_run.form import Form
from ed_viewer.new_run.log import TrainingLog
from ed_viewer.session.cursor import Playback
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]
OpenForm = Callable[[], Window]

LONG = "100000"  # epochs: it does not end by itself


def part_of(window: Window) -> NewRunFeature:
    return window.findChild(NewRunFeature)


def form_of(window: Window) -> Form:
    dialog = part_of(window).dialog
    assert dialog is not None
    assert dialog.form is not None
    return dialog.form


def until(qtbot: QtBot, condition: Callable[[], object]) -> None:
    qtbot.waitUntil(lambda: bool(condition()))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "runs"


@pytest.fixture
def open_form(
    open_window: Open, root: Path, catalogue: Catalogue
) -> Iterator[Callable[[], Window]]:
    """Open windows with a form that is filled in for a tiny training."""
    windows: list[Window] = []

    def open_one() -> Window:
        window = open_window(root=root)
        windows.append(window)
        part = part_of(window)
        part._ask = lambda: None  # type: ignore[method-assign]
        part.show_form()
        part._on_answered(catalogue)
        form_of(window).models.choose("vae")
        fill(window, latent="2", hidden="8", epochs=LONG, every="2")
        return window

    yield open_one
    while windows:  # a window that is still known here would not be destroyed
        for trainer in part_of(windows.pop()).trainers:
            if trainer.process is not None:
                trainer.process.kill()
                trainer.process.wait(patience.SECONDS)


def fill(window: Window, **values: str) -> None:
    form = form_of(window)
    sections = [*form.page.sections, *form.training.sections]
    fields = {field.option.name: field for section in sections for field in section.fields}
    for name, value in values.items():
        fields[name].set_text(value)


def press_start(qtbot: QtBot, window: Window) -> None:
    dialog = part_of(window).dialog
    assert dialog is not None
    qtbot.mouseClick(dialog.foot.start, Qt.MouseButton.LeftButton)


def train(qtbot: QtBot, window: Window) -> tuple[Path, int]:
    """Start what the form says; return the run's folder and the process once it has frames."""
    press_start(qtbot, window)
    trainer = part_of(window).trainers[-1]
    until(qtbot, lambda: trainer.folder)
    assert trainer.folder is not None
    assert trainer.process is not None
    until(qtbot, lambda: window.session.path == trainer.folder)
    until(qtbot, lambda: window.session.cursor.count > 2)
    return trainer.folder, trainer.process.pid


def close(window: Window, answer: CloseChoice) -> list[str]:
    """Close a window, with this answer to what it asks; return what it asked."""
    asked: list[str] = []

    def press() -> None:
        for question in window.findChildren(CloseQuestion):
            if question.isVisible():
                asked.append(question.text())
                question.choices[answer].click()

    timer = QTimer()
    timer.timeout.connect(press)
    timer.start(50)
    window.close()
    timer.stop()
    return asked


def has_ended(process: int) -> bool:
    """Tell whether a child of ours has ended, and let it go."""
    try:
        return os.waitpid(process, os.WNOHANG) != (0, 0)
    except ChildProcessError:
        return True


def test_the_form_is_made_from_what_the_command_says_asked_once(
    qtbot: QtBot, open_window: Open, root: Path, catalogue: Catalogue
) -> None:
    window = open_window(root=root)
    part = part_of(window)
    asked: list[object] = []
    part.inquiry.answered.connect(asked.append)
    qtbot.keyClick(window, Qt.Key.Key_N, Qt.KeyboardModifier.ControlModifier)
    dialog = part.dialog
    assert dialog is not None
    assert dialog.isVisible()
    assert dialog.form is None
    assert not dialog.foot.start.isEnabled()
    beats: list[float] = []
    timer = QTimer()
    timer.timeout.connect(lambda: beats.append(time.monotonic()))
    timer.start(20)
    until(qtbot, lambda: dialog.form)
    timer.stop()
    assert len(beats) > 5  # the window went on while it waited
    assert form_of(window)._catalogue == catalogue
    assert not root.exists()
    dialog.close()
    qtbot.mouseClick(window.welcome.new_run, Qt.MouseButton.LeftButton)
    assert part.dialog is dialog
    assert dialog.isVisible()
    qtbot.wait(300)
    assert len(asked) == 1


def test_closing_while_it_is_asked_leaves_no_process(
    qtbot: QtBot, open_window: Open, root: Path
) -> None:
    window = open_window(root=root)
    part = part_of(window)
    part.show_form()
    until(qtbot, lambda: part.inquiry.process.processId())
    process = part.inquiry.process.processId()
    assert close(window, CloseChoice.CANCEL) == []
    assert not Path(f"/proc/{process}").exists()


def test_a_plugin_that_is_broken_is_named_and_asked_for_again(
    qtbot: QtBot, open_window: Open, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ed_viewer.new_run.command.PLUGIN_FILES", ["/nowhere/plugin.py"])
    window = open_window(root=root)
    part = part_of(window)
    part.show_form()
    dialog = part.dialog
    assert dialog is not None
    until(qtbot, dialog.retry.isVisible)
    assert "'/nowhere/plugin.py' does not exist" in dialog._waiting.text()
    monkeypatch.setattr("ed_viewer.new_run.command.PLUGIN_FILES", [])
    qtbot.mouseClick(dialog.retry, Qt.MouseButton.LeftButton)
    assert not dialog.retry.isVisible()
    until(qtbot, lambda: dialog.form)


def test_a_mistake_is_shown_beside_the_button_and_leaves_nothing(
    qtbot: QtBot, open_form: OpenForm, root: Path
) -> None:
    window = open_form()
    fill(window, latent="2", epochs="0")
    form, part = form_of(window), part_of(window)
    before = form.arguments()
    press_start(qtbot, window)
    dialog = part.dialog
    assert dialog is not None
    assert not form.isEnabled()
    until(qtbot, lambda: dialog.foot.problem)
    assert dialog.foot.problem == "epochs must be at least 1, received 0."
    assert dialog.isVisible()
    assert form.isEnabled()
    assert dialog.foot.start.text() == "Start"
    assert form.arguments() == before
    assert part.trainers == []
    assert not root.exists()
    assert close(window, CloseChoice.CANCEL) == []


def test_a_folder_that_cannot_be_written_is_named(
    qtbot: QtBot, open_form: OpenForm, tmp_path: Path
) -> None:
    window = open_form()
    (tmp_path / "file").write_text("in the way")
    fill(window, out=str(tmp_path / "file" / "runs"))
    press_start(qtbot, window)
    dialog = part_of(window).dialog
    assert dialog is not None
    until(qtbot, lambda: dialog.foot.problem)
    assert "file/runs" in dialog.foot.problem
    assert not part_of(window).trainers


def test_a_start_can_be_cancelled(qtbot: QtBot, open_form: OpenForm, root: Path) -> None:
    window = open_form()
    part = part_of(window)
    press_start(qtbot, window)
    trainer = part.trainers[0]
    until(qtbot, lambda: trainer.process)
    process = trainer.process
    assert process is not None
    press_start(qtbot, window)
    until(qtbot, lambda: not part.trainers)
    assert process.returncode == -signal.SIGTERM
    assert part.dialog is not None
    assert part.dialog.foot.problem == ""
    assert form_of(window).isEnabled()
    assert not root.exists()


def test_a_run_is_started_followed_logged_and_stopped_when_the_window_closes(
    qtbot: QtBot, open_form: OpenForm, root: Path
) -> None:
    window = open_form()
    part = part_of(window)
    folder, process = train(qtbot, window)
    info = RunFolder(folder).read()
    assert folder.parent == root
    assert (info["model"], info["data"]) == ("vae", "digits")
    assert info["params"] == {"hidden": [8], "latent": 2, "beta": 1.0, "anneal": 0.0}
    assert (info["epochs"], info["every"]) == (int(LONG), 2)
    assert window.session.cursor.playback is Playback.FOLLOWING
    assert part.dialog is not None
    assert not part.dialog.isVisible()
    assert window.runs.count() == 1
    log, log_view = folder / "train.log", window.findChild(TrainingLog).log
    assert sorted(root.iterdir()) == [folder]
    assert not window.docks["log"].isVisible()
    with qtbot.waitActive(window):
        window.activateWindow()
    qtbot.keyClick(window, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert window.docks["log"].isVisible()
    until(qtbot, lambda: f"epoch 2/{LONG}" in log_view.text)
    assert log_view.text.startswith("Training in ")
    said = log.read_text()
    assert "\r" not in said
    assert "\x1b" not in said
    assert close(window, CloseChoice.CANCEL) == [f"{folder.name} is training."]
    assert window.isVisible()
    assert not has_ended(process)
    assert close(window, CloseChoice.STOP) == [f"{folder.name} is training."]
    assert not window.isVisible()
    until(qtbot, lambda: has_ended(process))
    assert RunFolder(folder).state() == "stopped"
    assert list((folder / "checkpoints").iterdir())
    assert "edkit train --resume" in log.read_text()


def test_a_run_trains_on_without_the_window_if_it_is_let(qtbot: QtBot, open_form: OpenForm) -> None:
    window = open_form()
    folder, process = train(qtbot, window)
    assert os.getsid(process) == process
    assert close(window, CloseChoice.TRAIN_ON) == [f"{folder.name} is training."]
    assert part_of(window).trainers[0].isFinished()
    lines = len((folder / "train.log").read_text().splitlines())
    until(qtbot, lambda: len((folder / "train.log").read_text().splitlines()) > lines)
    assert RunFolder(folder).state() == "live"
    os.kill(process, signal.SIGTERM)
    until(qtbot, lambda: has_ended(process))
    assert json.loads((folder / "run.json").read_text())["status"] == "stopped"


def test_a_run_that_has_ended_is_not_asked_about(qtbot: QtBot, open_form: OpenForm) -> None:
    window = open_form()
    part = part_of(window)
    fill(window, epochs="1")
    press_start(qtbot, window)
    until(qtbot, lambda: not part.trainers)
    until(qtbot, lambda: window.session.path)
    assert window.session.path is not None
    assert RunFolder(window.session.path).state() == "finished"
    assert (window.session.path / "train.log").is_file()
    assert close(window, CloseChoice.CANCEL) == []
    assert not window.isVisible()


def test_a_run_that_is_killed_says_so_in_the_status_line(qtbot: QtBot, open_form: OpenForm) -> None:
    window = open_form()
    folder, process = train(qtbot, window)
    os.kill(process, signal.SIGKILL)
    until(qtbot, lambda: not part_of(window).trainers)
    assert folder.name in window.status.message
    assert "train.log" in window.status.message
    assert close(window, CloseChoice.CANCEL) == []


def test_a_new_run_is_listed_where_the_window_shows_single_runs(
    qtbot: QtBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: window.runs.count() == 1)
    new = RunFolder.create(tmp_path / "elsewhere", "new")
    new.write({"status": "finished"})
    window.reader.add(new.path)
    qtbot.waitUntil(lambda: window.runs.count() == 2)
