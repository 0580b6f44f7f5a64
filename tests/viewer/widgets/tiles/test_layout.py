from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ed_viewer.style.theme import Theme
from ed_viewer.widgets.tiles.layout import TileLayout, lay_out
from ed_viewer.widgets.tiles.pickable import PICTURES, Sheet
from ed_viewer.widgets.tiles.tile_set import TileRow, TileSet, TileStyle
from ed_viewer.widgets.tiles.tiles import fitted

pytestmark = pytest.mark.viewer


def pictures(
    columns: int = 16, side: int = 28, style: TileStyle = PICTURES, name: str = "Ankle boot"
) -> TileSet:
    made = np.zeros((columns, side, side, 4), np.uint8)
    rows = tuple(TileRow(made, label) for label in ("input", "output", "difference"))
    return TileSet(rows, tuple(f"{name} {n}" for n in range(columns)), style=style)


def laid(tiles: TileSet, width: int, height: int, qapp: QApplication) -> TileLayout:
    return lay_out(tiles, QSize(width, height), QFontMetrics(qapp.font()))


def test_fewer_samples_are_shown_rather_than_stamps(qapp: QApplication) -> None:
    all_of_them = laid(pictures(style=TileStyle(wrap=True)), 480, 170, qapp)
    fewer = laid(pictures(), 480, 170, qapp)
    assert (all_of_them.columns, fewer.columns < 16) == (16, True)
    assert fewer.width >= 1.3 * all_of_them.width
    assert fewer.rows == 3


def test_no_sample_is_left_out_where_that_gains_little(qapp: QApplication) -> None:
    assert laid(pictures(), 1000, 400, qapp).columns == 16
    assert laid(pictures(8, 256), 700, 400, qapp).columns == 8
    low = laid(pictures(), 1000, 110, qapp)  # it is the height that has no room
    assert low.columns == 16


@pytest.mark.parametrize("width", [180, 205, 600])
def test_no_word_of_a_row_is_cut(width: int, qapp: QApplication) -> None:
    made = np.zeros((2, 16, 16, 4), np.uint8)
    labels = ("prediction", "predicted (km)", "predicted − true")
    metrics = QFontMetrics(qapp.font())
    laid_out = laid(TileSet(tuple(TileRow(made, name) for name in labels)), width, 300, qapp)
    rows = [text for text in laid_out.texts if text[1] in labels]
    shown = [fitted(text, rect, flags, metrics)[0] for rect, text, flags in rows]
    assert shown == [*labels] * (len(rows) // 3)
    for one, other in pairwise(rect for rect, _, _ in rows):
        assert not one.intersects(other)


def test_a_name_that_is_cut_short_keeps_letters_rather_than_dots(qapp: QApplication) -> None:
    metrics, flags = QFontMetrics(qapp.font()), Qt.AlignmentFlag.AlignCenter
    narrow = QRect(0, 0, metrics.horizontalAdvance("Snea"), metrics.height())
    assert fitted("Sneaker", narrow, flags, metrics)[0].startswith("Snea")
    wide = QRect(0, 0, metrics.horizontalAdvance("a class whose"), metrics.height())
    assert fitted("aclasswhosename", wide, flags, metrics)[0].endswith("…")


def test_a_numbered_name_without_room_is_its_number(qapp: QApplication) -> None:
    metrics, flags = QFontMetrics(qapp.font()), Qt.AlignmentFlag.AlignCenter
    narrow = QRect(0, 0, metrics.horizontalAdvance("fram"), metrics.height())
    names = [fitted(f"frame {n}", narrow, flags, metrics)[0] for n in (1, 12)]
    assert names == ["1", "12"]


def test_long_names_of_columns_stay_in_their_place(qapp: QApplication) -> None:
    made = laid(pictures(name="a class whose name is far longer than its column"), 700, 300, qapp)
    names = [rect for rect, text, _ in made.texts if "class" in text]
    assert names
    for one, other in pairwise(names):
        assert not one.intersects(other)
    assert all(rect.right() <= 700 for rect in names)


@given(
    columns=st.integers(1, 40),
    side=st.integers(1, 300),
    width=st.integers(64, 1600),
    height=st.integers(48, 900),
    gap=st.integers(0, 8),
    comfortable=st.integers(0, 90),
)
def test_tiles_lie_in_the_room_and_apart(
    qapp: QApplication, columns: int, side: int, width: int, height: int, gap: int, comfortable: int
) -> None:
    style = TileStyle(gap=gap, wrap=True, comfortable=comfortable, smallest=8)
    made = laid(pictures(columns, side, style), width, height, qapp)
    cells = [made.cell(row, column) for row in range(made.rows) for column in range(made.columns)]
    assert 1 <= made.columns <= columns
    assert made.cell(0, 0).left() >= 0
    if made.width >= 8:
        assert all(QRect(0, 0, width, height).contains(cell) for cell in cells)
    for number, cell in enumerate(cells[1:], 1):
        assert not cell.intersects(cells[number - 1])


@pytest.mark.parametrize("width", [900, 1100, 1300])
def test_every_class_has_its_name_above_it(qapp: QApplication, width: int) -> None:
    made = laid(pictures(), width, 300, qapp)
    names = [text for _, text, _ in made.texts if text.startswith("An")]  # perhaps cut
    assert len(names) == 16


def test_a_low_stage_has_wide_columns_where_names_are_wide(qapp: QApplication) -> None:
    made = laid(pictures(8, style=TileStyle(gap=2)), 1200, 130, qapp)
    rects = [rect for rect, text, _ in made.texts if text.startswith("Ankle")]
    assert len(rects) == 8
    assert made.width + made.gap > made.width + 2  # they stand apart for the names' sake


def test_pictures_are_larger_in_the_lecture_mode(qtbot: QtBot, theme: Theme) -> None:
    sheet = Sheet(theme)
    qtbot.addWidget(sheet)
    sheet.resize(1240, 477)
    sheet.show_tiles(pictures(name=""))
    alone = sheet.grid
    theme.set_lecture(True)
    sheet.show_tiles(pictures(name=""))
    assert alone.columns == 16
    assert 7 <= sheet.columns <= 10
    assert sheet.grid.width > 1.5 * alone.width
    assert sheet.cut() == [f"{sheet.columns} samples shown"]
    theme.set_lecture(False)


def test_one_sample_takes_the_room_that_there_is(qtbot: QtBot, theme: Theme) -> None:
    sheet = Sheet(theme)
    qtbot.addWidget(sheet)
    sheet.resize(870, 500)
    made = np.zeros((4, 64, 64, 4), np.uint8)
    names = ("image", "truth", "prediction", "overlay")
    sheet.show_tiles(TileSet(tuple(TileRow(made, name) for name in names), style=PICTURES))
    sheet.choose((0, 1))
    assert sheet.shown.columns == ("sample 2: image", "truth", "prediction", "overlay")
    assert sheet.grid.per_block == 2
    assert sheet.grid.width >= 215
