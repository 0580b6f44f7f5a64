"""What is exported while two runs are compared shows and holds both."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from ed_core.cli import main
from ed_core.cli.view import view
from ed_core.recording import Header, Recording, RecordingWriter, RunFolder
from ed_viewer.export.dialog import ExportChoice
from ed_viewer.export.feature import ExportFeature
from ed_viewer.export.headless import ExportSpec, export_stage
from ed_viewer.export.targets import targets
from ed_viewer.reading.messages import Frame, FrameRequest
from ed_viewer.reading.tail import Tail
from ed_viewer.session import alignment
from ed_viewer.session.alignment import Alignment
from ed_viewer.testing import Example

pytestmark = pytest.mark.viewer

Two = tuple[Path, Path]
Pairs = Callable[[Path, Path], Any]


@pytest.fixture
def two(finished: Path, shorter: Path) -> Two:
    return finished, shorter


def reconstructions(compare_runs: Pairs, two: Two) -> Any:
    """Open a window that compares two runs, on the tab of reconstructions."""
    made = compare_runs(*two)
    made.window.stage.setCurrentIndex(1)
    made.settle()
    return made


def take(qtbot: QtBot, pair: Any, words: str, file: Path) -> None:
    part = pair.window.findChild(ExportFeature)
    names = {target.words: target.name for target in targets(pair.window, part.shown)}
    part.take(ExportChoice(names[words], file.suffix[1:], file))
    qtbot.waitUntil(file.exists)


def images_of(run: Path, frame: int) -> np.ndarray:
    recording = Recording(run)
    recording.refresh()
    found = recording.read("reconstruction", frame)["output"].astype("f4")
    recording.close()
    return found


def test_the_arrays_of_both_runs_are_taken(
    qtbot: QtBot, compare_runs: Pairs, two: Two, tmp_path: Path
) -> None:
    pair = reconstructions(compare_runs, two)
    take(qtbot, pair, "Stage: Reconstruct", tmp_path / "both.npz")
    take(qtbot, pair, "Curves", tmp_path / "curves.npz")
    pair.part.set_signed(True)
    pair.settle()
    take(qtbot, pair, "Stage: Reconstruct", tmp_path / "signed.npz")
    arrays, signed = (np.load(tmp_path / f"{name}.npz") for name in ("both", "signed"))
    assert (arrays["A/run"], arrays["B/run"]) == tuple(run.name for run in two)
    assert (arrays["A/step"], arrays["B/step"]) == (350, 200)
    ours, theirs = images_of(two[0], 7), images_of(two[1], 4)
    np.testing.assert_array_equal(arrays["A/reconstruction/output"], ours)
    np.testing.assert_array_equal(arrays["B/reconstruction/output"], theirs)
    assert not [name for name in arrays if name.startswith("B-A")]
    np.testing.assert_array_equal(signed["B-A/reconstruction/output"], theirs - ours)
    curves = np.load(tmp_path / "curves.npz")
    assert (len(curves["A/loss"]), len(curves["B/loss"])) == (8, 5)


def test_a_panel_stands_beside_that_of_run_b(
    qtbot: QtBot, compare_runs: Pairs, two: Two, tmp_path: Path
) -> None:
    pair = reconstructions(compare_runs, two)
    window = pair.window
    window.stage.setCurrentIndex(3)
    pair.settle()
    part = window.findChild(ExportFeature)
    qtbot.waitUntil(lambda: "latent_codes" in part.shown.run.frame.arrays)
    for kind in ("png", "svg", "pdf", "npz"):
        take(qtbot, pair, "Panel: Codes", tmp_path / f"codes.{kind}")
    widths = [pair.panel(side, "latent_codes").width() for side in "AB"]
    said = f"A: {two[0].name}, step 350, epoch 1.75; B: {two[1].name}, step 200, epoch 1.00"
    with Image.open(tmp_path / "codes.png") as image:
        assert image.width >= 2 * sum(widths)
        assert image.info["Description"] == said
    svg = (tmp_path / "codes.svg").read_text(encoding="utf8")
    assert said in svg
    assert ">step 350 · epoch 1.75</text>" in svg
    assert ">step 200 · epoch 1.00 · last frame</text>" in svg
    assert svg.count(">Codes</text>") == 2
    title = b"\xfe\xff" + said.encode("utf-16-be")
    assert title in (tmp_path / "codes.pdf").read_bytes() or said.encode() in (
        tmp_path / "codes.pdf"
    ).read_bytes().replace(b"\\", b"")
    names = set(np.load(tmp_path / "codes.npz"))
    assert {"A/latent_codes/codes", "B/latent_codes/codes"} <= names
    assert "A/latent_scan/grid" not in names


def test_where_b_has_no_panel_it_is_exported_that_it_has_none(
    qtbot: QtBot, compare_runs: Pairs, finished: Path, tmp_path: Path
) -> None:
    example = Example(samples=120, frames=5)
    full = example.header()
    few = Header(full.run, full.fields, full.probes[:1], full.scalars)
    run = RunFolder.create(tmp_path / "runs", "few")
    with RecordingWriter(run.recording, few, example.reference) as writer:
        arrays = example.frame(0)["reconstruction"]
        writer.append(0, 0.0, 0.0, {"reconstruction": arrays})
    run.write({"status": "finished"})
    pair = compare_runs(finished, run.path)
    pair.window.stage.setCurrentIndex(3)
    pair.settle()
    take(qtbot, pair, "Panel: Codes", tmp_path / "codes.svg")
    svg = (tmp_path / "codes.svg").read_text(encoding="utf8")
    assert svg.count(">Codes</text>") == 1
    assert "Not recorded in B" in svg


def test_a_movie_waits_for_run_b(
    qtbot: QtBot, compare_runs: Pairs, two: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = reconstructions(compare_runs, two)
    read = Tail.read

    def slowly(self: Tail, request: FrameRequest) -> Frame:
        time.sleep(0.15 if self.path == two[1] else 0)
        return read(self, request)

    monkeypatch.setattr(Tail, "read", slowly)
    part, seen = pair.window.findChild(ExportFeature), []
    grab = part._grab

    def noted(target: Any) -> Any:
        runs = pair.part.pair.comparison.runs.values()
        seen.append(tuple(run.frame.request.frame for run in runs))
        return grab(target)

    monkeypatch.setattr(part, "_grab", noted)
    take(qtbot, pair, "Stage: Reconstruct", tmp_path / "both.gif")
    assert seen == [(n, min(n, 4)) for n in range(8)]
    with Image.open(tmp_path / "both.gif") as movie:
        assert movie.n_frames == 8
        assert movie.info["comment"].decode() == f"A: {two[0].name}; B: {two[1].name}"


def test_a_movie_ends_with_the_comparison(
    qtbot: QtBot, compare_runs: Pairs, two: Two, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = reconstructions(compare_runs, two)
    part = pair.window.findChild(ExportFeature)
    monkeypatch.setattr(part, "_ready", lambda: False)
    part.take(ExportChoice("stage/Reconstruct", "gif", tmp_path / "both.gif"))
    pair.part.leave()
    qtbot.waitUntil(lambda: "stopped" in pair.window.status.message)
    assert part.movie is None
    assert not list(tmp_path.glob("*.gif"))


def test_two_runs_are_exported_without_a_window(qtbot: QtBot, two: Two, tmp_path: Path) -> None:
    ours, theirs = two
    file = tmp_path / "two.npz"
    export_stage(ours, ExportSpec(file, step=320, preset="Reconstruct", difference=True), theirs)
    arrays = np.load(file)
    assert (arrays["A/run"], arrays["A/step"]) == (ours.name, 300)
    assert (arrays["B/run"], arrays["B/step"]) == (theirs.name, 200)  # its last
    expected = images_of(theirs, 4) - images_of(ours, 6)
    np.testing.assert_array_equal(arrays["B-A/reconstruction/output"], expected)
    both, alone = tmp_path / "both.svg", tmp_path / "alone.svg"
    export_stage(ours, ExportSpec(both, preset="Reconstruct"), theirs)
    export_stage(ours, ExportSpec(alone, preset="Reconstruct"))
    assert b"step 200 \xc2\xb7 epoch 1.00 \xc2\xb7 last frame" in both.read_bytes()
    assert b"last frame" not in alone.read_bytes()
    assert f"{ours.name}, step 350, epoch 1.75".encode() in alone.read_bytes()


def test_samples_over_time_without_a_window(qtbot: QtBot, two: Two, tmp_path: Path) -> None:
    file = tmp_path / "strip.npz"
    export_stage(two[0], ExportSpec(file, step=300, preset="samples", over_time=True), two[1])
    arrays = np.load(file)
    assert arrays["A/samples/over_time/steps"].tolist() == list(range(0, 350, 50))
    assert arrays["B/samples/over_time/steps"].tolist() == [*range(0, 250, 50), 200, 200]
    assert arrays["A/samples/over_time/images"].shape[:2] == (7, 10)


def test_the_command_draws_two(two: Two, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    runs = [str(run) for run in two]
    file = tmp_path / "two.png"
    assert main(["view", *runs, "--export", str(file), "--size", "800x600"]) == 0
    with Image.open(file) as image:
        assert image.size == (1600, 1200)
        assert image.info["Description"].startswith(f"A: {two[0].name}, step 350")
    capfd.readouterr()
    wrong = {
        "one run, or two side by side, 3 were given": [*runs, runs[0]],
        "--difference is that of two runs": [runs[0], "--difference"],
        "--align says where the second of two runs stands": [runs[0], "--align", "epoch"],
        "shows nothing over time": [runs[0], "--over-time", "--preset", "latent"],
    }
    for said, arguments in wrong.items():
        assert main(["view", *arguments, "--export", str(tmp_path / "no.png")]) == 2
        answer = capfd.readouterr().err
        assert said in answer
        assert answer.count("\n") == 1
    assert main(["view", *runs, "--over-time", "--align", "share"]) == 2
    assert "--over-time, --align: only of use with --export" in capfd.readouterr().err
    assert not (tmp_path / "no.png").exists()


@pytest.fixture
def halved(tmp_path: Path) -> Path:
    """A run of twelve frames, of half the batch: more steps make an epoch than of `finished`."""
    example = Example(samples=120, frames=12)
    run = RunFolder.create(tmp_path / "runs", "halved")
    with RecordingWriter(run.recording, example.header(), example.reference) as writer:
        for number in range(12):
            writer.append(40 * number, number / 8, number * 0.5, example.frame(number))
    run.write({"status": "finished"})
    return run.path


WAYS = {"step": (5, "step 200 · epoch 0.62"), "epoch": (8, "step 320 · epoch 1.00")}
WAYS["share"] = (6, "55% · step 240 · epoch 0.75")


@pytest.mark.parametrize("way", [*WAYS, ""])
def test_the_command_aligns_two(finished: Path, halved: Path, tmp_path: Path, way: str) -> None:
    frame, said = WAYS[way or "step"]
    given = ["view", str(finished), str(halved), "--step", "210", "--difference"]
    given += ["--align", way] if way else []
    for file, *more in (("two.npz", "reconstruct"), ("two.svg", "samples", "--over-time")):
        assert main([*given, "--export", str(tmp_path / file), "--preset", *more]) == 0
    arrays = np.load(tmp_path / "two.npz")
    assert (arrays["A/step"], arrays["B/step"]) == (200, 40 * frame)
    expected = images_of(halved, frame) - images_of(finished, 4)
    np.testing.assert_array_equal(arrays["B-A/reconstruction/output"], expected)
    drawn = (tmp_path / "two.svg").read_text(encoding="utf8")
    assert f">{said}</text>" in drawn
    assert f"B: {halved.name}, step {40 * frame}, epoch" in drawn


def test_each_column_is_aligned(finished: Path, halved: Path, tmp_path: Path) -> None:
    file = tmp_path / "strip.npz"
    wish = ExportSpec(file, 200, "samples", over_time=True, align=Alignment.EPOCH)
    export_stage(finished, wish, halved)
    arrays = np.load(file)
    assert arrays["A/samples/over_time/steps"].tolist() == [0, 50, 100, 150, 200]
    assert arrays["B/samples/over_time/steps"].tolist() == [0, 80, 160, 240, 320]


def test_every_way_to_align_can_be_asked_for() -> None:
    (option,) = (option for option in view.params if option.name == "align")
    assert list(option.type.choices) == [how.value for how in alignment.WAYS]


@pytest.fixture
def late(tmp_path: Path) -> Path:
    """A run whose first frame is at step 200."""
    example = Example(samples=120, frames=8)
    run = RunFolder.create(tmp_path / "runs", "late")
    with RecordingWriter(run.recording, example.header(), example.reference) as writer:
        for number in range(4, 8):
            example.append(writer, number)
    run.write({"status": "finished"})
    return run.path


def test_what_b_does_not_show_is_not_exported(
    qtbot: QtBot,
    compare_runs: Callable[[Path, Path], Any],
    finished: Path,
    late: Path,
    tmp_path: Path,
) -> None:
    """B was drawn at a later step before the cursor of A went where B has nothing yet."""
    pair = compare_runs(finished, late)
    part = pair.window.findChild(ExportFeature)
    pair.window.session.scrub(2)
    qtbot.waitUntil(lambda: part.shown.run.frame.request.frame == 2)
    assert pair.side("B").notice.startswith("B starts later")
    assert (pair.where("A"), pair.where("B")) == ("step 100 · epoch 0.50", "")
    part.take(ExportChoice("stage/Overview", "npz", tmp_path / "both.npz"))
    qtbot.waitUntil(lambda: (tmp_path / "both.npz").exists())
    with np.load(tmp_path / "both.npz") as arrays:
        assert arrays["A/step"] == 100
        assert not [name for name in arrays if name.startswith("B/")]
