"""What the difference of two runs' classes looks like: in matrices and in maps."""

from collections.abc import Callable

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from ed_viewer.panels.base import Panel
from ed_viewer.panels.classes import ClassesPanel
from ed_viewer.panels.segmentation import SegmentationPanel
from ed_viewer.style.palette import LIGHT, class_table
from ed_viewer.widgets.score_bars import Score

pytestmark = pytest.mark.viewer

Make = Callable[..., Panel]

TRUTH = np.array([0, 0, 1, 1, 2, 2, -1, 2])
OURS = np.array([0, 1, 1, 1, 2, 0, 0, 2])
THEIRS = np.array([0, 0, 1, 2, 2, 0, 1, 1])


def likely(found: np.ndarray) -> dict[str, np.ndarray]:
    made = np.full((len(found), 3), 0.1, "f2")
    made[np.arange(len(found)), found] = 0.5 + np.arange(len(found)) / 100
    return {"probabilities": made}


def matrix(make: Make) -> ClassesPanel:
    images = np.random.default_rng(0).random((8, 6, 5, 1)).astype("f4")
    fields = {"image": {"kind": "image"}, "label": {"kind": "class", "classes": ["a", "b", "c"]}}
    options = {"output": "label", "target": "label"}
    reference = {"image": images, "label": TRUTH}
    made = make("predictions", likely(THEIRS), reference, fields, options, likely(OURS))
    assert isinstance(made, ClassesPanel)
    return made


def test_a_matrix_shows_by_how_many_points_each_cell_changed(make: Make) -> None:
    made = matrix(make)
    cells = [[made.matrix.text(row, column) for column in range(3)] for row in range(3)]
    assert cells == [["+50", "−50", ""], ["", "−50", "+50"], ["", "+33", "−33"]]
    assert made.caption.text == "accuracy −14.3 points · 1 without label left out"
    assert made.matrix.colour(0, 2) == LIGHT.card
    less, more = (np.array(class_table((made.matrix.colour(0, n),))[0], int) for n in (1, 0))
    assert less[2] > less[0]  # blue
    assert more[0] > more[2]  # orange
    said = "true a · predicted b · 0 of 2, in A 1 (−50.0 points)"
    assert made.matrix.describe(0, 1) == said
    made.numbers.setChecked(True)
    assert made.matrix.text(0, 1) == "−1"


def test_beside_the_matrix_stands_what_only_a_knew(make: Make) -> None:
    made = matrix(make)
    made.resize(900, 500)
    made.grab()
    assert made.about.text() == "right in A, wrong in B, true → predicted · 2"
    assert made.tiles.shown.columns == ("c → b", "b → c")
    images = made.source.reference["image"]
    np.testing.assert_array_equal(made.tiles.shown.rows[0].values, images[[7, 3]])
    made.matrix.choose((2, 0))
    np.testing.assert_array_equal(made.tiles.shown.rows[0].values, images[[5]])


def maps(make: Make, truth: np.ndarray | None) -> tuple[SegmentationPanel, np.ndarray, np.ndarray]:
    random = np.random.default_rng(3)
    ours, theirs = (random.integers(0, 3, (2, 8, 8)).astype("u1") for _ in range(2))
    reference = {"image": random.random((2, 8, 8, 3)).astype("f4")}
    if truth is not None:
        reference["mask"] = truth
    fields = {
        "image": {"kind": "image", "input": True},
        "mask": {"kind": "class", "classes": ["water", "land", "snow"]},
    }
    options = {"output": "mask", "target": "mask"}
    made = make("predictions", {"classes": theirs}, reference, fields, options, {"classes": ours})
    assert isinstance(made, SegmentationPanel)
    return made, ours.astype(int), theirs.astype(int)


def test_a_map_shows_where_b_errs_and_a_does_not(make: Make) -> None:
    truth = np.random.default_rng(4).integers(-1, 3, (2, 8, 8)).astype("i1")
    made, ours, theirs = maps(make, truth)
    rows = {row.label: row for row in made.sheet.shown.rows}
    assert list(rows) == ["image", "truth", "errors", "overlay"]
    table = class_table((LIGHT.below, LIGHT.zero, LIGHT.above))
    shown = rows["errors"].pixels[..., 2::-1]
    known = truth >= 0
    better = known & (theirs == truth) & (ours != truth)
    worse = known & (theirs != truth) & (ours == truth)
    for where, colour in ((better, 0), (worse, 2), (known & ~better & ~worse, 1)):
        assert where.any()
        assert (shown[where] == table[colour]).all()
    made.opacity.setValue(100)
    over = made.sheet.shown.rows[-1].pixels
    np.testing.assert_array_equal(over[better | worse], rows["errors"].pixels[better | worse])
    same = known & ~better & ~worse
    np.testing.assert_array_equal(over[same], rows["image"].pixels[same])


def test_iou_is_said_as_a_change(make: Make, qtbot: QtBot) -> None:
    truth = np.random.default_rng(4).integers(-1, 3, (2, 8, 8)).astype("i1")
    made, ours, theirs = maps(make, truth)
    known = truth >= 0

    def iou(found: np.ndarray, number: int) -> float:
        mine, taken = known & (truth == number), known & (found == number)
        return float((mine & taken).sum() / (mine | taken).sum())

    changes = [iou(theirs, n) - iou(ours, n) for n in range(3)]
    for score, change in zip(made.scores.scores, changes, strict=True):
        assert score.value == pytest.approx(change)
        assert made.scores.text(score) == f"{change:+.2f}".replace("-", "−")
    assert made.scores.text(Score("land", "#000000", -0.001)) == "0.00"
    points = 100 * ((theirs == truth)[known].mean() - (ours == truth)[known].mean())
    said = f"mean IoU {np.mean(changes):+.3f} · pixels right {points:+.1f} points"
    assert made.caption.text == f"{said.replace('-', '−')} · 2 samples"


def test_without_a_truth_a_map_shows_where_b_says_something_else(make: Make) -> None:
    made, ours, theirs = maps(make, None)
    assert [row.label for row in made.sheet.shown.rows] == ["image", "B where it differs"]
    values = made.sheet.shown.rows[1].values[..., 0]
    np.testing.assert_array_equal(values, np.where(ours == theirs, -1, theirs))
    assert "no ground truth" in made.caption.text
