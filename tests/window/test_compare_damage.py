"""What may happen to run B or to the window while two runs are compared."""

import os
import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot
from support import patience

from ed_core.cli import main
from ed_viewer.compare.feature import CompareFeature
from ed_viewer.reading.reader import Reader
from ed_viewer.session.alignment import Alignment, aligned, known_times
from ed_viewer.stage.page import Page
from ed_viewer.style.palette import Side
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]
Pairs = Callable[[Path, Path], Any]


def banner(qtbot: QtBot, window: Window, words: str) -> None:
    qtbot.waitUntil(lambda: words in window.banner.text)
    assert window.banner.isVisible()


def test_b_is_deleted(qtbot: QtBot, compare_runs: Pairs, finished: Path, shorter: Path) -> None:
    pair = compare_runs(finished, shorter)
    shutil.rmtree(shorter)
    banner(qtbot, pair.window, f"B, {shorter.name}: ")
    assert "deleted" in pair.window.banner.text
    qtbot.keyClick(pair.window, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: pair.where("A").startswith("step 0 "))
    pair.part.leave()
    assert pair.window.banner.isHidden()


def test_a_frame_of_b_is_damaged(
    qtbot: QtBot, compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    with h5py.File(shorter / "recording" / "0000.h5", "r+") as file:
        output = file["probes/reconstruction/output"]
        output[4] = output[4] + 1
    pair = compare_runs(finished, shorter)
    banner(qtbot, pair.window, "wrong CRC")
    hosts = [pair.host(name, "reconstruction") for name in "AB"]
    assert hosts[0].on_show is hosts[0].panel
    assert "wrong CRC" in hosts[1].notice.text
    pair.part.set_signed(True)
    qtbot.waitUntil(lambda: "wrong CRC" in pair.host("B", "reconstruction").notice.text)
    pair.window.session.scrub(2)
    qtbot.waitUntil(lambda: pair.window.banner.isHidden())


def test_b_is_not_there_or_no_recording(
    qtbot: QtBot, open_window: Open, finished: Path, shorter: Path, tmp_path: Path
) -> None:
    window = open_window(finished)
    part = window.findChild(CompareFeature)
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    part.choose(tmp_path / "nothing")
    banner(qtbot, window, "does not exist")
    (shorter / "recording" / "0000.h5").write_bytes(b"no recording")
    part.choose(shorter)
    banner(qtbot, window, "not an HDF5 file")
    assert "does not exist" not in window.banner.text
    assert window.stage.currentWidget().side(Side.B).notice == "B has no frame."
    qtbot.keyClick(window, Qt.Key.Key_D)
    window.close()  # while it is compared


def test_a_disk_of_b_that_hangs_holds_nothing_up(
    qtbot: QtBot,
    compare_runs: Pairs,
    finished: Path,
    shorter: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pair = compare_runs(finished, shorter)
    goes_on, read = threading.Event(), os.pread

    def hang(descriptor: int, size: int, offset: int) -> bytes:
        if str(shorter) in os.readlink(f"/proc/self/fd/{descriptor}"):
            goes_on.wait(2 * patience.SECONDS)
        return read(descriptor, size, offset)

    monkeypatch.setattr(os, "pread", hang)
    beside = pair.part.pair.beside
    try:
        for frame in (1, 6, 2):
            pair.window.session.scrub(frame)
            step = f"step {50 * frame} "
            qtbot.waitUntil(lambda: pair.where("A").startswith(step))  # noqa: B023
        assert pair.where("B").startswith("step 200")  # the last that came
        with monkeypatch.context() as patch:
            patch.setattr(Reader, "wait", lambda *_: pytest.fail("the window waited for the disk"))
            pair.part.leave()
        assert not beside.ended
    finally:
        goes_on.set()
    qtbot.waitUntil(lambda: beside.ended)


def test_any_order_of_actions_ends_with_b_where_a_is(
    qtbot: QtBot, compare_runs: Pairs, finished: Path, shorter: Path
) -> None:
    pair = compare_runs(finished, shorter)
    window, part, chance = pair.window, pair.part, random.Random(4)
    other = {finished: shorter, shorter: finished}
    actions: list[Callable[[], Any]] = [
        lambda: window.session.scrub(chance.randrange(8)),
        lambda: window.stage.setCurrentIndex(chance.randrange(5)),
        part.swap,
        lambda: part.set_signed(chance.random() < 0.5),
        lambda: part.choose(other[window.session.path]),
        part.leave,
        part.tools.next_way,
        window.theme.toggle,
        lambda: window.resize(*chance.choice([(1280, 720), (1440, 900), (960, 600)])),
        lambda: window.open(chance.choice([finished, shorter])),
    ]
    for _ in range(60):
        chance.choice(actions)()
        if chance.random() < 0.4:
            qtbot.wait(chance.choice((1, 40)))
    if part.pair is None:
        part.choose(other[window.session.path])
    part.set_signed(False)
    pair.settle()
    here, there = (known_times(pair.session(name)) for name in "AB")
    assert here is not None
    assert there is not None
    found = aligned(here, window.session.cursor.frame, there, part.how)
    assert pair.session("B").cursor.frame == found
    for index in range(window.stage.count()):
        page = window.stage.widget(index)
        assert isinstance(page, Page)
        assert len([s for s in Side if page.side(s)]) in (0, 2)
    qtbot.waitUntil(lambda: all(beside.ended for beside in part._ending))


def test_the_button_offers_the_other_runs(
    qtbot: QtBot, open_window: Open, finished: Path, shorter: Path
) -> None:
    window = open_window(finished, shorter)
    part = window.findChild(CompareFeature)
    qtbot.waitUntil(lambda: window.runs.count() == 2)
    qtbot.mouseClick(part.tools.compare, Qt.MouseButton.LeftButton)
    (menu,) = part.tools.compare.findChildren(QMenu)
    assert [action.data() for action in menu.actions()] == [shorter]
    menu.actions()[0].trigger()
    menu.close()
    assert part.pair is not None
    assert part.pair.beside.path == shorter
    assert part.tools.compare.isChecked()


def test_the_command_opens_two_runs_side_by_side(
    qapp: QApplication,
    finished: Path,
    shorter: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: list[tuple[str, str]] = []

    def look() -> int:
        window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, Window))
        pair = window.findChild(CompareFeature).pair
        seen.append((str(window.session.path), str(pair.beside.path) if pair else ""))
        window.close()
        window.deleteLater()
        return 0

    monkeypatch.setattr(QApplication, "exec", staticmethod(look))
    assert main(["view", str(finished), str(shorter), "--compare"]) == 0
    # Else it lives on without an event loop, and makes panels in the middle of the next test.
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    assert seen == [(str(finished), str(shorter))]
    for given in ([str(finished)], [str(finished), f"{finished}/."], []):
        assert main(["view", *given, "--compare"]) == 2
        said = capsys.readouterr().err
        assert said.startswith("edkit: --compare shows two runs side by side")
        assert said.count("\n") == 1


def test_every_way_to_align_has_a_word(open_window: Open, finished: Path) -> None:
    tools = open_window(finished).findChild(CompareFeature).tools
    seen = []
    tools.chosen.connect(seen.append)
    for _ in Alignment:
        tools.next_way()
    assert set(seen) == set(Alignment) - {Alignment.TIME}  # which two runs have not in common
