"""Files dropped on the window, and the process that works on them."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ed_viewer.inference.feature import InferenceFeature, is_run
from ed_viewer.window.command_palette import entries
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer
Open = Callable[..., Window]
FAKE = Path(__file__).parents[2] / "support" / "fake_verb.py"


@pytest.fixture
def show(
    qtbot: QtBot, open_window: Open, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Window]:
    """Open a window with a run, whose verbs are done by a process without a model."""
    monkeypatch.setattr("ed_viewer.inference.task.program", lambda: [sys.executable, str(FAKE)])

    def open_run() -> Window:
        window = open_window(finished)
        qtbot.waitUntil(lambda: window.session.run is not None)
        return window

    return open_run


def feature(window: Window) -> InferenceFeature:
    return next(one for one in window.features if isinstance(one, InferenceFeature))


def drop(window: Window, *paths: Path) -> None:
    """Drop files on the window, as a file manager does."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    rest: Any = (action, data, button, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPoint(9, 9), *rest)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPointF(9, 9), *rest))


def pictures(folder: Path, count: int = 3) -> Path:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.fromarray(np.full((8, 8), 60 * number, "u1")).save(folder / f"{number}.png")
    return folder


def dialog(qtbot: QtBot, window: Window) -> Any:
    qtbot.waitUntil(lambda: feature(window).dialog is not None)
    return feature(window).dialog


def choose(dialog: Any, verb: str) -> None:
    names = [one.name for one in dialog._verbs]
    dialog.verb.setCurrentIndex(names.index(verb))


def at_work(qtbot: QtBot, window: Window, source: Path) -> Any:
    """Return the dialog once the reconstruction of an input is under way."""
    drop(window, source)
    form = dialog(qtbot, window)
    choose(form, "reconstruct")
    form.start.click()
    qtbot.waitUntil(lambda: Path(form.folder.text()).exists())
    return form


def test_a_dropped_folder_is_reconstructed_and_shown(
    qtbot: QtBot, show: Callable[[], Window], tmp_path: Path
) -> None:
    shown = show()
    source = pictures(tmp_path / "photos")
    drop(shown, source)
    form = dialog(qtbot, shown)
    choose(form, "reconstruct")
    assert form.folder.text() == str(tmp_path / "photos-reconstruct")
    form.start.click()
    assert form.start.text() == "Stop"
    qtbot.waitUntil(lambda: form.table.rowCount() == 3)
    icons = [form.table.item(row, column) for row in range(3) for column in (1, 2)]
    qtbot.waitUntil(lambda: not any(item.icon().isNull() for item in icons))
    assert "Done 3 of 4 samples" in form.words.text()
    assert "'x.png': it is no picture." in form.words.text()
    assert str(tmp_path / "photos-reconstruct") in shown.status.message
    assert sorted(path.name for path in source.iterdir()) == ["0.png", "1.png", "2.png"]
    drop(shown, source)  # once more: into another folder
    qtbot.waitUntil(lambda: form.folder.text().endswith("-2"))


def test_numbers_stand_in_the_table_beside_the_pictures(
    qtbot: QtBot, show: Callable[[], Window], tmp_path: Path
) -> None:
    shown = show()
    drop(shown, pictures(tmp_path / "photos"))
    form = dialog(qtbot, shown)
    choose(form, "predict")
    form.start.click()
    qtbot.waitUntil(lambda: form.table.rowCount() == 3)
    assert [form.table.item(1, n).text() for n in range(4)] == ["1.png", "", "1", "dog"]
    assert (tmp_path / "photos-predict" / "predictions.csv").exists()


def test_an_input_that_cannot_be_read_is_told_in_one_line(
    qtbot: QtBot, show: Callable[[], Window], tmp_path: Path
) -> None:
    shown = show()
    drop(shown, pictures(tmp_path / "bad"))
    form = dialog(qtbot, shown)
    form.start.click()
    qtbot.waitUntil(lambda: "nothing reads it" in shown.status.message)
    assert form.problem.text == shown.status.message
    assert form.start.text() == "Start"


def test_a_running_task_says_how_far_it_is_and_can_be_stopped(
    qtbot: QtBot, show: Callable[[], Window], tmp_path: Path
) -> None:
    shown = show()
    form = at_work(qtbot, shown, pictures(tmp_path / "slow"))
    qtbot.waitUntil(lambda: form.busy.value() == 1200)
    assert form.busy.maximum() == 20_000
    assert form.words.text() == "1\u202f200 of 20\u202f000 samples …"
    form.start.click()
    qtbot.waitUntil(lambda: "Stopped" in shown.status.message)
    assert not feature(shown).process.running
    assert form.problem.text == ""
    assert form.start.text() == "Start"


def test_closing_the_window_ends_the_process(
    qtbot: QtBot, show: Callable[[], Window], tmp_path: Path
) -> None:
    shown = show()
    at_work(qtbot, shown, pictures(tmp_path / "slow"))
    process = feature(shown).process
    number = process.number
    assert number
    shown.close()
    assert not process.running
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_a_dropped_run_is_opened(qtbot: QtBot, show: Callable[[], Window], shorter: Path) -> None:
    shown = show()
    drop(shown, shorter)
    session = shown.session
    qtbot.waitUntil(lambda: bool(session.run and session.run.path == shorter))
    assert feature(shown).dialog is None


def test_several_files_are_refused_in_one_line(show: Callable[[], Window], tmp_path: Path) -> None:
    shown = show()
    drop(shown, tmp_path / "a.png", tmp_path / "b.png")
    assert shown.status.message == "Drop one file or one folder"


def test_without_a_run_it_is_said_what_to_do(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    window = open_window(root=tmp_path / "none")
    drop(window, pictures(tmp_path / "photos"))
    qtbot.waitUntil(lambda: "Open a run first" in window.status.message)


def test_it_has_a_key_and_stands_in_the_palette(qtbot: QtBot, show: Callable[[], Window]) -> None:
    shown = show()
    line = next(entry for entry in entries(shown) if entry.words.startswith("Put to work"))
    assert line.keys == "Ctrl+P"
    line.act()
    form = dialog(qtbot, shown)
    assert form.isVisible()
    assert not form.start.isEnabled()  # no input yet


def test_a_run_is_told_from_an_input(finished: Path, tmp_path: Path) -> None:
    assert is_run(finished)
    assert is_run(finished.parent)  # a folder of runs
    assert is_run(next((finished / "recording").glob("*.h5")))
    assert not is_run(pictures(tmp_path / "photos"))


def test_of_a_run_that_recorded_nothing_the_window_says_so(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    shutil.rmtree(finished / "recording")
    window = open_window(finished)
    qtbot.waitUntil(lambda: "holds no recording" in window.banner.text)
    assert "damaged" not in window.welcome._text.text()
    feature(window).show_dialog()
    assert "edkit predict" in window.status.message
