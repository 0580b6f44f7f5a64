from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ed_viewer.session.cursor import Playback
from ed_viewer.style.palette import DARK, LIGHT
from ed_viewer.window.view_history import ViewHistory
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]
CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


def opened(qtbot: QtBot, window: Window) -> ViewHistory:
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    qtbot.waitUntil(lambda: window.session.cursor.count == 8)
    QApplication.processEvents()
    return window.findChild(ViewHistory)


def undo(qtbot: QtBot, window: Window) -> None:
    qtbot.keyClick(window, Qt.Key.Key_Z, CONTROL)


def redo(qtbot: QtBot, window: Window) -> None:
    qtbot.keyClick(window, Qt.Key.Key_Z, CONTROL | SHIFT)


def test_nothing_is_to_undo_at_first(qtbot: QtBot, open_window: Open, finished: Path) -> None:
    window = open_window(finished)
    history = opened(qtbot, window)
    assert history.stack.count() == 0
    undo(qtbot, window)
    assert window.status.message == "Nothing to undo"


def test_jumps_of_the_cursor_are_one_change(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    history = opened(qtbot, window)
    for frame in (6, 5, 2):
        window.session.scrub(frame)
    assert history.stack.count() == 1
    undo(qtbot, window)
    assert window.session.cursor.frame == 7
    assert window.status.message == "Undone: jump of the cursor"
    redo(qtbot, window)
    assert window.session.cursor.frame == 2


def test_playing_is_one_change_from_where_it_began_to_where_it_ended(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    history = opened(qtbot, window)
    window.session.set_speed(60)
    window.session.scrub(1)
    history.stack.clear()
    window.session.toggle()
    qtbot.waitUntil(lambda: window.session.cursor.playback is Playback.PAUSED)
    assert history.stack.count() == 1
    undo(qtbot, window)
    assert window.session.cursor.frame == 1


def test_tab_theme_lecture_and_layout_come_back_in_turn(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    history = opened(qtbot, window)
    qtbot.keyClick(window, Qt.Key.Key_3)
    qtbot.keyClick(window, Qt.Key.Key_T)
    qtbot.keyClick(window, Qt.Key.Key_F)
    QApplication.processEvents()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    qtbot.wait(20)
    curves = window.docks["curves"]
    window.addDockWidget(Qt.DockWidgetArea.TopDockWidgetArea, curves)
    qtbot.waitUntil(lambda: history.stack.count() == 5)
    undo(qtbot, window)
    assert window.dockWidgetArea(curves) == Qt.DockWidgetArea.BottomDockWidgetArea
    undo(qtbot, window)
    assert window.full
    undo(qtbot, window)
    assert not window.full
    assert window.theme.palette is DARK
    undo(qtbot, window)
    assert window.theme.palette is LIGHT
    undo(qtbot, window)
    assert window.stage.currentIndex() == 0
    qtbot.wait(20)  # nothing of this was noted as new
    assert [history.stack.index(), history.stack.count()] == [0, 5]
    for _ in range(5):
        redo(qtbot, window)
    assert window.dockWidgetArea(curves) == Qt.DockWidgetArea.TopDockWidgetArea
    assert window.stage.currentIndex() == 2


def test_another_run_begins_a_new_history(
    qtbot: QtBot, open_window: Open, finished: Path, shorter: Path
) -> None:
    window = open_window(finished)
    history = opened(qtbot, window)
    window.session.scrub(2)
    assert history.stack.count() == 1
    window.open(shorter)
    qtbot.waitUntil(lambda: window.session.cursor.count == 5)
    assert history.stack.count() == 0


def test_the_zoom_and_the_logarithmic_curves_come_back(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    timeline, log = window.timeline, window.curves.log
    whole = timeline.view
    for _ in range(3):
        qtbot.keyClick(window, Qt.Key.Key_Plus)
    near = timeline.view
    qtbot.keyClick(window, Qt.Key.Key_L)
    assert near != whole
    assert log.isChecked()
    undo(qtbot, window)
    assert not log.isChecked()
    assert timeline.view == near
    undo(qtbot, window)
    assert timeline.view == whole
    redo(qtbot, window)
    redo(qtbot, window)
    assert timeline.view == near
    assert log.isChecked()
