"""Every panel on a real recording of every registered model, and every number that it shows.

The numbers are computed anew, with numpy, on the recording; what stands on the widgets is read, and
no number of it is left unread.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from ed_core.engine import installed_backends
from ed_core.recording import Recording
from ed_viewer.panels.base import FALLBACK, PANELS, Panel
from ed_viewer.stage.page import OVERVIEW, TABS
from ed_viewer.widgets.labels import Caption
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]

ROOT = Path(__file__).parents[3]
MODELS = sorted(
    file.stem
    for file in (ROOT / "ed_plugins" / "models").glob("*.py")
    if "\n@model(" in file.read_text()
)
FRAMES = 3
_NUMBER = re.compile(r"[−+]?\d[\d\u202f]*(?:\.\d+)?(?:e[−+]?\d+)?")
_ROUNDED = {"rel": 6e-3, "abs": 1e-9}  # three digits


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A frame of a probe.

    Attributes:
        arrays: of the frame on show.
        seen: those of all frames that the window has drawn, this one included.
        reference: the batch that they were made of.
        fields: what each field of it is.
    """

    arrays: dict[str, np.ndarray]
    seen: Sequence[dict[str, np.ndarray]]
    reference: dict[str, np.ndarray]
    fields: dict[str, Any]


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder a model, recorded by one process: the tests of the window load no Keras."""
    # torch starts fastest; without a compiler in between, a step or two are done at once.
    backend = max(installed_backends(), key=("tensorflow", "jax", "torch").index, default="")
    if not backend:
        pytest.skip("no backend is installed")
    folder = tmp_path_factory.mktemp("recordings")
    script = Path(__file__).parents[2] / "support" / "record_models.py"
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    environment["OMP_NUM_THREADS"] = "1"  # batches of four are too small to share out
    command = [sys.executable, str(script), str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def test_all_models_are_recorded(recordings: Path) -> None:
    assert sorted(path.name for path in recordings.iterdir()) == MODELS
    assert len(MODELS) >= 18


@pytest.mark.parametrize("model", MODELS)
def test_every_panel_draws_a_recording_of(
    qtbot: QtBot,
    open_window: Open,
    recordings: Path,
    model: str,
    uncover: Callable[[Window], None],
) -> None:
    window = open_window(recordings / model)
    qtbot.waitUntil(lambda: window.session.cursor.count == FRAMES)
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    titles = [window.stage.tabText(tab) for tab in range(window.stage.count())]
    assert set(titles) <= {OVERVIEW, *TABS}
    assert window.banner.isHidden()
    recording = Recording(recordings / model)
    recording.refresh()
    frames = (FRAMES - 1, 0)
    for turn, frame in enumerate(frames):
        for tab in range(window.stage.count()):
            window.stage.setCurrentIndex(tab)
            scrub(qtbot, window, frame)
            uncover(window)
            check(window)
            for panel in window.stage.panels:
                check_numbers(panel, shown_of(recording, panel, frames[: turn + 1]))
        when = (int(recording.steps[frame]), float(recording.epochs[frame]))
        texts = [*labels(window.transport), window.status.text]
        check_window(texts, FRAMES, frame, when)
        qtbot.keyClick(window, Qt.Key.Key_T)
        QApplication.processEvents()
    recording.close()


def shown_of(recording: Recording, panel: Panel, frames: tuple[int, ...]) -> Shown:
    """Return what a panel shows of the last of the frames that were drawn."""
    header = recording.header
    assert header is not None
    seen = [recording.read(panel.source.probe.name, frame) for frame in frames]
    return Shown(seen[-1], seen, recording.reference(), header.fields)


def scrub(qtbot: QtBot, window: Window, frame: int) -> None:
    """Go to a frame and wait until it is drawn."""
    with qtbot.waitSignal(window.session.drawn, check_params_cb=lambda f: f.request.frame == frame):
        window.session.scrub(frame)


def check(window: Window) -> None:
    """Assert that every panel is its kind's own, shows itself, and has drawn something."""
    assert window.stage.panels
    assert len({panel.source.probe.name for panel in window.stage.panels}) == len(
        window.stage.panels
    )
    for panel in window.stage.panels:
        assert not isinstance(panel, PANELS[FALLBACK]), panel.source.probe.kind
        assert panel.isVisible(), panel.source.probe.name  # else its notice is
        assert panel.toolTip() == ""
        picture = panel.grab().toImage()
        colours = np.unique(np.frombuffer(picture.constBits(), np.uint32)[::7])
        assert len(colours) > 20, panel.source.probe.name


def check_numbers(panel: Panel, shown: Shown) -> None:
    """Assert that the texts of a panel are of what they say they are."""
    kind = panel.source.probe.kind
    if kind == "predictions":
        kind = next(iter(panel.source.probe.arrays))
    _CHECKS[kind](panel, shown)


def agree(text: str, template: str, *numbers: float) -> None:
    """Assert that a text is a template with these numbers in the place of #."""
    assert _NUMBER.sub("#", text) == template, text
    read = [float(n.replace("−", "-").replace("\u202f", "")) for n in _NUMBER.findall(text)]
    assert read == [pytest.approx(number, **_ROUNDED) for number in numbers], text


def caption(panel: Panel) -> str:
    """Return what stands at the right of the heading, its tool tip the same."""
    return panel.findChild(Caption).text


def _reconstruction(panel: Panel, shown: Shown) -> None:
    field = panel.source.probe.options["field"]
    output = shown.arrays["output"].astype("f8")
    given = shown.reference[field][: len(output)].astype("f8")
    square, samples = np.square(output - given), len(output)
    of, frames = "# samples", [output.shape[1]] if output.ndim == 5 else []
    of += ", # frames each" if frames else ""
    if panel.form == "signal":
        drawn = [6] if samples > 6 else []
        words = " · # shown" * len(drawn) + " · grey: input, colour: output, below: output − input"
        agree(
            caption(panel), f"mean squared error # of {of}{words}", square.mean(), samples, *drawn
        )
        return
    low, high = given.min(), given.max()
    reach = 0.5 if low >= 0 and high <= 1 else (high - low) / 2
    tail = "difference from # to #"
    cut, parts = _cut(panel.sheet)
    template = " · ".join([f"mean squared error # of {of}", *parts, tail])
    agree(caption(panel), template, square.mean(), samples, *frames, *cut, -reach, reach)
    panel.sheet.choose((0, 2))
    template = f"mean squared error # of sample # · # of {of} · {tail}"
    numbers = (square[2].mean(), 3, square.mean(), samples, *frames, -reach, reach)
    agree(caption(panel), template, *numbers)
    panel.sheet.choose(None)


def _cut(sheet: Any) -> tuple[list[int], list[str]]:
    """Return what does not fit, as the layout of the tiles on the screen has it."""
    made, rows = sheet.grid, sheet.shown.rows
    columns = max(len(row.pixels) for row in rows)
    numbers = [made.columns] * (made.columns < columns) + [len(rows) - made.rows] * (
        made.rows < len(rows)
    )
    words = ["# samples shown"] * (made.columns < columns)
    words += ["no room for # rows"] * (made.rows < len(rows))
    return numbers, [w.replace("samples", "sample") if made.columns == 1 else w for w in words]


def _activations(panel: Panel, shown: Shown) -> None:
    for layer, values in shown.arrays.items():
        panel.choice.layers.setCurrentText(layer)
        whole = panel.source.probe.options["of"][layer]
        values, (samples, *area, last) = values.astype("f8"), values.shape
        noun = "channel" if area else "unit"
        numbers, template = [*area], "".join("# × " * (len(area) - 1) + "#, " * bool(area))
        more = whole > last
        numbers += [last, whole] if more else [last]
        template += f"first # of # {noun}s" if more else f"# {noun}{'s' * (last != 1)}"
        silent = int((values == 0).reshape(-1, last).all(axis=0).sum())
        if silent:
            dashed = " (dashed)" * any(row.dead for row in panel.mosaic.shown.rows)
            template += f" · # of # {noun}s silent on these # samples{dashed}"
            numbers += [silent, last, samples]
        ranges = [np.concatenate([a[layer].ravel() for a in shown.seen]), values.ravel()]
        for fixed, known in zip((True, False), ranges, strict=True):
            panel.choice.fixed.setChecked(fixed)
            of = "frames seen so far" if fixed else "this frame"
            levels = min(known.min(), 0), max(known.max(), 0)
            text = re.sub(
                r" · no room for \d+ rows?| · \d+ of \d+ samples(?= · levels)", "", caption(panel)
            )
            agree(text, f"{template} · levels # to # ({of})", *numbers, *levels)
        panel.choice.fixed.setChecked(True)
        _focus(panel, values)


def _focus(panel: Panel, values: np.ndarray) -> None:
    """Check the numbers of the first tile of maps or units, large."""
    row = 0 if panel.choice.one_sample else len(panel.mosaic.shown.rows) - 1
    panel.mosaic.choose((min(row, panel.mosaic.grid.rows - 1), 0))
    row = panel.mosaic.pick[0]
    label = panel.mosaic.shown.rows[row].label
    if label == "units":
        of = values[0]
    elif panel.choice.one_sample:
        of = values[panel.sample, ..., 0]
    else:
        of = values[0, ..., int(label) - 1] if label.isdigit() else shown_input(panel)
    agree(
        panel.focus.numbers.text(),
        "# to #\nmean # · # % not #",
        of.min(), of.max(), of.mean(), round(100 * (of != 0).mean()), 0,
    )  # fmt: skip
    panel.mosaic.choose(None)


def shown_input(panel: Panel) -> np.ndarray:
    """Return the first image of the row of inputs."""
    return panel.source.reference[panel.source.probe.options["field"]][0].astype("f8")


def _truth(panel: Panel, shown: Shown, samples: int) -> np.ndarray:
    return shown.reference[panel.source.probe.options["target"]][:samples]


def _classes(panel: Panel, shown: Shown) -> None:
    likely = shown.arrays["probabilities"].astype("f8")
    found, truth = likely.argmax(axis=1), _truth(panel, shown, len(likely))
    known = truth >= 0
    words, numbers = "accuracy # % (# samples)", [100 * (truth == found)[known].mean(), known.sum()]
    if not known.all():
        words, numbers = f"{words} · # without label left out", [*numbers, (~known).sum()]
    agree(caption(panel), words, *numbers)
    counts = np.zeros((likely.shape[1],) * 2)
    np.add.at(counts, (truth[known], found[known]), 1)
    totals = counts.sum(axis=1, keepdims=True)
    percents = np.round(100 * counts / np.maximum(totals, 1)).astype(int)
    for place in np.ndindex(*counts.shape):
        assert panel.matrix.text(*place) == (str(percents[place]) if percents[place] else "")
        said = panel.matrix.describe(*place).rpartition(" · ")[2]
        share = 100 * counts[place] / max(totals[place[0], 0], 1)
        agree(said, "# of # (# %)", counts[place], totals[place[0], 0], round(share, 1))
    if not panel.examples.isHidden():
        wrong, drawn = int((truth != found)[known].sum()), len(panel.tiles.shown.columns)
        many = drawn < wrong
        template = "most confident mistakes, true → predicted · #" + " of #" * many
        agree(panel.about.text(), template, *([drawn, wrong] if many else [wrong]))


def _values(panel: Panel, shown: Shown) -> None:
    found = np.squeeze(shown.arrays["values"].astype("f8").reshape(len(shown.arrays["values"]), -1))
    truth = _truth(panel, shown, len(found)).astype("f8").reshape(found.shape)
    unit = panel.source.unit(panel.source.probe.options["target"])
    unit = unit if unit in ("", "°") else f" {unit}"
    error = np.sqrt(np.nanmean(np.square(found - truth)))
    cut, parts = _cut(panel.view.sheet) if found.ndim == 2 else ([], [])
    ends, colours = [], []
    if found.ndim == 2:
        half = (truth.max() - truth.min()) / 2
        ends, colours = [-half, half], [f"difference from # to #{unit}"]
    template = " · ".join([f"RMSE #{unit}", "# samples", *parts, *colours])
    agree(caption(panel), template, error, len(found), *cut, *ends)
    if found.ndim == 2:
        panel.view.sheet.choose((0, 1))
        one = np.sqrt(np.nanmean(np.square(found[1] - truth[1])))
        template = " · ".join([f"RMSE #{unit} of sample # · #{unit} of # samples", *colours])
        agree(caption(panel), template, one, 2, error, len(found), *ends)
        panel.view.sheet.choose(None)


def _segmentation(panel: Panel, shown: Shown) -> None:
    found = shown.arrays["classes"].astype(int)
    truth = _truth(panel, shown, len(found)).astype(int)
    for pick in (None, 1):
        panel.sheet.choose(None if pick is None else (0, pick))
        ours = slice(None) if pick is None else slice(pick, pick + 1)
        known = truth[ours] >= 0
        right, made = truth[ours][known], found[ours][known]
        names = [score.name for score in panel.scores.scores]
        iou = [_iou(right, made, number) for number in range(len(names))]
        there = [value for value in iou if value is not None]
        of = "" if len(there) == len(iou) else " (# of # classes)"
        counts = [] if len(there) == len(iou) else [len(there), len(iou)]
        cut, parts = ([], []) if pick is not None else _cut(panel.sheet)
        template = " · ".join(
            [
                f"mean IoU #{of}",
                "# % of pixels right",
                "# samples" if pick is None else "sample #",
                *parts,
            ]
        )
        last = len(found) if pick is None else pick + 1
        share = 100 * (right == made).mean()
        agree(caption(panel), template, round(np.mean(there), 3), *counts, share, last, *cut)
        texts = [panel.scores.text(score) for score in panel.scores.scores]
        assert texts == ["–" if value is None else f"{value:.2f}" for value in iou]
        template = "IoU of # samples" if pick is None else "IoU of sample #"
        agree(panel.scores.accessibleName(), template, last)
    panel.sheet.choose(None)


def _iou(truth: np.ndarray, found: np.ndarray, number: int) -> float | None:
    mine, taken = truth == number, found == number
    return float((mine & taken).sum() / (mine | taken).sum()) if mine.any() else None


def _codes(panel: Panel, shown: Shown) -> None:
    codes = shown.arrays["codes"]
    label = panel.source.probe.options.get("label")
    none = int((shown.reference[label][: len(codes)] < 0).sum()) if label else 0
    words = "# samples" + " · # without label" * bool(none) + " · # dimensions"
    agree(caption(panel), words, len(codes), *([none] * bool(none)), codes.shape[1])


def _scan(panel: Panel, shown: Shown) -> None:
    tiles, (down, across) = panel.tiles.shown, shown.arrays["grid"].shape[:2]
    every = -(-down // len(tiles.rows))
    assert caption(panel) == ("" if every == 1 else f"every {_ordinal(every)} row, column")
    rows, columns = (np.arange((n - 1) % every // 2, n, every) for n in (down, across))
    ups, sideways = (_told_apart(shown.arrays[axis]) for axis in "yx")
    ups = np.sort(ups)[::-1][rows]
    agree(" ".join(row.label for row in tiles.rows), " ".join("#" * len(ups)), *ups)
    sideways = sideways[columns]
    agree(" ".join(tiles.columns), " ".join("#" * len(sideways)), *sideways)


def _told_apart(values: np.ndarray) -> np.ndarray:
    """Return values rounded to one digit after the point, or to as many as tell them apart."""
    rounded = (np.round(values, digits) for digits in range(1, 5))
    return next(made for made in rounded if len(np.unique(made)) == len(np.unique(values)))


def _ordinal(number: int) -> str:
    return f"{number}" + {2: "nd", 3: "rd"}.get(number, "th")


def _samples(panel: Panel, shown: Shown) -> None:
    made, rows = panel.tiles.grid, panel.tiles.shown.rows
    count = sum(len(row.pixels) for row in rows)
    assert count == len(shown.arrays["images"])
    fit = sum(min(len(row.pixels), made.columns) for row in rows[: made.rows])
    words = "# samples · same noise in every frame" + " · no room for #" * (fit < count)
    agree(caption(panel), words, count, *([count - fit] * (fit < count)))


def check_window(texts: Sequence[str], frames: int, frame: int, when: tuple[int, float]) -> None:
    """Assert what the transport and the status line say of a frame."""
    where, more, status = texts
    agree(where, "step # · epoch #", when[0], round(when[1], 2))
    agree(more, "frame # of #", frame + 1, frames)
    assert f"{frames} frames" in status


def labels(widget: Any) -> list[str]:
    """Return the texts of the labels that can be seen on a widget."""
    return [label.text() for label in widget.findChildren(QLabel) if label.isVisible()]


_CHECKS = {
    "reconstruction": _reconstruction,
    "activations": _activations,
    "probabilities": _classes,
    "values": _values,
    "classes": _segmentation,
    "latent_codes": _codes,
    "latent_scan": _scan,
    "samples": _samples,
}
