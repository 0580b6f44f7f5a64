"""The session between the reader's thread and the window."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from ed_core.recording import RecordingWriter, RunFolder
from ed_viewer.reading.messages import RunProgress
from ed_viewer.testing import Example
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer


def test_of_all_growth_that_waits_the_newest_alone_is_shown(
    qtbot: QtBot, open_window: Callable[..., Window], finished: Path
) -> None:
    """A window that got no processor for a while does not work off what it has missed."""
    window = open_window(finished)
    session = window.session
    qtbot.waitUntil(lambda: session.growth is not None)
    assert session.growth is not None
    shown: list[int] = []
    session.grew.connect(lambda growth: shown.append(len(growth.steps)))

    def longer(frames: int) -> RunProgress:
        assert session.growth is not None
        when = np.arange(frames)
        return replace(session.growth, steps=when, epochs=when / 4, seconds=when / 2)

    missed = [longer(frames) for frames in range(100, 400)]
    for growth in missed:
        window.reader.grew.emit(growth)
    qtbot.waitUntil(lambda: session.growth is missed[-1])
    assert shown == [399]
    assert session.cursor.count == 399


def test_a_window_that_does_not_listen_is_told_little(
    qtbot: QtBot, open_window: Callable[..., Window], tmp_path: Path, example: Example
) -> None:
    """What waits in its queue would fill the memory: each growth holds the steps of all frames."""
    run = RunFolder.create(tmp_path / "runs", "live")
    run.write({"status": "training"})
    with run.hold(), RecordingWriter(run.recording, example.header(), example.reference) as writer:
        example.append(writer, 0)
        window = open_window(run.path)
        qtbot.waitUntil(lambda: window.session.cursor.count == 1)
        told: list[RunProgress] = []
        window.reader.grew.connect(told.append, Qt.ConnectionType.DirectConnection)
        for number in range(1, 15):
            example.append(writer, number)
            time.sleep(0.1)  # without a turn of the event loop
        assert 1 <= len(told) <= 2
        qtbot.waitUntil(lambda: window.session.cursor.count == 15)
        window.close()


def test_what_is_described_again_is_drawn_again(
    qtbot: QtBot, open_window: Callable[..., Window], finished: Path
) -> None:
    """A run goes on in a new segment while an answer waits to be drawn: it is not the last one."""
    window = open_window(finished)
    session, drawn = window.session, []
    session.drawn.connect(lambda frame: drawn.append(frame.request.frame))
    qtbot.waitUntil(lambda: bool(drawn) and session.settled)

    session._requests._drawn_at = time.monotonic() + 1.0  # the next drawing has to wait for so long
    session.scrub(1)
    qtbot.waitUntil(lambda: session._requests._waiting is not None)
    assert session.run is not None
    session._on_described(session.run)
    qtbot.waitUntil(lambda: session.settled and drawn[-1] == 1)
