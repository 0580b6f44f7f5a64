"""The list of runs keeps what is selected, and opens nothing twice."""

import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMenu
from pytestqt.qtbot import QtBot

from ed_core.recording import RunFolder
from ed_viewer.compare.feature import CompareFeature
from ed_viewer.reading.messages import RunEntry
from ed_viewer.style.theme import Theme
from ed_viewer.testing import Example, write_example
from ed_viewer.window.run_sheet import RunSheet
from ed_viewer.window.runs_list import RunsList
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]


def entries(*names: str, state: str = "finished") -> list[RunEntry]:
    return [RunEntry(Path("/runs") / name, state, "vae", "digits") for name in names]


@pytest.fixture
def runs(qtbot: QtBot, theme: Theme) -> RunsList:
    made = RunsList(theme)
    qtbot.addWidget(made)
    made.show_entries(entries("b", "a"))
    made.mark(Path("/runs/b"))
    made.show()
    return made


def test_what_the_keys_selected_stays_so_while_runs_come_and_end(runs: RunsList) -> None:
    QTest.keyClick(runs, Qt.Key.Key_Down)
    assert runs.selected == Path("/runs/a")
    runs.show_entries(entries("c", "b", "a"))
    assert runs.selected == Path("/runs/a")
    runs.show_entries(entries("c", "b", "a", state="crashed"))
    assert runs.selected == Path("/runs/a")
    runs.show_entries(entries("c", "b"))
    assert runs.selected == Path("/runs/b")  # the open one
    runs.mark(Path("/runs/c"))
    assert runs.selected == Path("/runs/c")


def test_the_open_run_is_not_opened_again(runs: RunsList) -> None:
    """Its cursor, its loop and the history of what was looked at would be lost."""
    chosen: list[Path] = []
    runs.chosen.connect(chosen.append)
    for row in (0, 1):
        at = runs.visualItemRect(runs.item(row)).center()
        QTest.mouseClick(runs.viewport(), Qt.MouseButton.LeftButton, pos=at)
    assert chosen == [Path("/runs/a")]


def highlighted(runs: RunsList) -> list[Path]:
    """Return the runs whose rows have the bar of the accent, as they are painted."""
    picture, accent = runs.viewport().grab().toImage(), runs.palette().highlight().color()
    rows = {entry.path: runs.visualItemRect(runs.item(n)) for n, entry in enumerate(runs.entries)}
    ratio = picture.devicePixelRatio()
    return [
        path
        for path, row in rows.items()
        if picture.pixelColor(int((row.left() + 10) * ratio), int(row.center().y() * ratio))
        == accent
    ]


def lines(runs: RunsList) -> list[list[str]]:
    """Return what is painted of every run."""
    items = [runs.item(row) for row in range(runs.count())]
    delegate: Any = runs.itemDelegate()
    return [list(delegate.lines(runs.indexFromItem(item))) for item in items]


def test_the_open_run_is_highlighted_also_before_it_is_listed(runs: RunsList) -> None:
    QTest.keyClick(runs, Qt.Key.Key_Down)
    assert runs.selected == Path("/runs/a")
    assert highlighted(runs) == [Path("/runs/b")]
    runs.mark(Path("/elsewhere/c"))
    assert highlighted(runs) == []
    elsewhere = RunEntry(Path("/elsewhere/c"), "live", "vae", "digits")
    runs.show_entries([elsewhere, *entries("b", "a")])
    assert highlighted(runs) == [Path("/elsewhere/c")] == [runs.selected]


def test_rows_do_not_move_under_the_mouse(runs: RunsList, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "underMouse", lambda: True)
    runs.show_entries(entries("c", "b", "a"))
    assert [path.name for path in runs.paths] == ["b", "a", "c"]
    monkeypatch.setattr(runs, "underMouse", lambda: False)
    QApplication.sendEvent(runs, QEvent(QEvent.Type.Leave))
    assert [path.name for path in runs.paths] == ["c", "b", "a"]


def described(name: str, state: str = "finished", **info: Any) -> RunEntry:
    return RunEntry(Path("/runs") / name, state, "vae", "digits", {"seed": 0, **info})


ALIKE = [
    described("vae-digits-20261129-172012-aaaaaa", params={"latent": 2, "hidden": [8]}),
    described("vae-digits-20261129-172112-bbbbbb", params={"latent": 8, "hidden": [8, 4]}),
    described(
        "vae-digits-20261129-172212-cccccc",
        "failed",
        params={"latent": 2, "hidden": [8]},
        learning_rate=0.5,
        problem="the loss is nan after step 6",
    ),
    described("gan-digits-20261129-172312-dddddd", params={"latent": 64}),
]


def test_runs_of_one_name_are_told_apart_and_a_failed_one_says_why(runs: RunsList) -> None:
    runs.show_entries(ALIKE)
    assert lines(runs) == [
        ["vae", "digits", "latent 2 · hidden 8", "finished · 11-29 17:20"],
        ["vae", "digits", "latent 8 · hidden 8,4", "finished · 11-29 17:21"],
        [
            "vae",
            "digits",
            "latent 2 · hidden 8 · learning_rate 0.5",
            "failed · 11-29 17:22",
            "the loss is nan after step 6",
        ],
        ["gan", "digits", "finished · 11-29 17:23"],
    ]
    assert "the loss is nan after step 6" in runs.item(2).toolTip()


def test_the_menu_of_two_runs_says_what_they_differ_in(
    qtbot: QtBot, open_window: Open, finished: Path, shorter: Path
) -> None:
    for path, latent in ((finished, 2), (shorter, 8)):
        RunFolder(path).update(params={"latent": latent})
    window = open_window(finished, shorter)
    qtbot.waitUntil(lambda: window.runs.count() == 2)
    window.findChild(CompareFeature)._ask()
    tool = window.findChild(CompareFeature).tools.compare
    menus = [menu for menu in tool.findChildren(QMenu) if menu.isVisible()]
    (action,) = menus[0].actions()
    assert action.text().startswith("conv_vae-example · latent 8 · ")
    menus[0].close()


def test_a_run_from_elsewhere_is_listed_and_highlighted(
    qtbot: QtBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    """As Ctrl+O opens it."""
    other = write_example(tmp_path / "more", Example(samples=60, frames=3), frames=3)
    window = open_window(root=finished.parent)
    qtbot.waitUntil(lambda: highlighted(window.runs) == [finished])
    window.open(other)
    qtbot.waitUntil(lambda: highlighted(window.runs) == [other])
    assert set(window.runs.paths) == {finished, other}


def test_a_folder_of_runs_lists_them_and_shows_the_newest(
    qtbot: QtBot, open_window: Open, finished: Path, shorter: Path, tmp_path: Path
) -> None:
    window = open_window(finished.parent, root=tmp_path / "none")
    newest = max((finished, shorter), key=lambda path: path.stat().st_mtime)
    qtbot.waitUntil(lambda: window.session.path == newest)
    qtbot.waitUntil(lambda: highlighted(window.runs) == [newest])
    assert set(window.runs.paths) == {finished, shorter}
    assert window.banner.text == ""


def test_a_project_lists_the_runs_in_its_folder_of_runs(
    qtbot: QtBot, open_window: Open, finished: Path, tmp_path: Path
) -> None:
    run = tmp_path / "project" / "runs" / finished.name
    shutil.copytree(finished, run)
    window = open_window(tmp_path / "project", root=tmp_path / "none")
    qtbot.waitUntil(lambda: window.session.path == run)
    qtbot.waitUntil(lambda: highlighted(window.runs) == [run])
    assert window.runs.paths == [run]
    assert window.banner.text == ""


def test_a_folder_without_a_run_is_said_in_words(
    qtbot: QtBot, open_window: Open, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    window = open_window(empty)
    said = f"{str(empty)!r} is not a run folder: it has no run.json."
    qtbot.waitUntil(lambda: window.banner.text == said)
    assert [label.text() for label in window.welcome.findChildren(QLabel) if label.isVisible()] == [
        "empty",
        "There is nothing to show.",
    ]


def test_the_sheet_of_a_run_says_all_of_its_options(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    finding = {"about": "images", "text": "divided by 255", "left_out": 3}
    RunFolder(finished).update(
        params={"latent": 2, "hidden": [256, 64]},
        learning_rate=0.002,
        weights={"image": 2.0},
        versions={"numpy": "2.3"},
        input={"findings": [finding]},
        fields={"image": {"shape": [28, 28, 1], "kind": "image", "classes": []}},
        of_a_newer_version="x",
    )
    window = open_window(finished)
    qtbot.waitUntil(lambda: window.runs.count() == 1)
    runs = window.runs
    at = runs.visualItemRect(runs.item(0)).center()
    reason = QContextMenuEvent.Reason.Mouse
    event = QContextMenuEvent(reason, at, runs.viewport().mapToGlobal(QPoint(at)))
    runs.contextMenuEvent(event)
    (menu,) = runs.findChildren(QMenu)
    assert [action.text() for action in menu.actions()] == ["Options of this run …"]
    menu.actions()[0].trigger()
    menu.close()
    (sheet,) = window.findChildren(RunSheet)
    assert sheet.isVisible()
    said = [label.text() for label in sheet.findChildren(QLabel)]
    rows = dict(pairwise(said))
    assert rows["Hidden"] == "256,64"
    assert rows["Learning rate"] == "0.002"
    assert rows["Weights"] == "image 2"
    assert rows["images"] == "divided by 255 (3 left out)"
    assert rows["Image"] == "image, 28 × 28 × 1"
    assert rows["Versions"] in ("Versions", "numpy 2.3")  # the heading, and a row of it
    assert "numpy 2.3" in said
    assert rows["Of a newer version"] == "x"
    assert rows["State"] == "finished"
    sheet.close()
    window.act("options")
    assert [s for s in window.findChildren(RunSheet) if s.isVisible()]
