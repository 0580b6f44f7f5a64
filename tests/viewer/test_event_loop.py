"""Work in pieces: one a turn of the event loop, and none for what nobody sees."""

import gc
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from ed_viewer import event_loop as turn_module
from ed_viewer.event_loop import Task, flush, later
from ed_viewer.stage.page import Page
from ed_viewer.style.palette import Side
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]


class Loop(QObject):
    """Counts the turns of the event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.turn = 0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._count)
        self._timer.start(0)

    def _count(self) -> None:
        self.turn += 1


def test_what_an_owner_asked_for_ends_with_it(qtbot: QtBot) -> None:
    """What waits for a later turn refers to the whole window, which would stay in memory."""
    owner, acted = QObject(), []
    later(owner, lambda: acted.append(None))
    qtbot.waitUntil(lambda: bool(acted))
    assert not owner.children()

    def ask(held: Loop) -> weakref.ref[Loop]:
        later(owner, lambda: acted.append(held.turn))
        later(owner, held._count)
        return weakref.ref(held)

    held = ask(Loop())
    owner.deleteLater()
    QApplication.sendPostedEvents(owner, QEvent.Type.DeferredDelete)
    gc.collect()
    assert held() is None
    assert len(acted) == 1


def test_pieces_have_turns_of_their_own(qtbot: QtBot) -> None:
    loop, done = Loop(), []
    turns = [Task(lambda n=n: done.append((n, loop.turn)), loop) for n in range(4)]
    for turn in (*turns, turns[0]):
        turn.ask()
    assert all(turn.waiting for turn in turns)
    assert not done
    qtbot.waitUntil(lambda: len(done) == 4)
    qtbot.wait(30)
    assert [n for n, _ in done] == [0, 1, 2, 3]
    assert len({at for _, at in done}) == 4
    assert not any(turn.waiting for turn in turns)


def test_a_piece_that_asks_again_lets_the_others_go_first(qtbot: QtBot) -> None:
    owner, done = QObject(), []

    def again() -> None:
        done.append("one")
        if done.count("one") < 3:
            one.ask()

    one = Task(again, owner)
    other = Task(lambda: done.append("other"), owner)
    one.ask()
    other.ask()
    qtbot.waitUntil(lambda: len(done) == 4)
    assert done == ["one", "other", "one", "one"]


def test_what_is_dropped_or_has_no_owner_any_more_is_not_done(qtbot: QtBot) -> None:
    owner, gone, done = QObject(), QObject(), []
    dropped = Task(lambda: done.append("dropped"), owner)
    orphan = Task(lambda: done.append("orphan"), gone)
    last = Task(lambda: done.append("last"), owner)
    for turn in (dropped, orphan, last):
        turn.ask()
    dropped.drop()
    dropped.drop()
    gone.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    qtbot.waitUntil(lambda: bool(done))
    qtbot.wait(30)
    assert done == ["last"]


def test_a_turn_that_waits_keeps_nobody(qtbot: QtBot) -> None:
    owner = QWidget()
    owner.turn = Task(owner.update, owner)  # type: ignore[attr-defined]
    owner.turn.ask()  # type: ignore[attr-defined]
    there = weakref.ref(owner)
    del owner
    gc.collect()
    assert there() is None


def test_a_piece_that_fails_holds_nobody_up(qtbot: QtBot) -> None:
    owner, done = QObject(), []
    Task(lambda: done.append(1 // 0), owner).ask()
    Task(lambda: done.append(1), owner).ask()
    with qtbot.captureExceptions() as failures:
        qtbot.waitUntil(lambda: bool(done))
    assert [kind for kind, _, _ in failures] == [ZeroDivisionError]


def test_an_urgent_piece_goes_first_and_lets_others_in(qtbot: QtBot) -> None:
    owner, done = QObject(), []

    def again() -> None:
        done.append("urgent")
        if done.count("urgent") < 4:
            urgent.ask()

    urgent = Task(again, owner, urgent=True)
    Task(lambda: done.append("one"), owner).ask()
    Task(lambda: done.append("two"), owner).ask()
    urgent.ask()
    qtbot.waitUntil(lambda: len(done) == 6)
    assert done == ["urgent", "one", "urgent", "two", "urgent", "urgent"]


@pytest.fixture
def long_pause(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(turn_module, "_PAUSE", 60_000)
    yield
    turn_module._queue()._timer.start(0)


@pytest.mark.usefixtures("long_pause")
def test_an_urgent_piece_does_not_wait_for_the_pause_but_after_another_it_does(
    qtbot: QtBot,
) -> None:
    owner, done = QObject(), []
    Task(lambda: done.append("one"), owner).ask()
    qtbot.waitUntil(lambda: done == ["one"])
    Task(lambda: done.append("other"), owner).ask()
    urgent = Task(lambda: done.append("urgent"), owner, urgent=True)
    urgent.ask()
    qtbot.waitUntil(lambda: done == ["one", "urgent"])
    urgent.ask()
    qtbot.wait(50)
    assert done == ["one", "urgent"]


def test_all_but_what_is_urgent_is_done_at_once_for_a_picture(qtbot: QtBot) -> None:
    owner, done = QObject(), []
    urgent = Task(lambda: done.append("urgent"), owner, urgent=True)
    for turn in (Task(lambda: done.append("one"), owner), urgent):
        turn.ask()
    flush()
    assert done == ["one"]
    qtbot.waitUntil(lambda: done == ["one", "urgent"])


def test_what_the_pieces_ask_for_is_done_at_once_as_well() -> None:
    owner, done = QObject(), []

    def again() -> None:
        done.append(len(done))
        if len(done) < 3:
            turn.ask()

    turn = Task(again, owner)
    turn.ask()
    flush()
    assert done == [0, 1, 2]
    assert not turn.waiting


def test_panels_are_made_one_a_turn_and_only_where_they_are_seen(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    window, loop = open_window(finished), Loop()
    made: list[tuple[str, int]] = []
    qtbot.waitUntil(lambda: window.stage.count() > 2)
    for page in window.stage._pages[1:]:
        assert page.side(Side.A) is None
    qtbot.waitUntil(lambda: all(_made(window.stage._pages[0])))
    shown = window.stage._pages[2]
    window.stage.setCurrentIndex(2)
    side = shown.side(Side.A)
    assert side is not None
    side.made.connect(lambda name: made.append((name, loop.turn)))
    assert not any(_made(shown))
    window.stage.setCurrentIndex(0)
    qtbot.wait(100)
    assert not made
    window.stage.setCurrentIndex(2)
    qtbot.waitUntil(lambda: all(_made(shown)))
    assert len({at for _, at in made}) == len(made) == len(side.hosts)
    newest = {window.session.cursor.frame}
    qtbot.waitUntil(lambda: window.stage.drawn() == newest)


def test_a_hidden_tab_takes_the_theme_when_it_is_seen(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: window.stage.count() > 2)
    window.stage.setCurrentIndex(2)
    hidden = window.stage._pages[2].side(Side.A)
    assert hidden is not None
    hosts = list(hidden.hosts.values())
    window.stage.complete()
    titles = [host.panel._title for host in hosts]
    small = [title.font().pointSizeF() for title in titles]
    window.stage.setCurrentIndex(0)
    window.theme.set_lecture(True)
    assert [title.font().pointSizeF() for title in titles] == small
    window.stage.setCurrentIndex(2)
    assert [title.font().pointSizeF() for title in titles] == small  # not all in one turn

    def larger() -> bool:
        sizes = [title.font().pointSizeF() for title in titles]
        return all(size > before for size, before in zip(sizes, small, strict=True))

    qtbot.waitUntil(larger)


def _made(page: Page) -> list[bool]:
    side = page.side(Side.A)
    return [host.is_made for host in side.hosts.values()] if side else [False]
