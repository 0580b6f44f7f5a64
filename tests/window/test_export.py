import os
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pyqtgraph import PlotWidget
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QComboBox, QDialogButtonBox
from support import patience
from support.viewer import PatientBot

from ed_core.cli import main
from ed_viewer.export.dialog import ExportChoice
from ed_viewer.export.feature import ExportFeature
from ed_viewer.export.headless import ExportSpec, export_stage
from ed_viewer.export.movie import MOST_FRAMES, thinned
from ed_viewer.export.picture import ExportFigure, picture, raster
from ed_viewer.export.targets import page_of, targets
from ed_viewer.session.cursor import Playback
from ed_viewer.testing import write_example
from ed_viewer.window.settings import Settings
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]


def opened(qtbot: PatientBot, window: Window) -> ExportFeature:
    part = window.findChild(ExportFeature)
    qtbot.waitUntil(lambda: part.shown.run.frame is not None)
    return part


def show_tab(qtbot: PatientBot, window: Window, tab: int) -> None:
    window.stage.setCurrentIndex(tab)
    window.stage.complete()
    qtbot.waitUntil(lambda: window.stage.drawn() == {7})
    qtbot.rest(100)


def size_of(file: Path) -> tuple[int, int]:
    with Image.open(file) as image:
        return image.size


def said(window: Window) -> str:
    return window.status.message


def painted(svg: bytes, size: QSize) -> np.ndarray:
    image = QImage(size, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    QSvgRenderer(svg).render(painter, QRectF(image.rect()))
    painter.end()
    return np.frombuffer(image.constBits(), np.uint8).reshape(size.height(), size.width(), 4)


def test_a_picture_is_drawn_in_every_format(
    qtbot: PatientBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    show_tab(qtbot, window, 3)
    page, background = page_of(window.stage), window.theme.colour("window")
    for kind in ("png", "svg", "pdf"):
        picture(ExportFigure.of(page), kind, background)(tmp_path / kind)
    assert size_of(tmp_path / "png") == (2 * page.width(), 2 * page.height())
    assert (tmp_path / "pdf").read_bytes().startswith(b"%PDF")
    svg = (tmp_path / "svg").read_bytes()
    assert b">Decoded grid</text>" in svg
    screen = page.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    shown = np.frombuffer(screen.constBits(), np.uint8).reshape(page.height(), page.width(), 4)
    difference = painted(svg, page.size())[..., :3].astype(float) - shown[..., :3]
    # Letters differ by half a pixel; a tile of another sample would differ by far more.
    assert np.abs(difference).mean() < 8
    with pytest.raises(ValueError, match="expected one of png, svg, pdf"):
        picture(ExportFigure.of(page), "bmp", background)


def test_points_and_axes_are_vectors(
    qtbot: PatientBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    show_tab(qtbot, window, 3)
    codes = window.stage.panels[0].findChild(PlotWidget)
    picture(ExportFigure.of(codes), "svg", window.theme.colour("window"))(tmp_path / "codes.svg")
    svg = (tmp_path / "codes.svg").read_text()
    assert svg.count("<path") > 120  # one a sample
    assert "<image" not in svg
    assert ">code 1" in svg


def test_a_folder_that_is_not_there_is_not_offered(
    qtbot: PatientBot,
    open_window: Open,
    finished: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not every system makes a folder of pictures, and the last one may be gone."""
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = Settings(tmp_path / "settings.json")
    settings.set(str(tmp_path / "gone"), "export_folder")
    part = opened(qtbot, open_window(finished, settings=settings))
    part.ask()
    assert part.dialog is not None
    assert part.dialog.choice.file.parent == tmp_path
    part.dialog.reject()


def test_the_dialog_writes_a_panel_and_remembers_the_folder(
    qtbot: PatientBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    settings = Settings(tmp_path / "settings.json")
    window = open_window(finished, settings=settings)
    part = opened(qtbot, window)
    qtbot.keyClick(window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    dialog = part.dialog
    assert dialog is not None
    panel = "panel/Overview/reconstruction"
    dialog.choose(panel, "pdf")
    dialog.file.setText(str(tmp_path / "panel.png"))
    assert dialog.choice == ExportChoice(panel, "pdf", tmp_path / "panel.pdf")
    dialog.buttons.button(QDialogButtonBox.StandardButton.Save).click()
    qtbot.waitUntil(lambda: said(window) == f"Exported panel.pdf to {tmp_path}")
    kept = (tmp_path / "panel.pdf").read_bytes()
    assert kept.startswith(b"%PDF")
    part.take(ExportChoice(panel, "pdf", tmp_path / "panel.pdf"))
    qtbot.waitUntil(lambda: said(window) == f"Exported panel-2.pdf to {tmp_path}")
    assert (tmp_path / "panel.pdf").read_bytes() == kept
    window.close()
    assert Settings(tmp_path / "settings.json").text("export_folder") == str(tmp_path)


def test_a_tab_just_opened_is_exported_once_it_is_drawn(
    qtbot: PatientBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    window = open_window(finished)
    part = opened(qtbot, window)
    window.stage.setCurrentIndex(3)
    assert not window.session.settled
    part.ask()
    assert part.dialog is not None
    part.dialog.choose("stage/Latent", "npz")
    part.dialog.file.setText(str(tmp_path / "latent.npz"))
    part.dialog.accept()
    qtbot.waitUntil((tmp_path / "latent.npz").is_file)
    with np.load(tmp_path / "latent.npz") as arrays:
        assert any(name.startswith("latent_codes/") for name in arrays)


def test_the_arrays_are_those_that_are_drawn(
    qtbot: PatientBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    window = open_window(finished)
    part = opened(qtbot, window)
    window.stage.setCurrentIndex(3)
    qtbot.waitUntil(lambda: "latent_codes" in part.shown.run.frame.arrays)
    names = {target.words: target.name for target in targets(window, part.shown)}
    assert next(iter(names)) == "Stage: Latent"
    assert list(names)[-2:] == ["Curves", "Whole window"]
    part.take(ExportChoice(names["Panel: Codes"], "npz", tmp_path / "codes.npz"))
    part.take(ExportChoice(names["Curves"], "npz", tmp_path / "curves.npz"))
    qtbot.waitUntil(lambda: (tmp_path / "curves.npz").is_file())
    qtbot.waitUntil(lambda: (tmp_path / "codes.npz").is_file())
    codes, curves = (np.load(tmp_path / f"{name}.npz") for name in ("codes", "curves"))
    frame = part.shown.run.frame
    assert frame is not None
    drawn = frame.arrays["latent_codes"]["codes"]
    np.testing.assert_array_equal(codes["latent_codes/codes"], drawn)
    assert codes["step"] == window.session.growth.steps[7]
    assert "reconstruction/output" not in codes
    np.testing.assert_array_equal(curves["loss"], window.session.growth.scalars["loss"])


def test_what_is_exported_of_a_run_that_plays_is_what_was_on_show(
    qtbot: PatientBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    window = open_window(finished)
    part, session = opened(qtbot, window), window.session
    session.set_speed(1)
    session.scrub(2)
    session.toggle()
    qtbot.waitUntil(lambda: part.shown.run.frame.request.frame == 2)
    part.ask()
    assert part.dialog is not None
    assert part.dialog.choice.file.stem.endswith("-100")
    assert session.cursor.playback is Playback.PAUSED
    part.dialog.choose("stage/Overview", "npz")
    part.dialog.file.setText(str(tmp_path / "taken"))
    part.dialog.accept()
    qtbot.waitUntil((tmp_path / "taken.npz").is_file)
    with np.load(tmp_path / "taken.npz") as arrays:
        assert arrays["step"] == 100


@pytest.mark.parametrize("accepted", [False, True])
def test_a_run_that_was_followed_is_followed_again(
    qtbot: PatientBot, open_window: Open, finished: Path, tmp_path: Path, accepted: bool
) -> None:
    window = open_window(finished)
    part, session = opened(qtbot, window), window.session
    session.cursor.live = True
    session.follow()
    part.ask()
    assert part.dialog is not None
    assert session.cursor.playback is Playback.PAUSED
    part.dialog.choose("stage/Overview", "npz")
    part.dialog.file.setText(str(tmp_path / "taken"))
    part.dialog.accept() if accepted else part.dialog.reject()
    qtbot.waitUntil(lambda: session.cursor.playback is Playback.FOLLOWING)


def test_a_tab_that_is_left_takes_nothing_else_in_its_place(
    qtbot: PatientBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    window = open_window(finished)
    part = opened(qtbot, window)
    save = QDialogButtonBox.StandardButton.Save
    for chosen, written in (("panel/Latent/latent_scan", False), ("curves", True)):
        window.stage.setCurrentIndex(3)
        qtbot.waitUntil(lambda: "latent_scan" in part.shown.run.frame.arrays)
        part.ask()
        dialog = part.dialog
        assert dialog is not None
        dialog.choose(chosen, "npz")
        assert dialog.choice.target == chosen
        dialog.file.setText(str(tmp_path / "taken.npz"))
        window.stage.setCurrentIndex(4)  # has panels in the same places
        dialog.buttons.button(save).click()
        wanted = "Exported taken.npz" if written else "Nothing exported: what was chosen"
        qtbot.waitUntil(lambda wanted=wanted: wanted in said(window))
        window.jobs.wait()
        assert (tmp_path / "taken.npz").exists() == written
    with np.load(tmp_path / "taken.npz") as arrays:
        assert "loss" in arrays


def test_another_run_ends_the_dialog(
    qtbot: PatientBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    """Else what was chosen of one run would be taken of the other."""
    window = open_window(finished)
    part = opened(qtbot, window)
    part.ask()
    dialog = part.dialog
    assert dialog is not None
    window.open(write_example(tmp_path))
    assert part.dialog is None
    assert not dialog.isVisible()
    assert "Nothing exported: what was chosen" in said(window)


def test_a_tab_that_is_left_ends_its_movie(
    qtbot: PatientBot,
    open_window: Open,
    finished: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its panels are not drawn any more: the movie would stand still."""
    window = open_window(finished)
    part = opened(qtbot, window)
    monkeypatch.setattr(part, "_ready", lambda: False)
    part.take(ExportChoice("window", "gif", tmp_path / "window.gif"))
    window.stage.setCurrentIndex(1)
    assert part.movie is not None
    part.movie.stop()
    part.take(ExportChoice("stage/Reconstruct", "gif", tmp_path / "tab.gif"))
    assert part.movie is not None
    window.stage.setCurrentIndex(0)
    assert part.movie is None
    qtbot.waitUntil(lambda: "nothing was written" in said(window))


def test_a_movie_walks_through_the_loop_and_comes_back(
    qtbot: PatientBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    window = open_window(finished)
    part = opened(qtbot, window)
    window.session.set_loop(1, 5)
    part.take(ExportChoice("stage/Overview", "gif", tmp_path / "scrub.gif"))
    qtbot.waitUntil(lambda: said(window).startswith("Exported scrub.gif"))
    with Image.open(tmp_path / "scrub.gif") as movie:
        assert movie.n_frames == 5
        assert movie.info["duration"] == 100  # ten frames a second
        pictures = []
        for number in range(5):
            movie.seek(number)
            pictures.append(np.asarray(movie.convert("L"), float))
    changes = [np.abs(b - a).mean() for a, b in pairwise(pictures)]
    assert min(changes) > 0.01
    assert window.session.cursor.frame == 7


def test_whoever_scrubs_stops_the_movie(
    qtbot: PatientBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    window = open_window(finished)
    part = opened(qtbot, window)
    part.take(ExportChoice("stage/Overview", "gif", tmp_path / "scrub.gif"))
    window.session.scrub(3)
    qtbot.waitUntil(lambda: "nothing was written" in said(window))
    assert list(tmp_path.glob("*scrub.gif*")) == []
    assert window.session.cursor.frame == 3


def test_a_failed_write_is_one_line(
    qtbot: PatientBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    window = open_window(finished)
    part = opened(qtbot, window)
    missing = tmp_path / "no such folder"
    for kind in ("png", "npz", "gif"):
        part.take(ExportChoice("stage/Overview", kind, missing / f"x.{kind}"))
        wanted = f"x.{kind} could not be exported to {missing}: No such file or directory"
        qtbot.waitUntil(lambda wanted=wanted: said(window) == wanted)
    qtbot.waitUntil(lambda: part.movie is None)
    assert not missing.exists()


def test_closing_gives_a_movie_up(
    qtbot: PatientBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    window = open_window(finished)
    part = opened(qtbot, window)
    part.take(ExportChoice("stage/Overview", "gif", tmp_path / "scrub.gif"))
    window.close()
    assert list(tmp_path.glob("*scrub.gif*")) == []


def test_a_long_scrub_is_thinned_evenly() -> None:
    assert thinned(3, 6) == [3, 4, 5, 6]
    frames = thinned(0, 100_000)
    assert (frames[0], frames[-1], len(frames)) == (0, 100_000, MOST_FRAMES)
    assert np.ptp(np.diff(frames)) <= 1


@pytest.mark.parametrize("kind", ["png", "svg", "pdf", "gif", "mp4", "npz"])
def test_the_stage_is_exported_without_a_window(
    qtbot: PatientBot, finished: Path, tmp_path: Path, kind: str
) -> None:
    if kind == "mp4":
        ffmpeg = pytest.importorskip("imageio_ffmpeg", reason="the extra `movie` is not installed")
    file = tmp_path / f"stage.{kind}"
    export_stage(finished, ExportSpec(file, step=170, preset="Latent", size=(801, 600)))
    if kind == "png":
        assert size_of(file) == (1602, 1200)
    elif kind == "gif":
        with Image.open(file) as movie:
            assert (movie.n_frames, movie.size) == (4, (800, 600))
    elif kind == "mp4":
        assert ffmpeg.count_frames_and_secs(str(file)) == (4, pytest.approx(0.4))
    elif kind == "npz":
        arrays = np.load(file)
        assert arrays["step"] == 150
        assert "latent_scan/grid" in arrays
        assert "reconstruction/output" not in arrays
    assert [path.name for path in tmp_path.iterdir() if "stage" in path.name] == [file.name]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--export", "x.bmp"], "ends in .png, .svg, .pdf, .gif, .mp4, .npz"),
        (["--export", "x.png", "--preset", "nope"], "choose overview, reconstruct, activ"),
        (["--export", "x.png", "--step", "351"], "choose one from 0 to 350"),
        (["--export", "x.png", "--size", "9x9"], "expected --size WxH"),
        (["--export", "no/x.png"], "'no' is not a folder"),
        (["--step", "3"], "--step: only of use with --export FILE"),
    ],
)
def test_a_wrong_wish_is_one_line_and_leaves_nothing(
    qtbot: PatientBot,
    finished: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    assert main(["view", str(finished), *arguments]) == 2
    error = capfd.readouterr().err
    assert words in error
    assert error.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("asked", [{}, {"QT_QPA_PLATFORM": "xcb", "DISPLAY": ":987"}])
def test_the_command_needs_no_display(
    finished: Path, tmp_path: Path, asked: dict[str, str]
) -> None:
    others = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "QT_QPA_PLATFORM")}
    file = tmp_path / "x.png"
    command = [sys.executable, "-m", "ed_core.cli", "view", str(finished), "--export"]
    done = subprocess.run(
        [*command, str(file)],
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
        check=False,
        env={**others, **asked},
    )
    assert (done.returncode, done.stdout.strip()) == (0, str(file)), done.stderr
    assert size_of(file) == (2880, 1800)


def test_a_panel_is_exported_without_its_controls_and_its_border(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    opened(qtbot, window)
    panel = window.stage.panels[0]
    while not panel.findChildren(QComboBox):
        window.stage.setCurrentIndex(window.stage.currentIndex() + 1)
        window.stage.complete()
        panel = window.stage.panels[0]
    qtbot.rest(50)
    (box, *_) = [one for one in panel.findChildren(QComboBox) if one.isVisibleTo(panel)]
    image = raster(ExportFigure.of(panel), window.theme.colour("window"))
    card = window.theme.colour("card")
    edges = [(0, 0), (panel.width() - 1, 0), (panel.width() // 2, 0), (0, panel.height() // 2)]
    assert [image.pixelColor(*at) for at in edges] == [card] * 4
    right = box.mapTo(panel, box.rect().topRight())
    arrow = [image.pixelColor(right.x() - x, right.y() + y) for x in range(20) for y in range(20)]
    assert set(map(QColor.name, arrow)) == {card.name()}
    svg = picture(ExportFigure.of(panel), "svg", card)
    assert svg is not None
    assert box.graphicsEffect() is None
    assert panel.framed
