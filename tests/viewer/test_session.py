"""The session between the reader's thread and the window."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from ed_viewer.messages import Growth
from ed_viewer.window import Window

pytestmark = pytest.mark.viewer


def test_of_all_growth_that_waits_the_newest_alone_is_shown(
    qtbot: QtBot, open_window: Callable[..., Window], finished: Path
) -> None:
    """A window that got no processor for a while does not work off what it has missed."""
    window = open_window(finished)
    session = window.session
    qtbot.waitUntil(lambda: session.growth is not None)
    assert session.growth is not None
    shown: list[int] = []
    session.grew.connect(lambda growth: shown.append(len(growth.steps)))

    def longer(frames: int) -> Growth:
        assert session.growth is not None
        when = np.arange(frames)
        return replace(session.growth, steps=when, epochs=when / 4, seconds=when / 2)

    missed = [longer(frames) for frames in range(100, 400)]
    for growth in missed:
        window.reader.grew.emit(growth)
    qtbot.waitUntil(lambda: session.growth is missed[-1])
    assert shown == [399]
    assert session.cursor.count == 399
