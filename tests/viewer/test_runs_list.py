"""The list of runs keeps what is selected, and opens nothing twice."""

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from ed_viewer.messages import RunEntry
from ed_viewer.runs_list import RunsList
from ed_viewer.theme import Theme

pytestmark = pytest.mark.viewer


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
