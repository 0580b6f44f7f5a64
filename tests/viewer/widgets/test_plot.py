"""Axes as this window has them."""

import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPicture
from support.viewer import PatientBot

from ed_viewer.curves.data import CurveTable
from ed_viewer.curves.plot import CurvePlot
from ed_viewer.session.alignment import Alignment
from ed_viewer.style.palette import Side, run_colour
from ed_viewer.style.theme import Theme
from ed_viewer.widgets.plots.plot import Axis, make_plot
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer


@given(st.floats(-6, 6), st.floats(0.02, 9), st.integers(20, 900))
def test_numbers_of_a_logarithmic_axis_stand_apart(
    qapp: object, low: float, span: float, height: int
) -> None:
    axis = Axis("left")
    axis.setLogMode(True)
    axis.setRange(low, low + span)
    axis.resize(60, height)
    levels = axis.tickValues(low, low + span, height)
    texts = [
        (value, text)
        for spacing, values in levels
        for value, text in zip(values, axis.tickStrings(values, 1.0, spacing), strict=True)
        if text
    ]
    gaps = np.diff(sorted(value for value, _ in texts)) * height / span
    line = QFontMetricsF(axis.font()).height()
    powers = [value for value, _ in texts if abs(value - round(value)) < 1e-9]
    inside = [n for n in range(-8, 17) if low + 1e-6 < n < low + span - 1e-6]
    assert len(inside) != 1 or inside[0] in [round(value) for value in powers]
    if len(powers) < 2:  # how far apart these are is the choice of pyqtgraph
        assert (gaps >= line - 1e-6).all()


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e5), st.integers(20, 900))
def test_numbers_of_an_axis_below_do_not_touch(
    qapp: object, low: float, span: float, width: int
) -> None:
    axis = Axis("bottom")
    axis.setRange(low, low + span)
    axis.resize(width, 30)
    metrics = QFontMetricsF(axis.font())
    for level, (spacing, values) in enumerate(axis.tickValues(low, low + span, width)):
        texts = axis.tickStrings(values, 1.0, spacing)
        assert level == 0 or all(texts) or not any(texts)
        shown = [(v, t) for v, t in zip(values, texts, strict=True) if t]
        for (left, one), (right, two) in itertools.pairwise(shown):
            both = metrics.horizontalAdvance(one) + metrics.horizontalAdvance(two)
            assert (right - left) / span * width >= both / 2


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e5), st.integers(40, 90))
def test_numbers_of_an_axis_at_the_left_do_not_touch(
    qapp: object, low: float, span: float, height: int
) -> None:
    view = make_plot()
    view.getPlotItem().resize(300, height)
    view.getPlotItem().layout.activate()
    view.setYRange(low, low + span, padding=0)
    axis = view.getPlotItem().getAxis("left")
    digit = QFontMetricsF(axis.font()).tightBoundingRect("0").height()
    picture = QPicture()
    painter = QPainter(picture)
    specs = axis.generateDrawSpecs(painter)
    painter.end()
    view.close()
    middles = sorted(rect.center().y() for rect, _, _ in specs[2])
    assert (np.diff(middles) >= digit).all()


def test_curves_that_are_resized_are_painted_twice_at_most(
    qtbot: PatientBot, open_window: Callable[..., Window], finished: Path
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: window.curves.whole and window.stage.drawn() == {7})
    window.stage.complete()
    qtbot.rest(300)
    views = [plot.view.viewport() for plot in window.curves.plots.values()]
    whole: list[QObject] = []

    class Watch(QObject):
        def eventFilter(self, target: QObject, event: QEvent) -> bool:  # noqa: N802
            if isinstance(event, QPaintEvent) and event.rect() == target.rect():  # type: ignore[attr-defined]
                whole.append(target)
            return False

    watch = Watch()
    for view in views:
        view.installEventFilter(watch)
    counts = []
    for width in range(1280, 1380, 10):
        whole.clear()
        window.resize(width, 720)
        qtbot.waitUntil(lambda: {*whole} == {*views})
        qtbot.rest(100)
        counts.append(max(Counter(whole).values()))
        # In its size, and once more where its axes have changed by that. On a busy machine a look
        # may come between two changes that are one elsewhere.
        if counts[-1] <= 2:
            return
    pytest.fail(f"painted {counts} times")


def test_a_number_between_the_powers_is_written_where_there_is_room(qtbot: PatientBot) -> None:
    axis = Axis("left")
    axis.setLogMode(True)
    axis.setRange(1.8, 2.05)
    axis.resize(60, 40)
    values = np.log10([70, 80, 90])
    shown = [bool(text) for text in axis.tickStrings(values, 1.0, 0.1)]
    assert shown[0]
    assert not all(shown)


def test_one_row_is_a_point_in_the_colour_of_its_run(qtbot: PatientBot, theme: Theme) -> None:
    plot = CurvePlot("loss", theme)
    qtbot.addWidget(plot)
    tables = {side: CurveTable(np.array([9.0]), {"loss": np.array([0.5])}) for side in Side}
    plot.show_tables({Side.A: tables[Side.A]})
    options = plot.curves[Side.A, ""].opts
    assert (options["symbol"], options["symbolSize"]) == ("o", 7)
    assert options["symbolBrush"].color().name() == theme.palette.classes[0]
    plot.set_compared(True)
    plot.show_tables(tables)
    assert plot.curves[Side.A, ""].opts["symbolBrush"].color() == run_colour(theme.palette, Side.A)
    hollow = plot.curves[Side.B, ""].opts
    assert hollow["symbolBrush"].style() is Qt.BrushStyle.NoBrush
    assert hollow["symbolPen"].color() == run_colour(theme.palette, Side.B)


@given(st.floats(-5, 1e4), st.floats(1e-3, 1e5), st.integers(20, 900))
def test_the_numbers_of_steps_are_whole(qapp: object, low: float, span: float, width: int) -> None:
    axis = Axis("bottom")
    axis.whole = True
    axis.setRange(low, low + span)
    axis.resize(width, 30)
    for spacing, values in axis.tickValues(low, low + span, width):
        texts = axis.tickStrings(values, 1.0, spacing)
        assert not any("." in text for text in texts)
        assert np.allclose(values, np.round(values))


def test_of_the_step_alone_the_axis_is_whole(qtbot: PatientBot, theme: Theme) -> None:
    plot = CurvePlot("loss", theme)
    qtbot.addWidget(plot)
    for how in (Alignment.STEP, Alignment.EPOCH):
        plot.how = how
        plot._whole = (1.0, 2.0)
        plot.show_part(None)
        assert plot.item.getAxis("bottom").whole == (how is Alignment.STEP)
