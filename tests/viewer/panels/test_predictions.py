from collections.abc import Callable

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from ed_viewer.panels.base import Panel
from ed_viewer.panels.classes import ClassesPanel
from ed_viewer.panels.segmentation import SegmentationPanel
from ed_viewer.panels.values import ValuesPanel
from ed_viewer.style.palette import LIGHT, class_colour, class_table, difference_table
from ed_viewer.style.pixels import class_pixels

pytestmark = pytest.mark.viewer

Make = Callable[..., Panel]

NAMES = ["shirt", "boot", "coat", "sandal"]
TRUTH = np.array([0, 0, 1, 2, 3, 3, -1, 2])
FOUND = np.array([0, 2, 1, 2, 1, 3, 0, 0])


def likely(found: np.ndarray, classes: int) -> np.ndarray:
    made = np.full((len(found), classes), 0.1, "f2")
    made[np.arange(len(found)), found] = 0.5 + np.arange(len(found)) / 100
    return made


def classes_panel(make: Make) -> ClassesPanel:
    reference = {
        "image": np.random.default_rng(0).random((8, 6, 5, 1)).astype("f4"),
        "label": TRUTH,
        "coarse": np.where(TRUTH < 0, -1, TRUTH % 2),
    }
    fields = {
        "image": {"kind": "image"},
        "label": {"kind": "class", "classes": NAMES},
        "coarse": {"kind": "class", "classes": ["top", "shoe"]},
    }
    options = {"output": "fine", "target": "label"}
    made = make("predictions", {"probabilities": likely(FOUND, 4)}, reference, fields, options)
    assert isinstance(made, ClassesPanel)
    return made


def test_samples_are_made_where_there_is_room_for_them(qtbot: QtBot, make: Make) -> None:
    made = classes_panel(make)
    made.resize(400, 400)
    qtbot.waitUntil(made.examples.isHidden)
    made.show_frame({"probabilities": likely(np.roll(FOUND, 1), 4)})
    wanted = int(((TRUTH >= 0) & (np.roll(FOUND, 1) != TRUTH)).sum())
    made.resize(1200, 500)
    qtbot.waitUntil(lambda: not made.examples.isHidden())
    assert made.about.text().endswith(f"· {wanted}")
    assert sum(len(row.pixels) for row in made.tiles.shown.rows) == wanted


def test_a_matrix_counts_truth_against_prediction_in_groups(make: Make) -> None:
    made = classes_panel(make)
    shown = made.matrix.shown
    assert shown.names == ("shirt", "coat", "boot", "sandal")
    assert (shown.starts, shown.groups) == ((0, 2), ("top", "shoe"))
    expected = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 1]]
    assert shown.counts.tolist() == expected
    assert made.accessibleName() == "Classes · fine"
    assert made.caption.text == (
        "accuracy 57.1 % (7 samples) · coarse 100.0 % · 1 without label left out"
    )
    assert made.matrix.text(0, 1) == "50"
    assert made.matrix.text(0, 3) == ""
    assert made.matrix.describe(3, 2) == "true sandal · predicted boot · 1 of 2 (50.0 %)"
    made.numbers.setChecked(True)
    assert made.matrix.text(0, 1) == "1"


def test_what_is_right_and_what_is_wrong_differ_in_colour(make: Make) -> None:
    matrix = classes_panel(make).matrix
    assert matrix.colour(2, 2) == LIGHT.below
    assert matrix.colour(0, 3) == LIGHT.card
    assert matrix.colour(3, 2) not in (LIGHT.card, matrix.colour(3, 3))
    picture = matrix.grab().toImage()
    where = matrix.grid.cell(2, 2).topLeft()
    assert picture.pixelColor(where.x() + 4, where.y() + 4).name() == LIGHT.below


def test_the_samples_beside_are_the_surest_mistakes_or_those_of_a_cell(make: Make) -> None:
    made = classes_panel(make)
    made.resize(900, 500)
    made.grab()
    assert made.tiles.shown.columns == ("coat → shirt", "sandal → boot", "shirt → coat")
    images = made.source.reference["image"]
    np.testing.assert_array_equal(made.tiles.shown.rows[0].values, images[[7, 4, 1]])
    made.matrix.choose((0, 0))
    np.testing.assert_array_equal(made.tiles.shown.rows[0].values, images[[0]])
    assert made.about.text() == "true shirt, predicted shirt · 1"
    made.matrix.choose(None)
    assert len(made.tiles.shown.columns) == 3


def test_a_class_that_no_output_stands_for_is_a_mistake(make: Make) -> None:
    reference = {"label": np.array([0, 1, 2, 5]), "image": np.zeros((4, 6, 5, 1), "f4")}
    fields = {"label": {"kind": "class", "classes": NAMES}, "image": {"kind": "image"}}
    arrays = {"probabilities": likely(np.array([0, 1, 0, 1]), 2)}
    made = make("predictions", arrays, reference, fields, {"target": "label"})
    assert isinstance(made, ClassesPanel)
    made.resize(900, 500)
    made.grab()
    assert made.tiles.shown.columns == ("5 → boot", "coat → shirt")
    assert made.matrix.shown.counts.tolist() == [[1, 0], [0, 1]]
    assert made.caption.text == "accuracy 50.0 % (4 samples)"


def test_without_truth_there_is_no_matrix(make: Make) -> None:
    made = make("predictions", {"probabilities": likely(FOUND, 4)}, options={"target": None})
    assert "no ground truth" in made.caption.text
    assert not made.matrix.shown.counts.size


def test_samples_of_a_cell_leave_the_matrix_most_of_a_narrow_panel(
    make: Make, qtbot: QtBot
) -> None:
    names = ["an ankle boot", "a sandal", "a sneaker", "a bag"]
    fields = {"label": {"kind": "class", "classes": names}, "image": {"kind": "image"}}
    reference = {"label": TRUTH, "image": np.ones((len(TRUTH), 4, 4, 1), "f4")}
    given = {"output": "label", "target": "label"}
    made = make("predictions", {"probabilities": likely(FOUND, 4)}, reference, fields, given)
    made.resize(380, 300)
    made.matrix.choose((0, 0))
    qtbot.waitUntil(made.examples.isVisible)
    assert made.matrix.width() > 1.5 * made.examples.width()


def segmentation(make: Make, colours: list[str]) -> SegmentationPanel:
    random = np.random.default_rng(1)
    truth = random.integers(-1, 2, (3, 8, 8)).astype("i1")
    reference = {
        "image": random.random((5, 8, 8, 3)).astype("f4"),
        "elevation": random.random((5, 8, 8, 1)).astype("f4"),
        "mask": np.concatenate([truth, truth[:2]]),
    }
    fields = {
        "image": {"kind": "image", "input": True},
        "elevation": {"kind": "value", "input": True},
        "mask": {"kind": "class", "classes": ["water", "land", "snow"], "colours": colours},
    }
    found = random.integers(0, 3, (3, 8, 8)).astype("u1")
    options = {"output": "mask", "target": "mask"}
    made = make("predictions", {"classes": found}, reference, fields, options)
    assert isinstance(made, SegmentationPanel)
    return made


def test_iou_is_that_of_the_pixels_with_a_truth(make: Make) -> None:
    made = segmentation(make, [])
    truth, found = made.source.reference["mask"][:3], made.predicted[0]
    known = truth >= 0
    for number, score in enumerate(made.scores.scores):
        mine, taken = known & (truth == number), known & (found == number)
        if mine.any():
            assert score.value == pytest.approx((mine & taken).sum() / (mine | taken).sum())
        assert score.colour == class_colour(LIGHT, number)
    assert [score.name for score in made.scores.scores] == ["water", "land", "snow"]
    assert made.scores.scores[2].value is None
    right = 100 * (truth == found)[known].mean()
    mean = np.mean([score.value for score in made.scores.scores[:2]])
    said = f"mean IoU {mean:.3f} (2 of 3 classes) · {right:.1f} % of pixels right · 3 samples"
    assert made.caption.text == said


def test_rows_are_inputs_truth_prediction_and_overlay(make: Make) -> None:
    made = segmentation(make, ["#102030", "nonsense"])
    rows = {row.label: row for row in made.sheet.shown.rows}
    assert list(rows) == ["image", "elevation", "truth", "prediction", "overlay"]
    truth, found = made.source.reference["mask"][:3], made.predicted[0]
    table = class_table(("#102030", class_colour(LIGHT, 1), class_colour(LIGHT, 2)))
    predicted = rows["prediction"].pixels[..., 2::-1]
    np.testing.assert_array_equal(predicted, table[found])
    true = rows["truth"].pixels[..., 2::-1]
    np.testing.assert_array_equal(true[truth >= 0], table[truth[truth >= 0]])
    stripes = {tuple(colour) for colour in class_table((LIGHT.line, LIGHT.card)).tolist()}
    assert {tuple(colour) for colour in true[truth < 0].tolist()} == stripes
    made.opacity.setValue(0)
    over = made.sheet.shown.rows[-1].pixels
    np.testing.assert_array_equal(over, rows["image"].pixels)
    made.opacity.setValue(100)
    over = made.sheet.shown.rows[-1].pixels
    np.testing.assert_array_equal(over, rows["prediction"].pixels)


def test_a_sample_that_is_clicked_is_shown_alone(make: Make) -> None:
    made = segmentation(make, [])
    sheet = made.sheet
    everything = sheet.shown
    sheet.choose((2, 1))
    assert sheet.shown.columns == ("sample 2: image", "elevation", "truth", "prediction", "overlay")
    np.testing.assert_array_equal(sheet.shown.rows[0].pixels[3], everything.rows[3].pixels[1])
    assert sheet.behind(0, 3) == (everything, 3, 1)
    made.show_frame({"classes": made.predicted[0]})
    assert len(sheet.shown.rows) == 1
    sheet.choose(None)
    assert len(sheet.shown.rows) == 5


def test_in_a_high_panel_the_classes_stand_below_the_pictures(make: Make, qtbot: QtBot) -> None:
    made = segmentation(make, [])
    sheet, scores = made.sheet, made.scores
    for width, height, below in ((460, 600, True), (700, 400, False), (460, 500, True)):
        made.resize(width, height)
        qtbot.waitUntil(lambda below=below: (scores.y() > sheet.y()) == below)
        assert not sheet.geometry().intersects(scores.geometry())
        assert (sheet.width() > 0.9 * width) == below
        assert scores.height() >= 4 * scores.fontMetrics().height()  # no line is left out


def test_stripes_are_seen_where_all_is_without_class() -> None:
    table, none = np.zeros((1, 3), "u1"), np.array([[9, 9, 9], [7, 7, 7]], "u1")
    made = class_pixels(np.full((1, 4, 4), -1), table, none)
    assert set(made[..., 0].ravel().tolist()) == {7, 9}


def values_panel(make: Make, truth: np.ndarray, found: np.ndarray) -> ValuesPanel:
    reference = {"angle": truth, "label": np.arange(len(truth)) % 2}
    fields = {
        "angle": {"kind": "value", "unit": "°"},
        "label": {"kind": "class", "classes": ["even", "odd"]},
    }
    options = {"output": "angle", "target": "angle"}
    made = make("predictions", {"values": found}, reference, fields, options)
    assert isinstance(made, ValuesPanel)
    return made


@pytest.mark.parametrize("shape", [(6,), (6, 1)])
def test_points_are_predicted_against_true(make: Make, shape: tuple[int, ...]) -> None:
    truth = np.array([-40, -10, 0, 10, np.nan, 40], "f4")
    found = np.array([-30, -10, 4, 10, 3, 40], "f2")
    made = values_panel(make, truth, found.reshape(shape))
    rmse = f"RMSE {np.sqrt((100 + 16) / 5):.3g}°"
    assert made.caption.text == f"{rmse} · 5 samples · 1 without a true value left out"
    plot = made.view.widget
    drawn = plot.points
    # The fifth has no truth.
    assert drawn.points[drawn.labels == 0].tolist() == [[-40, -30], [0, 4]]
    assert drawn.points[drawn.labels == 1].tolist() == [[-10, -10], [10, 10], [40, 40]]
    assert np.stack(drawn.markers.getData(), axis=1).tolist() == drawn.points.tolist()
    assert plot.plot.getPlotItem().getAxis("bottom").labelText == "true angle (°)"
    plot.legend.hidden.add(1)
    plot.legend.toggled.emit()
    assert set(drawn.labels) == {0}


def test_points_and_their_legend_are_in_the_own_colours_of_a_class_a_sample(make: Make) -> None:
    angles, labels = np.arange(6, dtype="f4"), np.array([0, 1, 1, 0, 1, 0])
    parts = {"mask": np.zeros((6, 4, 4), "i4")}  # a class a pixel is none of a sample
    fields = {
        "mask": {"kind": "class", "classes": ["ground", "road"]},
        "label": {"kind": "class", "classes": ["even", "odd"], "colours": ["#ff0000", "#00ff00"]},
    }
    options, reference = {"target": "angle"}, {"angle": angles, **parts}
    made = make("predictions", {"values": angles}, {**reference, "label": labels}, fields, options)
    assert isinstance(made, ValuesPanel)
    plot = made.view.widget
    assert plot.points.colours == {0: "#ff0000", 1: "#00ff00"}
    assert [spot.brush().color().name() for spot in plot.points.markers.points()[2:4]] == [
        "#ff0000",
        "#00ff00",
    ]
    image = plot.legend.grab().toImage()
    line = plot.legend.row(1)
    mark = image.pixelColor(line.left() + 5, line.center().y())
    assert mark.name() == "#00ff00"
    unknown = make("predictions", {"values": angles}, reference, fields, options)
    assert unknown.view.widget.legend.names == ()


def test_maps_of_a_value_stand_on_the_scale_of_the_truth(make: Make) -> None:
    truth = np.linspace(0, 2, 2 * 16, dtype="f4").reshape(2, 4, 4, 1)
    made = values_panel(make, truth, (truth + 0.5).astype("f2"))
    rows = {row.label: row for row in made.view.widget.shown.rows}
    assert list(rows) == ["true (°)", "predicted (°)", "predicted − true"]
    np.testing.assert_allclose(rows["predicted − true"].values, 0.5, atol=1e-2)
    assert made.caption.text == "RMSE 0.5° · 2 samples · difference from −1 to +1°"
    made.caption.resize(600, 20)
    assert made.caption.barred
    bright = rows["true (°)"].pixels[1, 3, 3]
    assert (rows["predicted (°)"].pixels[1, 3, 3] == bright).all()  # beyond the scale: its end


def test_where_the_truth_is_one_value_no_difference_is_pale(make: Make) -> None:
    truth = np.full((2, 4, 4, 1), 5, "f4")
    made = values_panel(make, truth, truth.astype("f2"))
    pixel = made.view.widget.shown.rows[2].pixels[0, 0, 0, :3]
    assert np.abs(pixel[::-1].astype(int) - difference_table(LIGHT)[127]).max() <= 2
    images = np.full((2, 4, 4, 1), 5, "f4")
    same = make("reconstruction", {"output": images}, {"image": images}, {}, {"field": "image"})
    assert (same.sheet.shown.rows[2].pixels[0, 0, 0, :3] == pixel).all()
    assert same.caption.text.endswith("difference from −1 to +1")


def test_values_of_a_line_are_curves(make: Make) -> None:
    truth = np.tile(np.sin(np.arange(40.0)), (3, 1)).astype("f4")
    made = values_panel(make, truth, truth.astype("f2"))
    np.testing.assert_allclose(made.view.widget.waves[2].change[0].getData()[1], 0, atol=1e-3)


def test_samples_of_a_conditional_model_stand_in_a_row_a_class(make: Make) -> None:
    images = np.random.default_rng(0).random((6, 5, 4, 1)).astype("f2")
    fields = {"label": {"kind": "class", "classes": ["one", "two", "three"]}}
    arrays = {"images": images, "classes": np.array([0, 0, 1, 1, 2, 2], "i4")}
    rows = make("samples", arrays, {}, fields, {"label": "label"}).tiles.shown.rows
    assert [row.label for row in rows] == ["one", "two", "three"]
    np.testing.assert_array_equal(rows[1].values, images[2:4].astype("f4"))
    rows = make("samples", {"images": images}).tiles.shown.rows
    assert sum(len(row.pixels) for row in rows) == 6


def test_without_truth_values_stand_over_the_number_of_their_sample(make: Make) -> None:
    found = np.array([3.0, -1.0, 7.5, 0.5], "f4")
    made = make("predictions", {"values": found}, options={"output": "angle", "target": None})
    assert isinstance(made, ValuesPanel)
    assert made.caption.text == "no true values recorded: predictions only"
    plot = made.view.widget
    assert plot.points.points.tolist() == [[0, 3], [1, -1], [2, 7.5], [3, 0.5]]
    assert plot.plot.getPlotItem().getAxis("bottom").labelText == "sample (from 0)"
    assert plot.line.getData()[0] is None or not len(plot.line.getData()[0])
    assert plot.describe(np.array([2.0, 7.5])) == "sample 3 · predicted 7.5"


@pytest.mark.parametrize("known", ["some", "none"])
def test_where_a_map_has_no_truth_there_are_stripes_and_no_difference(
    make: Make, known: str
) -> None:
    truth = np.random.default_rng(0).random((2, 8, 8)).astype("f4")
    truth[:, : 4 if known == "some" else 8] = np.nan
    found = truth.copy()
    found[np.isnan(found)] = 5
    made = values_panel(make, truth, found)
    rows = {row.label: row for row in made.view.sheet.shown.rows}
    stripes = {tuple(colour) for colour in class_table((LIGHT.line, LIGHT.card)).tolist()}
    shown = ["true (°)", "predicted − true"] if known == "some" else ["true (°)"]
    assert ("predicted − true" in rows) == (known == "some")
    for name in shown:
        striped = rows[name].pixels[np.isnan(truth)][:, 2::-1]
        assert {tuple(colour) for colour in striped.tolist()} == stripes
        assert np.array_equal(np.isnan(rows[name].values[..., 0]), np.isnan(truth))
    if known == "none":
        assert made.caption.text == "no sample has a true value"


def test_a_line_has_a_gap_where_there_is_no_truth(make: Make) -> None:
    truth = np.sin(np.arange(30, dtype="f4") / 4).reshape(1, 30).repeat(2, axis=0)
    truth[:, 10:20] = np.nan
    made = values_panel(make, truth, np.full((2, 30), 2, "f4"))
    wave = made.view.widget.waves[0]
    for curve, values in ((wave.before[0], truth[0]), (wave.change[0], 2 - truth[0])):
        np.testing.assert_array_equal(curve.yData, values)
    np.testing.assert_array_equal(wave.after[0].yData, np.full(30, 2))


@pytest.mark.parametrize("shape", [(4, 4, 1), (20, 2)])
def test_what_is_not_on_one_scale_is_not_compared(make: Make, shape: tuple[int, ...]) -> None:
    output = np.random.default_rng(0).random((3, *shape)).astype("f4")
    reference = {"input": (output * 255).astype("u1")}
    fields = {"input": {"kind": "image" if len(shape) == 3 else "signal"}}
    options = {"field": "input", "samples": 3, "compared": False}
    made = make("reconstruction", {"output": output}, reference, fields, options)
    said = "no error: no truth on the same scale recorded"
    assert made.caption.text == said
    if len(shape) == 3:
        assert [row.label for row in made.sheet.shown.rows] == ["output"]
    else:
        assert made.signals.waves[0].shown[0] is None
