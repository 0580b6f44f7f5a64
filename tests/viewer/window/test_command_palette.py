from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ed_viewer.style.palette import DARK, LIGHT, whole_classes
from ed_viewer.window.command_palette import CommandPalette, entries, rank, score
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]


def palette(qtbot: QtBot, window: Window) -> CommandPalette:
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    return window.findChildren(CommandPalette)[-1]


def test_what_was_meant_comes_first() -> None:
    texts = [
        "Light or dark",
        "Logarithmic scale of the curves",
        "Lecture mode: full stage",
        "Play or pause",
    ]
    assert texts[rank("log", texts)[0]] == "Logarithmic scale of the curves"
    assert texts[rank("lm", texts)[0]] == "Lecture mode: full stage"
    assert [texts[i] for i in rank("light dark", texts)] == ["Light or dark"]
    assert rank("xyz", texts) == []
    assert rank("", texts) == [0, 1, 2, 3]


@given(st.text(max_size=30), st.data())
def test_any_letters_of_a_text_in_their_order_find_it(text: str, data: st.DataObject) -> None:
    low = text.lower()
    places = data.draw(st.lists(st.integers(0, max(len(low) - 1, 0)), unique=True)) if low else []
    query = "".join(low[place] for place in sorted(places))
    if query.lower() == query:  # some letters grow when they are made small
        assert score(query, text) is not None


def test_the_palette_does_what_is_chosen(qtbot: QtBot, open_window: Open, finished: Path) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    shown = palette(qtbot, window)
    qtbot.keyClicks(shown.query, "light")
    assert shown.list.currentItem().text() == "Light or dark theme"
    assert window.theme.palette is LIGHT
    qtbot.keyClick(shown.query, Qt.Key.Key_Return)
    assert window.theme.palette is DARK
    assert not shown.isVisible()
    shown = palette(qtbot, window)
    qtbot.keyClicks(shown.query, "show a")
    words = [shown.list.item(row).text() for row in range(shown.list.count())]
    assert "Show Activations" in words
    while shown.list.currentItem().text() != "Show Activations":
        qtbot.keyClick(shown.query, Qt.Key.Key_Down)
    qtbot.keyClick(shown.query, Qt.Key.Key_Return)
    assert window.stage.tabText(window.stage.currentIndex()) == "Activations"
    shown = palette(qtbot, window)
    shown.close()
    QApplication.processEvents()


def test_the_palette_offers_every_command_with_its_key_and_every_run(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: window.runs.count() == 1)
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    offered = {entry.words: entry.keys for entry in entries(window)}
    for action in window.commands:
        if action.isVisible() and action.objectName() != "palette":
            assert action.shortcut().toString() in offered[action.text()]
    assert offered["Show Overview"] == "1"
    assert f"Open run {finished.name}" in offered


@pytest.mark.parametrize("kind", ["uint8", "uint16", "int8", "int64", "float32", "bool"])
def test_labels_of_any_type_are_whole_classes(kind: str) -> None:
    assert whole_classes(np.array([1, 0, 1], kind)).tolist() == [1, 0, 1]


def test_what_has_no_label_has_no_class() -> None:
    assert whole_classes(np.array([np.nan, -1, -7, 2.0])).tolist() == [-1, -1, -1, 2]
