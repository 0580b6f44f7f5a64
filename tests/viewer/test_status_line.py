import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from ed_core.recording import Header, RecordingWriter, RunFolder
from ed_viewer.example import Example
from ed_viewer.status_line import StatusLine
from ed_viewer.theme import Theme
from ed_viewer.widgets.tiles import Tiles
from ed_viewer.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]


class Dropping(Example):
    """Says that it dropped a frame for every one it kept."""

    def header(self, run=None) -> Header:  # type: ignore[no-untyped-def]
        made = super().header(run)
        return Header(made.run, made.fields, made.probes, (*made.scalars, "dropped_frames"))

    def scalars(self, number: int) -> dict[str, float]:
        return {**super().scalars(number), "dropped_frames": float(number)}


def test_a_live_run_tells_state_age_lag_and_dropped_frames(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    example = Dropping(samples=60, frames=8)
    folder = RunFolder.create(tmp_path / "runs", "live")
    folder.write({"status": "training"})
    with (
        folder.hold(),
        RecordingWriter(folder.recording, example.header(), example.reference) as writer,
    ):
        example.append(writer, 0)
        window = open_window(folder.path)
        qtbot.waitUntil(lambda: window.session.cursor.frame == 0, timeout=30_000)
        for number in range(1, 6):
            example.append(writer, number)
            wanted = number
            qtbot.waitUntil(lambda: window.session.cursor.frame == wanted, timeout=15_000)  # noqa: B023
            qtbot.wait(60)
        qtbot.waitUntil(lambda: "lag" in window.status.text, timeout=15_000)
        window.status.show_growth(window.session.growth)  # as every 0.2 s: the lag may be newer
        state, age, frames, lag, dropped = window.status.text.split(" · ")
        assert (state, frames, dropped) == ("live", "6 frames", "5 dropped")
        assert age.startswith("last frame ")
        assert window.status.lag is not None
        # A frame is looked for every 15 ms and drawn every 33 ms at most; a busy machine is slower.
        assert 0 < window.status.lag < 5
        assert lag == f"lag {window.status.lag * 1000:.0f} ms"
        assert "dropped_frames" not in window.curves.plots


def test_the_lag_grows_with_what_holds_a_frame_up(
    qtbot: QtBot, open_window: Open, tmp_path: Path, example: Example
) -> None:
    folder = RunFolder.create(tmp_path / "runs", "live")
    folder.write({"status": "training"})
    with (
        folder.hold(),
        RecordingWriter(folder.recording, example.header(), example.reference) as writer,
    ):
        example.append(writer, 0)
        window = open_window(folder.path)
        qtbot.waitUntil(lambda: window.session.cursor.frame == 0, timeout=30_000)
        qtbot.wait(100)
        thread = threading.Thread(target=example.append, args=(writer, 1))
        thread.start()
        thread.join()
        time.sleep(0.5)  # the window is held up
        qtbot.waitUntil(lambda: window.status.lag is not None, timeout=15_000)
        assert window.status.lag is not None
        assert window.status.lag > 0.45


def test_a_run_that_said_nothing_of_dropped_frames_and_is_finished(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: window.session.cursor.count == 8, timeout=30_000)
    assert window.status.text == "finished · 8 frames"


def test_a_recording_of_version_1_is_said_to_have_no_checksums(
    qtbot: QtBot, open_window: Open
) -> None:
    window = open_window(Path(__file__).parents[1] / "legacy" / "vae")
    qtbot.waitUntil(lambda: window.status.text.endswith("recorded without checksums"))


def test_the_value_under_the_mouse(qtbot: QtBot, open_window: Open, finished: Path) -> None:
    from PySide6.QtCore import QPoint

    window = open_window(finished)
    qtbot.waitUntil(lambda: bool(window.stage.panels), timeout=30_000)
    qtbot.wait(100)
    tiles = window.stage.panels[0].findChildren(Tiles)[0]
    cell = tiles._layout.cell(0, 2)
    qtbot.mouseMove(tiles, QPoint(cell.center()))
    assert window.status._value.text.startswith("input · two · (")
    said = window.status._value.text.rpartition("= ")[2]
    value = float(said.replace("\N{MINUS SIGN}", "-"))
    image = np.asarray(window.session.run.reference["image"][2])
    assert np.abs(image - value).min() < 1e-3


def test_a_long_message_ends_in_dots_and_its_tool_tip_has_all(qtbot: QtBot, theme: Theme) -> None:
    line = StatusLine(theme)
    qtbot.addWidget(line)
    line.resize(400, 30)
    line.show()
    said = "x.png could not be exported to " + "/a folder of a long name" * 9 + ": No space left"
    line.show_message(said)
    assert line.message == said
    assert line._message.shown.endswith("…")
    assert said in line._message.toolTip()
