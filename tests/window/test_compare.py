"""Two runs side by side in a real window: alignment, shared scales, choices, curves, swap."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyqtgraph import PlotWidget
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from ed_core.recording import Header, RecordingWriter, RunFolder
from ed_viewer.compare.feature import CompareFeature
from ed_viewer.session.alignment import Alignment
from ed_viewer.session.cursor import Playback
from ed_viewer.stage.page import OVERVIEW, TABS
from ed_viewer.style.palette import Side
from ed_viewer.testing import Example, write_example
from ed_viewer.widgets.plots.legend import Legend
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]
Pairs = Callable[[Path, Path], Any]


def test_b_is_led_by_the_cursor_of_a(
    qtbot: QtBot, compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    pair = compare_runs(finished, shorter)
    ours, theirs = pair.session("A").cursor, pair.session("B").cursor
    assert (ours.frame, theirs.frame) == (7, 4)
    assert pair.where("A") == "step 350 · epoch 1.75"
    assert pair.where("B") == "step 200 · epoch 1.00 · last frame"
    qtbot.keyClick(pair.window, Qt.Key.Key_Home)
    pair.settle()
    assert (ours.frame, theirs.frame) == (0, 0)
    for _ in range(3):
        qtbot.keyClick(pair.window, Qt.Key.Key_Right)
    pair.settle()
    assert theirs.frame == 3
    assert pair.where("B") == "step 150 · epoch 0.75"
    qtbot.keyClick(pair.window, Qt.Key.Key_X)
    qtbot.keyClick(pair.window, Qt.Key.Key_X)
    assert pair.part.how is Alignment.SHARE
    pair.settle()
    assert theirs.frame == 1  # 3 of 7 is 43 %, of 4 it is 1
    assert pair.where("B").startswith("25% · step 50")
    assert pair.window.curves.about.text().startswith("x: share of the training")


@pytest.mark.parametrize("tab", range(9))
def test_each_tab_shows_both_in_one_scale(
    qtbot: QtBot, compare_runs: Pairs, finished: Path, shorter: Path, tab: int
) -> None:
    pair = compare_runs(finished, shorter)
    pair.window.stage.setCurrentIndex(tab)
    pair.settle()
    halves = [pair.side(name) for name in "AB"]
    assert list(halves[0].hosts) == list(halves[1].hosts)
    for one, other in zip(*(half.hosts.values() for half in halves), strict=True):
        ours, theirs = one.panel, other.panel
        assert one.on_show is ours
        assert other.on_show is theirs
        assert ours.source.ranges is theirs.source.ranges
        assert ours.source.ranges.unions() or ours.no_difference or ours.kept
        if ours.source.probe.kind == "activations":
            levels = [[scale[0] for scale in p.scales.values()] for p in (ours, theirs)]
            assert levels[0] == levels[1]
        if ours.source.probe.kind == "latent_codes":
            views = [p.findChild(PlotWidget).getPlotItem().viewRange() for p in (ours, theirs)]
            assert views[0] == views[1]
    assert abs(halves[0].width() - halves[1].width()) <= 2
    tops = [next(iter(half.hosts.values())).mapTo(pair.window, QPoint()).y() for half in halves]
    assert tops[0] == tops[1]


def test_a_frame_that_widens_a_range_has_the_other_run_drawn_again(
    compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    pair = compare_runs(finished, shorter)
    pair.window.stage.setCurrentIndex(2)
    pair.settle()
    ours = pair.panel("A", "activations")
    layer, ranges = ours.choice.layers.currentText(), ours.source.ranges
    before = ours.scales[layer][0]
    frame = pair.part.pair.comparison.runs[Side.B].frame
    louder = {name: values * 4 for name, values in frame.arrays["activations"].items()}
    pair.window.stage.show_frame(type(frame)(frame.request, {"activations": louder}), Side.B)
    assert ours.scales[layer][0][1] > before[1]
    assert ours.scales[layer][0] == ranges.unions()[layer]
    pair.part.leave()
    assert ranges.unions()[layer][1] <= before[1]
    assert ours.scales[layer][0] == ranges.unions()[layer]


def test_what_is_chosen_in_one_panel_is_chosen_in_the_other(
    compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    pair = compare_runs(finished, shorter)
    pair.window.stage.setCurrentIndex(2)
    pair.settle()
    ours, theirs = (pair.panel(name, "activations") for name in "AB")
    ours.choice.layers.setCurrentText("encoder/conv2d_1")
    assert theirs.choice.layers.currentText() == "encoder/conv2d_1"
    theirs.choice.layers.setCurrentText("encoder/conv2d")
    assert ours.choice.layers.currentText() == "encoder/conv2d"
    ours.choice.view.setCurrentText("All channels of one sample")
    theirs.strip.clicked.emit(0, 5)
    assert (ours.sample, theirs.sample) == (5, 5)
    pair.part.set_signed(True)
    pair.settle()
    signed = pair.panel("B", "activations")
    assert signed is not theirs
    assert (signed.choice.view.currentText(), signed.sample) == (ours.choice.view.currentText(), 5)
    pair.window.stage.setCurrentIndex(3)
    pair.part.set_signed(False)
    pair.settle()
    legends = [pair.panel(name, "latent_codes").findChild(Legend) for name in "AB"]
    legends[0].set_hidden({3})
    assert legends[1].hidden == {3}
    pair.part.leave()
    legends[0].set_hidden({1})  # the other has gone


def test_panels_of_a_keep_the_keys_while_those_of_b_come_and_go(
    qtbot: QtBot, compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    pair = compare_runs(finished, shorter)
    pair.window.stage.setCurrentIndex(1)
    pair.settle()
    sheet = pair.panel("A", "reconstruction").sheet
    sheet.setFocus()
    assert sheet.hasFocus()
    pair.part.set_signed(True)
    assert sheet.hasFocus()
    pair.part.leave()
    assert sheet.hasFocus()


def test_a_probe_that_only_one_run_has(
    qtbot: QtBot, compare_runs: Pairs, finished: Path, tmp_path: Path
) -> None:
    example = Example(samples=120, frames=5)
    full = example.header()
    few = Header(full.run, full.fields, full.probes[:1], full.scalars)
    folder = RunFolder.create(tmp_path / "runs", "few")
    folder.write({"status": "training"})
    with RecordingWriter(folder.recording, few, example.reference) as writer:
        arrays = example.frame(0)
        writer.append(0, 0.0, 0.0, {"reconstruction": arrays["reconstruction"]})
    folder.update(status="finished")
    pair = compare_runs(finished, folder.path)
    stage = pair.window.stage
    stage.setCurrentIndex(2)
    assert pair.side("B").notices == ["Not recorded in B: activations"]
    assert pair.side("A").notices == []
    pair.part.swap()
    qtbot.waitUntil(lambda: pair.window.session.run is not None)
    pair.settle()
    tabs = [stage.tabText(i) for i in range(stage.count())]
    assert tabs == [OVERVIEW, *TABS, "Gradients"]
    stage.setCurrentIndex(2)
    assert pair.side("A").notices == ["Not recorded in A: activations"]
    pair.part.leave()
    assert stage.count() == 1


def test_the_curves_of_both(
    qtbot: QtBot, compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    pair = compare_runs(finished, shorter)
    curves = pair.window.curves
    qtbot.waitUntil(lambda: curves.whole)
    plot = curves.plots["loss"]
    said = [Example(frames=n).scalars(last)["loss"] for n, last in ((8, 7), (5, 4))]
    value = f"A {said[0]:.3g}\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}B {said[1]:.3g}"
    qtbot.waitUntil(lambda: plot.value == value)
    plot.head.resize(plot.head.value.fontMetrics().horizontalAdvance(value) + 20, 20)
    assert plot.head.value.shown == value  # never the number of one run alone
    lines = {side: plot.curves[side, ""] for side in Side}
    assert {side: len(line.getData()[0]) for side, line in lines.items()} == {Side.A: 8, Side.B: 5}
    styles = [lines[side].opts["pen"].style() for side in Side]
    assert styles == [Qt.PenStyle.SolidLine, Qt.PenStyle.CustomDashLine]
    qtbot.keyClick(pair.window, Qt.Key.Key_X)
    plot = curves.plots["loss"]
    assert plot.curves[Side.A, ""].getData()[0].tolist() == [n / 4 for n in range(8)]
    plot.scrubbed.emit(0.55)
    assert pair.session("A").cursor.frame == 2
    pair.part.leave()
    plot = curves.plots["loss"]
    assert plot.curves[Side.A, ""].getData()[0].tolist() == [n * 50 for n in range(8)]
    assert "B" not in plot.value


def test_swapping_keeps_the_frames_and_leaving_leaves_a_alone(
    qtbot: QtBot, compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    pair = compare_runs(finished, shorter)
    window = pair.window
    window.stage.setCurrentIndex(3)
    qtbot.keyClick(window, Qt.Key.Key_Home)
    qtbot.keyClick(window, Qt.Key.Key_Right)
    qtbot.keyClick(window, Qt.Key.Key_B)
    assert window.session.path == shorter
    assert pair.session("B").path == finished
    qtbot.waitUntil(lambda: window.session.cursor.frame == 1)
    pair.settle()
    assert pair.session("B").cursor.frame == 1
    assert window.stage.currentIndex() == 3
    assert [window.runs.side(path) for path in (shorter, finished)] == [Side.A, Side.B]
    qtbot.mouseClick(pair.part.tools.compare, Qt.MouseButton.LeftButton)
    assert pair.part.pair is None
    assert window.stage.currentWidget().side(Side.B) is None
    assert pair.side("A")._head.isHidden()
    assert window.runs.side(shorter) is None
    assert window.session.cursor.frame == 1
    assert not pair.part.tools.compare.isChecked()


def test_the_list_chooses_run_b(
    qtbot: QtBot, open_window: Open, finished: Path, shorter: Path
) -> None:
    window = open_window(finished, shorter)
    part = window.findChild(CompareFeature)
    qtbot.waitUntil(lambda: window.runs.count() == 2)
    window.runs.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_C)
    assert part.pair is None  # the selected run is A itself
    assert "press C" in window.status.message
    qtbot.keyClick(window.runs, Qt.Key.Key_Down)
    qtbot.keyClick(window, Qt.Key.Key_C)
    assert part.pair is not None
    assert part.pair.beside.path == shorter
    role = Qt.ItemDataRole.AccessibleTextRole
    words = [window.runs.item(row).data(role) for row in range(window.runs.count())]
    assert [said[-5:] for said in words] == ["run A", "run B"]
    qtbot.keyClick(window, Qt.Key.Key_C)
    assert part.pair is None
    window.runs.compared.emit(shorter)
    window.runs.chosen.emit(shorter)  # run B becomes the open one: they change places
    assert part.pair is not None
    assert (window.session.path, part.pair.beside.path) == (shorter, finished)
    window.open(finished.parent / "third")  # run B stays beside any other
    assert part.pair.beside.path == finished


def test_b_may_be_live_and_grow(
    qtbot: QtBot, open_window: Open, finished: Path, tmp_path: Path, example: Example
) -> None:
    folder = RunFolder.create(tmp_path / "runs", "live")
    folder.write({"status": "training"})
    window = open_window(finished, folder.path)
    part = window.findChild(CompareFeature)
    with folder.hold():
        writer = RecordingWriter(folder.recording, example.header(), example.reference)
        qtbot.waitUntil(lambda: bool(window.stage.panels))
        part.choose(folder.path)
        page = window.stage.currentWidget()
        assert page.side(Side.B).notice == "Waiting for its first frame …"
        example.append(writer, 0)
        qtbot.waitUntil(lambda: page.side(Side.B).notice == "")
        theirs = part.pair.beside.session
        for number in (1, 2):
            example.append(writer, number)
            qtbot.waitUntil(lambda: theirs.cursor.frame == number)  # noqa: B023
        where = window.stage.currentWidget().side(Side.B)._head._where
        qtbot.waitUntil(lambda: where.text().endswith("newest frame"))
        window.session.scrub(1)
        example.append(writer, 3)
        qtbot.waitUntil(lambda: theirs.cursor.count == 4)
        assert (theirs.cursor.frame, theirs.cursor.playback) == (1, Playback.PAUSED)
        writer.close()


def test_each_may_have_a_scale_of_its_own(
    qtbot: QtBot, compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    pair = compare_runs(finished, shorter)
    pair.window.stage.setCurrentIndex(TABS.index("Latent") + 1)
    pair.settle()

    def spans() -> list[Any]:
        plots = [pair.side(side).findChild(PlotWidget) for side in "AB"]
        return [plot.getViewBox().viewRange() for plot in plots]

    assert spans()[0] == spans()[1]
    qtbot.keyClick(pair.window, Qt.Key.Key_Y)
    pair.settle()
    assert not pair.part.tools.shared.isChecked()
    assert spans()[0] != spans()[1]
    qtbot.keyClick(pair.window, Qt.Key.Key_Y)
    pair.settle()
    assert spans()[0] == spans()[1]


def test_the_timeline_marks_where_b_lies(
    qtbot: QtBot, compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    pair = compare_runs(finished, shorter)
    pair.settle()
    picture = pair.window.timeline.picture
    assert picture.beside[0].tolist() == [0, 50, 100, 150, 200]
    pair.part.tools.next_way()
    pair.part.tools.next_way()
    assert pair.part.how is Alignment.SHARE
    assert picture.beside[0].tolist() == [0, 87.5, 175, 262.5, 350]
    pair.part.leave()
    assert picture.beside is None


def test_the_axes_of_the_codes_are_those_of_a_where_b_can_have_them(
    compare_runs: Pairs, wide: Path, tmp_path: Path
) -> None:
    """B has no t-SNE; its principal axes are not drawn in the range of that of A."""
    other = write_example(tmp_path / "other", Example(latent=40, samples=60, frames=3), 2)
    pair = compare_runs(wide, other)
    pair.window.stage.setCurrentIndex(TABS.index("Latent") + 1)
    pair.settle()
    ours, theirs = (pair.panel(side, "latent_codes") for side in "AB")
    ours.choice.kind.setCurrentText("Code units")
    ours.choice.pair[1].setValue(5)
    assert ours.scatter.titles == theirs.scatter.titles == ("code 1", "code 5")
    pair.part.leave()
    ours.choice.pair[0].setValue(3)
    pair.part.choose(other)  # B comes when the choice is made
    pair.settle()
    theirs = pair.panel("B", "latent_codes")
    assert ours.scatter.titles == theirs.scatter.titles == ("code 3", "code 5")
    ours.choice.kind.setCurrentText("Principal axes")
    pair.settle()
    alone = theirs.scatter.limits
    ours.choice.kind.setCurrentText("t-SNE")
    ours.choice._points = 1e4 * np.random.default_rng(0).normal(size=(60, 2))
    ours.choice.changed.emit()
    assert ours.scatter.limits[1] > 1e4
    pair.session("A").step(-1)
    pair.settle()
    assert theirs.scatter.titles == ("PC 1", "PC 2")
    assert theirs.scatter.limits[1] < 3 * alone[1]
    assert not theirs.choice.isVisible()


def test_a_cell_of_two_matrices_shows_its_samples_in_both(
    qtbot: QtBot, compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    pair = compare_runs(finished, shorter)
    pair.window.resize(1280, 720)
    pair.window.stage.setCurrentIndex(1 + TABS.index("Classes"))
    pair.settle()
    panels = [pair.panel(side, "predictions label") for side in "AB"]
    assert not any(panel.examples.isVisible() for panel in panels)
    matrix = panels[0].matrix
    cell = matrix.grid.cell(0, 0).center()
    qtbot.mouseClick(matrix, Qt.MouseButton.LeftButton, pos=cell)
    for panel in panels:
        count = panel.matrix.shown.counts[0, 0]
        shown, _, whole = panel.about.text().rpartition("· ")[2].rpartition(" of ")
        assert panel.about.text().startswith("true zero, predicted zero · ")
        assert int(whole) == count >= int(shown or count)
        assert panel.about.isVisible()
        qtbot.waitUntil(lambda panel=panel: len(panel.tiles.shown.rows) == 1)
        assert len(panel.tiles.shown.rows[0].pixels) > 0
        assert panel.matrix.width() > panel.examples.width()
    qtbot.keyClick(matrix, Qt.Key.Key_Escape)
    assert not any(panel.examples.isVisible() for panel in panels)
    qtbot.keyClick(matrix, Qt.Key.Key_Return)
    assert all(panel.about.isVisible() for panel in panels)
