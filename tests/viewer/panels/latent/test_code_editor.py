"""The handle on the codes: what is dragged, typed, chosen and clicked is decoded."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QProcess, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from ed_viewer.decoding.client import DecoderState
from ed_viewer.window.window import Window
from ed_viewer.window.wiring import DecoderFeature

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]


def test_dragging_the_handle_changes_the_picture_and_leaves_a_trail(
    qtbot: QtBot, open_window: Open, finished: Path, code_editor: Any
) -> None:
    code_editor.pretend()
    panel = code_editor.latent(open_window(finished))
    code_editor.ready(panel)
    before, code = code_editor.picture(panel).copy(), panel.handle.code.copy()
    drawn = panel.editor.picture.grab().toImage()
    code_editor.drag(panel, QPoint(90, -60))
    assert panel.handle.code[0] > code[0]
    assert panel.handle.code[1] > code[1]
    qtbot.waitUntil(lambda: not np.array_equal(code_editor.picture(panel), before))
    expected = 1 / (1 + np.exp(-panel.handle.code[0]))
    qtbot.waitUntil(lambda: abs(float(code_editor.picture(panel)[0, 5, 0, 0]) - expected) < 1e-5)
    assert panel.editor.picture.grab().toImage() != drawn
    moved = code_editor.on_screen(
        panel, panel.axes.place(panel.handle.code)
    ) - code_editor.on_screen(panel, code)
    assert abs(moved.x() - 90) <= 8
    assert abs(moved.y() + 60) <= 8
    assert 2 <= len(panel.handle.trail.codes) <= 10
    assert panel.editor.units.rows[0][2].value() == pytest.approx(panel.handle.code[0], abs=0.01)


def test_the_panel_says_which_weights_are_in_use(
    qtbot: QtBot, open_window: Open, finished: Path, code_editor: Any
) -> None:
    window, panel = code_editor.opened(open_window, finished)
    said = panel.editor.weights
    qtbot.waitUntil(lambda: said.text() == "decoded with checkpoint 300 (step 350 not kept)")
    window.session.scrub(4)
    qtbot.waitUntil(lambda: said.text() == "decoded with checkpoint 200")


def test_the_handle_stands_on_the_overview_of_no_run(
    qtbot: QtBot, open_window: Open, finished: Path, code_editor: Any
) -> None:
    code_editor.pretend()
    window = open_window(finished)
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    assert all(panel.source.decoder is None for panel in window.stage.panels)
    assert (
        window.stage.decoder.state is DecoderState.IDLE
    )  # nothing is started before it is looked at


def test_a_class_is_chosen_for_a_conditional_decoder(
    qtbot: QtBot, open_window: Open, finished: Path, code_editor: Any
) -> None:
    code_editor.pretend(classes=4)
    panel = code_editor.latent(open_window(finished))
    code_editor.ready(panel)
    choice = panel.editor.classes
    assert [choice.itemText(n) for n in range(choice.count())] == [f"class {n}" for n in range(4)]
    assert choice.isVisible()
    assert code_editor.picture(panel)[0, 0].min() == 1
    choice.setCurrentIndex(3)
    qtbot.waitUntil(lambda: code_editor.picture(panel)[0, 3].min() == 1)
    qtbot.waitUntil(lambda: panel.interpolation.row.outputs[:, 3].min() == 1)


def test_a_code_of_many_numbers_has_sliders_that_can_be_typed(
    qtbot: QtBot, open_window: Open, wide: Path, code_editor: Any
) -> None:
    code_editor.pretend(40)
    panel = code_editor.latent(open_window(wide))
    code_editor.ready(panel)
    units = panel.editor.units
    assert len(units.rows) == 16
    assert (units.order == np.argsort(-panel.codes.var(axis=0), kind="stable")).all()
    unit = int(units.order[2])
    label, slider, box = units.rows[2]
    assert label.text() == f"code {unit + 1}"
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "1.25")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert panel.handle.code[unit] == 1.25
    qtbot.keyClick(slider, Qt.Key.Key_PageDown)
    assert panel.handle.code[unit] < 1.25
    assert box.value() == pytest.approx(panel.handle.code[unit], abs=0.01)
    bar = units.verticalScrollBar()
    bar.setValue(bar.maximum())
    assert len(units.rows) == 32


def test_with_principal_axes_the_handle_moves_in_the_plane_through_the_code(
    qtbot: QtBot, open_window: Open, wide: Path, code_editor: Any
) -> None:
    code_editor.pretend(40)
    panel = code_editor.latent(open_window(wide))
    code_editor.ready(panel)
    panel.editor.units.rows[5][2].setValue(0.7)  # out of the plane of the mean
    before = panel.handle.code.copy()
    code_editor.drag(panel, QPoint(40, 30))
    change = panel.handle.code - before
    directions = panel.axes.directions
    assert np.linalg.norm(change) > 0.01
    np.testing.assert_allclose((change @ directions.T) @ directions, change, atol=1e-9)


def test_another_size_of_the_code_asks_for_no_second_drawing(
    qtbot: QtBot, open_window: Open, wide: Path, code_editor: Any
) -> None:
    code_editor.pretend(40)
    choice = code_editor.latent(open_window(wide)).choice
    with qtbot.assertNotEmitted(choice.changed):
        choice.axes_of(np.random.default_rng(0).normal(size=(9, 3)))
    assert [box.value() for box in choice.pair] == [1, 2]
    assert [box.maximum() for box in choice.pair] == [3, 3]


def test_axes_are_chosen_and_t_sne_comes_when_it_is_asked_for(
    qtbot: QtBot, open_window: Open, wide: Path, code_editor: Any
) -> None:
    code_editor.pretend(40)
    panel = code_editor.latent(open_window(wide))
    code_editor.ready(panel)
    choice = panel.choice
    choice.kind.setCurrentText("Code units")
    choice.pair[0].setValue(7)
    choice.pair[1].setValue(3)
    np.testing.assert_array_equal(panel.axes.points, panel.codes[:, [6, 2]])
    assert panel.axes.titles == ("code 7", "code 3")
    before = panel.handle.code.copy()
    code_editor.drag(panel, QPoint(50, 0))
    assert np.flatnonzero(np.abs(panel.handle.code - before) > 1e-6).tolist() in ([6], [2, 6])
    choice.kind.setCurrentText("t-SNE")
    qtbot.waitUntil(lambda: len(panel.axes.points) == 60)
    np.testing.assert_allclose(panel.axes.points, panel.codes[:, :2] * 10, rtol=1e-5)
    assert not panel.handle.item.target.isVisible()  # there is no way back from t-SNE
    assert "t-SNE of step 100" in panel.caption.text


def test_where_its_process_ends_no_t_sne_is_on_its_way(
    qtbot: QtBot, open_window: Open, wide: Path, code_editor: Any
) -> None:
    code_editor.pretend(40)
    panel = code_editor.latent(open_window(wide))
    code_editor.ready(panel)
    choice, decoder = panel.choice, panel.source.decoder
    code_editor.pretend(40, mode="dies")
    os.kill(decoder.process.number, signal.SIGSTOP)
    choice.kind.setCurrentText("t-SNE")
    assert "Computing t-SNE" in panel.caption.text
    os.kill(decoder.process.number, signal.SIGKILL)
    qtbot.waitUntil(lambda: "t-SNE failed" in panel.caption.text)
    choice.again.click()
    qtbot.waitUntil(lambda: decoder.state is DecoderState.UNABLE)
    qtbot.waitUntil(lambda: "t-SNE failed" in panel.caption.text)
    choice.again.click()  # it is not started a third time
    assert "t-SNE failed" in panel.caption.text


def test_between_two_samples(
    qtbot: QtBot, open_window: Open, finished: Path, code_editor: Any
) -> None:
    code_editor.pretend()
    window = open_window(finished)
    panel = code_editor.latent(window)
    between = panel.interpolation
    qtbot.waitUntil(lambda: len(between.row.outputs) == 8)
    assert [box.value() for box in between.ends] == [1, 2]
    between.set_end(1, 9)
    qtbot.waitUntil(lambda: len(between.codes) > 0 and between.codes[-1, 0] == 9)
    np.testing.assert_allclose(between.codes[:, 0], np.linspace(0, 9, 8))
    expected = 1 / (1 + np.exp(-between.codes[:, 0]))
    qtbot.waitUntil(lambda: np.allclose(between.row.outputs[:, 5, 0, 0], expected, atol=1e-5))
    cell = between.row.tiles.grid.cell(0, 3)
    qtbot.mouseClick(between.row.tiles, Qt.MouseButton.LeftButton, pos=cell.center())
    np.testing.assert_array_equal(panel.handle.code, between.codes[3])


def test_a_click_on_a_point_takes_its_code(
    qtbot: QtBot, open_window: Open, finished: Path, code_editor: Any
) -> None:
    code_editor.pretend()
    panel = code_editor.latent(open_window(finished))
    code_editor.ready(panel)
    far = int(panel.codes[:, 0].argmax())
    viewport, left = panel.scatter.plot.viewport(), Qt.MouseButton.LeftButton
    at = code_editor.on_screen(panel, panel.codes[far])
    QTest.mouseClick(viewport, left, pos=at)
    qtbot.waitUntil(lambda: panel.interpolation.ends[0].value() == far + 1)
    np.testing.assert_allclose(panel.handle.code, panel.codes[far])


def test_no_process_outlives_the_window(
    qtbot: QtBot, open_window: Open, finished: Path, shorter: Path, code_editor: Any
) -> None:
    window, panel = code_editor.opened(open_window, finished)
    decoder = window.stage.decoder
    window.open(shorter)  # the decoder of before is given up, its process may not have gone yet
    window.close()
    panel.show_frame({"codes": np.zeros((4, 2), "f4")})  # an answer that was on its way
    window.stage.decoder.decode("late", np.zeros((1, 2)))
    decoder.decode("late", np.zeros((1, 2)))
    ended = QProcess.ProcessState.NotRunning
    processes = window.findChild(DecoderFeature).findChildren(QProcess)
    assert all(process.state() is ended for process in processes)
