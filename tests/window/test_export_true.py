"""What is taken away is what was on show: pixel for pixel, and frame for frame."""

import re
import zlib
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence
from pyqtgraph import PlotWidget
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QDoubleSpinBox, QLabel
from pytestqt.qtbot import QtBot

from ed_viewer.export.dialog import ExportChoice
from ed_viewer.export.feature import ExportFeature
from ed_viewer.export.headless import ExportSpec, export_stage
from ed_viewer.export.movie import to_array
from ed_viewer.export.picture import ExportFigure, picture, raster
from ed_viewer.export.targets import targets
from ed_viewer.panels.base import Panel
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]
CLASSES = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00"]


def images_of(pdf: bytes) -> list[tuple[str, np.ndarray]]:
    """Return the filter and the pixels (height, width, 3) of each image of a PDF."""
    found = []
    for part in pdf.split(b" obj")[1:]:
        head, _, data = part.partition(b"stream\n")
        if b"/Subtype /Image" not in head or b"/DeviceRGB" not in head:
            continue
        size = [int(re.search(rb"/%s (\d+)" % side, head)[1]) for side in (b"Height", b"Width")]
        (kind,) = re.findall(rb"/Filter\s*/(\w+)", head)
        made = np.zeros((*size, 3), np.uint8)
        if kind == b"FlateDecode":
            pixels = zlib.decompressobj().decompress(data)
            made = np.frombuffer(pixels, np.uint8).reshape(made.shape)
        found.append((kind.decode(), made))
    return found


def test_a_pdf_holds_every_pixel_as_it_is(make: Callable[..., Panel], tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    truth = np.stack([np.arange(64).reshape(8, 8) % 6] * 3)
    found = random.integers(0, 6, (3, 8, 8)).astype("u1")
    reference = {"image": random.random((3, 8, 8, 3)).astype("f4"), "mask": truth}
    fields = {
        "image": {"kind": "image", "input": True},
        "mask": {"kind": "class", "classes": list("abcdef"), "colours": CLASSES},
    }
    options = {"output": "mask", "target": "mask"}
    panel = make("predictions", {"classes": found}, reference, fields, options)
    picture(ExportFigure.of(panel), "pdf", QColor("white"))(tmp_path / "maps.pdf")
    images = images_of((tmp_path / "maps.pdf").read_bytes())
    assert {kind for kind, _ in images} == {"FlateDecode"}
    tiles = [pixels for _, pixels in images if pixels.shape == (8, 8, 3)]
    assert len(tiles) == 12  # image, truth, prediction and overlay of three samples
    table = np.array([QColor(colour).getRgb()[:3] for colour in CLASSES], np.uint8)
    for maps in (truth, found):
        for sample in maps:
            assert any(np.array_equal(tile, table[sample]) for tile in tiles)
    assert sorted(len(np.unique(t.reshape(-1, 3), axis=0)) for t in tiles)[:6] == [6] * 6


@pytest.mark.parametrize("of", ["a picture of points", "the window"])
def test_nothing_in_a_pdf_is_a_jpeg(
    qtbot: QtBot, request: pytest.FixtureRequest, tmp_path: Path, of: str
) -> None:
    if of == "the window":
        shown = request.getfixturevalue("open_window")(request.getfixturevalue("finished"))
        qtbot.waitUntil(lambda: shown.session.frame is not None)
    else:
        codes = np.random.default_rng(0).normal(size=(6000, 2)).astype("f4")
        make = request.getfixturevalue("make")
        shown = make("latent_codes", {"codes": codes}, {}, {}, {"label": None})
    picture(ExportFigure.of(shown), "pdf", QColor("white"))(tmp_path / "shown.pdf")
    pdf = (tmp_path / "shown.pdf").read_bytes()
    assert b"/Subtype /Image" in pdf
    assert b"DCTDecode" not in pdf


def frames_of(movie: Path) -> list[np.ndarray]:
    with Image.open(movie) as image:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]


def test_the_frames_of_a_movie_are_those_drawn_singly(
    qtbot: QtBot, open_window: Open, finished: Path, code_editor: Any, tmp_path: Path
) -> None:
    """With what the decoder makes of each, its step, one scale of the axes, and no focus."""
    window, panel = code_editor.opened(open_window, finished)
    part, steps = window.findChild(ExportFeature), window.session.growth.steps
    background = window.theme.colour("window")
    window.stage.set_steady(True)
    singly, ranges = [], []
    for turn, number in product(range(2), range(len(steps))):
        window.session.scrub(number)
        qtbot.waitUntil(lambda: window.session.settled and part._ready())
        if turn == 0:  # which settles the axes
            continue
        ranges.append(panel.scatter.item.viewRange())
        kept = int(steps[number]) // 100 * 100  # as the decoder has them
        assert f"decoded with checkpoint {kept}" in panel.editor.weights.text()
        (whole,) = (t for t in targets(window, part.shown) if t.name == "stage/Latent")
        line = window.transport.findChild(QLabel).text()  # the step and the epoch
        alone = Image.fromarray(to_array(raster(replace(whole.figure, line=line), background)))
        singly.append(np.asarray(alone.quantize(256, dither=Image.Dither.NONE).convert("RGB")))
        without = to_array(raster(whole.figure, background))
        assert len(singly[-1]) > len(without)  # the line stands above all
    assert all(one == ranges[0] for one in ranges)
    window.stage.set_steady(False)
    box = panel.findChild(QDoubleSpinBox)
    box.setFocus()
    assert box.hasFocus()
    part.take(ExportChoice("stage/Latent", "gif", tmp_path / "codes.gif"))
    said = window.status
    qtbot.waitUntil(lambda: said.message.startswith("Exported"))
    assert box.hasFocus()
    moving = frames_of(tmp_path / "codes.gif")
    assert len(moving) == len(steps)
    for frame, drawn in zip(moving, singly, strict=True):
        np.testing.assert_array_equal(frame, drawn)


def test_a_movie_without_a_window_says_its_steps_and_keeps_its_axes(
    qtbot: QtBot, finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines, ranges = [], []

    def note(figure: ExportFigure, *rest: Any) -> Any:
        lines.append(figure.line)
        plots = [w for one in figure.widgets for w in one.findChildren(PlotWidget)]
        ranges.append([plot.getPlotItem().viewRange() for plot in plots])
        return raster(figure, *rest)

    monkeypatch.setattr("ed_viewer.export.headless.raster", note)
    export_stage(
        finished, ExportSpec(tmp_path / "a.gif", step=170, preset="Latent", size=(800, 600))
    )
    assert lines == [f"step {n} · epoch {n / 200:.2f}" for n in (0, 50, 100, 150)]
    assert ranges[0]
    assert all(one == ranges[0] for one in ranges)
