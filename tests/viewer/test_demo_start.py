from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QProcess, Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ed_core.command.demo import demo
from ed_viewer.demo_start import DemoStart, demo_command
from ed_viewer.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]


def opened(window: Window, code: str) -> DemoStart:
    part = next(part for part in window.parts if isinstance(part, DemoStart))
    part.arguments = ["-c", code]
    return part


def press(qtbot: QtBot, window: Window) -> None:
    assert window.welcome.demo.isVisible()
    qtbot.mouseClick(window.welcome.demo, Qt.MouseButton.LeftButton)


def test_the_command_is_one_that_the_demo_understands() -> None:
    module, package, name, *arguments = demo_command("some runs")
    assert (module, package, name) == ("-m", "ed_core.command", "demo")
    context = demo.make_context("demo", arguments)
    assert context.params["out"] == "some runs"
    assert context.params["no_window"]


def test_the_run_that_the_demo_makes_is_shown(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    window = open_window(root=tmp_path / "runs")
    code = "import sys; from pathlib import Path; from ed_viewer.example import *;"
    code += f"write_example(Path({str(tmp_path / 'runs')!r}), Example(samples=60, frames=3), 3)"
    opened(window, code)
    press(qtbot, window)
    assert not window.welcome.demo.isEnabled()
    assert "Starting the demo" in window.welcome.how
    qtbot.waitUntil(window.stage.isVisible, timeout=20_000)
    assert window.stage.panels
    assert QApplication.topLevelWidgets().count(window) == 1


def test_a_demo_that_fails_is_told_with_its_reason_and_can_be_started_again(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    window = open_window(root=tmp_path / "runs")
    opened(window, "import sys; print('Starting'); sys.exit('edkit: <b>no backend</b> is here.')")
    press(qtbot, window)
    said = "The demo failed: edkit: <b>no backend</b> is here."
    qtbot.waitUntil(lambda: window.welcome.how == said, timeout=20_000)
    assert window.status.message == said
    assert window.welcome.demo.isEnabled()


def test_the_demo_ends_with_its_window(qtbot: QtBot, open_window: Open, tmp_path: Path) -> None:
    window = open_window(root=tmp_path / "runs")
    part = opened(window, "import time; time.sleep(600)")
    press(qtbot, window)
    qtbot.waitUntil(lambda: part._process.state() == QProcess.ProcessState.Running, timeout=30_000)
    window.close()
    assert part._process.state() == QProcess.ProcessState.NotRunning
