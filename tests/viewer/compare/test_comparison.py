"""Two runs that are compared, without a window and without files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from ed_core.recording import Event
from ed_core.recording.run_description import RUN_OPTIONS, worded
from ed_viewer.compare.comparison import Comparison
from ed_viewer.reading.messages import Frame, FrameRequest, RunInfo, RunProgress
from ed_viewer.session.alignment import Alignment
from ed_viewer.style.palette import Side
from ed_viewer.testing import Example

pytestmark = pytest.mark.viewer

ROOT = Path(__file__).parents[3]
EXAMPLE = Example(samples=40, frames=8)


@dataclass
class Run:
    """A run that becomes known, and grows; an epoch has 100 steps."""

    path: Path | None
    run: RunInfo | None = None
    growth: RunProgress | None = None
    frame: Frame | None = None

    def describe(self) -> None:
        assert self.path is not None
        self.run = RunInfo(1, self.path, EXAMPLE.header(), EXAMPLE.reference)

    def grow(self, *steps: int, state: str = "finished", saved: tuple[int, ...] = ()) -> None:
        rows = np.array(steps)
        events = tuple(Event(step, step / 100, 0.0, "checkpoint", "") for step in saved)
        self.growth = RunProgress(1, rows, rows / 100, rows / 10, {}, state, "", 0.0, events)


def both(ours: tuple[int, ...], theirs: tuple[int, ...], how: Alignment) -> Comparison:
    runs = Run(Path("one")), Run(Path("other"))
    for run, steps in zip(runs, (ours, theirs), strict=True):
        run.describe()
        run.grow(*steps)
    return Comparison(*runs, how)


def frame(number: int) -> Frame:
    return Frame(FrameRequest(1, 1, number, ()), EXAMPLE.frame(number))


def where(made: Comparison) -> list[str]:
    return [heading.where for heading in made.headings]


def test_b_may_not_be_known_yet_and_may_begin_later() -> None:
    ours, theirs = Run(Path("one")), Run(Path("other"))
    made = Comparison(ours, theirs, signed=True)
    waiting = "Waiting for its first frame …"
    assert (made.notice, made.late, made.found, made.subtracts) == (waiting, False, -1, False)
    ours.describe()
    ours.grow(0, 50, 100)
    made.at = 1
    theirs.describe()
    assert made.run is not None
    assert made.subtracts
    theirs.grow(state="live")
    assert (made.notice, made.late) == (waiting, False)
    theirs.grow()
    assert made.notice == "B has no frame."
    ours.frame, theirs.frame = frame(1), frame(0)  # as if B was drawn before the cursor went back
    theirs.grow(80, state="live")
    assert made.notice == "B starts later: its first frame is at step 80."
    assert (made.late, made.shown(Side.B), made.difference) == (True, None, None)
    assert where(made) == ["step 50 · epoch 0.50", ""]
    made.at = 2
    ours.frame = frame(2)
    assert (made.notice, made.late, made.found, made.shown(Side.B)) == ("", False, 0, theirs.frame)
    assert where(made) == ["step 100 · epoch 1.00", "step 80 · epoch 0.80 · newest frame"]
    ours.run = None  # another run is opened in its place
    assert (made.late, made.found, made.subtracts) == (False, -1, False)


def test_frames_of_one_point_alone_are_subtracted() -> None:
    made = both((0, 10, 20, 30), (0, 10, 20, 30, 40, 50, 60), Alignment.STEP)
    ours, theirs = made.runs.values()
    ours.frame, theirs.frame = frame(2), frame(4)  # type: ignore[misc]
    assert (made.difference, made.frame) == (None, theirs.frame)  # it is not wanted
    made.signed = True
    assert made.frame is None
    made.how = Alignment.SHARE
    assert made.frame is not None
    output = made.frame.arrays["reconstruction"]["output"]
    one, other = (np.float32(EXAMPLE.frame(n)["reconstruction"]["output"]) for n in (2, 4))
    np.testing.assert_array_equal(output, other - one)
    assert made.beside(range(4)) == (0, 2, 4, 6)


def test_the_samples_of_two_runs_are_compared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = both((0, 10), (0, 10), Alignment.STEP)
    first = made.headings
    monkeypatch.setattr(np, "array_equal", lambda *_, **__: pytest.fail("compared again"))
    made.runs[Side.B].grow(0, 10, 20)  # type: ignore[attr-defined]
    assert made.headings == first


def test_the_marks_lie_where_b_lies() -> None:
    made = both((0, 10, 20), (0, 20, 40), Alignment.SHARE)
    made.runs[Side.B].grow(0, 20, 40, saved=(30,))  # type: ignore[attr-defined]
    frames, saved = made.marks
    np.testing.assert_allclose(frames, [0, 10, 20])
    np.testing.assert_allclose(saved, [15])


def run_of(name: str, **info: object) -> Run:
    made = Run(Path(name))
    made.run = RunInfo(1, Path(name), EXAMPLE.header(), EXAMPLE.reference, info)
    return made


def test_headings_name_whatever_option_differs() -> None:
    """Of the training, of the model, and such as one run alone was given."""
    for name in RUN_OPTIONS:
        made = Comparison(run_of("vae-digits", **{name: 0.25}), run_of("vae-digits"))
        assert made.headings[0].title == f"{name} {worded(0.25)} · vae-digits"
    ours = run_of("vae-digits", params={"latent": 2, "beta": 1.0}, learning_rate=0.001)
    theirs = run_of("vae-digits", params={"latent": 2, "beta": 4.0}, learning_rate=0.002)
    titles = [heading.title for heading in Comparison(ours, theirs).headings]
    assert titles == [
        "beta 1 · learning_rate 0.001 · vae-digits",
        "beta 4 · learning_rate 0.002 · vae-digits",
    ]
    others = run_of("gan-mnist", params={"latent": 8, "shift": 2}, learning_rate=0.001)
    titles = [heading.title for heading in Comparison(ours, others).headings]
    assert titles == ["vae-digits · latent 2", "gan-mnist · latent 8"]
