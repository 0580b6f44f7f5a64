"""The difference of two runs, in numbers and in the place of run B."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from ed_core.recording import ProbeInfo
from ed_viewer.compare.difference import difference_of, other_samples
from ed_viewer.reading.messages import Frame, FrameRequest, RunInfo
from ed_viewer.testing import Example, write_example

pytestmark = pytest.mark.viewer

Pairs = Callable[[Path, Path], Any]
REQUEST = FrameRequest(1, 1, 0, ())


def run(example: Example, **facts: object) -> RunInfo:
    return RunInfo(1, Path("run"), example.header(facts), example.reference)


def frame(example: Example, number: int) -> Frame:
    return Frame(REQUEST, example.frame(number))


def test_arrays_of_one_shape_are_subtracted_and_codes_are_not() -> None:
    one, other = Example(samples=40, frames=8), Example(samples=40, frames=5)
    found = difference_of(run(one), run(other))
    assert set(found.reasons) == {"latent_codes", "predictions angle"}
    made = found.of(frame(one, 2), frame(other, 2))
    subtracted = {"reconstruction", "activations", "latent_scan", "samples", "gradients"}
    classes = {"predictions label": "probabilities", "predictions mask": "classes"}
    assert made.arrays.keys() == subtracted | classes.keys()
    for probe, array in classes.items():
        for side, example in (("A", one), ("B", other)):
            kept = made.arrays[probe][f"{side}/{array}"]
            assert np.array_equal(kept, example.frame(2)[probe][array])
    for probe, array in (("activations", "encoder/conv2d"), ("latent_scan", "grid")):
        ours, theirs = (np.float32(e.frame(2)[probe][array]) for e in (one, other))
        assert np.array_equal(made.arrays[probe][array], theirs - ours)
    assert np.array_equal(made.arrays["latent_scan"]["x"], one.frame(0)["latent_scan"]["x"])


def test_a_layer_of_another_shape_is_left_out() -> None:
    one, other = Example(samples=40), Example(samples=40)
    ours, theirs = run(one), run(other)
    header = theirs.header
    probe = header.probes[1]
    first, *rest = probe.arrays.items()
    wider = type(first[1])((8, 3, 3, 9), first[1].dtype, first[1].axes)
    changed = ProbeInfo(probe.name, probe.kind, {first[0]: wider, **dict(rest)}, probe.options)
    probes = (header.probes[0], changed, *header.probes[2:])
    theirs = replace(theirs, header=replace(header, probes=probes))
    found = difference_of(ours, theirs)
    assert list(found.run.header.probes[1].arrays) == [name for name, _ in rest]
    assert first[0] not in found.of(frame(one, 0), frame(other, 0)).arrays["activations"]


def test_a_grid_at_other_codes_has_no_difference() -> None:
    example = Example(samples=40)
    found = difference_of(run(example), run(example))
    moved = frame(example, 3)
    moved.arrays["latent_scan"]["x"] = moved.arrays["latent_scan"]["x"] + 1
    made = found.of(frame(example, 3), moved)
    assert made.damaged["latent_scan"] == "No difference: A and B have different x."
    assert "latent_scan" not in made.arrays


def test_what_was_damaged_in_either_run_is_no_difference() -> None:
    example = Example(samples=40)
    found = difference_of(run(example), run(example))
    broken = Frame(REQUEST, {}, {"activations": "wrong CRC"})
    assert found.of(broken, frame(example, 0)).damaged["activations"] == "wrong CRC"
    assert found.of(frame(example, 0), broken).arrays == {}


def test_batches_are_the_same_as_far_as_both_go() -> None:
    long, short = Example(samples=60), Example(samples=60)
    short.reference = {name: values[:20] for name, values in long.reference.items()}
    assert other_samples(run(long), run(short)) == ""
    short.reference["image"] = short.reference["image"] + 0.1
    assert other_samples(run(long), run(short)) == "B was recorded on other samples than A."
    ours, none = run(long), replace(run(long), reference={})
    theirs = replace(ours, reference={"signal": long.reference["image"]})
    assert other_samples(ours, theirs) == "B was recorded on other samples than A."
    assert other_samples(none, none) == ""


def test_the_difference_stands_in_the_place_of_b(
    qtbot: QtBot, compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    pair = compare_runs(finished, shorter)
    pair.window.stage.setCurrentIndex(1)
    for key in (Qt.Key.Key_D, Qt.Key.Key_Home, Qt.Key.Key_Right):
        qtbot.keyClick(pair.window, key)
    outputs = [Example(samples=120, frames=n).frame(1)["reconstruction"]["output"] for n in (8, 5)]
    expected = np.float32(outputs[1]) - np.float32(outputs[0])

    def rows() -> Any:
        return pair.panel("B", "reconstruction").sheet.everything.rows

    qtbot.waitUntil(lambda: len(rows()) == 1 and np.allclose(rows()[0].values, expected, atol=1e-6))
    assert rows()[0].label == "B − A"
    low, high = (rows()[0].pixels[expected[..., 0] == f(expected)][0] for f in (np.min, np.max))
    assert low[0] > low[2]  # blue, the first of four bytes
    assert high[2] > high[0]  # orange
    assert len(pair.panel("A", "reconstruction").sheet.everything.rows) == 3
    assert pair.side("B")._head._remark.text == "Blue: lower than A; orange: higher."
    pair.window.stage.setCurrentIndex(2)
    pair.settle()
    qtbot.waitUntil(lambda: bool(pair.panel("B", "activations").scales))
    ours, theirs = pair.panel("A", "activations"), pair.panel("B", "activations")
    levels = theirs.scales[theirs.choice.layers.currentText()][0]
    assert levels[0] == -levels[1]
    assert ours.scales[ours.choice.layers.currentText()][0][0] == 0  # of run A alone
    pair.window.stage.setCurrentIndex(3)
    qtbot.waitUntil(lambda: "cannot be subtracted" in pair.host("B", "latent_codes").notice.text)
    for tab, probe in (("Classes", "predictions label"), ("Segmentation", "predictions mask")):
        titles = [pair.window.stage.tabText(n) for n in range(pair.window.stage.count())]
        pair.window.stage.setCurrentIndex(titles.index(tab))
        qtbot.waitUntil(lambda p=probe: "points" in pair.panel("B", p).caption.text)
    pair.window.stage.setCurrentIndex(3)
    qtbot.keyClick(pair.window, Qt.Key.Key_D)
    pair.settle()
    codes = pair.host("B", "latent_codes")
    assert codes.on_show is codes.panel


def test_frames_of_different_points_are_not_subtracted(
    qtbot: QtBot, compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    pair = compare_runs(finished, shorter)
    pair.window.stage.setCurrentIndex(1)
    pair.part.set_signed(True)
    pair.window.session.scrub(1)
    pair.settle()
    theirs = pair.panel("B", "reconstruction").sheet.everything.rows[0].values
    pair.session("B")._requests.blockSignals(True)  # as if its frame took long to come
    pair.window.session.scrub(3)
    qtbot.waitUntil(lambda: pair.where("A").startswith("step 150"))
    assert pair.panel("B", "reconstruction").sheet.everything.rows[0].values is theirs
    assert pair.where("B").startswith("step 50")


def test_runs_of_other_samples_say_so(
    qtbot: QtBot, compare_runs: Pairs, finished: Path, tmp_path: Path
) -> None:
    example = Example(samples=120, size=(24, 20, 3), frames=5)
    header = example.header({"data": "others"})
    example.header = lambda run=None: header
    other = write_example(tmp_path / "runs", example, frames=5)
    pair = compare_runs(finished, other)
    remark = pair.side("B")._head._remark
    said = "B was recorded on other samples than A (B: 'others', A: 'example')."
    assert (remark.text, remark.isVisible()) == (said, True)
    assert (pair.side("A")._head._remark.text, remark.height()) == ("", remark.height())
    pair.window.stage.setCurrentIndex(1)
    qtbot.keyClick(pair.window, Qt.Key.Key_D)
    host = pair.host("B", "reconstruction")
    qtbot.waitUntil(lambda: host.notice.text == f"No difference: {said}")
    pair.window.stage.setCurrentIndex(8)
    pair.settle()
    host = pair.host("B", "gradients")
    assert host.on_show is host.panel
