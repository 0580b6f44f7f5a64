import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from ed_core.recording import Event, Header, RecordingWriter, RunFolder
from ed_viewer.reading.messages import RunProgress
from ed_viewer.style.theme import Theme
from ed_viewer.testing import Example
from ed_viewer.widgets.tiles.tiles import Tiles
from ed_viewer.window.status_bar import StatusLine, progress
from ed_viewer.window.window import Window

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
        qtbot.waitUntil(lambda: window.session.cursor.frame == 0)
        for number in range(1, 6):
            example.append(writer, number)
            wanted = number
            qtbot.waitUntil(lambda: window.session.cursor.frame == wanted)  # noqa: B023
            qtbot.wait(60)
        qtbot.waitUntil(lambda: "lag" in window.status.text)
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
        qtbot.waitUntil(lambda: window.session.cursor.frame == 0)
        qtbot.wait(100)
        thread = threading.Thread(target=example.append, args=(writer, 1))
        thread.start()
        thread.join()
        time.sleep(0.5)  # the window is held up
        qtbot.waitUntil(lambda: window.status.lag is not None)
        assert window.status.lag is not None
        assert window.status.lag > 0.45


def test_a_run_that_said_nothing_of_dropped_frames_and_is_finished(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: window.session.cursor.count == 8)
    assert window.status.text == "finished · 8 frames"


def test_a_recording_of_version_1_is_said_to_have_no_checksums(
    qtbot: QtBot, open_window: Open
) -> None:
    window = open_window(Path(__file__).parents[2] / "legacy" / "vae")
    qtbot.waitUntil(lambda: window.status.text.endswith("recorded without checksums"))


def test_the_value_under_the_mouse(qtbot: QtBot, open_window: Open, finished: Path) -> None:
    from PySide6.QtCore import QPoint

    window = open_window(finished)
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    tiles = window.stage.panels[0].findChildren(Tiles)[0]
    qtbot.waitUntil(lambda: tiles.grid.rows > 0)
    cell = tiles.grid.cell(0, 2)
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


def test_a_message_has_the_room_of_a_value_that_is_not_there(qtbot: QtBot, theme: Theme) -> None:
    line = StatusLine(theme)
    qtbot.addWidget(line)
    said = "Click a cell to see its samples; arrow keys: next; Esc: back"
    line.resize(line.fontMetrics().horizontalAdvance(f"no run{said}") + 80, 30)
    line.show()
    line.show_growth(None)
    line.show_message(said)
    qtbot.waitUntil(lambda: line._message.shown == said)
    line.show_value("true tops · predicted tops")
    qtbot.waitUntil(lambda: line._value.width() > 100)


def live(steps: int = 60, paused: bool = False) -> RunProgress:
    """A training of 2 steps a second, 100 steps an epoch."""
    rows = np.arange(steps + 1, dtype=float)
    table = {"step": rows, "epoch": rows / 100, "seconds": rows / 2}
    events = (Event(steps, 0.0, 0.0, "pause", ""),) if paused else ()
    none = np.empty(0)
    return RunProgress(1, none, none, none, {}, "live", "", 0.0, events, curves=table)


@pytest.mark.parametrize(
    ("growth", "info", "said"),
    [
        (
            live(),
            {"epochs": 2, "batch_size": 32},
            "epoch 0.6 of 2 · 30 % · 64 samples/s · 70 s left",
        ),
        (live(), {"epochs": 2}, "epoch 0.6 of 2 · 30 % · 2 steps/s · 70 s left"),
        (live(paused=True), {"epochs": 2, "batch_size": 32}, "epoch 0.6 of 2 · 30 %"),
        (live(0), {"epochs": 2, "batch_size": 32}, "epoch 0.0 of 2 · 0 %"),
        (live(), {}, ""),
    ],
)
def test_how_far_a_live_run_has_come(
    qtbot: QtBot, theme: Theme, growth: RunProgress, info: dict[str, int], said: str
) -> None:
    line = StatusLine(theme)
    qtbot.addWidget(line)
    line.show_growth(growth, progress(growth, None, info))
    state = "paused" if growth.paused else "live"
    assert line.text == " · ".join(part for part in (state, said, "0 frames") if part)


def test_a_failed_run_says_why(qtbot: QtBot, open_window: Open, finished: Path) -> None:
    RunFolder(finished).update(status="failed", problem="the loss is nan after step 6")
    window = open_window(finished)
    said = "failed: the loss is nan after step 6 · 8 frames"
    qtbot.waitUntil(lambda: window.status._state.shown == said)


def test_a_message_goes_after_a_while_and_a_hint_with_the_mouse(qtbot: QtBot, theme: Theme) -> None:
    line = StatusLine(theme)
    qtbot.addWidget(line)
    assert line._forget.interval() == 15_000
    line._forget.setInterval(50)
    line.show_message("x.png is written")
    line.show_hint("Click a cell")
    assert line.message == "x.png is written"
    qtbot.waitUntil(lambda: line.message == "Click a cell")
    line.show_hint("")
    assert line.message == ""


def test_the_run_is_named_where_neither_list_nor_frame_does(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: window.session.cursor.count == 8)
    assert not window.status._name.isVisible()
    qtbot.keyClick(window, "f")
    assert window.status._name.isVisible()
    assert window.status._name.shown.startswith("conv_vae-example · ")
    qtbot.keyClick(window, "f")
    assert not window.status._name.isVisible()
    window.setWindowState(Qt.WindowState.WindowFullScreen)
    qtbot.waitUntil(window.status._name.isVisible)


def test_what_the_mouse_does_on_data_stands_in_the_status_line(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    """A tool tip would cover the data."""
    window = open_window(finished)
    qtbot.waitUntil(lambda: window.session.cursor.count == 8)
    for tab in range(window.stage.count()):
        window.stage.setCurrentIndex(tab)
        window.stage.complete()
        data = [w for p in window.stage.panels for w in p.findChildren(QWidget) if w.statusTip()]
        told = [w for w in window.stage.findChildren(QWidget) if hasattr(w, "tells_values")]
        assert not [w for w in told if w.toolTip()]
        for widget in data:
            QApplication.sendEvent(widget, QEvent(QEvent.Type.Enter))
            assert window.status.message == widget.statusTip()
            QApplication.sendEvent(widget, QEvent(QEvent.Type.Leave))
            assert window.status.message == ""
