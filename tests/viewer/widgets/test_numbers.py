import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QFont, QFontMetrics
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ed_core.palette import CLASSES as FIGURE_CLASSES
from ed_viewer.curves.data import curves_of
from ed_viewer.panels.latent.projection import project
from ed_viewer.style.palette import (
    DARK,
    LIGHT,
    NO_CLASS,
    NOT_DRAWN,
    NOT_FINITE,
    Palette,
    class_table,
    grey_table,
)
from ed_viewer.style.pixels import as_images, finite, finite_range, image_levels, pixels
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.controls import Slider
from ed_viewer.widgets.plots.scatter import limits_around, rasterise
from ed_viewer.widgets.tiles.layout import lay_out
from ed_viewer.widgets.tiles.tile_set import TileRow, TileSet, TileStyle, describe

pytestmark = pytest.mark.viewer


def test_pixels_are_the_table_between_the_levels() -> None:
    images = np.array([-1, 0, 0.5, 1, 2], "f4").reshape(1, 1, 5, 1)
    made = pixels(images, (0, 1), grey_table())
    assert made[0, 0, :, 0].tolist() == [0, 0, 127, 255, 255]


def test_colours_are_stored_blue_first() -> None:
    red = np.zeros((1, 1, 1, 3), "f4")
    red[..., 0] = 1
    assert pixels(red, (0, 1), grey_table())[0, 0, 0].tolist() == [0, 0, 255, 255]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_striped_and_levels_ignore_it(value: float, channels: int) -> None:
    images = as_images(np.full((1, 8, 8, channels), 0.5, "f4"))
    images[0, :4, :, 0] = value
    assert image_levels(images) == (0.0, 1.0)
    made = pixels(images, (0, 1), grey_table())[0, ..., 2::-1]
    stripes = {tuple(colour) for colour in class_table(NOT_FINITE).tolist()}
    assert {tuple(colour) for colour in made[:4].reshape(-1, 3).tolist()} == stripes
    assert (made[4:] == 127).all()
    tiles = TileSet((TileRow(made[None], "output", images),))
    said = {"nan": "NaN", "inf": "∞", "-inf": "\N{MINUS SIGN}∞"}[str(value)]
    assert f"= {said}" in describe(tiles, 0, 0, (0.1, 0.1))
    assert image_levels(np.array([-3.0, 5.0])) == (-3.0, 5.0)


@given(st.integers(0, 2**32 - 1), st.integers(3, 12))
def test_principal_axes_do_not_flip_between_frames(seed: int, latent: int) -> None:
    random = np.random.default_rng(seed)
    spread = np.linspace(8, 1, latent)
    codes = random.normal(size=(60, latent)) * spread
    axes = project(codes)
    for _ in range(5):
        codes = codes + random.normal(size=codes.shape) * 0.05
        after = project(codes, axes)
        assert ((after.points * axes.points).sum(axis=0) > 0).all()
        axes = after


def test_principal_axes_hold_most_of_the_variance() -> None:
    codes = np.random.default_rng(0).normal(size=(80, 6)) * [9, 0.1, 5, 0.1, 0.1, 0.1]
    kept = project(codes).points.var(axis=0).sum()
    assert kept > 0.99 * codes.var(axis=0).sum()


def test_the_window_stays_while_points_move_within_it() -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (50, 2))
    window = limits_around(points, None)
    assert limits_around(points * 0.9, window) == window
    assert limits_around(points * 3, window) != window
    assert limits_around(points * 0.1, window) != window


def test_a_raster_puts_a_point_into_its_cell() -> None:
    points = np.array([[0.25, 0.75], [0.5, 0.5], [0.25, 0.75], [0.8, 0.8]])
    labels = np.array([0, NOT_DRAWN, NO_CLASS, NO_CLASS])
    picture, box = rasterise(points, labels, (0, 1, 0, 1), LIGHT, 8)
    assert np.argwhere(picture[..., 3]).tolist() == [[6, 2], [6, 6]]
    assert picture[6, 2].tolist() == list(QColor(LIGHT.classes[0]).getRgb())  # above the other
    assert box == (0, 0, 1, 1)


def test_curves_are_the_total_the_heads_and_the_metrics() -> None:
    scalars = ("loss", "a_weight", "kl_loss", "a_loss", "acc", "learning_rate", "val_loss", "val_z")
    assert curves_of(scalars, ["a", "kl"]) == ["loss", "a_loss", "kl_loss", "acc", "val_z"]


@settings(deadline=None)
@given(
    rows=st.integers(1, 20),
    count=st.integers(1, 40),
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    room=st.tuples(st.integers(64, 1600), st.integers(48, 1000)),
    wrap=st.booleans(),
)
def test_tiles_stay_inside_and_are_found_where_they_are_drawn(
    qapp: QApplication,
    rows: int,
    count: int,
    height: int,
    width: int,
    room: tuple[int, int],
    wrap: bool,
) -> None:
    tile = TileRow(np.zeros((count, height, width, 4), "u1"), "name")
    tiles = TileSet((tile,) * rows, ("c",) * count, style=TileStyle(wrap=wrap))
    size = QSize(*room)
    made = lay_out(tiles, size, QFontMetrics(QFont("DejaVu Sans", 11)))
    assert 1 <= made.rows <= rows
    assert 1 <= made.columns <= count
    for row, column in {(0, 0), (made.rows - 1, made.columns - 1)}:
        cell = made.cell(row, column)
        assert cell.right() <= size.width()
        assert made.find(cell.center()) == (row, column)


def luminance(colour: str) -> float:
    parts = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def test_a_class_has_the_colour_of_the_figures() -> None:
    assert LIGHT.classes == FIGURE_CLASSES


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
def test_type_can_be_read_and_classes_can_be_seen(palette: Palette) -> None:
    for ground in (palette.card, palette.window):
        assert contrast(palette.text, ground) >= 7
        assert contrast(palette.muted, ground) >= 4.5
    assert contrast(palette.on_warning, palette.warning) >= 7
    assert contrast(palette.on_accent, palette.accent) >= 4.5
    assert all(contrast(colour, palette.card) >= 2 for colour in palette.classes)
    assert len(set(palette.classes)) == 10


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=lambda p: p.name)
def test_what_can_be_operated_can_be_seen(palette: Palette) -> None:
    for ground in (palette.card, palette.window):  # WCAG 1.4.11: 3:1 for a control's edge
        assert contrast(palette.done, ground) >= 3
        assert contrast(palette.accent, ground) >= 3
    assert contrast(palette.text, palette.field) >= 7
    assert contrast(palette.muted, palette.field) >= 4.5


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_groove_of_a_slider_stands_out(qtbot: QtBot, qapp: QApplication, name: str) -> None:
    theme = Theme(qapp, name)
    slider = Slider(theme)
    qtbot.addWidget(slider)
    slider.setRange(0, 100)
    slider.resize(120, 22)
    slider.setValue(0)
    groove = slider.grab().toImage().pixelColor(90, 11).name()
    assert contrast(groove, theme.palette.card) >= 3
    slider.setValue(100)
    assert slider.grab().toImage().pixelColor(30, 11).name() == theme.palette.accent


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i1", "i8", "u1", "?"])
def test_the_range_is_that_of_what_is_finite(kind: str) -> None:
    values = np.array([1, 0, 1, 1]).astype(kind)
    assert finite_range(values) == (0.0, 1.0)
    assert finite(values) is values
    assert finite_range(values[:0]) == (0.0, 1.0)
    if np.dtype(kind).kind == "f":
        values[:] = [np.nan, np.inf, -np.inf, 3]
        assert finite_range(values) == (3.0, 3.0)
        assert np.isfinite(finite(values)).all()
        assert finite(values)[0] == 0
        assert finite_range(values[:3]) == (0.0, 1.0)
