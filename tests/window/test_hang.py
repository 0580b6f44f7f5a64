"""A disk that hangs, and viewers that hang: neither stops the window nor the trainer."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from support import patience

from ed_core.recording import Recording
from ed_viewer.reading.tail import Tail
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]

CLOSES_ON_A_HANGING_DISK = """
import sys, time
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from ed_viewer import app
from ed_viewer.new_run.log import LogTail, TrainingLog
from ed_viewer.reading import tail

application = QApplication([])
if sys.argv[1] == "recording":
    tail.Tail.poll = lambda self: time.sleep(600)
else:
    LogTail._read = lambda self, path, at: time.sleep(600)
    windows = QApplication.topLevelWidgets
    parts = lambda: [p for w in windows() if hasattr(w, "parts") for p in w.parts]
    QTimer.singleShot(100, lambda: [p.toggle() for p in parts() if type(p) is TrainingLog])
QTimer.singleShot(500, lambda: [w.close() for w in QApplication.topLevelWidgets()])
sys.exit(app.main(sys.argv[2:]))
"""

WRITES_FRAMES = """
import sys, time
from pathlib import Path
from ed_core.recording import RecordingWriter, RunFolder
from ed_viewer.testing import Example

example, run = Example(samples=20, frames=40), RunFolder(Path(sys.argv[1]))
run.path.mkdir()
run.recording.mkdir()
run.write({"status": "training"})
with run.hold(), RecordingWriter(run.recording, example.header(), example.reference) as writer:
    for number in range(int(sys.argv[2])):
        example.append(writer, number)
        time.sleep(0.05)
run.update(status="finished")
"""


def test_the_window_lives_on_while_a_read_hangs(
    qtbot: QtBot, open_window: Open, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_window(finished)
    # Before the run is known nothing is asked for, and that is settled too.
    qtbot.waitUntil(lambda: window.stage.drawn() == {7})
    goes_on, read = threading.Event(), Tail.read

    def hang(self: Tail, request: object) -> object:
        goes_on.wait(2 * patience.SECONDS)
        return read(self, request)

    monkeypatch.setattr(Tail, "read", hang)
    try:
        window.session.scrub(2)
        more = window.transport.more
        qtbot.waitUntil(lambda: more.text() == "showing step 350")
        dark = window.theme.palette.name
        qtbot.keyClick(window, Qt.Key.Key_T)
        assert window.theme.palette.name != dark
        qtbot.keyClick(window, Qt.Key.Key_2)
        assert window.stage.currentIndex() == 1
    finally:
        goes_on.set()
    with qtbot.waitSignal(window.session.drawn):
        window.session.scrub(1)
    qtbot.waitUntil(lambda: more.text() == "frame 2 of 8")


def test_a_tab_says_what_it_still_shows_while_a_read_hangs(
    qtbot: QtBot,
    compare_runs: Callable[[Path, Path], Any],
    finished: Path,
    shorter: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pair = compare_runs(finished, shorter)
    stage, more = pair.window.stage, pair.window.transport.more
    stage.setCurrentIndex(1)
    pair.window.session.scrub(2)
    pair.settle()
    assert (pair.where("A"), pair.where("B")) == ("step 100 · epoch 0.50",) * 2
    goes_on, read = threading.Event(), Tail.read

    def hang(self: Tail, request: object) -> object:
        goes_on.wait(2 * patience.SECONDS)
        return read(self, request)

    monkeypatch.setattr(Tail, "read", hang)
    try:
        stage.setCurrentIndex(0)
        assert pair.where("A") == "step 350 · epoch 1.75"
        assert pair.where("B") == "step 200 · epoch 1.00 · last frame"
        qtbot.waitUntil(lambda: more.text() == "showing step 350")
        stage.setCurrentIndex(1)
        assert more.text() == "frame 3 of 8"
        assert pair.where("A") == "step 100 · epoch 0.50"
        stage.setCurrentIndex(0)
    finally:
        goes_on.set()
    pair.settle()
    qtbot.waitUntil(lambda: more.text() == "frame 3 of 8")
    assert (pair.where("A"), pair.where("B")) == ("step 100 · epoch 0.50",) * 2


@pytest.mark.parametrize("what", ["recording", "log"])
def test_a_window_on_a_hanging_disk_can_be_closed(finished: Path, what: str) -> None:
    command = [sys.executable, "-c", CLOSES_ON_A_HANGING_DISK, what, str(finished)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience.SECONDS)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


def test_viewers_that_are_killed_stopped_and_closed_change_nothing(
    tmp_path: Path, long: bool
) -> None:
    frames, viewers = (400, 10) if long else (80, 3)
    alone, watched = tmp_path / "alone", tmp_path / "watched"
    first, writer = _writer(alone, frames), _writer(watched, frames)
    opened: list[subprocess.Popen[bytes]] = []
    try:
        while writer.poll() is None:
            opened += [_viewer(watched) for _ in range(viewers)]
            time.sleep(1.5)
            for number, viewer in enumerate(opened):
                viewer.send_signal((signal.SIGKILL, signal.SIGSTOP, signal.SIGINT)[number % 3])
            if not long:
                break
        assert writer.wait(patience.SECONDS) == first.wait(patience.SECONDS) == 0
    finally:
        for process in (*opened, first, writer):
            process.kill()
            process.wait()
    with Recording(alone) as one, Recording(watched) as other:
        assert other.state == one.state == "finished"
        assert len(other) == len(one) == frames
        assert one.header is not None
        for probe in one.header.probes:
            for frame in range(frames):
                same, seen = (r.read(probe.name, frame) for r in (one, other))
                assert all(np.array_equal(same[name], seen[name]) for name in same)
    assert _size(alone) == _size(watched)


def _writer(run: Path, frames: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WRITES_FRAMES, str(run), str(frames)])


def _viewer(run: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ed_viewer", str(run)]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, env=dict(os.environ))


def _size(run: Path) -> int:
    return (run / "recording" / "0000.h5").stat().st_size
