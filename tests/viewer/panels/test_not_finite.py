"""A network that has diverged is shown as one."""

from collections.abc import Callable

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from ed_viewer.curves.data import CurveTable
from ed_viewer.panels.base import Panel
from ed_viewer.panels.host import PanelHost
from ed_viewer.reading.messages import Frame, FrameRequest

pytestmark = pytest.mark.viewer

Make = Callable[..., Panel]


@pytest.fixture
def said(qtbot: QtBot, make: Make) -> Callable[..., str]:
    """Return the caption of a panel when the window draws a frame in it."""

    def caption(kind: str, arrays: dict[str, np.ndarray], *known: dict) -> str:
        host = PanelHost(make(kind, arrays, *known).source)
        qtbot.addWidget(host)
        host.show_frame(Frame(FrameRequest(1, 1, 0, (kind,)), {kind: arrays}))
        return host.panel.caption.text

    return caption


def test_what_is_not_finite_is_said_and_never_taken_for_a_number(said: Callable[..., str]) -> None:
    """A network that has diverged is not one without errors, nor one whose channels are dead."""
    images, nothing = np.ones((4, 6, 6, 1), "f4"), np.full((4, 6, 6, 1), np.nan, "f4")
    known = ({"image": images}, {}, {"field": "image"})
    words = said("reconstruction", {"output": nothing}, *known)
    assert words.startswith("144 of 144 values not finite · mean squared error – of 4 samples")
    partly = np.where(np.arange(4)[:, None, None, None] == 0, np.nan, 3 * images).astype("f4")
    words = said("reconstruction", {"output": partly}, *known)
    assert words.startswith("36 of 144 values not finite · mean squared error 4 of 4 samples")
    assert "finite" not in said("reconstruction", {"output": images}, *known)
    maps = np.full((4, 6, 6, 3), np.nan, "f4")
    maps[..., 0] = 0.0
    words = said("activations", {"conv": maps})
    assert words.startswith("288 of 432 values not finite")
    assert "1 of 3 channels silent" in words


def test_samples_without_a_finite_code_are_not_drawn(make: Make) -> None:
    codes = np.random.default_rng(0).normal(size=(30, 2)).astype("f4")
    codes[::3] = np.nan
    made = make("latent_codes", {"codes": codes}, {}, {}, {"label": None})
    assert len(made.scatter.points.points) == 20
    left, right, *_ = made.scatter.limits
    assert right - left < 12
    made.show_frame({"codes": np.full((30, 2), np.nan)})
    assert len(made.scatter.points.points) == 0


def test_a_sample_without_finite_probabilities_has_no_class(make: Make) -> None:
    likely = np.eye(3, dtype="f4")
    likely[1] = np.nan
    fields = {"label": {"kind": "class", "classes": ["a", "b", "c"]}}
    options = {"target": "label", "output": "label"}
    made = make("predictions", {"probabilities": likely}, {"label": np.arange(3)}, fields, options)
    assert made.caption.text == "accuracy 100.0 % (2 samples) · 1 not finite left out"


def test_a_loss_that_is_not_finite_is_told_from_one_that_was_not_measured() -> None:
    nan, inf = float("nan"), float("inf")
    columns = {
        "loss": np.array([3.0, 2.0, nan, inf]),
        "image_loss": np.array([1.0, nan, nan, 5.0]),
        "val_loss": np.array([nan, 4.0, nan, nan]),
    }
    table = CurveTable(np.array([0.0, 10.0, 20.0, 30.0]), columns)
    assert [table.diverged("loss", place) for place in (-5, 5, 15, 25, 35)] == [
        False, False, False, True, True,
    ]  # fmt: skip
    assert [table.diverged("image_loss", place) for place in (5, 15, 25, 35)] == [
        False, False, True, False,
    ]  # fmt: skip
    assert table.at("image_loss", 15) == 1.0
    assert table.at("val_loss", 35) == 4.0
    assert not table.diverged("unknown", 35)
    first = CurveTable(np.array([0.0, 10.0]), {"loss": np.array([nan, 1.0])})
    assert not first.diverged("loss", 5)  # a row before any step
    never = CurveTable(np.array([0.0]), {"loss": np.array([nan])})
    assert not never.diverged("loss", 5)
