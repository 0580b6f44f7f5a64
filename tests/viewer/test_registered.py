"""Every panel on a real recording of every registered model."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ed_core.engine import installed_backends
from ed_viewer.page import OVERVIEW, TABS
from ed_viewer.panel import FALLBACK, PANELS
from ed_viewer.window import Window

pytestmark = pytest.mark.viewer

Open = Callable[..., Window]

ROOT = Path(__file__).parents[2]
MODELS = sorted(
    file.stem for file in (ROOT / "ed_plugins").glob("*.py") if "\n@model(" in file.read_text()
)
FRAMES = 3


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder a model, recorded by one process: the tests of the window load no Keras."""
    # torch starts fastest; without a compiler in between, a step or two are done at once.
    backend = max(installed_backends(), key=("tensorflow", "jax", "torch").index, default="")
    if not backend:
        pytest.skip("no backend is installed")
    folder = tmp_path_factory.mktemp("recordings")
    script = Path(__file__).parent / "record_models.py"
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    environment["OMP_NUM_THREADS"] = "1"  # batches of four are too small to share out
    command = [sys.executable, str(script), str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def test_all_models_are_recorded(recordings: Path) -> None:
    assert sorted(path.name for path in recordings.iterdir()) == MODELS
    assert len(MODELS) >= 18


@pytest.mark.parametrize("model", MODELS)
def test_every_panel_draws_a_recording_of(
    qtbot: QtBot,
    open_window: Open,
    recordings: Path,
    model: str,
    uncover: Callable[[Window], None],
) -> None:
    window = open_window(recordings / model)
    qtbot.waitUntil(lambda: window.session.cursor.count == FRAMES, timeout=30_000)
    qtbot.waitUntil(lambda: bool(window.stage.panels), timeout=30_000)
    titles = [window.stage.tabText(tab) for tab in range(window.stage.count())]
    assert set(titles) <= {OVERVIEW, *TABS}
    assert window.banner.isHidden()
    for frame in (FRAMES - 1, 0):
        for tab in range(window.stage.count()):
            window.stage.setCurrentIndex(tab)
            scrub(qtbot, window, frame)
            uncover(window)
            check(window)
        qtbot.keyClick(window, Qt.Key.Key_T)
        QApplication.processEvents()


def scrub(qtbot: QtBot, window: Window, frame: int) -> None:
    """Go to a frame and wait until it is drawn."""
    with qtbot.waitSignal(
        window.session.drawn, timeout=30_000, check_params_cb=lambda f: f.request.frame == frame
    ):
        window.session.scrub(frame)


def check(window: Window) -> None:
    """Assert that every panel is its kind's own, shows itself, and has drawn something."""
    assert window.stage.panels
    assert len({panel.source.probe.name for panel in window.stage.panels}) == len(
        window.stage.panels
    )
    for panel in window.stage.panels:
        assert not isinstance(panel, PANELS[FALLBACK]), panel.source.probe.kind
        assert panel.isVisible(), panel.source.probe.name  # else its notice is
        assert panel.toolTip() == ""
        picture = panel.grab().toImage()
        colours = np.unique(np.frombuffer(picture.constBits(), np.uint32)[::7])
        assert len(colours) > 20, panel.source.probe.name
