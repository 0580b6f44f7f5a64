from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ed_core.recording import Event
from ed_viewer.session.cursor import Playback
from ed_viewer.style.theme import Theme
from ed_viewer.timeline.scale import TimelineScale
from ed_viewer.timeline.timeline import Timeline
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]
SHIFT = Qt.KeyboardModifier.ShiftModifier


def scale(frames: int = 101) -> TimelineScale:
    made = TimelineScale()
    made.room = (10.0, 1010.0)
    made.set_steps(np.arange(frames) * 10.0)
    return made


def test_the_scale_shows_the_whole_run_and_grows_with_it() -> None:
    made = scale()
    assert made.frame_at(10) == 0
    assert made.frame_at(1010) == 100
    made.set_steps(np.arange(201) * 10.0)
    assert made.view == (0.0, 2000.0)
    assert not made.zoomed


def test_the_step_under_the_mouse_stays_there_while_zooming() -> None:
    made = scale()
    made.zoom(4, 700.0)
    assert made.step_at(700.0) == pytest.approx(690)
    assert made.view[1] - made.view[0] == pytest.approx(250)
    made.zoom(1e9, 700.0)
    assert made.view[1] - made.view[0] == pytest.approx(40)  # four frames at least
    made.reset()
    assert made.view == (0.0, 1000.0)


def test_a_part_stays_that_part_while_the_run_grows() -> None:
    made = scale()
    made.zoom(2, 10.0)
    before = made.view
    made.set_steps(np.arange(201) * 10.0)
    assert made.view == before
    made.reveal(2000.0)
    assert made.view == (1500.0, 2000.0)


STEPS = st.lists(st.integers(1, 500), min_size=1, max_size=60).map(np.cumsum)
MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("zoom"), st.floats(0.1, 10), st.floats(-50, 1100)),
        st.tuples(st.just("pan"), st.floats(-2000, 2000)),
        st.tuples(st.just("reveal"), st.integers(0, 30_000)),
    )
)


@given(STEPS, MOVES)
def test_no_move_leaves_the_run(steps: np.ndarray, moves: list[tuple]) -> None:
    made = TimelineScale()
    made.room = (10.0, 1010.0)
    made.set_steps(steps)
    for name, *arguments in moves:
        getattr(made, name)(*arguments)
        first, last = made.view
        assert steps[0] - 1e-6 <= first <= last <= steps[-1] + 1e-6
    xs = made.x_of(made.steps)
    for x in (10.0, 333.0, 1010.0):
        nearest = np.abs(xs - x)
        assert nearest[made.frame_at(x)] == pytest.approx(nearest.min(), abs=1e-6)


@pytest.fixture
def timeline(qtbot: QtBot, theme: Theme) -> Timeline:
    made = Timeline(theme)
    qtbot.addWidget(made)
    made.resize(824, 50)
    made.show()
    made.set_frames(np.arange(81) * 10.0, np.arange(81) / 8, False)
    made.set_frame(40)
    return made


def wheel(timeline: Timeline, x: float, notches: int, keys: Qt.KeyboardModifier) -> None:
    at = QPointF(x, 30)
    event = QWheelEvent(
        at, timeline.mapToGlobal(at), QPoint(), QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton, keys, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(timeline, event)


def test_the_wheel_zooms_at_the_mouse_and_with_shift_moves_along(
    qtbot: QtBot, timeline: Timeline
) -> None:
    x = timeline.x_of(60)
    wheel(timeline, x, 3, Qt.KeyboardModifier.NoModifier)
    assert timeline.x_of(60) == pytest.approx(x)
    first, last = timeline.view
    assert last - first == pytest.approx(800 / 1.25**3)
    wheel(timeline, x, -1, SHIFT)
    assert timeline.view[0] > first
    qtbot.mousePress(timeline, Qt.MouseButton.MiddleButton, pos=QPoint(300, 30))
    moved = timeline.view[0]
    qtbot.mouseMove(timeline, QPoint(400, 30))
    qtbot.mouseRelease(timeline, Qt.MouseButton.MiddleButton, pos=QPoint(400, 30))
    assert timeline.view[0] < moved
    qtbot.mouseDClick(timeline, Qt.MouseButton.LeftButton, pos=QPoint(300, 30))
    assert timeline.view == (0.0, 800.0)


def test_a_drag_with_shift_marks_a_loop_and_a_click_with_it_ends_one(
    qtbot: QtBot, timeline: Timeline
) -> None:
    loops: list[tuple[int, int]] = []
    scrubs: list[int] = []
    timeline.looped.connect(lambda *ends: loops.append(ends))
    timeline.scrubbed.connect(scrubs.append)
    start, end = (QPoint(round(timeline.x_of(frame)), 30) for frame in (50, 20))
    qtbot.mousePress(timeline, Qt.MouseButton.LeftButton, SHIFT, start)
    qtbot.mouseMove(timeline, end)
    qtbot.mouseRelease(timeline, Qt.MouseButton.LeftButton, SHIFT, end)
    assert loops[0] == (50, 50)
    assert loops[-1] == (50, 20)
    assert scrubs == []


def test_the_live_edge_stays_in_view_while_following(timeline: Timeline) -> None:
    timeline.set_frame(10)
    timeline.zoom(4)
    timeline.set_frame(80, following=True)
    for frames in (90, 120):
        timeline.set_frames(np.arange(frames) * 10.0, np.arange(frames) / 8, True)
        assert timeline.view[1] == pytest.approx((frames - 1) * 10)
    assert timeline.view[0] > 0


def test_events_are_drawn_and_told(timeline: Timeline) -> None:
    plain = timeline.grab().toImage()
    changed = Event(405, 5.06, 9.0, "weight", "weight of kl 1 -> 4")
    timeline.set_events((Event(200, 2.5, 4.0, "checkpoint", "checkpoint at step 200"), changed))
    assert timeline.grab().toImage() != plain
    at = timeline.x_of(40) + 2
    assert timeline.picture.describe(at) == "weight of kl 1 -> 4 (step 405)"
    assert timeline.picture.describe(timeline.x_of(20)) == "checkpoint at step 200"
    assert timeline.picture.describe(timeline.x_of(60)) == "frame 61 · step 600 · epoch 7.50"


def test_many_checkpoints_leave_the_frames_to_be_seen(timeline: Timeline) -> None:
    plain = pixels(timeline)
    kept = (Event(step, step / 80, 1.0, "checkpoint", f"checkpoint {step}") for step in range(1000))
    timeline.set_events(tuple(kept))
    marked = (pixels(timeline) != plain).any(axis=2)
    columns = np.flatnonzero(marked.any(axis=0))
    assert len(columns) > 20
    assert len(columns) <= 0.3 * (columns[-1] - columns[0])  # marks of 2 pixels, 8 apart


def pixels(timeline: Timeline) -> np.ndarray:
    """Return (height, width, 4) of what it shows."""
    image = timeline.grab().toImage()
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4).copy()


def test_the_keys_loop_and_zoom(qtbot: QtBot, open_window: Open, finished: Path) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: window.session.cursor.count == 8)
    cursor = window.session.cursor
    window.session.scrub(2)
    qtbot.keyClick(window, Qt.Key.Key_I)
    window.session.scrub(4)
    qtbot.keyClick(window, Qt.Key.Key_O)
    assert cursor.loop == (2, 4)
    assert window.timeline.picture.loop == (2, 4)
    window.session.set_speed(30)
    window.session.scrub(0)
    seen: list[int] = []
    window.session.moved.connect(lambda: seen.append(cursor.frame))
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: len(seen) > 8)
    assert cursor.playback is Playback.PLAYING
    assert set(seen) == {2, 3, 4}
    qtbot.keyClick(window, Qt.Key.Key_Space)
    qtbot.keyClick(window, Qt.Key.Key_U)
    assert cursor.loop is None
    qtbot.keyClick(window, Qt.Key.Key_Plus)
    whole = (float(window.session.growth.steps[0]), float(window.session.growth.steps[-1]))
    assert window.timeline.view != whole
    qtbot.keyClick(window, Qt.Key.Key_0)
    assert window.timeline.view == whole


@given(st.lists(st.integers(1, 50), min_size=1, max_size=3000), st.floats(0, 1), st.floats(1, 60))
def test_a_tick_stands_wherever_frames_are(gaps: list[int], at: float, zoom: float) -> None:
    made = scale()
    made.set_steps(np.cumsum(gaps).astype(float))
    made.zoom(zoom, 10 + 1000 * at)
    ticks = made.ticks(3)
    xs = made.x_of(made.steps)
    seen = xs[(xs >= 10) & (xs < 1010)]
    assert len(ticks) <= 1000 / 3 + 2
    for x in seen:
        assert np.abs(ticks - x).min() <= 3.001
    for tick in ticks:
        assert np.abs(xs - tick).min() <= 3.001


@pytest.mark.parametrize("width", [900, 901, 902])
def test_the_last_frame_has_a_tick_however_many_there_are(width: int) -> None:
    scale = TimelineScale()
    scale.room = (12.0, 12.0 + width)
    scale.set_steps(np.append(np.arange(1000), 5000))
    assert abs(scale.ticks(3)[-1] - scale.room[1]) < 3


def test_a_loop_that_cannot_be_is_said_and_another_is_kept(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    window = open_window(finished)
    qtbot.waitUntil(lambda: window.session.cursor.count == 8)
    window.session.set_loop(2, 4)
    window.session.scrub(7)
    qtbot.keyClick(window, Qt.Key.Key_I)
    assert window.session.cursor.loop == (2, 4)
    assert window.status.message == "A loop cannot begin at the newest frame: go to another first"
    window.session.scrub(0)
    qtbot.keyClick(window, Qt.Key.Key_O)
    assert window.session.cursor.loop == (2, 4)
    assert window.status.message == "A loop cannot end at the first frame: go to another first"
