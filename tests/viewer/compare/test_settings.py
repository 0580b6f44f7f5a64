"""How two runs are compared is kept for each model, beside its layout."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from ed_viewer.compare.feature import CompareFeature
from ed_viewer.session.alignment import Alignment
from ed_viewer.testing import Example, write_example
from ed_viewer.window.settings import Settings
from ed_viewer.window.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]


class OtherModel(Example):
    def header(self, run: Any = None) -> Any:
        return super().header({"model": "unet", **(run or {})})


def known(qtbot: QtBot, window: Window) -> CompareFeature:
    qtbot.waitUntil(lambda: window.session.run is not None)
    return window.findChild(CompareFeature)


def ways(part: CompareFeature) -> tuple[bool, Alignment]:
    return part.tools.shared.isChecked(), part.how


def test_the_ways_come_back_for_their_model_and_for_no_other(
    qtbot: QtBot, open_window: Open, finished: Path, shorter: Path, tmp_path: Path
) -> None:
    file = tmp_path / "config" / "window.json"
    window = open_window(finished, settings=Settings(file))
    part = known(qtbot, window)
    qtbot.keyClick(window, Qt.Key.Key_Y)
    assert ways(part) == (True, Alignment.STEP)  # of one run there is nothing to choose
    part.choose(shorter)
    qtbot.keyClick(window, Qt.Key.Key_Y)
    qtbot.keyClick(window, Qt.Key.Key_X)
    assert ways(part) == (False, Alignment.EPOCH)
    window.close()
    other = write_example(tmp_path / "more", OtherModel(samples=60, frames=3), frames=3)
    window = open_window(other, settings=Settings(file))
    part = known(qtbot, window)
    assert ways(part) == (True, Alignment.STEP)
    window.open(finished)
    qtbot.waitUntil(lambda: ways(part) == (False, Alignment.EPOCH))
    part.choose(shorter)
    assert part.pair is not None
    qtbot.keyClick(window, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert ways(part) == (True, Alignment.STEP)
    window.close()
    part = known(qtbot, open_window(finished, settings=Settings(file)))
    assert ways(part) == (True, Alignment.STEP)


def test_nonsense_that_was_kept_counts_as_nothing(
    qtbot: QtBot, open_window: Open, finished: Path
) -> None:
    settings = Settings()
    settings.set("sideways", "comparisons", "conv_vae", "at")
    settings.set("", "comparisons", "conv_vae", "scale")
    part = known(qtbot, open_window(finished, settings=settings))
    assert ways(part) == (True, Alignment.STEP)
