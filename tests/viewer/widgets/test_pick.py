"""Picking a tile: mouse, keys, and what the window's own keys do meanwhile."""

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot

from ed_viewer.panels.activations import ActivationsPanel
from ed_viewer.panels.base import Panel
from ed_viewer.panels.classes import ClassesPanel
from ed_viewer.panels.reconstruction import ReconstructionPanel
from ed_viewer.stage.linked_controls import link
from ed_viewer.stage.page import TABS
from ed_viewer.widgets.tiles.tiles import Tiles
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]
Make = Callable[..., Panel]

Key = Qt.Key
VIDEO = {"field": "video"}


def click(qtbot: QtBot, tiles: Tiles, row: int, column: int) -> None:
    centre: QPoint = tiles.grid.cell(row, column).center()
    qtbot.mouseClick(tiles, Qt.MouseButton.LeftButton, pos=centre)


def test_arrows_move_the_picked_channel_and_not_the_cursor(
    qtbot: QtBot, open_window: Open, finished: object
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: window.session.cursor.count == 8)
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    window.stage.setCurrentIndex(1 + TABS.index("Activations"))
    panel = window.stage.panels[0]
    assert isinstance(panel, ActivationsPanel)
    qtbot.waitUntil(lambda: bool(panel.mosaic.shown.rows))
    mosaic, cursor = panel.mosaic, window.session.cursor
    assert not panel.focus.isVisible()
    click(qtbot, mosaic, 3, 2)
    assert mosaic.pick == (3, 2)
    assert panel.focus.isVisible()
    assert panel.focus.name.text() == "channel 3 · two"
    drawn = panel.focus.tiles.shown.rows[0].values[0]
    np.testing.assert_array_equal(drawn[..., 0], panel.arrays["encoder/conv2d"][2, ..., 2])
    for key, pick in ((Key.Key_Right, (3, 3)), (Key.Key_Down, (4, 3)), (Key.Key_Left, (4, 2))):
        qtbot.keyClick(mosaic, key)
        assert mosaic.pick == pick
    for _ in range(20):
        qtbot.keyClick(mosaic, Key.Key_Down)
    assert mosaic.pick == (mosaic.grid.rows - 1, 2)
    assert cursor.frame == 7
    qtbot.keyClick(mosaic, Key.Key_Escape)
    assert mosaic.pick is None
    assert not panel.focus.isVisible()
    qtbot.keyClick(mosaic, Key.Key_Left)
    assert cursor.frame == 6
    qtbot.keyClick(mosaic, Key.Key_Return)
    assert mosaic.pick == (0, 0)


def test_the_channel_in_focus_stays_while_frames_go_by(make: Make) -> None:
    maps = np.random.default_rng(0).random((5, 6, 6, 40)).astype("f2")
    panel = make("activations", {"conv": maps})
    assert isinstance(panel, ActivationsPanel)
    channel = len(panel.mosaic.shown.rows[0].pixels) + 3
    panel.mosaic.choose((1, 2))  # opens the focus, and so moves the tiles
    assert panel.focus.name.text() == f"channel {channel} · sample 1"
    panel.show_frame({"conv": maps / 2})
    shown = panel.focus.tiles.shown.rows[0].values[0, ..., 0]
    np.testing.assert_allclose(shown, maps[0, ..., channel - 1] / 2, rtol=1e-3)


def test_levels_are_fixed_over_the_run_or_those_of_the_frame(make: Make) -> None:
    maps = np.zeros((5, 6, 6, 3), "f2")
    maps[0, 2, 2, 1] = 8
    panel = make("activations", {"conv": maps})
    assert isinstance(panel, ActivationsPanel)
    bright = panel.mosaic.shown.rows[1].pixels[0, 2, 2].copy()
    panel.show_frame({"conv": maps / 4})
    assert (panel.mosaic.shown.rows[1].pixels[0, 2, 2] != bright).any()
    panel.choice.fixed.setChecked(False)
    assert (panel.mosaic.shown.rows[1].pixels[0, 2, 2] == bright).all()


def matrix_of(make: Make, classes: int) -> ClassesPanel:
    labels = np.arange(2 * classes) % classes
    likely = np.eye(classes, dtype="f4")[labels]
    fields = {"label": {"kind": "class"}, "image": {"kind": "image"}}
    reference = {"label": labels, "image": np.zeros((2 * classes, 4, 4, 1), "f4")}
    made = make("predictions", {"probabilities": likely}, reference, fields, {"target": "label"})
    assert isinstance(made, ClassesPanel)
    return made


def picture_panel(make: Make, random: np.random.Generator, samples: int) -> ReconstructionPanel:
    images = random.random((samples, 6, 6, 1)).astype("f4")
    made = make("reconstruction", {"output": images}, {"image": images}, {}, {"field": "image"})
    assert isinstance(made, ReconstructionPanel)
    return made


def film(make: Make) -> tuple[ReconstructionPanel, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    videos, output = (random.random((3, 5, 6, 7, 1)).astype("f2") for _ in range(2))
    fields = {"video": {"kind": "video"}}
    panel = make("reconstruction", {"output": output}, {"video": videos}, fields, VIDEO)
    assert isinstance(panel, ReconstructionPanel)
    return panel, videos, output


def test_a_video_is_shown_frame_by_frame(qtbot: QtBot, make: Make) -> None:
    panel, videos, output = film(make)
    rows = panel.sheet.shown.rows
    np.testing.assert_array_equal(rows[0].values, videos[:, 0])
    panel.film.slider.setValue(3)
    rows = panel.sheet.shown.rows
    np.testing.assert_array_equal(rows[0].values, videos[:, 3])
    np.testing.assert_array_equal(rows[1].values, output[:, 3])
    panel.film.play.click()
    qtbot.waitUntil(lambda: panel.film.frame == 1)  # 4, 0, 1: round and round
    panel.hide()
    assert not panel.film.playing


def test_all_frames_of_every_video_side_by_side(make: Make) -> None:
    panel, videos, output = film(make)
    panel.strip.setChecked(True)
    rows = panel.sheet.shown.rows
    assert len(rows) == 9
    assert rows[3].label == "2 · input"
    np.testing.assert_array_equal(rows[3].values, videos[1])
    np.testing.assert_array_equal(rows[7].values, output[2])
    assert panel.film.isHidden()


def test_a_sample_that_is_enlarged_is_let_go_where_columns_become_frames(make: Make) -> None:
    random = np.random.default_rng(0)
    videos = random.random((9, 5, 6, 7, 1)).astype("f2")
    fields = {"video": {"kind": "video"}}
    panel = make("reconstruction", {"output": videos}, {"video": videos}, fields, VIDEO)
    assert isinstance(panel, ReconstructionPanel)
    panel.sheet.choose((0, 8))
    panel.strip.setChecked(True)
    assert len(panel.sheet.shown.rows) == 27
    panel.sheet.choose((0, 4))
    panel.strip.setChecked(False)
    assert panel.sheet.pick is None
    np.testing.assert_array_equal(panel.sheet.shown.rows[0].values, videos[:, 0])


def test_the_levels_of_a_video_are_those_of_all_its_moments(make: Make) -> None:
    videos = np.zeros((3, 5, 6, 7, 1), "f4")
    videos[:, 1:] = np.linspace(-4, 4, 4)[:, None, None, None]
    fields, reference = {"video": {"kind": "video"}}, {"video": videos}
    panel = make("reconstruction", {"output": videos / 2}, reference, fields, VIDEO)
    assert isinstance(panel, ReconstructionPanel)
    assert panel.caption.text.endswith("difference from −4 to +4")
    panel.film.slider.setValue(3)
    grey = panel.sheet.shown.rows[0].pixels[0, 0, 0, 0]
    assert grey == int(255 * (4 / 3 + 4) / 8)
    alone = make("reconstruction", {"output": videos}, {}, fields, VIDEO)
    alone.film.slider.setValue(3)
    assert alone.sheet.shown.rows[0].pixels[0, 0, 0, 0] == grey


def test_of_two_videos_that_are_compared_one_moves_both(make: Make) -> None:
    panels = [film(make)[0] for _ in range(2)]
    link(*panels)
    one, other = (panel.film for panel in panels)
    assert one is not None
    assert other is not None
    one.play.click()
    assert other.play.isChecked()
    assert [bar.playing for bar in (one, other)] == [True, False]
    one.advance()
    assert (one.frame, other.frame) == (1, 1)
    other.play.click()
    assert not one.play.isChecked()
    assert not one.playing


def test_the_arrows_move_the_picked_cell_of_a_matrix(qtbot: QtBot, make: Make) -> None:
    one, other = (matrix_of(make, 3) for _ in range(2))
    link(one, other)
    matrix, there = one.matrix, other.matrix
    assert matrix.focusPolicy() == Qt.FocusPolicy.StrongFocus
    for key, pick in (
        (Key.Key_Left, (0, 0)),
        (Key.Key_Down, (1, 0)),
        (Key.Key_Right, (1, 1)),
        (Key.Key_Up, (0, 1)),
        (Key.Key_Up, (0, 1)),
        (Key.Key_Escape, None),
        (Key.Key_Return, (0, 0)),
    ):
        qtbot.keyClick(matrix, key)
        assert (matrix.pick, there.pick) == (pick, pick)
    assert one.about.text() == "true 0, predicted 0 · 2"
    there.choose((2, 1))
    assert matrix.pick == (2, 1)
    fewer = matrix_of(make, 2)
    link(one, fewer)
    one._draw()
    fewer._draw()
    assert (matrix.pick, fewer.matrix.pick) == ((2, 1), None)


def test_a_sample_that_is_enlarged_is_enlarged_of_the_other_run(make: Make) -> None:
    random = np.random.default_rng(0)
    one, other, fewer = (picture_panel(make, random, samples) for samples in (6, 6, 3))
    one.sheet.choose((0, 4))
    link(one, other)
    other._draw()
    assert other.sheet.pick == (0, 4)
    other.sheet.choose((0, 2))
    assert one.sheet.pick == (0, 2)
    link(one, fewer)
    one.sheet.choose((0, 5))
    assert (other.sheet.pick, fewer.sheet.pick) == ((0, 5), None)
