"""Widgets that all change are changed and painted one a turn."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pyqtgraph import PlotWidget
from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from ed_viewer.event_loop import Cover, StaggeredRestyle, flush
from ed_viewer.widgets.confusion_matrix import ConfusionMatrix
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]


class Painted(QWidget):
    """Counts how often it is painted."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0
        self.setMinimumSize(60, 40)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        self.times += 1


class Row(QWidget):
    """Three widgets side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.children_ = [Painted() for _ in range(3)]
        layout = QHBoxLayout(self)
        for child in self.children_:
            layout.addWidget(child)


@pytest.fixture
def row(qtbot: QtBot) -> Row:
    made = Row()
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    qtbot.waitUntil(lambda: all(child.times for child in made.children_))
    return made


def covers(widget: QWidget) -> list[Cover]:
    return [cover for cover in widget.findChildren(Cover) if cover.isVisible()]


def test_one_a_turn_is_changed_and_the_others_are_not_even_painted(qtbot: QtBot, row: Row) -> None:
    seen: list[list[int]] = []
    work = StaggeredRestyle(row)
    for child in row.children_:
        child.times = 0
        work.ask(child, lambda: seen.append([child.times for child in row.children_]))
    row.resize(QSize(400, 200))
    assert [cover.size() for cover in covers(row)] == [child.size() for child in row.children_]
    row.update()
    assert not seen
    qtbot.waitUntil(lambda: len(seen) == 3)
    qtbot.waitUntil(lambda: all(child.times for child in row.children_))
    for changed, times in enumerate(seen):
        assert times[changed:] == [0] * (3 - changed)
    assert not covers(row)


def test_the_newest_change_of_a_widget_holds(qtbot: QtBot, row: Row) -> None:
    done: list[str] = []
    work = StaggeredRestyle(row)
    for said in ("old", "new"):
        work.ask(row.children_[0], lambda said=said: done.append(said))
    assert len(covers(row)) == 1
    qtbot.waitUntil(lambda: bool(done))
    qtbot.wait(30)
    assert done == ["new"]


def test_all_can_be_changed_at_once(row: Row) -> None:
    done: list[int] = []
    work = StaggeredRestyle(row)
    for number, child in enumerate(row.children_):
        work.ask(child, lambda number=number: done.append(number))
    work.finish()
    assert done == [0, 1, 2]
    assert not covers(row)


def test_a_change_that_fails_and_a_widget_that_has_gone_hold_nobody_up(
    qtbot: QtBot, row: Row
) -> None:
    done: list[str] = []
    work = StaggeredRestyle(row)
    gone, failing, last = row.children_
    work.ask(gone, lambda: done.append("gone"))
    work.ask(failing, lambda: done.append(str(1 // 0)))
    work.ask(last, lambda: done.append("last"))
    row.children_ = []
    gone.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    with qtbot.captureExceptions() as failures:
        qtbot.waitUntil(lambda: bool(done))
    assert done == ["last"]
    assert [kind for kind, _, _ in failures] == [ZeroDivisionError]
    assert not covers(row)


@pytest.mark.parametrize("key", [Qt.Key.Key_F, Qt.Key.Key_T])
def test_every_panel_and_curve_is_painted_again_after_a_change_of_type_or_theme(
    qtbot: QtBot, open_window: Open, finished: Path, key: Qt.Key
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: window.stage.drawn() == {7} and window.curves.whole)
    window.stage.complete()
    hosts = window.stage.currentWidget().hosts  # type: ignore[attr-defined]
    focus = next(
        host.panel.findChild(ConfusionMatrix)
        for host in hosts
        if host.panel.findChild(ConfusionMatrix)
    )
    focus.setFocus()
    for _ in range(2):
        qtbot.keyClick(window, key)
        assert {cover.parent() for cover in covers(window.stage)} == set(hosts)
        qtbot.waitUntil(lambda: not covers(window))
        assert window.stage.drawn() == {7}
        sizes = {host.panel._title.font().pointSizeF() for host in hosts}
        assert sizes == {window.theme.points}
        plots = [plot.view for plot in window.curves.plots.values()]
        assert plots
        for view in [*plots, *window.stage.findChildren(PlotWidget)]:
            if view.isVisible() or view in plots:  # curves take it although they are hidden now
                assert view.backgroundBrush().color() == window.theme.colour("card")
        assert window.focusWidget() is focus


@pytest.mark.parametrize("change", ["theme", "full"])
def test_a_picture_that_is_taken_meanwhile_is_whole(
    qtbot: QtBot, open_window: Open, finished: Path, change: str
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: window.stage.drawn() == {7} and window.curves.whole)
    window.stage.complete()
    window.act(change)
    assert covers(window)
    flush()
    assert not covers(window)
