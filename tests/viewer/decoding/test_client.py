"""The process behind the handle: killed, broken, mute or gone, and never left over."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint
from pytestqt.qtbot import QtBot
from support import patience

from ed_core.engine import installed_backends
from ed_viewer.decoding import client as decoder_module
from ed_viewer.decoding.client import DecoderClient, DecoderState
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def test_a_killed_process_is_said_and_starts_again_with_the_next_drag(
    qtbot: QtBot, open_window: Open, finished: Path, code_editor: Any
) -> None:
    window, panel = code_editor.opened(open_window, finished)
    pid = window.stage.decoder.process.number
    os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: window.stage.decoder.state is DecoderState.ENDED)
    said = panel.editor.weights.text()
    assert said == "The decoder's process ended (signal 9). Drag to restart it."
    before = code_editor.picture(panel).copy()
    code_editor.drag(panel, QPoint(60, -40))
    assert window.stage.decoder.process.number != pid
    qtbot.waitUntil(lambda: not np.array_equal(code_editor.picture(panel), before))
    assert "decoded with checkpoint" in panel.editor.weights.text()


def test_a_process_that_always_ends_is_given_up_after_one_more_start(
    qtbot: QtBot, open_window: Open, finished: Path, code_editor: Any
) -> None:
    code_editor.pretend(mode="dies")
    window = open_window(finished)
    panel = code_editor.latent(window)
    decoder = window.stage.decoder
    qtbot.waitUntil(lambda: decoder.state is DecoderState.ENDED)
    assert "I do not feel well" in decoder.words
    panel.handle.drag(np.ones(2))
    qtbot.waitUntil(lambda: decoder.state is DecoderState.UNABLE)
    assert panel.editor.isHidden()
    assert "ended twice: I do not feel well" in panel.reason.text()
    panel.handle.drag(np.zeros(2))
    assert not decoder.process.running


def test_without_a_decoder_there_is_a_reason_and_no_dead_control(
    qtbot: QtBot, open_window: Open, finished: Path, code_editor: Any
) -> None:
    code_editor.pretend(mode="unable")
    panel = code_editor.latent(open_window(finished))
    qtbot.waitUntil(lambda: panel.reason.isVisible())
    assert panel.reason.text() == "Live decoding unavailable: this model has no decoder."
    assert not panel.handle.item.target.isVisible()
    assert panel.editor.isHidden()
    assert panel.interpolation.isHidden()
    panel.scatter.clicked.emit(3, False)
    assert panel.scatter.isVisible()


def test_a_process_that_never_answers_is_ended(
    qtbot: QtBot, open_window: Open, finished: Path, code_editor: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("ed_viewer.decoding.process._PATIENCE", 1500)
    code_editor.pretend(mode="mute")
    window = open_window(finished)
    code_editor.latent(window)
    decoder = window.stage.decoder
    qtbot.waitUntil(lambda: decoder.state is DecoderState.ENDED)
    assert "no answer for 1 seconds" in decoder.words


def test_a_program_that_is_not_there(
    qtbot: QtBot, open_window: Open, finished: Path, code_editor: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(decoder_module, "worker_command", lambda path: ["/nowhere/python"])
    window = open_window(finished)
    panel = code_editor.latent(window)
    decoder = window.stage.decoder
    qtbot.waitUntil(lambda: decoder.state is DecoderState.ENDED)
    window.session.scrub(3)
    qtbot.waitUntil(lambda: decoder.step == 150)
    assert decoder.state is DecoderState.ENDED  # a frame does not start it again, a drag does
    assert "No such file" in decoder.words
    panel.handle.drag(np.ones(2))
    qtbot.waitUntil(lambda: decoder.state is DecoderState.UNABLE)


def test_the_real_process_says_why_a_recording_alone_decodes_nothing(
    qtbot: QtBot, open_window: Open, finished: Path, code_editor: Any
) -> None:
    window = open_window(finished)
    panel = code_editor.latent(window)
    qtbot.waitUntil(lambda: window.stage.decoder.state is DecoderState.UNABLE)
    assert "the model was not built by edkit" in panel.reason.text()


def test_another_run_and_a_closed_window_leave_no_process(
    qtbot: QtBot, open_window: Open, finished: Path, wide: Path, code_editor: Any
) -> None:
    code_editor.pretend()
    window = open_window(finished)
    code_editor.ready(code_editor.latent(window))
    first = window.stage.decoder.process.number
    window.open(wide)
    qtbot.waitUntil(lambda: window.session.run is not None)
    qtbot.waitUntil(lambda: not alive(first))
    code_editor.pretend(40)
    code_editor.ready(code_editor.latent(window))
    second = window.stage.decoder.process.number
    assert alive(second)
    window.close()
    assert not alive(second)


WINDOW = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from ed_viewer.decoding.client import DecoderClient
app = QCoreApplication([])
decoder = DecoderClient(Path(sys.argv[1]))
def say():
    print(decoder.state.value, decoder.process.number, flush=True)
decoder.changed.connect(say)
decoder.start()
app.exec()
"""


def test_the_real_process_does_not_outlive_a_window_that_is_killed(finished: Path) -> None:
    command = [sys.executable, "-c", WINDOW, str(finished)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as window:
        for line in window.stdout:
            state, pid = line.split()
            if state == "unable":
                break
        assert alive(int(pid))
        window.kill()
        window.wait()
    deadline = time.monotonic() + patience.SECONDS
    while alive(int(pid)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(int(pid))


@pytest.mark.skipif(not installed_backends(), reason="no backend is installed")
def test_dragging_through_the_code_of_a_trained_run(
    qtbot: QtBot, open_window: Open, tmp_path: Path, code_editor: Any
) -> None:
    options = ["--epochs", "1", "--hidden", "8", "--out", str(tmp_path / "runs")]
    command = [sys.executable, "-m", "ed_core.cli", "train", "vae", *options]
    subprocess.run(command, check=True, capture_output=True)
    window = open_window(next((tmp_path / "runs").iterdir()))
    panel = code_editor.latent(window)
    qtbot.waitUntil(lambda: len(code_editor.picture(panel)) > 0)
    assert code_editor.picture(panel).shape == (1, 32, 32, 1)
    before = code_editor.picture(panel).copy()
    code_editor.drag(panel, QPoint(70, 50))
    qtbot.waitUntil(lambda: not np.array_equal(code_editor.picture(panel), before))
    step = int(window.session.growth.steps[-1])
    assert panel.editor.weights.text() == f"decoded with checkpoint {step}"
    qtbot.waitUntil(lambda: len(panel.interpolation.row.outputs) == 8)


def test_a_decoder_that_was_never_started_stops(tmp_path: Path) -> None:
    DecoderClient(tmp_path).stop()
