"""What the status line says of the place in a plot where the mouse is."""

import re
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyqtgraph
import pytest
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from ed_core.recording import ArrayInfo, Header
from ed_viewer.curves.data import CurveTable, describe
from ed_viewer.session.alignment import Alignment
from ed_viewer.style.palette import NO_CLASS, NOT_DRAWN, Side
from ed_viewer.style.text import number
from ed_viewer.testing import CLASSES, Example, write_example
from ed_viewer.widgets.plots.plot import make_plot, nearest
from ed_viewer.widgets.plots.signals import SignalCaption
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]
Opened = Callable[[], "Mouse"]

_STEPS = 64


class Signals(Example):
    """Reconstructs signals of two channels, which lie far apart."""

    def __init__(self) -> None:
        super().__init__(samples=20, frames=3)
        wave = np.sin(np.linspace(0, 9, _STEPS))
        both = np.stack([wave, wave + 10], axis=-1)
        self.reference["signal"] = (np.arange(20)[:, None, None] / 20 + both).astype("f4")

    def header(self, run=None) -> Header:  # type: ignore[no-untyped-def]
        made = super().header(run)
        info = ArrayInfo((6, _STEPS, 2), "float32", ("sample", "time", "channel"))
        first, *others = made.probes
        assert first.name == "reconstruction"
        signals = replace(first, arrays={"output": info}, options={"field": "signal"})
        fields = {**made.fields, "signal": {"kind": "signal"}}
        return replace(made, fields=fields, probes=(signals, *others))

    def frame(self, number: int) -> dict[str, dict[str, np.ndarray]]:
        output = self.reference["signal"][:6] / 2
        return {**super().frame(number), "reconstruction": {"output": output}}


class Mouse:
    """Moves over the plots of a window, as a mouse does, and reads its status line."""

    def __init__(self, qtbot: QtBot, window: Window) -> None:
        self._qtbot, self.window = qtbot, window
        qtbot.waitUntil(lambda: bool(window.stage.panels))
        curves = window.curves
        qtbot.waitUntil(lambda: bool(curves.plots) and curves.whole)

    def wait_until(self, there: Callable[[], bool]) -> None:
        self._qtbot.waitUntil(there)

    def tab(self, title: str) -> Any:
        """Open a tab and return its first panel, once it has drawn."""
        stage = self.window.stage
        stage.setCurrentIndex([stage.tabText(n) for n in range(stage.count())].index(title))
        host = next(iter(stage.currentWidget().side(Side.A).hosts.values()))  # type: ignore[attr-defined]
        self.window.session._ask()
        self._qtbot.waitUntil(lambda: self.window.session.settled)
        self._qtbot.wait(50)
        return host.panel

    def over(self, plot: pyqtgraph.PlotItem, x: float, y: float, off: int = 0) -> str:
        """Move to a place of a plot, or pixels right of it; return what is said then."""
        view = plot.getViewWidget()
        at = view.mapFromScene(plot.getViewBox().mapViewToScene(QPointF(x, y)))
        self._go(view.viewport().mapTo(self.window, at + QPoint(off, 0)))
        return self.said

    def leave(self) -> str:
        """Move to the status line."""
        status = self.window.status
        self._go(status.mapTo(self.window, status.rect().center()))
        return self.said

    @property
    def said(self) -> str:
        return self.window.status._value.text

    def _go(self, place: QPoint) -> None:
        QTest.mouseMove(self.window.windowHandle(), place)
        QTest.qWait(15)


@pytest.fixture
def open_run(qtbot: QtBot, open_window: Open, finished: Path) -> Opened:
    """Open a run; not before the test, which alone may hold the window."""
    return lambda: Mouse(qtbot, open_window(finished))


def alone(points: np.ndarray) -> int:
    """Return the point that is farthest from all others."""
    scaled = points / np.ptp(points, axis=0)
    apart = np.hypot(*(scaled[:, None] - scaled[None]).transpose(2, 0, 1))
    np.fill_diagonal(apart, np.inf)
    return int(apart.min(axis=1).argmax())


def test_the_code_under_the_mouse(open_run: Opened) -> None:
    mouse = open_run()
    panel = mouse.tab("Latent")
    scatter, codes = panel.scatter, panel.codes
    sample = alone(codes)
    first, second = codes[sample]
    name = CLASSES[sample % len(CLASSES)]
    said = f"sample {sample + 1} · {name} · code 1 = {number(first)}, code 2 = {number(second)}"
    assert mouse.over(scatter.item, first, second) == said
    assert mouse.over(scatter.item, first, second, off=7) == said
    assert mouse.over(scatter.item, first, second, off=14) != said
    mouse.over(scatter.item, first, second)
    assert mouse.leave() == ""


def test_no_code_where_there_is_none(open_run: Opened) -> None:
    mouse = open_run()
    scatter = mouse.tab("Latent").scatter
    (low, _), (down, _) = scatter.item.viewRange()
    assert mouse.over(scatter.item, *scatter.positions[0]) != ""
    assert mouse.over(scatter.item, low + 1e-3, down + 1e-3) == ""


def test_a_hidden_class_is_not_told(open_run: Opened) -> None:
    mouse = open_run()
    scatter = mouse.tab("Latent").scatter
    sample = alone(scatter.positions)
    at, label = scatter.positions[sample], sample % len(CLASSES)
    assert mouse.over(scatter.item, *at).startswith(f"sample {sample + 1} · ")
    scatter.legend.set_hidden({label})
    mouse.leave()
    hidden = mouse.over(scatter.item, *at)
    assert f"sample {sample + 1} · " not in hidden
    assert CLASSES[label] not in hidden
    scatter.legend.set_hidden(set())
    mouse.leave()
    assert mouse.over(scatter.item, *at).startswith(f"sample {sample + 1} · ")


def test_the_predicted_value_under_the_mouse(open_run: Opened) -> None:
    mouse = open_run()
    panel = mouse.tab("Values")
    shown = panel.view.widget
    sample = alone(shown.values)
    true, found = shown.values[sample]
    assert true == panel.source.reference["angle"][sample]
    said = f"sample {sample + 1} · true {number(true)}° · predicted {number(found)}°"
    assert mouse.over(shown.plot.getPlotItem(), true, found) == with_class(said, sample)
    assert mouse.leave() == ""
    shown.legend.set_hidden({sample % len(CLASSES)})
    hidden = mouse.over(shown.plot.getPlotItem(), true, found)
    assert not hidden.startswith(f"sample {sample + 1} · ")


def with_class(said: str, sample: int) -> str:
    """Return what is said of a sample, with its class."""
    return re.sub("^(sample [0-9]+)", rf"\1 · {CLASSES[sample % len(CLASSES)]}", said)


def test_the_signals_under_the_mouse(qtbot: QtBot, open_window: Open, tmp_path: Path) -> None:
    run = write_example(tmp_path / "runs", Signals(), frames=3)
    mouse = Mouse(qtbot, open_window(run))
    panel = mouse.tab("Reconstruct")
    waves, sample, moment = panel.signals.waves, 2, 40
    inputs = panel.source.reference["signal"][sample, moment].astype(float)
    output = inputs / 2
    for channel in (0, 1):
        said = (
            f"sample 3 · two · time 40 · channel {channel + 1} · "
            f"input {number(inputs[channel])} · output {number(output[channel])}"
        )
        plot = waves[sample].signals
        assert mouse.over(plot, moment + 0.3, inputs[channel] - 0.2) == said
    change = output[0] - inputs[0]
    below = mouse.over(waves[sample].difference, moment, change)
    assert below.startswith("sample 3 · two · time 40 · channel 1 · ")
    assert below.endswith(f" · difference {number(change)}")
    assert mouse.leave() == ""


def test_the_fallback_tells_a_place_and_its_value(open_run: Opened) -> None:
    mouse = open_run()
    panel = mouse.tab("Gradients")
    values = panel.arrays["histogram"]
    low, high = panel.plot.getPlotItem().viewRange()[1]
    said = mouse.over(panel.plot.getPlotItem(), 20.2, (low + high) / 2)
    assert said == f"histogram · bin 20 = {number(float(values[20]))}"
    assert mouse.leave() == ""


def test_the_scalars_under_the_mouse(open_run: Opened) -> None:
    mouse = open_run()
    plot = mouse.window.curves.plots["image_loss"]
    mouse.wait_until(lambda: Side.A in plot.tables)
    table = plot.tables[Side.A]
    steps, loss = table.places, table.columns["image_loss"]
    validation = table.columns["val_image_loss"]
    assert np.flatnonzero(np.isfinite(validation)).tolist() == [4]
    low, high = plot.item.viewRange()[1]
    middle, quarter = (low + high) / 2, 0.25 * (steps[1] - steps[0])
    before = mouse.over(plot.item, steps[3] - quarter, middle)
    assert before == f"Image loss · step {steps[3]:.0f} · training {number(loss[3])}"
    said = f"Image loss · step {steps[4]:.0f} · training {number(loss[4])}"
    after = mouse.over(plot.item, steps[4] - quarter, middle)
    assert after == f"{said}, validation {number(validation[4])}"
    assert mouse.leave() == ""


def test_the_scalars_of_two_runs_under_the_mouse(
    compare_runs: Callable[[Path, Path], Any], qtbot: QtBot, finished: Path, shorter: Path
) -> None:
    mouse = Mouse(qtbot, compare_runs(finished, shorter).window)
    curves = mouse.window.curves
    plot = curves.plots["loss"]
    qtbot.waitUntil(lambda: len(known(plot)) == 2)
    row = 2
    for how, said in ((Alignment.STEP, "step 100"), (Alignment.EPOCH, "epoch 0.50")):
        mouse.leave()  # the place may be the same on the screen
        curves.set_alignment(how)
        place = float(plot.tables[Side.A].places[row])
        middle = float(np.mean(plot.item.viewRange()[1]))
        both = [f"{side.value} training {number(loss[row])}" for side, loss in known(plot).items()]
        assert mouse.over(plot.item, place, middle) == " · ".join(["Total loss", said, *both])


def known(plot: Any) -> dict[str, np.ndarray]:
    """Return the loss of each run that is drawn."""
    tables = sorted(plot.tables.items())
    return {side: table.known("loss")[1] for side, table in tables if len(table.places)}


def test_a_search_among_many_points_is_quick(qtbot: QtBot) -> None:
    view = make_plot()
    qtbot.addWidget(view)
    points = np.random.default_rng(0).normal(size=(70_000, 2))
    labels = np.zeros(len(points), np.int64)
    item, at = view.getPlotItem(), points[123] + 1e-9
    view.resize(600, 400)
    view.show()
    item.setRange(xRange=(-4, 4), yRange=(-4, 4), padding=0)
    taken = []
    for _ in range(50):
        start = time.perf_counter()
        found = nearest(item, points, labels, at)
        taken.append(time.perf_counter() - start)
        assert found == 123
    assert min(taken) < 0.005  # others may keep the processor busy
    labels[123] = NO_CLASS
    assert nearest(item, points, labels, at) == 123
    labels[123] = NOT_DRAWN
    assert nearest(item, points, labels, at) != 123


def test_a_predicted_curve_is_told_with_its_unit_and_what_is_not_known() -> None:
    words = SignalCaption("true", "predicted", unit="m")
    true, found = np.array([1.0, np.nan]), np.array([2.0, 3.0])
    said = words.describe(true, found, np.array([0.4, 0.0]), change=True)
    assert said == "time 0 · true 1 m · predicted 2 m · difference 1 m"
    said = words.describe(true, found, np.array([0.6, 0.0]), change=False)
    assert said == "time 1 · true – m · predicted 3 m"
    assert words.describe(true, found, np.array([1.6, 0.0]), change=False) == ""
    words = SignalCaption(moments=("width", "colour=red"))
    said = words.describe(true, found, np.array([0.6, 0.0]), change=False)
    assert said == "colour=red · input – · output 3"


def test_without_truth_only_the_prediction_is_told(make: Callable[..., Any]) -> None:
    panel = make("predictions", {"values": np.arange(5, dtype="f4")}, options={"target": "angle"})
    plot = panel.view.widget
    assert plot.describe(np.array([2.0, 2.0])) == "sample 3 · predicted 2"


def test_a_share_of_the_training_and_a_scalar_that_is_only_validated() -> None:
    table = CurveTable(np.array([0.25, 0.5, 1.0]), {"val_auc": np.array([0.5, np.nan, 0.7])})
    said = describe("val_auc", {Side.A: table}, Alignment.SHARE, 0.6)
    assert said == "Val AUC · 25.0 % of the training · validation 0.5"
    assert describe("loss", {Side.A: table}, Alignment.SHARE, 0.6) == ""


def test_a_loss_that_is_not_finite_is_told_as_such() -> None:
    losses = np.array([2.0, np.nan, np.inf])
    table = CurveTable(np.array([0.0, 50.0, 100.0]), {"loss": losses, "val_loss": losses + 1})
    said = describe("loss", {Side.A: table}, Alignment.STEP, 40.0)
    assert said == "Total loss · step 50 · training not finite, validation 3"
    said = describe("loss", {Side.A: table}, Alignment.STEP, 20.0)
    assert said == "Total loss · step 0 · training 2, validation 3"
