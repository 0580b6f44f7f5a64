"""Which answers are drawn, and what need not be asked for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from ed_core.recording import RecordingWriter, RunFolder
from ed_viewer.reading.messages import Frame, FrameRequest, Lookback, RunInfo, spread
from ed_viewer.reading.reader import Reader
from ed_viewer.session.frame_requests import Requests
from ed_viewer.testing import Example
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer


class Asked(Reader):
    """A reader that reads nothing, and notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__(None)
        self.requests: list[FrameRequest] = []

    def ask(self, request: FrameRequest) -> None:
        self.requests.append(request)

    def answer(self, request: FrameRequest) -> None:
        self.answered.emit(Frame(request, {}))


class Following:
    """Requests for the codes of a run that is followed."""

    def __init__(self, example: Example) -> None:
        self.reader = Asked()
        self.requests = Requests(self.reader, self.reader)
        self.drawn: list[Frame] = []
        self.requests.drawn.connect(self.drawn.append)
        opening = self.requests.begin()
        self.requests.describe(RunInfo(opening, Path(), example.header(), example.reference))
        self.requests.watch(("latent_codes",), {})

    def ask(self, frame: int, follow: bool = True) -> None:
        self.requests.ask(frame, lambda count: spread(np.arange(9), frame, count), follow)

    def expect(self, frame: int, **changes: Any) -> None:
        facts = {"opening": 1, "number": 1, "probes": ("latent_codes",), "follow": True} | changes
        self.requests.expect(Frame(FrameRequest(frame=frame, **facts), {"latent_codes": {}}))

    def wait(self, qtbot: QtBot) -> None:
        qtbot.waitUntil(lambda: self.requests.settled)


@pytest.fixture
def following(qtbot: QtBot, example: Example) -> Iterator[Following]:
    made = Following(example)
    yield made
    made.reader.deleteLater()


def test_what_was_read_ahead_is_drawn_and_not_asked_for(qtbot: QtBot, following: Following) -> None:
    following.ask(3)
    assert [request.follow for request in following.reader.requests] == [True]
    following.expect(4)
    following.ask(4)
    following.wait(qtbot)
    assert len(following.reader.requests) == 1
    assert [frame.request.frame for frame in following.drawn] == [4]
    following.ask(4)  # it is there once, not for ever
    assert len(following.reader.requests) == 2


def test_an_answer_that_comes_late_does_not_replace_what_was_read_ahead(
    qtbot: QtBot, following: Following
) -> None:
    following.ask(3)
    following.expect(4)
    following.ask(4)
    following.reader.answer(following.reader.requests[0])
    following.wait(qtbot)
    qtbot.wait(50)
    assert [frame.request.frame for frame in following.drawn] == [4]


@pytest.mark.parametrize(
    ("ahead", "follow"),
    [
        ({"frame": 5}, True),
        ({"frame": 4, "probes": ("reconstruction",)}, True),
        ({"frame": 4, "opening": 0}, True),
        ({"frame": 4}, False),
    ],
)
def test_what_was_read_for_something_else_is_not_drawn(
    qtbot: QtBot, following: Following, ahead: dict[str, Any], follow: bool
) -> None:
    following.expect(**ahead)
    following.ask(4, follow)
    assert [request.frame for request in following.reader.requests] == [4]
    qtbot.wait(50)
    assert not following.drawn


def test_earlier_frames_beside_it_have_to_be_asked_for(following: Following) -> None:
    following.requests.watch(("latent_codes",), {"latent_codes": Lookback(3, (0,))})
    following.expect(4)
    following.ask(4)
    assert len(following.reader.requests) == 1


def test_a_run_that_is_followed_is_drawn_without_being_asked_for(
    qtbot: QtBot, open_window: Any, tmp_path: Path, example: Example
) -> None:
    run = RunFolder.create(tmp_path / "runs", "live")
    run.write({"status": "training"})
    with run.hold(), RecordingWriter(run.recording, example.header(), example.reference) as writer:
        example.append(writer, 0)
        window: Window = open_window(run.path)
        qtbot.waitUntil(lambda: window.stage.drawn() == {0})
        window.stage.complete()
        qtbot.waitUntil(lambda: window.session.settled)
        asked: list[int] = []
        ask = window.reader.ask
        window.reader.ask = lambda r: (asked.append(r.frame), ask(r))  # type: ignore[method-assign]
        drawn: list[Frame] = []
        window.session.drawn.connect(drawn.append)
        for number in range(1, 6):
            example.append(writer, number)
            qtbot.waitUntil(lambda n=number: window.stage.drawn() == {n})
        assert not asked
        assert [frame.request.frame for frame in drawn] == [1, 2, 3, 4, 5]
        for frame in drawn:
            expected = example.frame(frame.request.frame)["reconstruction"]["output"]
            assert np.array_equal(frame.arrays["reconstruction"]["output"], expected)
        window.session.step(0)  # by hand: it stays
        qtbot.waitUntil(lambda: window.session.settled)
        example.append(writer, 6)
        qtbot.waitUntil(lambda: window.session.cursor.count == 7)
        assert window.session.growth is not None
        assert window.session.growth.ahead is None
        assert window.stage.drawn() == {5}
        window.close()


def test_a_run_that_has_nothing_of_a_tab_stands_at_its_frame_all_the_same(
    qtbot: QtBot, following: Following
) -> None:
    following.requests.watch(("what it has not",), {})
    following.ask(3)
    assert [request.probes for request in following.reader.requests] == [()]
    following.reader.answer(following.reader.requests[0])
    following.wait(qtbot)
    assert [(frame.request.frame, frame.arrays) for frame in following.drawn] == [(3, {})]
    following.requests.begin()
    following.ask(3)  # what it has is not known yet
    assert len(following.reader.requests) == 1
