from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QSize
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from ed_viewer.panels.base import PANELS, Panel, panel, panel_class
from ed_viewer.panels.fallback import FallbackPanel, form_of
from ed_viewer.style.palette import NO_CLASS, class_colour
from ed_viewer.widgets.tiles.tile_set import describe

pytestmark = pytest.mark.viewer

Make = Callable[..., Panel]


def shown_groups(made: Panel) -> list[int]:
    """Return the classes of which a panel of codes shows a point."""
    return sorted(set(made.scatter.points.labels.tolist()))


def reconstruction(make: Make, images: np.ndarray, output: np.ndarray) -> Panel:
    return make(
        "reconstruction", {"output": output.astype("f2")}, {"image": images}, {}, {"field": "image"}
    )


def test_the_difference_is_that_of_output_and_input(make: Make) -> None:
    images = np.zeros((3, 28, 28, 1), "f4")
    output = images.copy()
    output[1, 4, 5] = 0.75
    rows = reconstruction(make, images, output).sheet.shown.rows
    assert [row.label for row in rows] == ["input", "output", "out − in"]
    assert rows[2].values[1, 4, 5, 0] == 0.75
    assert np.count_nonzero(rows[2].values) == 1
    assert (rows[2].pixels[1, 4, 5] != rows[2].pixels[1, 0, 0]).any()


def test_images_that_are_not_square_are_not_cropped(make: Make) -> None:
    images = np.random.default_rng(0).random((4, 24, 40, 3)).astype("f4")
    tiles = reconstruction(make, images, images).sheet
    assert tiles.shown.rows[0].pixels.shape == (4, 24, 40, 4)
    cell = tiles.grid.cell(0, 0)
    assert cell.width() / cell.height() == pytest.approx(40 / 24, rel=0.05)
    drawn = tiles.grab(cell).toImage()
    corner = drawn.pixelColor(drawn.width() - 1, drawn.height() - 1)
    expected = (images[0, -1, -1] * 255).astype(int)
    assert np.abs(np.array(corner.getRgb()[:3]) - expected).max() <= 2


def test_of_many_channels_the_mean_or_a_chosen_one_is_shown(make: Make) -> None:
    images = np.random.default_rng(0).random((2, 9, 7, 5)).astype("f4")
    made = reconstruction(make, images, images)
    shown = made.sheet.shown.rows[0].values[..., 0]
    np.testing.assert_allclose(shown, images.mean(axis=-1), atol=1e-6)
    made.channel.setCurrentText("channel 4")
    np.testing.assert_array_equal(made.sheet.shown.rows[0].values[..., 0], images[..., 3])


def test_a_signal_is_drawn_as_curves(make: Make) -> None:
    signal = np.sin(np.linspace(0, 9, 64))[None, :, None].repeat(3, axis=0).astype("f4")
    made = reconstruction(make, signal, signal)
    assert len(made.signals.waves) == 3
    wave = made.signals.waves[0]
    for curves in (wave.before, wave.after):
        np.testing.assert_allclose(curves[0].getData()[1], signal[0, :, 0], atol=1e-3)
    np.testing.assert_allclose(wave.change[0].getData()[1], 0, atol=1e-3)


def test_what_a_signal_lacks_is_not_drawn(make: Make) -> None:
    signal, there = np.ones((2, 64, 1), "f4"), np.ones((2, 64, 1), bool)
    there[0, 5] = False
    arrays = {"signal": signal * there, "signal_present": there}
    made = make("reconstruction", {"output": signal}, arrays, {}, {"field": "signal"})
    drawn = made.signals.waves[0].before[0].getData()[1]
    assert np.flatnonzero(np.isnan(drawn)).tolist() == [5]


def test_levels_of_a_layer_never_shrink(make: Make) -> None:
    maps = np.zeros((5, 6, 6, 3), "f2")
    maps[0, 2, 2, 1] = 8
    made = make("activations", {"conv": maps})
    bright = made.mosaic.shown.rows[1].pixels[0, 2, 2].copy()
    made.show_frame({"conv": maps / 4})
    dim = made.mosaic.shown.rows[1].pixels[0, 2, 2]
    assert int(dim[:3].sum()) < int(bright[:3].sum())


def test_dead_channels_are_marked(make: Make) -> None:
    maps = np.ones((5, 6, 6, 3), "f2")
    maps[..., 2] = 0
    made = make("activations", {"conv": maps})
    assert [sorted(row.dead) for row in made.mosaic.shown.rows] == [[], [], [0, 1, 2, 3, 4]]
    assert "1 of 3 channels silent on these 5 samples (dashed)" in made.caption.text


def test_a_layer_of_many_channels_opens_as_a_mosaic_of_one_sample(make: Make) -> None:
    maps = np.random.default_rng(0).random((5, 6, 6, 40)).astype("f2")
    images = np.zeros((9, 12, 12, 1), "f4")
    made = make("activations", {"conv": maps}, {"image": images}, {}, {"field": "image"})
    assert sum(len(row.pixels) for row in made.mosaic.shown.rows) == 40
    made.strip.clicked.emit(0, 3)
    np.testing.assert_array_equal(
        made.mosaic.shown.rows[0].values[0, ..., 0], maps[3, ..., 0].astype("f4")
    )


def test_the_caption_says_what_has_no_room_at_this_size(qtbot: QtBot, make: Make) -> None:
    maps = np.random.default_rng(0).random((24, 6, 6, 6)).astype("f2")
    made = make("activations", {"conv": maps})
    full = made.caption.text
    assert "no room" not in full
    assert "samples" not in full
    made.resize(QSize(340, 150))
    mosaic = made.mosaic
    qtbot.waitUntil(lambda: mosaic.hidden_rows > 0 and mosaic.columns < 24)
    qtbot.waitUntil(lambda: f"no room for {mosaic.hidden_rows} rows" in made.caption.text)
    assert f"{mosaic.columns} of 24 samples" in made.caption.text
    made.resize(QSize(700, 400))
    qtbot.waitUntil(lambda: made.caption.text == full)


def test_the_caption_counts_the_samples_that_can_be_chosen(qtbot: QtBot, make: Make) -> None:
    maps = np.random.default_rng(0).random((26, 6, 6, 40)).astype("f2")
    images = np.zeros((26, 12, 12, 1), "f4")
    made = make("activations", {"conv": maps}, {"image": images}, {}, {"field": "image"})
    assert "of 26 samples" not in made.caption.text
    made.resize(QSize(300, 400))
    qtbot.waitUntil(lambda: made.strip.columns < 26)
    qtbot.waitUntil(lambda: f"{made.strip.columns} of 26 samples" in made.caption.text)


@pytest.mark.parametrize("units", [1, 2, 10, 200])
def test_dense_layers(make: Make, units: int) -> None:
    values = np.random.default_rng(0).random((4, units)).astype("f2")
    rows = make("activations", {"dense": values}).mosaic.shown.rows
    assert sum(row.values[0].size for row in rows) >= units


def codes_panel(make: Make, codes: np.ndarray, classes: int = 3) -> Panel:
    labels = np.arange(len(codes)) % classes
    names = [f"class {i}" for i in range(classes)]
    fields = {"label": {"kind": "class", "classes": names}}
    return make("latent_codes", {"codes": codes}, {"label": labels}, fields, {"label": "label"})


def test_codes_of_a_class_share_a_colour(make: Make) -> None:
    codes = np.random.default_rng(0).normal(size=(30, 2)).astype("f4")
    made = codes_panel(make, codes)
    assert len(shown_groups(made)) == 3
    drawn = made.scatter.points
    np.testing.assert_allclose(drawn.points[drawn.labels == 1], codes[1::3])
    made.scatter.legend.hidden.add(1)
    made.scatter.legend.toggled.emit()
    assert len(shown_groups(made)) == 2


def partly_labelled(make: Make, samples: int) -> Panel:
    """Return a panel of codes of which a third has no label."""
    codes = np.random.default_rng(0).normal(size=(samples, 2)).astype("f4")
    labels = np.arange(samples) % 3 - 1
    fields = {"label": {"kind": "class", "classes": ["class 0", "class 1"]}}
    return make("latent_codes", {"codes": codes}, {"label": labels}, fields, {"label": "label"})


def test_codes_without_a_label_are_drawn_in_grey_and_counted(make: Make) -> None:
    made = partly_labelled(make, 30)
    drawn, legend = made.scatter.points, made.scatter.legend
    assert len(drawn.points) == 30
    assert drawn.labels.tolist() == [NO_CLASS] * 10 + [0] * 10 + [1] * 10  # below the others
    assert drawn.colours[NO_CLASS] == class_colour(made.source.theme.palette, NO_CLASS)
    assert drawn.colours[NO_CLASS] not in (drawn.colours[0], drawn.colours[1])
    assert "30 samples · 10 without label" in made.caption.text
    assert legend.names == ("class 0", "class 1", "no label")
    legend.toggle(2)
    assert legend.hidden == {NO_CLASS}
    assert shown_groups(made) == [0, 1]
    assert "sample 1 " not in made.scatter.describe(made.scatter.positions[0])
    legend.toggle(2)
    assert made.scatter.describe(made.scatter.positions[0]).startswith("sample 1 · no label · ")


def test_without_a_missing_label_the_legend_has_no_row_for_it(make: Make) -> None:
    made = codes_panel(make, np.random.default_rng(0).normal(size=(30, 2)).astype("f4"))
    assert made.scatter.legend.names == ("class 0", "class 1", "class 2")
    assert "without label" not in made.caption.text


def test_many_codes_without_a_label_are_in_the_picture(make: Make) -> None:
    made = partly_labelled(make, 6000)
    grey = QColor(class_colour(made.source.theme.palette, NO_CLASS)).getRgb()
    before = made.scatter.image.image
    assert (before == grey).all(axis=-1).sum() > 500
    made.scatter.legend.set_hidden({NO_CLASS})
    assert not (made.scatter.image.image == grey).all(axis=-1).any()


@pytest.mark.parametrize("labels", [np.array([0, -1, 1]), np.array([0.0, np.nan, 1.0])])
def test_a_sample_without_a_label_is_called_so(make: Make, labels: np.ndarray) -> None:
    images = np.zeros((3, 8, 8, 1), "f4")
    fields = {"label": {"kind": "class", "classes": ["cat", "dog"]}}
    reference = {"image": images, "label": labels}
    made = make("reconstruction", {"output": images}, reference, fields, {"field": "image"})
    assert made.sheet.shown.columns == ("cat", "no label", "dog")


def test_predictions_say_what_they_leave_out(make: Make) -> None:
    likely = np.eye(2, dtype="f4")[[0, 1, 1, 0]]
    fields = {"label": {"kind": "class", "classes": ["cat", "dog"]}}
    reference = {"label": np.array([0, -1, 1, -1]), "angle": np.array([1, np.nan, 3, 4], "f4")}
    options = {"target": "label"}
    made = make("predictions", {"probabilities": likely}, reference, fields, options)
    assert made.caption.text == "accuracy 100.0 % (2 samples) · 2 without label left out"
    values = {"values": np.array([1, 2, 3, 4], "f4")}
    made = make("predictions", values, reference, fields, {"target": "angle"})
    assert made.caption.text == "RMSE 0 · 3 samples · 1 without a true value left out"
    plot = made.view.widget
    assert sorted(plot.points.labels.tolist()) == [NO_CLASS, 0, 1]
    assert plot.legend.names == ("cat", "dog", "no label")


def test_many_codes_become_a_picture(make: Make) -> None:
    codes = np.random.default_rng(0).normal(size=(6000, 2)).astype("f4")
    made = codes_panel(make, codes)
    assert made.scatter.image.isVisible()
    assert not shown_groups(made)
    assert (made.scatter.image.image[..., 3] > 0).sum() > 2000


def test_codes_without_classes_and_of_one_dimension(make: Make) -> None:
    codes = np.linspace(-1, 1, 20, dtype="f4")[:, None]
    made = make("latent_codes", {"codes": codes}, {}, {}, {"label": None})
    assert made.scatter.legend.isHidden()
    assert len(made.scatter.points.points) == 20


def test_the_first_row_of_the_grid_is_the_largest_y(make: Make) -> None:
    grid = np.zeros((3, 4, 5, 6, 1), "f2")
    grid[0, 3] = 1
    x, y = np.linspace(-2, 2, 4, dtype="f4"), np.linspace(-1, 1, 3, dtype="f4")
    made = make("latent_scan", {"grid": grid, "x": x, "y": y}, options={"dimensions": [0, 2]})
    shown = made.tiles.shown
    assert [row.label for row in shown.rows] == ["1.0", "0.0", "\u22121.0"]
    assert shown.columns[0] == "\u22122.0"
    assert (shown.x_title, shown.y_title) == ("code 1", "code 3")
    assert shown.rows[0].values[3].min() == 1


@pytest.mark.parametrize(("side", "shown"), [(900, 15), (260, 8), (150, 5), (90, 5)])
def test_a_grid_without_room_shows_fewer_tiles(
    qtbot: QtBot, make: Make, side: int, shown: int
) -> None:
    grid = np.broadcast_to(np.arange(225.0).reshape(15, 15, 1, 1, 1), (15, 15, 8, 8, 1)) / 225
    steps = np.linspace(-2, 2, 15, dtype="f4")
    made = make("latent_scan", {"grid": grid.astype("f2"), "x": steps, "y": steps})
    made.tiles.setFixedSize(QSize(side, side))
    qtbot.waitUntil(lambda: len(made.tiles.shown.rows) == shown)
    rows = made.tiles.shown.rows
    assert (len(rows), len(rows[0].pixels)) == (shown, shown)
    middle = rows[shown // 2].values[shown // 2].mean()
    if shown % 2:
        assert middle == pytest.approx(0.5, abs=0.01)
    assert len({row.label for row in rows}) == shown


@pytest.mark.parametrize(
    ("shape", "form"),
    [
        ((), "words"),
        ((1,), "words"),
        ((50,), "curve"),
        ((4, 5), "table"),
        ((40, 50), "map"),
        ((6, 9, 7), "images"),
        ((6, 9, 7, 3), "images"),
        ((6, 9, 7, 5), "words"),
        ((2, 3, 4, 5, 6), "words"),
    ],
)
def test_the_fallback_shows_any_shape(make: Make, shape: tuple[int, ...], form: str) -> None:
    values = np.random.default_rng(0).normal(size=shape).astype("f4")
    values = np.asarray(values)
    if values.size > 3:
        values.ravel()[:2] = np.nan, np.inf
    made = make("never heard of", {"array": values})
    assert isinstance(made, FallbackPanel)
    assert form_of(made.source.probe.arrays["array"]) == form
    assert made._stack.currentWidget() is made._widgets[form]


def test_a_panel_of_ones_own_is_used_for_its_kind(make: Make) -> None:
    with PANELS.isolated():

        @panel("mine")
        class Mine(Panel):
            def show_frame(self, arrays: dict[str, np.ndarray]) -> None:
                self.set_caption(str(sorted(arrays)))

        made = make("mine", {"a": np.zeros(2, "f4")})
        assert isinstance(made, Mine)
        assert made.caption.text == "['a']"
    assert panel_class(made.source.probe) is FallbackPanel


def test_the_value_under_the_mouse(make: Make) -> None:
    images = np.zeros((1, 4, 4, 1), "f4")
    images[0, 3, 1] = 0.5
    tiles = reconstruction(make, images, images).sheet
    cell = tiles.grid.cell(0, 0)
    point = QPoint(cell.x() + cell.width() * 3 // 8, cell.y() + cell.height() * 7 // 8)
    assert tiles.describe(point) == "input · column 1 · (1, 3) = 0.5"
    assert tiles.describe(QPoint(0, 0)) == ""


@pytest.mark.parametrize(
    ("values", "options", "words"),
    [
        (np.ones((8, 32)), {"of": {"layer": 64}, "channels": 32}, "first 32 of 64 units"),
        (np.ones((8, 32)), {"channels": 32}, "first 32 units, more are not recorded"),
        (np.ones((8, 32)), {"of": {"layer": 32}, "channels": 32}, "32 units"),
        (np.ones((8, 4, 5, 3)), {"of": {"layer": 7}}, "4 × 5, first 3 of 7 channels"),
    ],
)
def test_the_shape_of_a_layer_is_that_of_all_of_it(
    make: Make, values: np.ndarray, options: dict, words: str
) -> None:
    made = make("activations", {"layer": values.astype("f4")}, options=options)
    assert made.caption.text.split(" · ")[0] == words


def test_what_fills_a_square_of_units_counts_for_nothing(make: Make) -> None:
    values = np.full((2, 13), 2.0, "f4")
    values[0, 3:5] = np.nan, 0.0
    made = make("activations", {"dense": values})
    made.mosaic.choose((0, 0))
    numbers = made.focus.numbers.text()
    assert numbers == "0 to 2\nmean 1.83 · 92 % not 0\n1 of 13 values not finite"
    tiles = made.mosaic.shown
    assert describe(tiles, 0, 0, (0.1, 0.3)) == "units · column 1 · unit 5 = 0"
    assert describe(tiles, 0, 0, (0.9, 0.1)) == "units · column 1 · unit 4 = NaN"
    assert describe(tiles, 0, 0, (0.9, 0.9)) == ""


def test_codes_that_are_hidden_are_not_counted_as_shown(make: Make) -> None:
    made = codes_panel(make, np.random.default_rng(0).normal(size=(30, 2)).astype("f4"))
    assert made.caption.text == "30 samples · 2 dimensions"
    made.scatter.legend.set_hidden({1})
    assert made.caption.text == "20 of 30 samples · 2 dimensions"


@pytest.mark.parametrize(
    ("ends", "first"), [((-2, 2), "−2.0"), ((0.1, 0.2), "0.10"), ((0.001, 0.004), "0.001")]
)
def test_no_two_places_of_a_grid_read_the_same(
    make: Make, ends: tuple[float, float], first: str
) -> None:
    at = np.linspace(*ends, 4, dtype="f4")
    made = make("latent_scan", {"grid": np.zeros((4, 4, 5, 5, 1), "f2"), "x": at, "y": at})
    columns = made.tiles.shown.columns
    assert (columns[0], len(set(columns))) == (first, 4)


def test_a_curve_has_a_gap_where_it_is_not_finite(make: Make) -> None:
    made = make("never heard of", {"array": np.array([1.0, np.nan, np.inf, 2.0], "f4")})
    np.testing.assert_array_equal(made.curve.yData, [1, np.nan, np.nan, 2])
    assert made.describe(np.array([1.0, 0.0])).endswith("= NaN")
    assert made.describe(np.array([2.0, 0.0])).endswith("= ∞")
