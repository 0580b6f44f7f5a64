"""What every panel has in common: numbers, captions, titles, axes, names that have no room."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, QSize, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDragMoveEvent, QDropEvent, QFontMetrics
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from ed_viewer.panels.latent.code_editor import CodeSliders
from ed_viewer.reading.messages import RunProgress
from ed_viewer.reading.run_names import model_and_data
from ed_viewer.stage.central_area import CentralArea
from ed_viewer.style.text import counted, number, ordinal
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.confusion_matrix import ConfusionMatrix, Counts, lay_out
from ed_viewer.widgets.controls import PathLine, ProgressLine, Slider, Toggle
from ed_viewer.widgets.labels import Caption, ElidingLabel, PanelHeading, TitleRow
from ed_viewer.widgets.plots.legend import Legend
from ed_viewer.widgets.plots.plot import make_plot, style_plot
from ed_viewer.widgets.score_bars import Score, ScoreBars
from ed_viewer.widgets.tiles.mosaic import across

pytestmark = pytest.mark.viewer

Count = Callable[[QWidget], Callable[[], int]]
MINUS, THIN = "\N{MINUS SIGN}", "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0.037764, "0.0378"),
        (-0.9771, f"{MINUS}0.977"),
        (999.4, "999"),
        (999.6, f"1{THIN}000"),
        (-7218.3, f"{MINUS}7{THIN}218"),
        (3e9, "3e+09"),
        (1.13e-8, f"1.13e{MINUS}08"),
        (0.0, "0"),
        (np.nan, "–"),
        (-np.inf, f"{MINUS}inf"),
    ],
)
def test_a_number_has_three_digits_and_no_hyphen(value: float, said: str) -> None:
    assert number(value) == said


@given(st.floats(-9e6, 9e6))
def test_a_number_that_is_read_back_is_nearly_the_same(value: float) -> None:
    read = float(number(value).replace(MINUS, "-").replace(THIN, ""))
    assert read == pytest.approx(value, rel=6e-3, abs=1e-300)


def test_counts_are_in_plain_words() -> None:
    assert [counted(1, "row"), counted(1200, "row")] == ["1 row", f"1{THIN}200 rows"]
    said = [ordinal(n) for n in (2, 3, 4, 11, 21, 113)]
    assert said == ["2nd", "3rd", "4th", "11th", "21st", "113th"]


def test_a_caption_leaves_out_parts_rather_than_letters(qtbot: QtBot, theme: Theme) -> None:
    caption = Caption(theme)
    qtbot.addWidget(caption)
    caption.say("mean squared error 0.0378 of 16 samples · 9 samples shown · difference")
    wide = caption.fontMetrics().horizontalAdvance
    for parts in (3, 2, 1):
        shown = " · ".join(caption.text.split(" · ")[:parts])
        caption.resize(wide(shown) + 2, 20)
        assert caption.shown == shown
        assert "difference" in caption.toolTip()
    caption.resize(wide("mean squared error 0.0378"), 20)
    assert caption.shown == "MSE 0.0378 of 16 samples"
    caption.resize(wide("MSE 0.0378 of 16"), 20)
    assert caption.shown == "MSE 0.0378"
    caption.resize(40, 20)
    assert caption.shown == ""


def test_a_heading_without_room_keeps_what_tells_it_from_others(qtbot: QtBot, theme: Theme) -> None:
    heading, about = PanelHeading("Classes · coarse"), ElidingLabel("training: line · dashed: val")
    for label, short in ((heading, "coarse"), (about, "training: line")):
        qtbot.addWidget(label)
        wide = label.fontMetrics().horizontalAdvance
        label.resize(wide(label.text()), 20)
        assert label.shown == label.text()
        label.resize(wide(label.text()) - 2, 20)
        assert label.shown == short
        label.resize(wide(short[:4]), 20)
        assert label.shown.endswith("…")


def test_scores_below_pictures_stand_in_columns_that_have_room(qtbot: QtBot, theme: Theme) -> None:
    bars = ScoreBars(theme)
    qtbot.addWidget(bars)
    bars.set_flat(200, 480)
    assert not bars.grab().isNull()  # before there are any
    bars.show_scores([Score(f"class {n}", "#102030", n / 6) for n in range(6)], "IoU")
    flat = bars.sizeHint()
    assert flat.width() <= 480
    bars.set_flat(0)
    column = bars.sizeHint()
    assert flat.height() * 7 == column.height() * 4  # the title, and three lines for six
    bars.set_flat(200, column.width() // 2)
    assert bars.sizeHint().height() == column.height()


def test_progress_that_is_not_known_never_looks_like_the_end(qtbot: QtBot, theme: Theme) -> None:
    line = ProgressLine(theme)
    qtbot.addWidget(line)
    line.resize(200, 6)
    line.show()
    places = set()
    for _ in range(60):
        line._move()
        places.add(line.filled.left())
        assert line.filled.width() <= 50
    assert len(places) > 20
    line.show_share(30, 120)
    assert (line.filled.left(), line.filled.width()) == (0, 50)


def test_of_a_title_and_values_the_first_value_is_shown_whole(qtbot: QtBot, theme: Theme) -> None:
    row = TitleRow("Angle absolute error", "angle_absolute_error", theme)
    qtbot.addWidget(row)
    row.show()
    row.say("70.2  (68.1)  λ 1", "about")
    title = row.title.fontMetrics().horizontalAdvance(row.title.text)
    for width, values, whole in ((500, "70.2  (68.1)  λ 1", True), (title + 60, "70.2", True)):
        row.resize(width, 20)
        assert row.value.shown == values
        assert (row.title.shown == row.title.text) == whole
    row.resize(90, 20)
    assert row.value.shown == "70.2"
    assert row.title.shown.endswith("…")
    assert not row.title.geometry().intersects(row.value.geometry())


def test_an_axis_title_ends_in_dots_and_is_no_html(qtbot: QtBot, theme: Theme) -> None:
    plot = make_plot()
    qtbot.addWidget(plot)
    item = plot.getPlotItem()
    item.setLabel("left", "predicted <b>angle</b> of the digit (°)")
    style_plot(plot, theme)
    plot.resize(400, 600)
    plot.show()
    axis = item.getAxis("left")
    qtbot.waitUntil(lambda: "(°)" in axis.label.toPlainText())
    assert "<b>" in axis.label.toPlainText()
    plot.resize(400, 160)
    qtbot.waitUntil(lambda: axis.label.toPlainText().endswith("…"))
    assert axis.label.boundingRect().width() <= axis.size().height() + 8
    item.setYRange(-2e-4, 2e-4)
    assert all("-" not in text for text in axis.tickStrings([-1e-4, 0.0, 1e-4], 1.0, 1e-4))
    assert axis.tickStrings([-1e-4], 1.0, 1e-4) == [f"{MINUS}0.0001"]  # and no hidden factor


def classes(count: int, name: str = "class") -> Counts:
    return Counts(np.eye(count, dtype=np.int64) * 9, tuple(f"{name} {n}" for n in range(count)))


def test_a_small_matrix_leaves_names_out_before_it_becomes_tiny(qapp: QApplication) -> None:
    metrics = QFontMetrics(qapp.font())
    small = lay_out(classes(10, "Ankle boot"), QSize(480, 150), metrics)
    large = lay_out(classes(10, "Ankle boot"), QSize(480, 420), metrics)
    assert (small.below == 0, large.below > 0) == (True, True)
    assert small.box.width() >= 90
    for made, size in ((small, QSize(480, 150)), (large, QSize(480, 420))):
        assert made.box.left() >= made.names + made.line
        assert made.box.bottom() + made.below + made.line <= size.height()


def test_a_hundred_classes_are_cells_and_not_lines(qtbot: QtBot, theme: Theme) -> None:
    matrix = ConfusionMatrix(theme)
    qtbot.addWidget(matrix)
    matrix.resize(400, 300)
    matrix.show_counts(classes(100))
    picture, made = matrix.grab().toImage(), matrix.grid
    quiet = picture.pixelColor(made.cell(20, 80).center()).name()
    line = QColor(theme.palette.line).name()
    box = made.box.adjusted(4, 4, -4, -4)
    row = [
        picture.pixelColor(x, made.cell(20, 80).center().y()).name()
        for x in range(box.left(), box.right())
    ]
    assert quiet == theme.palette.card
    assert row.count(line) == 0


def test_the_pointer_is_a_hand_over_a_cell_and_an_arrow_beside_it(
    qtbot: QtBot, theme: Theme
) -> None:
    matrix = ConfusionMatrix(theme)
    qtbot.addWidget(matrix)
    matrix.resize(400, 300)
    matrix.show_counts(classes(3))
    matrix.show()
    for point, shape in (
        (matrix.grid.cell(1, 1).center(), Qt.CursorShape.PointingHandCursor),
        (matrix.rect().bottomRight(), Qt.CursorShape.ArrowCursor),
    ):
        QTest.mouseMove(matrix, point)
        qtbot.waitUntil(lambda: matrix.cursor().shape() == shape)  # noqa: B023


def test_a_legend_leaves_the_plot_its_place_and_counts_what_it_leaves_out(
    qtbot: QtBot, theme: Theme
) -> None:
    legend = Legend(theme)
    qtbot.addWidget(legend)
    legend.set_names([f"a class whose name is long {n}" for n in range(40)])
    legend.resize(200, 200)
    legend.fit(1200)
    assert legend.sizeHint().width() <= 1200 * 0.45
    wide = legend.shown
    legend.fit(300)
    assert legend.sizeHint().width() <= 300 * 0.45 + 1
    assert legend.shown < wide < 40
    before = set(legend.hidden)
    last = legend.row(legend.shown)
    QTest.mouseClick(legend, Qt.MouseButton.LeftButton, pos=last.center())  # "+ 30" is no class
    assert legend.hidden == before
    QTest.mouseClick(legend, Qt.MouseButton.LeftButton, pos=legend.row(1).center())
    assert legend.hidden == {1}


def test_rows_of_a_mosaic_are_full_where_that_costs_little() -> None:
    maps = np.zeros((16, 32, 32, 1))
    assert across(maps, QSize(1040, 380)) == 8
    assert across(maps, QSize(420, 400)) == 4
    assert across(np.zeros((100, 28, 28, 1)), QSize(920, 340)) == 17  # 5 x 20 were far smaller
    assert across(np.zeros((7, 32, 32, 1)), QSize(700, 100)) == 7
    assert across(np.zeros((1, 32, 32, 1)), QSize(700, 100)) == 1


def test_a_number_of_a_code_has_a_minus_sign_and_takes_a_hyphen(qtbot: QtBot, theme: Theme) -> None:
    units = CodeSliders(theme)
    qtbot.addWidget(units)
    units.set_ranges(np.arange(2), np.full(2, -3.0), np.full(2, 3.0))
    units.show_code(np.array([-0.48, 1.0]))
    units.show()
    box = units.rows[0][2]
    assert box.text() == f"{MINUS}0.48"
    box.selectAll()
    qtbot.keyClicks(box, "-1.5")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert (box.value(), box.text()) == (-1.5, f"{MINUS}1.50")


def test_numbers_of_a_code_have_room_in_larger_type(qtbot: QtBot, theme: Theme) -> None:
    units = CodeSliders(theme)
    qtbot.addWidget(units)
    units.set_ranges(np.arange(2), np.full(2, -3.0), np.full(2, 3.0))
    units.show()
    box = units.rows[0][2]
    before = box.width()
    theme.set_lecture(True)
    qtbot.waitUntil(lambda: box.width() > before)
    assert box.lineEdit().width() >= box.fontMetrics().horizontalAdvance("−00.00")
    theme.set_lecture(False)
    qtbot.waitUntil(lambda: box.width() == before)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.00"),
        (-0.0523, "−0.052"),
        (0.35, "0.35"),
        (-99.99, "−99.99"),
        (-99.996, "−1.0e2"),
        (-1234.0, "−1.2e3"),
        (-2.1e-4, "−2e−4"),
        (-3e-11, "−3e−11"),
        (-2e12, "−2e12"),
    ],
)
def test_a_number_of_a_code_has_room_in_its_field(
    qtbot: QtBot, theme: Theme, value: float, text: str
) -> None:
    units = CodeSliders(theme)
    qtbot.addWidget(units)
    units.set_ranges(np.arange(1), np.array([-1.0]), np.array([1.0]))
    units.show_code(np.array([value]))
    units.show()
    box = units.rows[0][2]
    assert box.text() == text
    line = box.lineEdit()
    room = line.width() - 2 * line.fontMetrics().averageCharWidth() // 3
    assert line.fontMetrics().horizontalAdvance(text) <= room


@pytest.mark.parametrize("kind", [lambda theme: Toggle("A | B", "accent", theme), Slider])
def test_what_the_mouse_leaves_is_painted_so_also_under_a_menu(
    kind: Callable[[Theme], QWidget], qtbot: QtBot, theme: Theme, paintings: Count
) -> None:
    """While a menu is open, Qt tells a button that the mouse has left, but not its hovering."""
    widget = kind(theme)
    qtbot.addWidget(widget)
    with qtbot.waitExposed(widget):
        widget.show()
    painted = paintings(widget)
    for way in (QEvent(QEvent.Type.Enter), QEvent(QEvent.Type.Leave)):
        before = painted()
        QApplication.sendEvent(widget, way)
        qtbot.waitUntil(lambda before=before: painted() > before)


def test_a_run_that_ended_without_a_frame_says_so(
    qtbot: QtBot, theme: Theme, tmp_path: Path
) -> None:
    middle = CentralArea(theme, "runs")
    qtbot.addWidget(middle)
    none = np.zeros(0)
    ended, lost = "ended before its first frame", "No frame can be read"
    cases = (("live", "", "Waiting"), ("crashed", "", ended), ("finished", "truncated file", lost))
    for state, problem, said in cases:
        growth = RunProgress(1, none, none, none, {}, state, problem, 0.0)
        middle.show_growth(tmp_path / "vae-mnist-20261125-075101-adf5d7", growth, known=True)
        assert said in middle.welcome._text.text()
        assert middle.welcome._head.text() == "vae-mnist"


def test_a_run_is_called_by_its_model_and_its_data() -> None:
    assert model_and_data("coarse_and_fine-fashion_mnist") == ("coarse_and_fine", "fashion_mnist")
    assert model_and_data("unet-my-folder") == ("unet", "my-folder")
    assert model_and_data("mine") == ("mine", "")


@pytest.mark.parametrize(
    ("bar", "text"), [("last", "error 1 · from −1 to +1"), ("first", "from −1 to +1 · 8")]
)
def test_a_bar_of_colours_stands_beside_what_its_ends_mean(
    qtbot: QtBot, theme: Theme, bar: str, text: str
) -> None:
    caption = Caption(theme)
    qtbot.addWidget(caption)
    caption.say(text, bar)
    wide = caption.fontMetrics().horizontalAdvance
    caption.resize(wide(text) + 90, 20)
    assert (caption.barred, caption.shown) == (True, text)
    image = caption.grab().toImage()
    left = 0 if bar == "first" else caption.width() - 72
    left += caption.width() - wide(text) - 80 if bar == "first" else 0
    colours = [image.pixelColor(left + n, 10) for n in (2, 69)]
    assert colours[0].blue() > colours[0].red()
    assert colours[1].red() > colours[1].blue()
    caption.resize(wide(text) - 1, 20)
    assert caption.shown == text.split(" · ")[0]
    assert not caption.barred


@pytest.mark.parametrize("side", [260, 320, 420])
def test_a_fine_matrix_keeps_its_names_and_numbers_in_the_lecture_mode(
    qtbot: QtBot, theme: Theme, side: int
) -> None:
    theme.set_lecture(True)
    matrix = ConfusionMatrix(theme)
    qtbot.addWidget(matrix)
    matrix.resize(side + 200, side + 120)
    matrix.show_counts(Counts(np.full((10, 10), 7), tuple(f"class {n}" for n in range(10))))
    line = QFontMetrics(theme.font(matrix._names)).height()
    assert matrix.grid.edge(1) >= line  # every name has its line
    assert matrix._scale() > 0
    theme.set_lecture(False)


def test_a_line_for_a_path_takes_a_file_but_no_more_than_one(qtbot: QtBot, tmp_path: Path) -> None:
    line = PathLine("/before")
    line.dropped.connect(line.replace)
    qtbot.addWidget(line)
    copy, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton

    def drop(*urls: QUrl, text: str = "", action: Qt.DropAction = copy) -> str:
        data = QMimeData()
        if urls:
            data.setUrls(urls)
        data.setText(text or " ".join(url.toString() for url in urls))  # as file managers do
        rest = (action, data, button, Qt.KeyboardModifier.NoModifier)
        taken = []
        for event in (
            QDragEnterEvent(QPoint(9, 9), *rest),
            QDragMoveEvent(QPoint(9, 9), *rest),
            QDropEvent(QPointF(9, 9), *rest),
        ):
            QApplication.sendEvent(line, event)
            taken.append(event.isAccepted() and event.dropAction() == copy)
        assert len(set(taken)) == 1
        return line.text() if taken[0] else ""

    file = tmp_path / "a b é.png"
    assert drop(QUrl.fromLocalFile(str(file))) == str(file)
    line.undo()
    assert line.text() == "/before"
    assert drop(QUrl.fromLocalFile("/one"), QUrl.fromLocalFile("/two")) == ""
    assert drop(QUrl("https://a.b/c.png")) == ""
    assert drop(QUrl.fromLocalFile("/one"), action=Qt.DropAction.MoveAction) == ""
    assert line.text() == "/before"
    line.setText("")
    assert drop(text="words") == "words"  # as any line takes text that is dragged
