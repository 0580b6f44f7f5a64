import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ed_core.cli.demo import demo
from ed_viewer.new_run.feature import CloseChoice, CloseQuestion, NewRunFeature, demo_arguments
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let the button start this code instead of the demo."""

    def instead(code: str) -> None:
        command = [sys.executable, "-c", code]
        monkeypatch.setattr("ed_viewer.new_run.training_process.program", lambda: command)

    return instead


def press(qtbot: QtBot, window: Window) -> None:
    assert window.welcome.demo.isVisible()
    qtbot.mouseClick(window.welcome.demo, Qt.MouseButton.LeftButton)


def test_the_command_is_one_that_the_demo_understands() -> None:
    name, *arguments = demo_arguments("some runs")
    assert name == "demo"
    context = demo.make_context("demo", arguments)
    assert context.params["out"] == "some runs"
    assert context.params["no_window"]


def test_the_run_that_the_demo_makes_is_shown(
    qtbot: QtBot, open_window: Open, tmp_path: Path, pretend: Callable[[str], None]
) -> None:
    window = open_window(root=tmp_path / "runs")
    code = "import sys; from pathlib import Path; from ed_viewer.testing import *;"
    code += f"write_example(Path({str(tmp_path / 'runs')!r}), Example(samples=60, frames=3), 3)"
    pretend(code)
    press(qtbot, window)
    assert not window.welcome.demo.isEnabled()
    assert "Starting the demo" in window.welcome.how
    qtbot.waitUntil(window.stage.isVisible)
    assert window.stage.panels
    assert QApplication.topLevelWidgets().count(window) == 1


def test_a_demo_that_fails_is_told_with_its_reason_and_can_be_started_again(
    qtbot: QtBot, open_window: Open, tmp_path: Path, pretend: Callable[[str], None]
) -> None:
    window = open_window(root=tmp_path / "runs")
    pretend(
        "import sys, time; print('Starting Keras'); time.sleep(1);"
        "print('edkit: <b>no backend</b> is here.'); sys.exit(2)"
    )
    press(qtbot, window)
    said = "Demo: Starting Keras"
    qtbot.waitUntil(lambda: window.welcome.how == said)
    said = "The demo failed: <b>no backend</b> is here."
    qtbot.waitUntil(lambda: window.welcome.how == said)
    assert window.status.message == said
    assert window.welcome.demo.isEnabled()


@pytest.mark.parametrize("answer", [CloseChoice.STOP, CloseChoice.TRAIN_ON])
def test_closing_asks_of_the_demo_as_of_any_run(
    qtbot: QtBot,
    open_window: Open,
    tmp_path: Path,
    pretend: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    answer: CloseChoice,
) -> None:
    asked: list[str] = []
    given = [CloseChoice.CANCEL, answer]

    def ask(question: CloseQuestion) -> CloseChoice:
        asked.append(question.text())
        question.deleteLater()
        return given.pop(0)

    monkeypatch.setattr(CloseQuestion, "answer", ask)
    window = open_window(root=tmp_path / "runs")
    pretend("import time; time.sleep(600)")
    press(qtbot, window)
    trainers = window.findChild(NewRunFeature).trainers
    qtbot.waitUntil(lambda: trainers[0].process is not None)
    process = trainers[0].process
    assert process is not None
    window.close()
    assert window.isVisible()
    window.close()
    assert asked == ["demo is training."] * 2
    assert not window.isVisible()
    if answer is CloseChoice.TRAIN_ON:
        assert os.waitpid(process.pid, os.WNOHANG) == (0, 0)
        os.kill(process.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: has_ended(process.pid))


def has_ended(process: int) -> bool:
    """Tell whether a child of ours has ended, and let it go."""
    try:
        return os.waitpid(process, os.WNOHANG) != (0, 0)
    except ChildProcessError:  # the window has let it go
        return True
