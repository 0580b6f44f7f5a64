"""The log of a training: read while it grows, never more of it than its end."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from ed_viewer.new_run import log as log_tail
from ed_viewer.new_run.log import LogView, cleaned
from ed_viewer.style.theme import Theme

pytestmark = pytest.mark.viewer


@pytest.fixture
def view(qtbot: QtBot, theme: Theme) -> Iterator[LogView]:
    made = LogView(theme)
    qtbot.addWidget(made)
    made.show()
    yield made
    made.stop()
    assert made._tail.isFinished()


def shows(qtbot: QtBot, view: LogView, text: str) -> None:
    qtbot.waitUntil(lambda: view.text == text)


def test_it_grows_and_is_cut_and_goes(qtbot: QtBot, view: LogView, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    view.follow(log)
    shows(qtbot, view, "")
    log.write_bytes("epoch 1\nhalf a lé".encode()[:-1])
    shows(qtbot, view, "epoch 1")
    log.write_text("epoch 1\nhalf a lé\n")
    shows(qtbot, view, "epoch 1\nhalf a lé")
    log.write_text("new\n")
    shows(qtbot, view, "new")
    log.unlink()
    other = tmp_path / "other.log"
    other.write_text("other\n")
    view.follow(other)
    shows(qtbot, view, "other")
    view.follow(None)
    shows(qtbot, view, "")


def test_a_renamed_log_goes_on(qtbot: QtBot, view: LogView, tmp_path: Path) -> None:
    log = tmp_path / "first.log"
    with open(log, "w") as file:
        file.write("one\n")
        file.flush()
        view.follow(log)
        shows(qtbot, view, "one")
        view.follow(log.rename(tmp_path / "train.log"))
        file.write("two\n")
        file.flush()
        shows(qtbot, view, "one\ntwo")


def test_a_long_log_is_read_from_its_end_and_bounded(
    qtbot: QtBot, view: LogView, tmp_path: Path
) -> None:
    log = tmp_path / "train.log"
    with open(log, "w") as file:
        file.writelines(f"line {number}\n" for number in range(400_000))
    view.follow(log)
    qtbot.waitUntil(lambda: view.text.endswith("line 399999"))
    assert len(view.text) <= log_tail._LIMIT
    assert view.view.blockCount() <= 5000
    bar = view.view.verticalScrollBar()
    assert bar.value() == bar.maximum()


def test_nothing_is_read_while_it_is_hidden(qtbot: QtBot, view: LogView, tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("one\n")
    view.follow(log)
    shows(qtbot, view, "one")
    view.hide()
    shows(qtbot, view, "")
    log.write_text("two\n")
    qtbot.wait(400)
    assert view.text == ""
    view.show()
    shows(qtbot, view, "two")


def test_a_pipe_in_the_place_of_a_log_holds_nothing_up(
    qtbot: QtBot, view: LogView, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "train.log")
    view.follow(tmp_path / "train.log")
    qtbot.wait(300)
    view.stop()
    assert view._tail.isFinished()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x" * 5000 + "\ny\n", "x" * 1000 + "\ny\n"),
        ("a\r\nb\n", "a\nb\n"),
        ("10 %\r20 %\r30 %\ndone\n", "30 %\ndone\n"),
        ("\x1b[31mred\x1b[0m \x1b[?25lbar\n", "red bar\n"),
        ("tab\tand é\n", "tab\tand é\n"),
    ],
)
def test_what_moves_a_terminal_s_cursor_is_left_out(text: str, expected: str) -> None:
    assert cleaned(text) == expected


def test_other_words_in_the_place_of_a_log_are_painted(
    qtbot: QtBot, view: LogView, tmp_path: Path, paintings: Callable[[Any], Callable[[], int]]
) -> None:
    view.follow(tmp_path / "none", "No log of one run.")
    painted = paintings(view.view.viewport())
    qtbot.waitUntil(lambda: painted() > 0)
    qtbot.wait(50)
    before = painted()
    view.follow(tmp_path / "none", "No log of another.")  # what Qt itself would paint: nothing
    qtbot.waitUntil(lambda: painted() > before)
