import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from ed_core.recording import ArrayInfo, EdkitError, Header, ProbeInfo, RecordingWriter, RunFolder
from ed_viewer.export.dialog import ExportChoice
from ed_viewer.export.feature import ExportFeature
from ed_viewer.export.headless import ExportSpec, export_stage
from ed_viewer.export.targets import targets
from ed_viewer.stage.page import TABS
from ed_viewer.testing import Example
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]


def segment(run: Path) -> Path:
    return run / "recording" / "0000.h5"


def banner(qtbot: QtBot, window: Window, words: str) -> None:
    qtbot.waitUntil(lambda: words in window.banner.text)
    assert window.banner.isVisible()


def show_latent(qtbot: QtBot, window: Window) -> None:
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    window.stage.setCurrentIndex(1 + TABS.index("Latent"))


def test_a_truncated_recording(qtbot: QtBot, open_window: Open, finished: Path) -> None:
    data = segment(finished).read_bytes()
    segment(finished).write_bytes(data[: len(data) // 2])
    window = open_window(finished)
    banner(qtbot, window, "0000.h5")
    assert window.welcome.isVisible()


def test_a_file_of_something_else(qtbot: QtBot, open_window: Open, finished: Path) -> None:
    segment(finished).write_bytes(b"<b>not a recording</b>")
    banner(qtbot, open_window(finished), "not an HDF5 file")


def test_a_damaged_frame_is_named_and_the_others_are_shown(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    with h5py.File(segment(finished), "r+") as file:
        codes = file["probes/latent_codes/codes"]
        codes[7] = codes[7] + 1
    window = open_window(finished)
    show_latent(qtbot, window)
    banner(qtbot, window, "wrong CRC")
    window.session.scrub(3)
    qtbot.waitUntil(lambda: window.banner.isHidden())


def test_a_damaged_last_frame_does_not_hinder_the_export_of_another(
    finished: Path, tmp_path: Path
) -> None:
    with h5py.File(segment(finished), "r+") as file:
        codes = file["probes/latent_codes/codes"]
        codes[7] = codes[7] + 1
    export_stage(finished, ExportSpec(tmp_path / "stage.png", step=100, preset="Latent"))
    assert (tmp_path / "stage.png").stat().st_size > 1000
    with pytest.raises(EdkitError, match="frame 7 of latent_codes/codes is damaged"):
        export_stage(finished, ExportSpec(tmp_path / "last.png", preset="Latent"))
    assert not (tmp_path / "last.png").exists()


def test_what_is_exported_of_a_damaged_frame_is_the_notice(
    qtbot: QtBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    with h5py.File(segment(finished), "r+") as file:
        codes = file["probes/latent_codes/codes"]
        codes[7] = codes[7] + 1
    window = open_window(finished)
    show_latent(qtbot, window)
    banner(qtbot, window, "wrong CRC")
    part, file = window.findChild(ExportFeature), tmp_path / "codes.svg"
    assert part.shown.run.frame is not None
    names = {target.words: target.name for target in targets(window, part.shown)}
    part.take(ExportChoice(names["Panel: Codes"], "svg", file))
    qtbot.waitUntil(file.exists)
    svg = file.read_text(encoding="utf8")
    assert "<title>Codes</title>" in svg
    assert "latent_codes/codes" in svg
    assert ">Codes</text>" not in svg


def test_a_run_that_is_deleted_while_it_is_shown(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: window.session.cursor.count == 8)
    shutil.rmtree(finished)
    banner(qtbot, window, "deleted")
    window.session.scrub(2)
    qtbot.wait(100)
    assert window.session.cursor.count == 8


def test_a_path_that_is_not_there(qtbot: QtBot, open_window: Open, tmp_path: Path) -> None:
    banner(qtbot, open_window(tmp_path / "no such run"), "no such run")


def test_names_out_of_a_file_are_shown_as_they_are(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    nasty = '<b>&lt;x</b><img src="x">&'
    arrays = {nasty: ArrayInfo((4,), "float32", (nasty,))}
    other = {"m": ArrayInfo((2, 2), "float32", (nasty, "b"))}
    probes = (ProbeInfo(nasty, nasty, arrays), ProbeInfo("second", "?", other, {"x": nasty}))
    header = Header({"heads": [nasty], "start_step": 0}, {}, probes, (f"{nasty}_loss",))
    folder = RunFolder.create(tmp_path / "runs", "x")
    folder.write({"model": nasty, "data": nasty, "status": nasty})
    with RecordingWriter(folder.recording, header, {}) as writer:
        frame = {nasty: {nasty: np.arange(4.0)}, "second": {"m": np.eye(2)}}
        writer.append(0, 0.0, 0.0, frame)
        writer.append_scalars(0, 0.0, 0.0, {f"{nasty}_loss": 1.0})
    window = open_window(folder.path)
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    for label in window.findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText, label.text()
        assert nasty not in label.toolTip()
    titles = [label.text() for label in window.stage.panels[0].findChildren(QLabel)]
    assert nasty in titles


def test_an_unknown_probe_is_shown_by_the_fallback(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    from ed_viewer.panels.fallback import FallbackPanel

    window = open_window(finished)
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    window.stage.setCurrentIndex(window.stage.count() - 1)
    kinds = {type(p) for p in window.stage.panels if p.source.probe.kind == "gradient_histogram"}
    assert kinds == {FallbackPanel}


def test_a_panel_that_raises_says_so_and_the_others_draw(
    qtbot: QtBot, open_window: Open, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ed_viewer.panels.latent.latent_scan import LatentScanPanel

    def fail(self: object, arrays: object) -> None:
        raise RuntimeError("<b>boom</b>")

    monkeypatch.setattr(LatentScanPanel, "show_frame", fail)
    window = open_window(finished)
    show_latent(qtbot, window)
    notice = "latent_scan cannot be drawn. RuntimeError: <b>boom</b>"

    def said() -> list[str]:
        return [label.text() for label in window.stage.findChildren(QLabel)]

    qtbot.waitUntil(lambda: notice in said())
    assert sum("cannot be drawn" in text for text in said()) == 1


def test_a_resumed_run_shows_its_new_header(
    qtbot: QtBot, open_window: Open, finished: Path, example: Example
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: window.session.cursor.count == 8)
    header = example.header({"start_step": 200})
    with RecordingWriter(RunFolder(finished).recording, header, example.reference) as writer:
        example.append(writer, 4)
        example.append(writer, 5)
    qtbot.waitUntil(lambda: window.session.cursor.count == 6)
    assert window.session.run.header.run["start_step"] == 200
    assert window.session.cursor.frame == 5
