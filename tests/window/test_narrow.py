"""Two runs in a window of 1280 x 720: nothing is cut, nothing is out of reach."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QMenu,
    QScrollArea,
    QWidget,
)
from support.viewer import PatientBot

from ed_viewer.session.alignment import Alignment
from ed_viewer.stage.page import TABS
from ed_viewer.steering.feature import SteerFeature
from ed_viewer.widgets.tabs import fitted
from ed_viewer.window.key_sheet import KeySheet
from ed_viewer.window.tool_bar import ViewToolsFeature
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Pairs = Callable[[Path, Path], Any]
SMALL = QSize(1280, 720)


def narrow(qtbot: PatientBot, compare_runs: Pairs, ours: Path, theirs: Path) -> Any:
    pair = compare_runs(ours, theirs)
    pair.window.resize(SMALL)
    qtbot.waitUntil(lambda: pair.window.size() == SMALL)
    pair.settle()
    qtbot.rest(50)
    return pair


def place(widget: QWidget, outer: QWidget) -> QRect:
    return QRect(widget.mapTo(outer, widget.rect().topLeft()), widget.size())


def filled(menu: QMenu) -> list[QAction]:
    """Return the entries of a menu as it opens."""
    menu.aboutToShow.emit()
    return [action for action in menu.actions() if not action.isSeparator()]


def test_all_tabs_can_be_seen_and_opened(
    qtbot: PatientBot, compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    pair = narrow(qtbot, compare_runs, finished, shorter)
    stage = pair.window.stage
    bar, corner = stage.tabBar(), stage.cornerWidget()
    assert stage.count() == 9
    assert not [b for b in bar.findChildren(QAbstractButton) if b.isVisible()]
    for tab in range(stage.count()):
        assert bar.rect().contains(bar.tabRect(tab))
        words, shown = bar._words(tab)
        assert shown == words
        assert not bar.tabToolTip(tab)
        qtbot.keyClick(pair.window, str(tab + 1))
        assert stage.currentIndex() == tab
    assert not place(bar, stage).intersects(place(corner, stage))
    for tool in corner.findChildren(QAbstractButton):
        if tool.isVisible():
            assert corner.rect().contains(place(tool, corner))
            assert tool.width() >= tool.minimumSizeHint().width()


def test_a_title_without_room_is_a_tool_tip(
    qtbot: PatientBot, compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    pair = compare_runs(finished, shorter)
    bar = pair.window.stage.tabBar()
    pair.window.resize(QSize(1120, 720))
    qtbot.waitUntil(lambda: bar._words(0)[0] != bar._words(0)[1])
    for tab in range(9):
        words, shown = bar._words(tab)
        assert len(shown) >= min(len(words), 4)
        assert bar.tabToolTip(tab) == ("" if shown == words else words)


def test_tools_of_a_comparison_fold_into_the_menu_and_work_there(
    qtbot: PatientBot, compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    pair = narrow(qtbot, compare_runs, finished, shorter)
    window, tools = pair.window, pair.part.tools
    assert not tools.shared.isVisible()
    assert tools.difference.isVisible()
    menu = window.findChild(ViewToolsFeature).more.menu()

    def choices(menu: QMenu) -> list[QAction]:
        qtbot.wait(10)  # those of an earlier time go
        (shown,) = menu.findChildren(QMenu)
        return shown.actions()

    def entry(words: str) -> QAction:
        return next(action for action in filled(menu) if action.text().startswith(words))

    scale = entry("Shared scale")
    assert scale.isChecked()
    scale.trigger()
    assert not tools.shared.isChecked()
    assert not entry("Shared scale").isChecked()
    assert entry("Align by").isEnabled()
    ways = choices(menu)
    assert [(way.text(), way.isChecked()) for way in ways[:2]] == [("step", True), ("epoch", False)]
    ways[1].trigger()
    assert pair.part.how is Alignment.EPOCH
    filled(menu)
    assert [way.isChecked() for way in choices(menu)] == [False, True, False]
    entry("Swap").trigger()
    assert window.session.path == shorter
    pair.settle()
    entry("Steer").trigger()
    qtbot.waitUntil(window.findChild(SteerFeature).panel.isVisible)
    assert entry("Steer").isChecked()
    pair.part.leave()
    assert not [action for action in filled(menu) if action.text().startswith("Swap")]


def test_the_tools_fold_into_a_menu_and_back(
    qtbot: PatientBot, compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    pair = narrow(qtbot, compare_runs, finished, shorter)
    window = pair.window
    tools = window.findChild(ViewToolsFeature)
    assert tools.more.isVisible()
    assert not any(button.isVisible() for button in tools.buttons.values())
    actions = filled(tools.more.menu())[-len(tools.buttons) :]
    tips = [button.toolTip() for button in tools.buttons.values()]
    assert [action.text() for action in actions] == tips
    assert tips[0] == "Search commands (Ctrl+K)"
    theme = window.theme.palette.name
    actions[2].trigger()
    assert window.theme.palette.name != theme
    tools.more.setFocus()
    window.resize(QSize(2000, 900))
    qtbot.waitUntil(lambda: not tools.more.isVisible())
    assert all(button.isVisible() for button in tools.buttons.values())
    assert tools.buttons["palette"].hasFocus()
    window.resize(SMALL)
    qtbot.waitUntil(tools.more.isVisible)
    assert tools.more.hasFocus()


@given(
    tight=st.lists(st.integers(20, 150), min_size=1, max_size=12),
    space=st.integers(0, 30),
    room=st.integers(0, 2500),
)
def test_the_longest_titles_are_shortened_first(tight: list[int], space: int, room: int) -> None:
    wide = [width + space for width in tight]
    found = fitted(wide, tight, room)
    assert sum(found) <= max(room, 0) or found == wide
    if sum(wide) <= room:
        assert found == wide
    elif sum(tight) <= room:
        assert all(t <= f <= w for t, f, w in zip(tight, found, wide, strict=True))
    else:
        cut = [f for t, f in zip(tight, found, strict=True) if f < t]
        assert set(cut) == {max(found)}
        assert sum(found) > room - len(tight)


def clipped(panel: QWidget) -> list[str]:
    """Return the words and controls of a panel that stand outside it, or have no room."""
    found = []
    kinds = (QLabel, QAbstractButton, QAbstractSpinBox, QComboBox)
    for widget in panel.findChildren(QWidget):
        if not isinstance(widget, kinds) or not widget.isVisible():
            continue
        inside = panel.rect().contains(place(widget, panel))
        needed = min(widget.minimumSizeHint().width(), widget.maximumWidth())
        wide = widget.width() >= needed
        if not inside or (not wide and getattr(widget, "text", lambda: "x")()):
            found.append(f"{type(widget).__name__} {widget.accessibleName()} {widget.geometry()}")
    return found


def test_no_control_is_cut(
    qtbot: PatientBot, compare_runs: Pairs, finished: Path, shorter: Path, code_editor: Any
) -> None:
    code_editor.pretend()
    pair = narrow(qtbot, compare_runs, finished, shorter)
    found = {}
    for tab in range(pair.window.stage.count()):
        pair.window.stage.setCurrentIndex(tab)
        pair.settle()
        qtbot.rest(50)
        for side in "AB":
            for name, host in pair.side(side).hosts.items():
                found[tab, side, name] = clipped(host.panel)
    assert {place: cut for place, cut in found.items() if cut} == {}


def test_the_hand_and_the_way_have_room(
    qtbot: PatientBot, compare_runs: Pairs, finished: Path, shorter: Path, code_editor: Any
) -> None:
    code_editor.pretend()
    pair = narrow(qtbot, compare_runs, finished, shorter)
    panel = code_editor.latent(pair.window)
    code_editor.ready(panel)
    qtbot.rest(100)
    assert panel.height() < 330
    assert clipped(panel) == []
    assert not panel.editor.isVisible()
    theirs = pair.panel("B", "latent_codes")
    assert panel.scatter.width() == theirs.scatter.width()
    qtbot.mouseClick(panel.editor_layout.decode, Qt.MouseButton.LeftButton)
    qtbot.rest(100)
    assert clipped(panel) == []
    assert panel.editor.isVisible()
    assert not panel.interpolation.isVisible()
    assert panel.editor.picture.height() >= 64
    toggle = panel.editor_layout.toggle
    assert toggle.focusPolicy() & Qt.FocusPolicy.TabFocus
    qtbot.mouseClick(toggle, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(panel.interpolation.row.outputs) > 0)
    qtbot.rest(100)
    assert panel.interpolation.isVisible()
    assert not panel.editor.isVisible()
    assert clipped(panel) == []
    grids = [pair.panel(side, "latent_scan") for side in "AB"]
    assert [grid.tiles.grid.box.height() >= 70 for grid in grids] == [True, True]
    assert grids[0].geometry() == grids[1].geometry()
    pair.part.leave()  # the whole width, and all of the height
    qtbot.waitUntil(lambda: not toggle.isVisible())
    assert panel.editor.isVisible()
    assert panel.interpolation.isVisible()


def test_the_mouse_reads_names_that_have_no_room(
    qtbot: PatientBot, compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    pair = narrow(qtbot, compare_runs, finished, shorter)
    pair.window.stage.setCurrentIndex(3)
    pair.settle()
    qtbot.rest(50)
    tiles = pair.panel("A", "latent_scan").tiles
    assert tiles.shown.style.bare
    assert not tiles.grid.texts
    cell = tiles.grid.cell(0, 0)
    said = tiles.describe(cell.center())
    row, column = tiles.shown.rows[0].label, tiles.shown.columns[0]
    assert said.startswith(f"{row} · {column} · ")
    assert np.isfinite(float(said.rsplit("=", 1)[1]))


def test_half_a_screen_is_wide_enough(
    qtbot: PatientBot, open_window: Callable[..., Window], finished: Path
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    half = QSize(700, 860)  # of 1440 pixels, less the frame
    window.resize(half)
    qtbot.waitUntil(lambda: window.size() == half)
    qtbot.rest(50)
    tools = (window.curves.log, window.curves.over, window.timeline, window.status, window.runs)
    for widget in (*tools, window.stage.cornerWidget(), *window.stage.panels):
        assert window.rect().contains(place(widget, window)), widget


def test_half_a_screen_has_room_for_steering_below_the_runs(
    qtbot: PatientBot, open_window: Callable[..., Window], finished: Path
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    window.resize(QSize(700, 860))
    window.act("steer")
    panel = window.findChild(SteerFeature).panel
    qtbot.waitUntil(lambda: bool(panel.numbers.rows))
    qtbot.waitUntil(lambda: clipped(panel.viewport()) == [])
    for widget in (panel, window.runs, *window.stage.panels):
        assert window.rect().contains(place(widget, window)), widget
    qtbot.waitUntil(lambda: window.stage.width() > window.width() / 2)
    dock = window.docks["steer"]
    assert window.dockWidgetArea(dock) == Qt.DockWidgetArea.LeftDockWidgetArea
    window.resize(QSize(1300, 860))
    right = Qt.DockWidgetArea.RightDockWidgetArea
    qtbot.waitUntil(lambda: window.dockWidgetArea(dock) == right)
    assert not dock.isHidden()


@pytest.mark.parametrize(("size", "below"), [(QSize(700, 860), True), (QSize(1280, 720), False)])
def test_two_panels_stand_below_each_other_on_a_high_page(
    qtbot: PatientBot, open_window: Callable[..., Window], finished: Path, size: QSize, below: bool
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    window.stage.setCurrentIndex(1 + TABS.index("Latent"))
    window.resize(size)
    qtbot.waitUntil(lambda: len(window.stage.panels) == 2)
    one, other = window.stage.panels
    qtbot.waitUntil(lambda: (place(other, window).top() > place(one, window).bottom()) == below)


def test_the_sheet_of_keys_has_one_column_on_half_a_screen(
    qtbot: PatientBot, open_window: Callable[..., Window], finished: Path
) -> None:
    window = open_window(finished)
    window.resize(QSize(700, 860))
    window.act("help")
    sheet = window.findChild(KeySheet)
    area = sheet.findChild(QScrollArea)
    qtbot.waitUntil(lambda: area.verticalScrollBar().isVisible())
    qtbot.waitUntil(lambda: not area.horizontalScrollBar().isVisible())
    assert sheet.width() <= window.width()
    sheet.close()


def test_nothing_of_steering_is_cut_in_lecture_mode(
    qtbot: PatientBot, open_window: Callable[..., Window], finished: Path
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    window.act("full")
    window.act("steer")
    panel = window.findChild(SteerFeature).panel
    qtbot.waitUntil(lambda: bool(panel.numbers.rows))
    inner = panel.widget()
    qtbot.waitUntil(lambda: inner.width() >= inner.minimumSizeHint().width())
    assert inner.width() <= panel.viewport().width()
    assert clipped(panel.viewport()) == []
    assert window.rect().contains(place(panel, window))
    window.act("full")
