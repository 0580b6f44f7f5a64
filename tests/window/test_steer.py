"""Steer: what is asked in the window reaches a trainer, and what it does is shown."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from support import patience

from ed_core.engine import installed_backends
from ed_core.recording import Event, RecordingWriter, RunFolder
from ed_core.recording.control import Inbox, Request, read_requests
from ed_viewer.steering.feature import SteerFeature
from ed_viewer.testing import Example, write_example
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]


class Trainer:
    """Stands for a training: obeys `control.json` through the functions of the real one."""

    def __init__(self, parent: Path, example: Example, steerable: bool = True) -> None:
        self.folder = RunFolder.create(parent, "live")
        self.folder.write({"status": "training"})
        self._inbox = Inbox(self.folder.control, ["image", "kl"])
        self._example = example
        self._header = example.header({"steerable": True} if steerable else {})
        self.obeying = threading.Event()
        self.obeying.set()
        self.seen: list[Request] = []
        self._end = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        assert self._ready.wait(patience.SECONDS)

    def end(self, status: str = "finished") -> None:
        self._end.set()
        self._thread.join()
        self.folder.update(status=status)

    def _work(self) -> None:
        row = {"learning_rate": 1e-3, "image_weight": 1.0, "kl_weight": 0.5}
        folder, example = self.folder, self._example
        with (
            folder.hold(),
            RecordingWriter(folder.recording, self._header, example.reference) as writer,
        ):
            for number in range(3):
                writer.append(number, 0.0, 0.0, example.frame(number))
            writer.append_scalars(3, 0.0, 0.0, row)
            self._ready.set()
            while not self._end.wait(0.02):
                for request in self._inbox.news() if self.obeying.is_set() else ():
                    self.seen.append(request)
                    text = request.kind
                    if request.value is not None:
                        name = f"{request.head}_weight" if request.head else "learning_rate"
                        text = f"weight of {request.head} {row[name]:g} -> {request.value:g}"
                        row[name] = request.value
                    writer.append_event(Event(3, 0.0, 0.0, request.kind, text))
                    writer.append_scalars(3, 0.0, 0.0, row)


@pytest.fixture
def trainer(tmp_path: Path, example: Example) -> Iterator[Trainer]:
    made = Trainer(tmp_path / "runs", example)
    yield made
    if not made._end.is_set():
        made.end()


def steer(window: Window) -> SteerFeature:
    return window.findChild(SteerFeature)


def shown(qtbot: QtBot, window: Window) -> SteerFeature:
    """Open the dock by its button once the run is there."""
    part = steer(window)
    qtbot.waitUntil(lambda: window.session.cursor.count == 3)
    assert not part.panel.isVisible()
    qtbot.mouseClick(part.button, Qt.MouseButton.LeftButton)
    assert part.panel.isVisible()
    assert part.button.isChecked()
    return part


def said(part: SteerFeature) -> str:
    return part.panel._state.text()


def number(part: SteerFeature, about: str) -> float:
    return part.panel.numbers.rows[about].field.value()


def test_what_is_asked_is_done_and_shown(qtbot: QtBot, open_window: Open, trainer: Trainer) -> None:
    part = shown(qtbot, open_window(trainer.folder.path))
    panel = part.panel
    qtbot.waitUntil(lambda: said(part) == "Training")
    about = list(panel.numbers.rows)
    assert about == ["learning_rate", "weight image", "weight kl"]
    assert [number(part, name) for name in about] == [1e-3, 1.0, 0.5]

    trainer.obeying.clear()
    qtbot.mouseClick(panel.pause, Qt.MouseButton.LeftButton)
    field = panel.numbers.rows["weight kl"].field
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "4e-2")
    assert panel.numbers.rows["weight kl"].mark.text() == "↵"
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert panel.numbers.rows["weight kl"].mark.text() == "…"
    assert panel.pause.text() == "Pausing …"
    qtbot.waitUntil(lambda: len(read_requests(trainer.folder.control)[0]) == 2)
    qtbot.wait(200)  # what is not obeyed goes on waiting, and is not shown as done
    assert (said(part), panel.pause.text()) == ("Training", "Pausing …")
    assert number(part, "weight kl") == 0.04

    trainer.obeying.set()
    qtbot.waitUntil(lambda: said(part) == "Paused")
    qtbot.waitUntil(lambda: not part.waiting)
    assert panel.pause.text() == "Resume"
    assert panel.numbers.rows["weight kl"].mark.text() == ""
    assert open_status(part).startswith("paused")
    assert [(r.kind, r.value, r.head) for r in trainer.seen] == [
        ("pause", None, None),
        ("weight", 0.04, "kl"),
    ]
    qtbot.mouseClick(panel.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: said(part) == "Training")
    qtbot.mouseClick(panel.stop, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: panel.stop.text() == "Stops after this epoch")
    assert not panel.stop.isEnabled()


def open_status(part: SteerFeature) -> str:
    part.bench._show_age()
    return part.bench.status.text


def test_the_keys_ask_and_show_what_came_of_it(
    qtbot: QtBot, open_window: Open, trainer: Trainer
) -> None:
    window = open_window(trainer.folder.path)
    part = steer(window)
    qtbot.waitUntil(lambda: window.session.cursor.count == 3)
    qtbot.keyClick(window, Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
    assert part.panel.isVisible()
    qtbot.waitUntil(lambda: said(part) == "Paused")
    both = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(window, Qt.Key.Key_E, both)
    qtbot.waitUntil(lambda: len(trainer.seen) == 3)
    qtbot.waitUntil(lambda: not part.waiting)
    assert sorted(request.kind for request in trainer.seen) == ["pause", "save", "stop"]
    part.panel.pause.setFocus()
    qtbot.keyClick(part.panel.pause, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: said(part) == "Training")
    qtbot.keyClick(window, Qt.Key.Key_S)
    assert not part.panel.isVisible()
    assert not part.button.isChecked()
    qtbot.keyClick(window, Qt.Key.Key_S)
    assert part.button.isChecked()
    qtbot.keyClick(window, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert not part.button.isChecked()


def test_a_value_set_elsewhere_is_shown_and_an_edit_is_not_overwritten(
    qtbot: QtBot, open_window: Open, trainer: Trainer
) -> None:
    from ed_core.recording.control import ask

    part = shown(qtbot, open_window(trainer.folder.path))
    field = part.panel.numbers.rows["weight image"].field
    field.setFocus()
    qtbot.keyClick(field, Qt.Key.Key_PageUp)
    assert (field.value(), field.edited) == (10.0, True)
    ask(trainer.folder.control, Request("weight", 7.0, "image"))
    ask(trainer.folder.control, Request("learning_rate", 2e-5))
    qtbot.waitUntil(lambda: number(part, "learning_rate") == 2e-5)
    assert field.value() == 10.0
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert (field.value(), field.edited) == (7.0, False)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("finished", "This run has finished."),
        ("stopped", "This run was stopped."),
        ("failed", "This run has failed."),
        ("training", "This run crashed"),
        ("<b>", "run.json is damaged; steering is off."),
    ],
)
def test_without_a_trainer_everything_is_greyed_out_with_the_reason(
    qtbot: QtBot, open_window: Open, tmp_path: Path, example: Example, status: str, words: str
) -> None:
    path = write_example(tmp_path / "runs", example, frames=3)
    RunFolder(path).update(status=status)
    window = open_window(path)
    part = shown(qtbot, window)
    qtbot.waitUntil(lambda: said(part).startswith(words))
    panel = part.panel
    fields = [row.field for row in panel.numbers.rows.values()]
    assert len(fields) == 3
    assert not any(w.isEnabled() for w in (panel.pause, panel.stop, panel.save, *fields))
    qtbot.keyClick(window, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier)
    panel.ask_pause()
    qtbot.wait(50)
    assert not (path / "control.json").exists()


def test_a_trainer_that_ends_leaves_nothing_waiting(
    qtbot: QtBot, open_window: Open, trainer: Trainer
) -> None:
    part = shown(qtbot, open_window(trainer.folder.path))
    trainer.obeying.clear()
    qtbot.mouseClick(part.panel.save, Qt.MouseButton.LeftButton)
    assert part.panel.save.text() == "Saving …"
    trainer.end("stopped")
    qtbot.waitUntil(lambda: said(part).startswith("This run was stopped"))
    assert not part.waiting
    assert part.panel.save.text() == "Save a checkpoint now"


def test_a_trainer_of_another_kind_is_left_alone(
    qtbot: QtBot, open_window: Open, tmp_path: Path, example: Example
) -> None:
    other = Trainer(tmp_path / "runs", example, steerable=False)
    try:
        part = shown(qtbot, open_window(other.folder.path))
        qtbot.waitUntil(lambda: "only runs of edkit train" in said(part))
        assert not part.panel.pause.isEnabled()
    finally:
        other.end()


def test_a_disk_that_hangs_or_refuses_does_not_hold_the_window_up(
    qtbot: QtBot, open_window: Open, trainer: Trainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = shown(qtbot, open_window(trainer.folder.path))
    go = threading.Event()

    def hang(path: Path, request: Request) -> None:
        go.wait(10)
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("ed_viewer.reading.jobs.ask", hang)
    start = time.monotonic()
    qtbot.mouseClick(part.panel.pause, Qt.MouseButton.LeftButton)
    assert time.monotonic() - start < 0.5
    assert part.panel.pause.text() == "Pausing …"
    go.set()
    problem = "control.json cannot be written: Read-only file system"
    qtbot.waitUntil(lambda: part.panel._problem.text() == problem)
    assert part.panel.pause.text() == "Pause"


def test_the_theme_reaches_the_dock(qtbot: QtBot, open_window: Open, trainer: Trainer) -> None:
    window = open_window(trainer.folder.path)
    part = shown(qtbot, window)
    for _ in range(2):
        QApplication.processEvents()
        picture = part.panel.grab().toImage()
        corner = picture.pixelColor(picture.width() - 2, picture.height() - 2)
        assert corner == QColor(window.theme.palette.window)
        window.theme.toggle()


@pytest.mark.skipif(not installed_backends(), reason="no backend is installed")
def test_a_real_training_is_steered_from_the_window(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    """`edkit train` in a process of its own, from the first pause to its stop after an epoch."""
    backend = sorted(installed_backends())[0]
    command = [sys.executable, "-m", "ed_core.cli", "train", "vae", "--data", "digits"]
    options = ["--epochs", "5000", "--out", str(tmp_path / "runs"), "--backend", backend]
    log = (tmp_path / "log").open("w")
    process = subprocess.Popen([*command, *options], stdout=log, stderr=subprocess.STDOUT)
    try:
        window = open_window(root=tmp_path / "runs")
        qtbot.waitUntil(lambda: window.session.cursor.count > 1)
        part = steer(window)
        qtbot.keyClick(window, Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
        qtbot.waitUntil(lambda: said(part) == "Paused")
        frames = window.session.cursor.count
        qtbot.wait(600)
        assert window.session.cursor.count == frames
        for about, value in {"weight posterior": 2.5, "learning_rate": 4e-4}.items():
            field = part.panel.numbers.rows[about].field
            field.setFocus()
            field.selectAll()
            qtbot.keyClicks(field, str(value))
            qtbot.keyClick(field, Qt.Key.Key_Return)
            qtbot.waitUntil(lambda: not part.waiting)
        qtbot.waitUntil(lambda: number(part, "weight posterior") == 2.5)
        assert number(part, "learning_rate") == pytest.approx(4e-4, rel=1e-3)
        qtbot.mouseClick(part.panel.pause, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: window.session.cursor.count > frames)
        qtbot.mouseClick(part.panel.stop, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: said(part).startswith("This run was stopped"))
        assert process.wait(patience.SECONDS) == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
        log.close()
    lines = (tmp_path / "log").read_text().splitlines()
    assert "Paused." in lines
    assert "Weight of posterior 1 -> 2.5." in lines
    assert lines[-1].startswith("Stopped. Go on with: edkit train --resume ")
