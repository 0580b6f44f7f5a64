import json
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from support.viewer import PatientBot

from ed_core.recording import RecordingWriter, RunFolder
from ed_viewer.new_run.log import TrainingLog
from ed_viewer.testing import Example, write_example
from ed_viewer.window.settings import Settings
from ed_viewer.window.view_history import ViewHistory
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]
TOP, BOTTOM = Qt.DockWidgetArea.TopDockWidgetArea, Qt.DockWidgetArea.BottomDockWidgetArea


class OtherModel(Example):
    def header(self, run=None):  # type: ignore[no-untyped-def]
        return super().header({"model": "unet", **(run or {})})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config" / "window.json"


def opened(qtbot: PatientBot, window: Window) -> Window:
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    return window


def area(window: Window) -> Qt.DockWidgetArea:
    return window.dockWidgetArea(window.docks["curves"])


def test_a_layout_comes_back_for_its_model_and_for_no_other(
    qtbot: PatientBot, open_window: Open, finished: Path, tmp_path: Path, file: Path
) -> None:
    window = opened(qtbot, open_window(finished, settings=Settings(file)))
    window.addDockWidget(TOP, window.docks["curves"])
    window.close()
    other = write_example(tmp_path / "more", OtherModel(samples=60, frames=3), frames=3)
    window = opened(qtbot, open_window(other, settings=Settings(file)))
    assert area(window) == BOTTOM
    window.open(finished)
    qtbot.waitUntil(lambda: area(window) == TOP)
    window.close()
    assert set(json.loads(file.read_text())["layouts"]) == {"conv_vae", "unet"}


def test_a_layout_that_came_back_is_not_to_undo(
    qtbot: PatientBot, open_window: Open, finished: Path, file: Path
) -> None:
    window = opened(qtbot, open_window(finished, settings=Settings(file)))
    window.addDockWidget(TOP, window.docks["curves"])
    window.close()
    window = opened(qtbot, open_window(finished, settings=Settings(file)))
    qtbot.rest(50)  # docks tell later where they are
    assert area(window) == TOP
    assert window.findChild(ViewHistory).stack.count() == 0
    window.addDockWidget(BOTTOM, window.docks["curves"])
    qtbot.waitUntil(lambda: window.findChild(ViewHistory).stack.count() == 1)
    qtbot.keyClick(window, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert area(window) == TOP


def test_one_click_resets_and_forgets(
    qtbot: PatientBot, open_window: Open, finished: Path, file: Path
) -> None:
    window = opened(qtbot, open_window(finished, settings=Settings(file)))
    window.addDockWidget(TOP, window.docks["curves"])
    window.set_full(True)
    tools = next(part for part in window.features if part.name == "tools")
    qtbot.mouseClick(tools.buttons["reset"], Qt.MouseButton.LeftButton)
    assert area(window) == BOTTOM
    assert not window.full
    assert window.runs.isVisible()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not JSON",
        "[1, 2]",
        '{"version": 99, "layouts": {"conv_vae": "AAAA"}}',
        '{"version": 1, "layouts": {"conv_vae": "bm90IGEgbGF5b3V0"}, "geometry": "AAAA"}',
        '{"version": 1, "layouts": {"conv_vae": 7}, "geometry": [1]}',
        '{"version": 1, "layouts": "\u00e9", "geometry": "\u00e9"}',
    ],
)
def test_broken_or_foreign_settings_are_ignored(
    qtbot: PatientBot, open_window: Open, finished: Path, file: Path, text: str
) -> None:
    file.parent.mkdir(parents=True)
    file.write_text(text)
    window = opened(qtbot, open_window(finished, settings=Settings(file)))
    assert area(window) == BOTTOM
    assert window.runs.isVisible()
    assert window.banner.isHidden()
    window.close()
    assert json.loads(file.read_text())["layouts"].keys() == {"conv_vae"}


def test_a_folder_that_cannot_be_written_does_no_harm(
    qtbot: PatientBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    window = open_window(finished, settings=Settings(tmp_path / "file" / "window.json"))
    opened(qtbot, window).close()
    assert (tmp_path / "file").read_text() == ""


def test_a_window_without_settings_keeps_nothing(
    qtbot: PatientBot,
    open_window: Open,
    finished: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    opened(qtbot, open_window(finished)).close()
    assert not (tmp_path / "home").exists()


def test_a_log_that_was_opened_while_waiting_stays(
    qtbot: PatientBot, open_window: Open, finished: Path, tmp_path: Path, file: Path
) -> None:
    opened(qtbot, open_window(finished, settings=Settings(file))).close()  # without the log
    folder = RunFolder.create(tmp_path / "runs", "conv_vae-example")
    folder.write({"status": "training"})
    example = Example(samples=60, frames=3)
    with folder.hold():
        window = open_window(folder.path, settings=Settings(file))
        qtbot.waitUntil(lambda: "Waiting" in window.welcome._text.text())
        window.act("log")
        assert window.docks["log"].isVisible()
        with RecordingWriter(folder.recording, example.header(), example.reference) as writer:
            example.append(writer, 0)
            opened(qtbot, window)
            assert window.docks["log"].isVisible()
    said = window.findChild(TrainingLog).log.view.placeholderText()
    assert said.startswith("No log in the folder of this run.")
    assert str(folder.path) in said


def test_lecture_mode_gives_every_dock_its_size_back(
    qtbot: PatientBot, open_window: Open, finished: Path
) -> None:
    window = opened(qtbot, open_window(finished))
    sizes = {name: window.docks[name].size() for name in ("curves", "runs")}
    for _ in range(2):
        window.act("full")
        qtbot.rest(50)
        window.act("full")

        def given_back() -> bool:
            return {name: window.docks[name].size() for name in sizes} == sizes

        qtbot.waitUntil(given_back)
