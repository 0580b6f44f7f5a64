"""The handle on the codes, and what becomes of it when its process fares ill."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from ed_core.engine import installed_backends
from ed_viewer import decoder as decoder_module
from ed_viewer.decoder import Decoder, State
from ed_viewer.example import Example, write_example
from ed_viewer.panels.latent_codes import LatentCodesPanel
from ed_viewer.window import Window

pytestmark = pytest.mark.viewer

FAKE = Path(__file__).with_name("fake_decoder.py")
Open = Callable[..., Window]
Pretend = Callable[..., None]


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> Pretend:
    """Let the window start the fake instead of the process that decodes."""

    def install(size: int = 2, classes: int = 0, mode: str = "good") -> None:
        command = [sys.executable, str(FAKE), str(size), str(classes), mode]
        monkeypatch.setattr(decoder_module, "worker_command", lambda path: command)

    return install


def latent(qtbot: QtBot, window: Window) -> Any:
    """Open the tab; return its panel of codes once it has drawn."""
    qtbot.waitUntil(lambda: bool(window.stage.panels), timeout=10_000)
    titles = [window.stage.tabText(tab) for tab in range(window.stage.count())]
    window.stage.setCurrentIndex(titles.index("Latent"))
    panel = window.stage.panels[0]
    assert isinstance(panel, LatentCodesPanel)
    qtbot.waitUntil(lambda: panel._axes is not None, timeout=10_000)
    return panel


def picture(panel: Any) -> np.ndarray:
    return panel._hand.picture.outputs


def ready(qtbot: QtBot, panel: Any) -> None:
    qtbot.waitUntil(lambda: len(picture(panel)) > 0, timeout=20_000)


def on_screen(panel: Any, point: np.ndarray) -> QPoint:
    """Where a point of the plot is in the viewport that the mouse acts on."""
    view = panel._scatter.item.getViewBox()
    return panel._scatter._plot.mapFromScene(view.mapViewToScene(QPointF(*point)))


def drag(panel: Any, by: QPoint) -> None:
    viewport = panel._scatter._plot.viewport()
    at = on_screen(panel, panel._axes.place(panel._code))
    left = Qt.MouseButton.LeftButton
    QTest.mouseMove(viewport, at)
    QTest.mousePress(viewport, left, pos=at)
    for part in (0.3, 0.6, 1.0):
        QTest.mouseMove(viewport, QPoint(at.x() + int(by.x() * part), at.y() + int(by.y() * part)))
        QTest.qWait(10)
    QTest.mouseRelease(viewport, left, pos=at + by)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def test_dragging_the_handle_changes_the_picture_and_leaves_a_trail(
    qtbot: QtBot, open_window: Open, finished: Path, pretend: Pretend
) -> None:
    pretend()
    panel = latent(qtbot, open_window(finished))
    ready(qtbot, panel)
    before, code = picture(panel).copy(), panel._code.copy()
    drawn = panel._hand.picture.grab().toImage()
    drag(panel, QPoint(90, -60))
    assert panel._code[0] > code[0]
    assert panel._code[1] > code[1]
    qtbot.waitUntil(lambda: not np.array_equal(picture(panel), before), timeout=10_000)
    expected = 1 / (1 + np.exp(-panel._code[0]))
    qtbot.waitUntil(
        lambda: abs(float(picture(panel)[0, 5, 0, 0]) - expected) < 1e-5, timeout=10_000
    )
    assert panel._hand.picture.grab().toImage() != drawn
    moved = on_screen(panel, panel._axes.place(panel._code)) - on_screen(panel, code)
    assert abs(moved.x() - 90) <= 8
    assert abs(moved.y() + 60) <= 8
    assert 2 <= len(panel._trail) <= 10
    assert panel._hand.units.rows[0][2].value() == pytest.approx(panel._code[0], abs=0.01)


def test_the_panel_says_which_weights_are_in_use(
    qtbot: QtBot, open_window: Open, finished: Path, pretend: Pretend
) -> None:
    pretend()
    window = open_window(finished)
    panel = latent(qtbot, window)
    ready(qtbot, panel)
    said = panel._hand._weights
    qtbot.waitUntil(lambda: said.text() == "weights of step 300, the nearest kept to step 350")
    window.session.scrub(4)
    qtbot.waitUntil(lambda: said.text() == "weights of step 200", timeout=10_000)


def test_the_handle_stands_on_the_overview_of_no_run(
    qtbot: QtBot, open_window: Open, finished: Path, pretend: Pretend
) -> None:
    pretend()
    window = open_window(finished)
    qtbot.waitUntil(lambda: bool(window.stage.panels), timeout=10_000)
    assert all(panel.source.decoder is None for panel in window.stage.panels)
    assert window.stage.decoder.state is State.IDLE  # nothing is started before it is looked at


def test_a_class_is_chosen_for_a_conditional_decoder(
    qtbot: QtBot, open_window: Open, finished: Path, pretend: Pretend
) -> None:
    pretend(classes=4)
    panel = latent(qtbot, open_window(finished))
    ready(qtbot, panel)
    choice = panel._hand._classes
    assert [choice.itemText(n) for n in range(choice.count())] == [f"class {n}" for n in range(4)]
    assert choice.isVisible()
    assert picture(panel)[0, 0].min() == 1
    choice.setCurrentIndex(3)
    qtbot.waitUntil(lambda: picture(panel)[0, 3].min() == 1, timeout=10_000)
    qtbot.waitUntil(lambda: panel._between.row.outputs[:, 3].min() == 1, timeout=10_000)


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    """A run with a code of forty numbers."""
    return write_example(tmp_path / "runs", Example(latent=40, samples=60, frames=3), frames=3)


def test_a_code_of_many_numbers_has_sliders_that_can_be_typed(
    qtbot: QtBot, open_window: Open, wide: Path, pretend: Pretend
) -> None:
    pretend(40)
    panel = latent(qtbot, open_window(wide))
    ready(qtbot, panel)
    units = panel._hand.units
    assert len(units.rows) == 16
    assert (units.order == np.argsort(-panel._codes.var(axis=0), kind="stable")).all()
    unit = int(units.order[2])
    label, slider, box = units.rows[2]
    assert label.text() == f"code {unit + 1}"
    box.setFocus()
    box.selectAll()
    qtbot.keyClicks(box, "1.25")
    qtbot.keyClick(box, Qt.Key.Key_Return)
    assert panel._code[unit] == 1.25
    qtbot.keyClick(slider, Qt.Key.Key_PageDown)
    assert panel._code[unit] < 1.25
    assert box.value() == pytest.approx(panel._code[unit], abs=0.01)
    bar = units.verticalScrollBar()
    bar.setValue(bar.maximum())
    assert len(units.rows) == 32


def test_with_principal_axes_the_handle_moves_in_the_plane_through_the_code(
    qtbot: QtBot, open_window: Open, wide: Path, pretend: Pretend
) -> None:
    pretend(40)
    panel = latent(qtbot, open_window(wide))
    ready(qtbot, panel)
    panel._hand.units.rows[5][2].setValue(0.7)  # out of the plane of the mean
    before = panel._code.copy()
    drag(panel, QPoint(40, 30))
    change = panel._code - before
    directions = panel._axes.directions
    assert np.linalg.norm(change) > 0.01
    np.testing.assert_allclose((change @ directions.T) @ directions, change, atol=1e-9)


def test_axes_are_chosen_and_t_sne_comes_when_it_is_asked_for(
    qtbot: QtBot, open_window: Open, wide: Path, pretend: Pretend
) -> None:
    pretend(40)
    panel = latent(qtbot, open_window(wide))
    ready(qtbot, panel)
    choice = panel._choice
    choice.kind.setCurrentText("Code units")
    choice.pair[0].setValue(7)
    choice.pair[1].setValue(3)
    np.testing.assert_array_equal(panel._axes.points, panel._codes[:, [6, 2]])
    assert panel._axes.titles == ("code 7", "code 3")
    before = panel._code.copy()
    drag(panel, QPoint(50, 0))
    assert np.flatnonzero(np.abs(panel._code - before) > 1e-6).tolist() in ([6], [2, 6])
    choice.kind.setCurrentText("t-SNE")
    qtbot.waitUntil(lambda: len(panel._axes.points) == 60, timeout=10_000)
    np.testing.assert_allclose(panel._axes.points, panel._codes[:, :2] * 10, rtol=1e-5)
    assert not panel._handle.target.isVisible()  # there is no way back from t-SNE
    assert "t-SNE of step 100" in panel._caption.text


def test_between_two_samples(
    qtbot: QtBot, open_window: Open, finished: Path, pretend: Pretend
) -> None:
    pretend()
    window = open_window(finished)
    panel = latent(qtbot, window)
    between = panel._between
    qtbot.waitUntil(lambda: len(between.row.outputs) == 8, timeout=20_000)
    assert [box.value() for box in between.ends] == [1, 2]
    between.set_end(1, 9)
    qtbot.waitUntil(lambda: len(between.codes) > 0 and between.codes[-1, 0] == 9, timeout=10_000)
    np.testing.assert_allclose(between.codes[:, 0], np.linspace(0, 9, 8))
    expected = 1 / (1 + np.exp(-between.codes[:, 0]))
    qtbot.waitUntil(
        lambda: np.allclose(between.row.outputs[:, 5, 0, 0], expected, atol=1e-5), timeout=10_000
    )
    cell = between.row.tiles._layout.cell(0, 3)
    qtbot.mouseClick(between.row.tiles, Qt.MouseButton.LeftButton, pos=cell.center())
    np.testing.assert_array_equal(panel._code, between.codes[3])


def test_a_click_on_a_point_takes_its_code(
    qtbot: QtBot, open_window: Open, finished: Path, pretend: Pretend
) -> None:
    pretend()
    panel = latent(qtbot, open_window(finished))
    ready(qtbot, panel)
    far = int(panel._codes[:, 0].argmax())
    viewport, left = panel._scatter._plot.viewport(), Qt.MouseButton.LeftButton
    at = on_screen(panel, panel._codes[far])
    QTest.mouseClick(viewport, left, pos=at)
    qtbot.waitUntil(lambda: panel._between.ends[0].value() == far + 1, timeout=5000)
    np.testing.assert_allclose(panel._code, panel._codes[far])


def test_a_killed_process_is_said_and_starts_again_with_the_next_drag(
    qtbot: QtBot, open_window: Open, finished: Path, pretend: Pretend
) -> None:
    pretend()
    window = open_window(finished)
    panel = latent(qtbot, window)
    ready(qtbot, panel)
    pid = window.stage.decoder._process.processId()
    os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: window.stage.decoder.state is State.ENDED, timeout=10_000)
    said = panel._hand._weights.text()
    assert said == "The decoder's process ended (signal 9). It starts again when you drag."
    before = picture(panel).copy()
    drag(panel, QPoint(60, -40))
    assert window.stage.decoder._process.processId() != pid
    qtbot.waitUntil(lambda: not np.array_equal(picture(panel), before), timeout=20_000)
    assert "weights of step" in panel._hand._weights.text()


def test_a_process_that_always_ends_is_given_up_after_one_more_start(
    qtbot: QtBot, open_window: Open, finished: Path, pretend: Pretend
) -> None:
    pretend(mode="dies")
    window = open_window(finished)
    panel = latent(qtbot, window)
    decoder = window.stage.decoder
    qtbot.waitUntil(lambda: decoder.state is State.ENDED, timeout=20_000)
    assert "I do not feel well" in decoder.words
    panel._drag(np.ones(2))
    qtbot.waitUntil(lambda: decoder.state is State.UNABLE, timeout=20_000)
    assert panel._hand.isHidden()
    assert "ended twice: I do not feel well" in panel._reason.text()
    panel._drag(np.zeros(2))
    assert decoder._process is None


def test_without_a_decoder_there_is_a_reason_and_no_dead_control(
    qtbot: QtBot, open_window: Open, finished: Path, pretend: Pretend
) -> None:
    pretend(mode="unable")
    panel = latent(qtbot, open_window(finished))
    qtbot.waitUntil(lambda: panel._reason.isVisible(), timeout=20_000)
    assert panel._reason.text() == "No decoding by hand: this model has no decoder."
    assert not panel._handle.target.isVisible()
    assert panel._hand.isHidden()
    assert panel._between.isHidden()
    panel._scatter.clicked.emit(3, False)
    assert panel._scatter.isVisible()


def test_a_process_that_never_answers_is_ended(
    qtbot: QtBot, open_window: Open, finished: Path, pretend: Pretend, monkeypatch: Any
) -> None:
    monkeypatch.setattr(decoder_module, "_PATIENCE", 1500)
    pretend(mode="mute")
    window = open_window(finished)
    latent(qtbot, window)
    decoder = window.stage.decoder
    qtbot.waitUntil(lambda: decoder.state is State.ENDED, timeout=20_000)
    assert "no answer for 1 seconds" in decoder.words


def test_a_program_that_is_not_there(
    qtbot: QtBot, open_window: Open, finished: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(decoder_module, "worker_command", lambda path: ["/nowhere/python"])
    window = open_window(finished)
    panel = latent(qtbot, window)
    decoder = window.stage.decoder
    qtbot.waitUntil(lambda: decoder.state is State.ENDED, timeout=10_000)
    window.session.scrub(3)
    qtbot.waitUntil(lambda: decoder.step == 150, timeout=10_000)
    assert decoder.state is State.ENDED  # a frame does not start it again, a drag does
    assert "No such file" in decoder.words
    panel._drag(np.ones(2))
    qtbot.waitUntil(lambda: decoder.state is State.UNABLE, timeout=10_000)


def test_the_real_process_says_why_a_recording_alone_decodes_nothing(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    panel = latent(qtbot, window)
    qtbot.waitUntil(lambda: window.stage.decoder.state is State.UNABLE, timeout=60_000)
    assert "a model that edkit did not build" in panel._reason.text()


def test_another_run_and_a_closed_window_leave_no_process(
    qtbot: QtBot, open_window: Open, finished: Path, wide: Path, pretend: Pretend
) -> None:
    pretend()
    window = open_window(finished)
    ready(qtbot, latent(qtbot, window))
    first = window.stage.decoder._process.processId()
    window.open(wide)
    qtbot.waitUntil(lambda: window.session.run is not None, timeout=10_000)
    assert not alive(first)
    pretend(40)
    ready(qtbot, latent(qtbot, window))
    second = window.stage.decoder._process.processId()
    assert alive(second)
    window.close()
    assert not alive(second)


WINDOW = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from ed_viewer.decoder import Decoder
app = QCoreApplication([])
decoder = Decoder(Path(sys.argv[1]))
def say():
    print(decoder.state.value, decoder._process.processId(), flush=True)
decoder.changed.connect(say)
decoder.start()
app.exec()
"""


def test_the_real_process_does_not_outlive_a_window_that_is_killed(finished: Path) -> None:
    command = [sys.executable, "-c", WINDOW, str(finished)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as window:
        for line in window.stdout:
            state, pid = line.split()
            if state == "unable":
                break
        assert alive(int(pid))
        window.kill()
        window.wait()
    deadline = time.monotonic() + 20
    while alive(int(pid)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not alive(int(pid))


@pytest.mark.skipif(not installed_backends(), reason="no backend is installed")
def test_dragging_through_the_code_of_a_trained_run(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    options = ["--epochs", "1", "--hidden", "8", "--out", str(tmp_path / "runs")]
    command = [sys.executable, "-m", "ed_core.command", "train", "vae", *options]
    subprocess.run(command, check=True, capture_output=True)
    window = open_window(next((tmp_path / "runs").iterdir()))
    panel = latent(qtbot, window)
    qtbot.waitUntil(lambda: len(picture(panel)) > 0, timeout=120_000)
    assert picture(panel).shape == (1, 32, 32, 1)
    before = picture(panel).copy()
    drag(panel, QPoint(70, 50))
    qtbot.waitUntil(lambda: not np.array_equal(picture(panel), before), timeout=10_000)
    step = int(window.session.growth.steps[-1])
    assert panel._hand._weights.text() == f"weights of step {step}"
    qtbot.waitUntil(lambda: len(panel._between.row.outputs) == 8, timeout=60_000)


def test_a_decoder_that_was_never_started_stops(tmp_path: Path) -> None:
    Decoder(tmp_path).stop()
