"""The same noise at several steps: what is asked for, what is read, what is drawn."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QSize, Qt
from support.viewer import PatientBot

from ed_core.recording import Recording
from ed_viewer.panels.samples import _MOST, _ROWS, plan
from ed_viewer.reading.messages import HistoryRequest, spread
from ed_viewer.reading.tail import read_strip
from ed_viewer.testing import Example, write_example
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]
Pairs = Callable[[Path, Path], Any]


@given(
    steps=st.lists(st.integers(1, 500), min_size=1, max_size=60),
    place=st.integers(0, 59),
    columns=st.integers(1, 20),
)
def test_frames_are_spread_evenly_up_to_the_cursor(
    steps: list[int], place: int, columns: int
) -> None:
    known, frame = np.cumsum(steps), min(place, len(steps) - 1)
    found = spread(known, frame, columns)
    assert found[-1] == frame
    assert len(found) <= columns
    assert list(found) == sorted(set(found))
    if columns > 1:
        assert found[0] == 0
        places = np.linspace(known[0], known[frame], columns)
        nearest = np.abs(known[: frame + 1, None] - places).min(axis=0)
        chosen = np.abs(known[list(found), None] - places).min(axis=0)
        np.testing.assert_allclose(chosen, nearest)


def test_of_even_steps_all_or_every_second_frame() -> None:
    steps = np.arange(9) * 50
    assert spread(steps, 8, 16) == tuple(range(9))
    assert spread(steps, 8, 5) == (0, 2, 4, 6, 8)
    assert spread(steps, 0, 5) == (0,)
    assert spread(steps[:0], -1, 5) == ()


def test_a_strip_holds_what_was_recorded(finished: Path) -> None:
    recording = Recording(finished)
    recording.refresh()
    past = read_strip(recording, "samples", HistoryRequest((-1, 0, 3, 3), (0, 2, 10**6)))
    assert past.steps.tolist() == [-1, 0, 150, 150]
    assert past.samples == (0, 2)
    frames = [recording.read("samples", n)["images"][[0, 2]] for n in (0, 3, 3)]
    np.testing.assert_array_equal(past.arrays["images"][1:], np.array(frames, "f4"))
    assert np.isnan(past.arrays["images"][0]).all()
    recording.close()


def test_rows_and_columns_are_as_many_as_have_room(open_window: Open) -> None:
    metrics = open_window().fontMetrics()
    plain, classes = {"images": np.zeros((100, 8, 8, 1))}, np.arange(100) // 10
    small, large = (plan(plain, QSize(*size), metrics) for size in ((200, 120), (9000, 3000)))
    assert small.columns < large.columns == _MOST
    assert 2 <= len(small.samples) < len(large.samples) == _ROWS
    assert plan({**plain, "classes": classes}, QSize(900, 600), metrics).samples == tuple(
        range(0, 100, 10)
    )
    few = plan({**plain, "classes": classes % 3}, QSize(900, 600), metrics)
    assert [int(classes[n] % 3) for n in few.samples] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def strip_of(qtbot: PatientBot, window: Window) -> Any:
    """Open the tab of samples and show them over time, by the keyboard."""
    qtbot.waitUntil(lambda: bool(window.stage.panels))
    titles = [window.stage.tabText(tab) for tab in range(window.stage.count())]
    window.stage.setCurrentIndex(titles.index("Samples"))
    panel: Any = window.stage.panels[0]
    qtbot.waitUntil(lambda: bool(panel.arrays))
    for _ in range(80):
        if panel.over_time.hasFocus():
            break
        qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_Tab)
    qtbot.keyClick(panel.over_time, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: panel.past is not None)
    return panel


def names_of(panel: Any) -> list[str]:
    return list(panel.tiles.shown.columns)


def test_the_window_shows_the_steps_up_to_the_cursor(
    qtbot: PatientBot, open_window: Open, finished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers: set[int] = set()
    read = Recording.read

    def noted(self: Recording, *asked: Any) -> Any:
        readers.add(threading.get_ident())
        return read(self, *asked)

    monkeypatch.setattr(Recording, "read", noted)
    window = open_window(finished)
    panel = strip_of(qtbot, window)
    assert names_of(panel) == [str(step) for step in range(0, 400, 50)]
    rows = panel.tiles.shown.rows
    assert [row.label for row in rows] == list(panel.source.classes("label"))[: len(rows)]
    assert all(len(row.pixels) == 8 for row in rows)
    arrays = [Example(samples=120, frames=8).frame(n)["samples"]["images"] for n in range(8)]
    first = np.array([a[panel.past.samples[0]] for a in arrays], "f4")
    np.testing.assert_allclose(rows[0].values, first, atol=1e-3)
    window.session.scrub(3)
    qtbot.waitUntil(lambda: names_of(panel) == ["0", "50", "100", "150"])
    assert "at 4 steps up to 150" in panel.caption.text
    qtbot.keyClick(panel.over_time, Qt.Key.Key_Space)
    assert not names_of(panel)
    assert panel.lookback is None
    assert threading.get_ident() not in readers


def test_every_name_has_room(qtbot: PatientBot, open_window: Open, finished: Path) -> None:
    window = open_window(finished)
    panel = strip_of(qtbot, window)
    window.resize(QSize(1280, 720))
    qtbot.rest(100)
    layout = panel.tiles.grid
    texts = {text: rect for rect, text, _ in layout.texts}
    metrics = panel.tiles.fontMetrics()
    for name in names_of(panel):
        assert metrics.horizontalAdvance(name) <= texts[name].width()


def test_two_runs_have_their_columns_at_the_same_steps(
    qtbot: PatientBot, compare_runs: Pairs, finished: Path, shorter: Path, tmp_path: Path
) -> None:
    pair = compare_runs(finished, shorter)
    strip_of(qtbot, pair.window)
    ours, theirs = (pair.panel(side, "samples") for side in "AB")
    assert theirs.over_time.isChecked()
    steps = [str(step) for step in range(0, 400, 50)]
    last = [*steps[:5], *["200"] * 3]
    qtbot.waitUntil(lambda: (names_of(ours), names_of(theirs)) == (steps, last))
    pair.part.set_signed(True)
    signed = pair.panel("B", "samples")
    qtbot.waitUntil(lambda: signed.past is not None)
    assert names_of(signed) == last
    examples = [Example(samples=120, frames=n) for n in (8, 5)]
    one, other = (e.frame(2)["samples"]["images"][0].astype("f4") for e in examples)
    np.testing.assert_allclose(signed.past.arrays["images"][2, 0], other - one, atol=1e-3)


def test_where_run_b_has_no_frame_yet_its_column_is_empty(
    qtbot: PatientBot, compare_runs: Pairs, finished: Path, tmp_path: Path
) -> None:
    late = write_example(tmp_path / "runs", Example(samples=120, frames=8), frames=8)
    pair = compare_runs(finished, late)
    strip_of(qtbot, pair.window)
    session = pair.session("B")
    session.columns = lambda count: (-1, *range(1, 8))
    session.look_back()
    theirs = pair.panel("B", "samples")
    qtbot.waitUntil(lambda: names_of(theirs)[:2] == ["–", "50"])
    card = theirs.source.theme.colour("card")
    pixel = theirs.tiles.shown.rows[0].pixels[0, 0, 0]
    assert tuple(pixel[:3]) == (card.blue(), card.green(), card.red())
