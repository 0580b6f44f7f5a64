import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtWidgets import QApplication, QLabel
from support import patience
from support.viewer import PatientBot

from ed_core.cli import main
from ed_core.recording import RecordingWriter, RunFolder
from ed_viewer.app import show_on_screen
from ed_viewer.compare.feature import CompareFeature
from ed_viewer.reading.messages import Frame
from ed_viewer.session.cursor import Playback
from ed_viewer.stage.page import TABS
from ed_viewer.style.palette import DARK, LIGHT
from ed_viewer.testing import Example
from ed_viewer.window.key_sheet import KeySheet
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]


def drawn(qtbot: PatientBot, window: Window, frame: int) -> None:
    """Wait until a frame has been drawn, not only asked for."""
    seen: list[Frame] = []
    window.session.drawn.connect(seen.append)
    window.session._ask()
    qtbot.waitUntil(lambda: any(f.request.frame == frame for f in seen))


def opened(qtbot: PatientBot, window: Window, frames: int = 8) -> None:
    qtbot.waitUntil(lambda: window.session.cursor.count == frames)
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    drawn(qtbot, window, window.session.cursor.frame)
    qtbot.waitUntil(lambda: window.curves.whole)
    assert window.isActiveWindow()  # a widget shown before it has a parent is a window, and wins


def ink(window: Window) -> np.ndarray:
    picture = window.stage.grab().toImage()
    return np.frombuffer(picture.constBits(), np.uint8).copy()


def test_the_first_window_has_room_on_its_screen(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    """Without it the status line, at its bottom, would say what nobody sees."""
    window = open_window(finished)
    room = window.screen().availableGeometry()
    window.hide()
    window.resize(room.width(), room.height())
    show_on_screen(window)
    assert window.isMaximized()
    window.showNormal()
    window.hide()
    window.resize(700, 500)
    show_on_screen(window)
    assert not window.isMaximized()


def test_after_full_screen_a_window_that_filled_the_screen_fills_it_again(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    window.showMaximized()
    for full in (True, False):
        qtbot.keyClick(window, Qt.Key.Key_F11)
        assert window.isFullScreen() == full
    assert window.isMaximized()


def test_an_empty_folder_is_one_for_runs_to_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, str]] = []
    monkeypatch.setattr(
        "ed_viewer.app.main", lambda runs, *, root, **more: asked.append((runs, root)) or 0
    )
    module = import_module("ed_core.cli.view")  # the package has the command by this name
    monkeypatch.setattr(module, "missing_window_part", lambda: "")
    assert main(["view", str(tmp_path)]) == 0
    (tmp_path / "notes.txt").touch()
    assert main(["view", str(tmp_path)]) == 0
    assert asked == [((), str(tmp_path)), ((str(tmp_path),), "runs")]


def test_a_finished_run_opens_paused_at_its_last_frame(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    cursor = window.session.cursor
    assert (cursor.frame, cursor.playback) == (7, Playback.PAUSED)
    tabs = [window.stage.tabText(i) for i in range(window.stage.count())]
    assert tabs == ["Overview", *TABS, "Gradients"]
    assert window.status.text.startswith("finished")
    assert window.banner.isHidden()


def test_without_a_path_the_newest_run_of_the_folder_opens(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(root=finished.parent)
    opened(qtbot, window)
    assert window.session.path == finished
    assert window.runs.count() == 1


def test_a_run_by_another_path_is_the_same_run(
    qtbot: PatientBot, open_window: Open, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished.parent)
    window = open_window(Path(finished.name))
    opened(qtbot, window)
    assert window.session.path == finished
    qtbot.waitUntil(lambda: window.runs.paths == [finished])
    window.session.scrub(2)
    for path in (finished, Path(finished.name), finished.parent / ".." / "runs" / finished.name):
        window.open(path)
        assert window.session.run is not None
        assert window.session.cursor.frame == 2
    window.findChild(CompareFeature).choose(Path(finished.name))
    assert window.findChild(CompareFeature).pair is None


def test_without_any_run_the_window_says_what_to_do_and_opens_the_first_that_comes(
    qtbot: PatientBot, open_window: Open, tmp_path: Path, example: Example
) -> None:
    window = open_window(root=tmp_path / "runs")
    qtbot.rest(50)
    assert window.welcome.isVisible()
    folder = RunFolder.create(tmp_path / "runs", "late")
    folder.write({"status": "finished"})
    with RecordingWriter(folder.recording, example.header(), example.reference) as writer:
        example.append(writer, 0)
    opened(qtbot, window, 1)
    assert window.stage.isVisible()


def test_a_live_run_is_followed_and_stays_where_it_was_scrubbed_to(
    qtbot: PatientBot, open_window: Open, tmp_path: Path, example: Example
) -> None:
    folder = RunFolder.create(tmp_path / "runs", "live")
    folder.write({"status": "training"})
    with folder.hold():
        writer = RecordingWriter(folder.recording, example.header(), example.reference)
        window = open_window(folder.path)
        cursor = window.session.cursor
        qtbot.waitUntil(lambda: window.session.growth is not None)
        assert window.welcome.isVisible()
        for number in range(3):
            example.append(writer, number)
        qtbot.waitUntil(lambda: window.session.cursor.frame == 2)
        cursor = window.session.cursor
        assert cursor.playback is Playback.FOLLOWING
        assert window.transport.live.isChecked()
        assert "last frame" in window.status.text
        qtbot.keyClick(window, Qt.Key.Key_Left)
        example.append(writer, 3)
        qtbot.waitUntil(lambda: cursor.count == 4)
        assert (cursor.frame, cursor.playback) == (1, Playback.PAUSED)
        qtbot.mouseClick(window.transport.live, Qt.MouseButton.LeftButton)
        assert (cursor.frame, cursor.playback) == (3, Playback.FOLLOWING)
        example.append(writer, 4)
        qtbot.waitUntil(lambda: cursor.frame == 4)
        drawn(qtbot, window, 4)
        writer.close()
    folder.update(status="finished")
    qtbot.waitUntil(lambda: not cursor.live)
    assert cursor.playback is Playback.PAUSED


def test_the_keys(qtbot: PatientBot, open_window: Open, finished: Path) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    cursor = window.session.cursor
    qtbot.keyClick(window, Qt.Key.Key_Home)
    assert cursor.frame == 0
    qtbot.keyClick(window, Qt.Key.Key_Right)
    assert cursor.frame == 1
    qtbot.keyClick(window, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert cursor.frame == 7
    qtbot.keyClick(window, Qt.Key.Key_Left)
    assert cursor.frame == 6
    qtbot.keyClick(window, Qt.Key.Key_End)
    assert (cursor.frame, cursor.playback) == (7, Playback.PAUSED)
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert (cursor.frame, cursor.playback) == (0, Playback.PLAYING)
    qtbot.waitUntil(lambda: cursor.playback is Playback.PAUSED)
    assert cursor.frame == 7
    qtbot.keyClick(window, Qt.Key.Key_3)
    assert window.stage.tabText(window.stage.currentIndex()) == "Activations"
    qtbot.keyClick(window, Qt.Key.Key_F)
    assert not window.runs.isVisible()
    assert window.timeline.isVisible()
    qtbot.keyClick(window, Qt.Key.Key_F)
    assert window.runs.isVisible()


def test_the_sheet_of_keys_lists_every_command(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    qtbot.keyClick(window, Qt.Key.Key_F1)
    sheets = window.findChildren(KeySheet)
    assert len(sheets) == 1
    words = {label.text() for label in sheets[0].findChildren(QLabel)}
    assert {action.whatsThis() or action.text() for action in window.commands} <= words
    sheets[0].close()


def test_no_key_has_two_meanings(open_window: Open, finished: Path) -> None:
    window = open_window(finished)
    assert set(window.commands) == set(window.actions())
    keys = [keys.toString() for action in window.commands for keys in action.shortcuts()]
    assert len(keys) == len(set(keys))
    assert all(action.shortcuts() for action in window.commands)


def test_the_mouse_scrubs_on_the_timeline(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    timeline = window.timeline
    at = [QPoint(round(timeline.x_of(frame)), timeline.height() - 12) for frame in (2, 5)]
    qtbot.mousePress(timeline, Qt.MouseButton.LeftButton, pos=at[0])
    assert window.session.cursor.frame == 2
    qtbot.mouseMove(timeline, at[1])
    qtbot.mouseRelease(timeline, Qt.MouseButton.LeftButton, pos=at[1])
    drawn(qtbot, window, window.session.cursor.frame)
    assert window.session.cursor.playback is Playback.PAUSED


def test_a_cursor_line_in_the_curves_scrubs(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    assert list(window.curves.plots) == ["loss", "image_loss", "kl_loss", "label_accuracy"]
    window.curves.plots["loss"].scrubbed.emit(float(window.session.growth.steps[3]) + 1)
    assert window.session.cursor.frame == 3


@pytest.mark.parametrize("tab", range(9))
def test_every_panel_draws_the_first_and_the_last_frame(
    qtbot: PatientBot, open_window: Open, finished: Path, tab: int
) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    window.stage.setCurrentIndex(tab)
    hosts = window.stage._page().hosts
    qtbot.waitUntil(lambda: all(host.is_made for host in hosts))
    drawn(qtbot, window, 7)
    last = ink(window)
    window.session.scrub(0)
    drawn(qtbot, window, 0)
    assert (ink(window) != last).any()
    for host in hosts:
        assert host.on_show is host.panel


def test_the_theme_changes_every_colour(
    qtbot: PatientBot, open_window: Open, finished: Path, uncover: Callable[[Window], None]
) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    qtbot.waitUntil(lambda: window.curves.whole and window.stage.drawn() == {7})
    assert window.theme.palette is LIGHT
    qtbot.keyClick(window, Qt.Key.Key_T)
    assert window.theme.palette is DARK
    QApplication.processEvents()  # Qt hands a palette on by an event
    uncover(window)
    picture = window.grab().toImage()
    light = [
        picture.pixelColor(x, y).lightness() > 200
        for x in range(0, picture.width(), 7)
        for y in range(0, picture.height(), 7)
    ]
    assert np.mean(light) < 0.1


def test_the_window_fits_a_projector(qtbot: PatientBot, open_window: Open, finished: Path) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    window.resize(QSize(1280, 720))
    qtbot.waitUntil(lambda: window.size() == QSize(1280, 720))
    for panel in window.stage.panels:
        assert panel.width() >= 160
        assert panel.height() >= 120
    assert window.timeline.mapTo(window, QPoint(0, window.timeline.height())).y() <= 720


def test_another_run_takes_the_place_of_the_first(
    qtbot: PatientBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    from ed_viewer.testing import write_example

    other = write_example(tmp_path / "more", Example(latent=10, samples=60, frames=3), frames=3)
    window = open_window(finished, other)
    opened(qtbot, window)
    curves: list[int] = []
    window.session.described.connect(lambda _: curves.append(len(window.curves.plots)))
    window.runs.chosen.emit(other)
    opened(qtbot, window, 3)
    assert window.session.path == other
    assert curves == [0]  # those of the first run are gone before the second is known
    qtbot.waitUntil(lambda: len(window.curves.plots) > 0)
    window.stage.setCurrentIndex(3)
    codes = window.stage.panels[0]
    drawn(qtbot, window, 2)
    assert codes.axes.titles == ("PC 1", "PC 2")


def test_the_curves_are_drawn_in_a_turn_of_their_own(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    plot = window.curves.plots["loss"]
    qtbot.waitUntil(lambda: plot.value != "")
    before, while_drawn = plot.value, []
    window.session.drawn.connect(lambda _: while_drawn.append(plot.value))
    window.session.scrub(2)
    qtbot.waitUntil(lambda: plot.value != before)
    assert while_drawn == [before]


def test_what_is_drawn_in_time_is_never_called_late(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    window.session.scrub(2)
    assert window.transport._late.isActive()
    qtbot.waitUntil(lambda: window.session.settled)
    assert not window.transport._late.isActive()
    assert window.transport.more.text() == "frame 3 of 8"


def test_fast_scrubbing_ends_on_the_frame_asked_for_last(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    seen: list[Frame] = []
    window.session.drawn.connect(seen.append)
    for turn in range(60):
        window.session.scrub(turn % 8)
        QApplication.processEvents()
    window.session.scrub(3)
    qtbot.waitUntil(lambda: bool(seen) and seen[-1].request.frame == 3)
    numbers = [frame.request.number for frame in seen]
    assert numbers == sorted(numbers)
    assert len(seen) < 60  # most requests were replaced before they were read


def test_closing_ends_the_thread_at_once(open_window: Open, finished: Path) -> None:
    window = open_window(finished)
    started = time.monotonic()
    window.close()
    assert window.reader.wait(patience.MILLISECONDS)
    assert time.monotonic() - started < 20


def test_half_a_screen_has_a_timeline_that_can_be_used(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    transport, timeline = window.transport, window.timeline
    buttons = transport.buttons
    for width, lecture, few in ((720, False, True), (1280, True, False), (720, True, True)):
        window.resize(QSize(width, 900))
        window.set_full(lecture)
        qtbot.waitUntil(lambda w=width: window.width() == w)
        qtbot.waitUntil(lambda few=few: buttons["first"].isHidden() == few)
        qtbot.waitUntil(lambda: timeline.width() >= 160)
        assert buttons["play"].isVisible()
        assert transport.speed.isVisible()
