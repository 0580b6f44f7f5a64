"""Everything can be reached and used without a mouse, and says what it is."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QListWidget,
    QScrollBar,
    QTabBar,
    QWidget,
)
from support.viewer import PatientBot

from ed_viewer.session.cursor import Playback
from ed_viewer.stage.page import TABS
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.plots.legend import Legend
from ed_viewer.widgets.tiles.tiles import Tiles
from ed_viewer.window.focus_ring import FocusRing
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]
CONTROLS = (
    QAbstractButton,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QListWidget,
    QTabBar,
    Legend,
)


def opened(qtbot: PatientBot, window: Window, tab: int = 0) -> FocusRing:
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    window.stage.setCurrentIndex(tab)
    qtbot.rest(100)
    return window.findChild(FocusRing)


def controls(window: Window) -> list[QWidget]:
    found = [w for w in window.findChildren(QWidget) if isinstance(w, CONTROLS)]
    own = [w for w in found if not w.objectName().startswith("qt_") and type(w) is not QScrollBar]
    return [w for w in own if w.isVisible() and w.isEnabled()]


def tab_to(qtbot: PatientBot, window: Window, widget: QWidget) -> None:
    for _ in range(80):
        if QApplication.focusWidget() is widget:
            return
        qtbot.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
    raise AssertionError(f"Tab never came to {described(widget)}")


def described(widget: QWidget) -> str:
    return f"{type(widget).__name__} {widget.accessibleName() or widget.toolTip()}"


@pytest.mark.parametrize("tab", range(9))
def test_every_control_has_words(
    qtbot: PatientBot, open_window: Open, finished: Path, tab: int
) -> None:
    window = open_window(finished)
    opened(qtbot, window, tab)
    for widget in window.findChildren(QAbstractButton) + window.findChildren(QComboBox):
        if widget.objectName().startswith("qt_"):
            continue
        text = widget.text() if isinstance(widget, QAbstractButton) else ""
        assert widget.accessibleName() or text, repr(widget)
        assert widget.toolTip(), described(widget)


@pytest.mark.parametrize("tab", range(5))
def test_the_tab_key_comes_by_every_control(
    qtbot: PatientBot, open_window: Open, finished: Path, tab: int
) -> None:
    window = open_window(finished)
    opened(qtbot, window, tab)
    reached: set[QWidget] = set()
    for _ in range(80):
        qtbot.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        now = QApplication.focusWidget()
        assert now is not None
        if now in reached:
            break
        reached.add(now)
    missed = [described(widget) for widget in controls(window) if widget not in reached]
    assert missed == []


def test_the_ring_is_around_what_a_key_reached_and_not_what_the_mouse_did(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    focus = opened(qtbot, window)
    for _ in range(6):
        qtbot.keyClick(QApplication.focusWidget() or window, Qt.Key.Key_Tab)
        on = QApplication.focusWidget()
        assert on is not None
        assert focus.ring.isVisible()
        middle = focus.ring.geometry().center()
        inside = on.rect().translated(on.mapTo(window, on.rect().topLeft()))
        assert inside.contains(middle)
    qtbot.mouseClick(window.runs.viewport(), Qt.MouseButton.LeftButton)
    assert not focus.ring.isVisible()
    window.curves.log.setFocus()
    window.set_full(True)  # hides what has the focus: Qt gives it to another
    assert not focus.ring.isVisible()


def test_space_and_enter_press_the_button_that_has_the_ring(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    focus = opened(qtbot, window)
    first, log = window.transport.buttons["first"], window.curves.log
    tab_to(qtbot, window, first)
    assert focus.ring.isVisible()
    qtbot.keyClick(first, Qt.Key.Key_Space)
    assert (window.session.cursor.frame, window.session.cursor.playback) == (0, Playback.PAUSED)
    tab_to(qtbot, window, log)
    qtbot.keyClick(log, Qt.Key.Key_Return)
    assert log.isChecked()
    focus.ring.hide()  # as after a click: then Space plays
    qtbot.keyClick(log, Qt.Key.Key_Space)
    assert window.session.cursor.playback is Playback.PLAYING
    window.session.toggle()


def test_the_arrow_keys_choose_a_tab_where_the_ring_is_on_the_tabs(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    tab_to(qtbot, window, window.stage.tabBar())
    qtbot.keyClick(window.stage.tabBar(), Qt.Key.Key_Right)
    assert window.stage.currentIndex() == 1
    assert window.session.cursor.frame == 7


def test_the_legend_hides_a_class_by_keys(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    opened(qtbot, window, 3)
    legend = window.stage.panels[0].findChildren(Legend)[0]
    tab_to(qtbot, window, legend)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Space):
        qtbot.keyClick(legend, key)
    assert legend.hidden == {2}
    qtbot.keyClick(legend, Qt.Key.Key_Return)
    assert legend.hidden == set()


def test_keys_hide_only_a_class_that_can_be_seen(qtbot: PatientBot, theme: Theme) -> None:
    legend = Legend(theme)
    qtbot.addWidget(legend)
    legend.fit(100)  # one column
    legend.set_names([f"class {n}" for n in range(10)])
    legend.resize(100, 12 * legend.fontMetrics().height())
    legend.show()
    for _ in range(12):
        qtbot.keyClick(legend, Qt.Key.Key_Down)
    legend.resize(100, 4 * (legend.fontMetrics().height() + 3))
    assert not legend.grab().isNull()
    qtbot.keyClick(legend, Qt.Key.Key_Space)
    assert legend.hidden == {2}  # the last of the three beside "+ 7"
    legend.resize(100, 5)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Space, Qt.Key.Key_Return):
        qtbot.keyClick(legend, key)
    assert not legend.grab().isNull()
    assert legend.hidden == {2}
    legend.set_names(())
    qtbot.keyClick(legend, Qt.Key.Key_Space)
    assert legend.hidden == {2}


def test_the_strip_of_samples_is_walked_by_keys(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    opened(qtbot, window, 2)
    panel = window.stage.panels[0]
    panel.choice.view.setCurrentIndex(1)
    strip = panel.strip
    assert isinstance(strip, Tiles)
    qtbot.waitUntil(lambda: strip.shown.selected is not None)
    tab_to(qtbot, window, strip)
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    qtbot.keyClick(strip, Qt.Key.Key_Right)
    assert strip.shown.selected == (0, 2)
    assert window.session.cursor.frame == 7


def test_the_arrows_move_the_slider_that_the_ring_is_on(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    ring = opened(qtbot, window, TABS.index("Segmentation") + 1)
    frame = window.session.cursor.frame

    def sliders() -> list[QWidget]:
        return [w for w in controls(window) if w.accessibleName() == "Opacity of the overlay"]

    qtbot.waitUntil(lambda: bool(sliders()))  # its panel may not be made yet
    (slider,) = sliders()
    tab_to(qtbot, window, slider)
    assert ring.ring.isVisible()
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert slider.value() == 52
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    assert slider.value() == 0
    assert window.session.cursor.frame == frame


def test_the_speed_is_chosen_by_keys_and_by_the_mouse(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: window.session.cursor.count == 8)
    box = window.transport.speed
    box.setFocus(Qt.FocusReason.TabFocusReason)
    for speed in (30, 60):
        qtbot.keyClick(box, Qt.Key.Key_Down)
        assert window.session.speed == speed
        assert box.hasFocus()
    box.clearFocus()
    qtbot.mouseClick(box, Qt.MouseButton.LeftButton)
    box.hidePopup()
    box.setCurrentIndex(0)
    assert not box.hasFocus()
    qtbot.keyClick(window, Qt.Key.Key_Space)
    assert window.session.cursor.playback is Playback.PLAYING


def test_a_field_keeps_what_is_typed_into_it(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    field = QLineEdit(window)
    field.show()
    field.setFocus()
    qtbot.keyClicks(field, "3f =-")
    assert (field.text(), window.stage.currentIndex(), window.full) == ("3f =-", 0, False)
    assert window.session.cursor.playback is Playback.PAUSED


def test_the_menu_bar_has_every_command_and_takes_no_room(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    bar, height = window.menuBar(), window.stage.height()
    assert bar.isHidden()
    qtbot.keyClick(window, Qt.Key.Key_F10)
    assert bar.isVisible()
    qtbot.waitUntil(lambda: window.stage.height() < height)
    assert set(window.commands) == set(window.actions())
    log = window.action("logarithmic")
    window.curves.log.toggle()
    assert log.isChecked()
    difference = window.action("difference")
    difference.trigger()  # of no use while there is no run B
    assert not difference.isChecked()
    qtbot.keyClick(window, Qt.Key.Key_F10)
    qtbot.waitUntil(lambda: window.stage.height() == height)
