"""What was decoded is shown whole, whatever it is."""

import numpy as np
import pytest
from PySide6.QtCore import QSize
from pytestqt.qtbot import QtBot

from ed_viewer.panels.latent.decoded_view import DecodedView
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.plots.rows import RowPlots

pytestmark = pytest.mark.viewer


@pytest.fixture
def shown(qtbot: QtBot, theme: Theme) -> type:
    class Shown:
        def __new__(cls, outputs: np.ndarray, most: int = 1) -> DecodedView:
            widget = DecodedView(theme, most)
            qtbot.addWidget(widget)
            widget.resize(QSize(400, 200))
            widget.show()
            widget.show_outputs(outputs)
            assert not widget.grab().isNull()
            return widget

    return Shown


@pytest.mark.parametrize("shape", [(6, 14, 1), (14, 6, 3), (9, 9, 5), (28, 28)])
def test_an_image_of_any_shape_is_not_cropped(shown: type, shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).random((1, *shape)).astype("f4")
    tiles = shown(image).tiles
    assert tiles.shown.rows[0].pixels.shape[:3] == (1, *shape[:2])
    cell = tiles.grid.cell(0, 0)
    assert cell.width() / cell.height() == pytest.approx(shape[1] / shape[0], rel=0.1)
    assert tiles.rect().contains(cell)


def test_a_video_is_shown_as_its_frames(shown: type) -> None:
    video = np.zeros((1, 6, 8, 10, 1), "f4")
    video[0, 4] = 1
    row = shown(video).tiles.shown.rows[0]
    assert row.values.shape == (6, 8, 10, 1)
    assert row.values.mean(axis=(1, 2, 3)).tolist() == [0, 0, 0, 0, 1, 0]


def test_of_several_videos_each_is_one_tile(shown: type) -> None:
    videos = np.zeros((8, 6, 8, 10, 1), "f4")
    assert len(shown(videos, 8).tiles.shown.rows[0].pixels) == 8


@pytest.mark.parametrize("count", [1, 8])
def test_a_signal_is_shown_as_curves(shown: type, count: int) -> None:
    signals = np.random.default_rng(0).normal(size=(count, 50, 2)).astype("f4")
    waves = shown(signals, count).waves
    assert len(waves.waves) == count
    _, last = waves.waves[-1].after[-1].getData()
    np.testing.assert_allclose(last, signals[-1, :, 1], rtol=1e-6)


def test_words_give_way_to_what_is_decoded(shown: type) -> None:
    widget = shown(np.ones((1, 4, 4, 1), "f4"))
    widget.say("Starting the decoder …")
    assert widget.tiles.isVisible()


@pytest.mark.parametrize("count", [1, 8])
def test_rows_of_a_table_name_their_columns(qtbot: QtBot, theme: Theme, count: int) -> None:
    names = ("pressure", "flow", "state=good")
    widget = DecodedView(theme, count, names)
    qtbot.addWidget(widget)
    rows = np.random.default_rng(0).normal(size=(count, 3)).astype("f4")
    widget.show_outputs(rows)
    if count == 1:
        assert isinstance(widget.waves, RowPlots)
        assert widget.waves.shown_names() == [*names]
        np.testing.assert_array_equal(widget.waves.outputs, rows)
    else:
        assert widget.tiles.shown.rows[0].moments == names
