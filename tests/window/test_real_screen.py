"""What a real screen shows of the window, act by act, is what a full repaint shows.

Offscreen every picture is a repaint: what stays of an earlier frame is seen on a screen alone.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import patience

from ed_core.cli.display import _no_library

pytestmark = [pytest.mark.viewer, pytest.mark.screen, pytest.mark.waits]

ROOT = Path(__file__).parents[2]
DRIVE = Path(__file__).parents[1] / "support" / "drive_window.py"
SCENES = {
    "light": ("every_tab", "hidden", "held", "at_random", "others"),
    "dark": ("resized", "themed", "sheets", "compared", "at_random"),
}
"""Of the short form; in the long one both themes play all, with ten times the acts."""


@contextmanager
def running(*command: str, **env: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        command,
        env={**os.environ, **env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """The name of a screen with a window manager, which nothing else uses."""
    missing = [name for name in ("Xvfb", "openbox") if not shutil.which(name)]
    lack = f"{' and '.join(missing)} missing: apt install xvfb openbox" if missing else ""
    lack = lack or _no_library("xcb")
    if lack:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"no screen: {lack}")
    # It chooses a number that is free, and says it once it listens.
    with running("Xvfb", "-displayfd", "1", "-screen", "0", "1440x900x24") as server:
        assert server.stdout is not None
        number = server.stdout.readline().strip()
        assert number, "Xvfb started no screen"
        with running("openbox", "--sm-disable", DISPLAY=f":{number}"):
            yield f":{number}"


@pytest.mark.parametrize("theme", SCENES)
def test_every_pixel_is_that_of_a_full_repaint(
    theme: str, display: str, tmp_path: Path, long: bool
) -> None:
    every = dict.fromkeys(name for names in SCENES.values() for name in names)
    scenes, acts = (every, 1000) if long else (SCENES[theme], 100)
    seed = sorted(SCENES).index(theme)
    command = [sys.executable, str(DRIVE), str(tmp_path), theme, str(acts), str(seed), *scenes]
    env = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env=env,
        timeout=3000 if long else patience.OF_A_TEST - 60,
    )
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(said) >= acts // 10 + 40, "too little was compared"
    wrong = [one for one in said if one["pixels"]]
    assert not wrong, f"see {tmp_path}: {json.dumps(wrong, indent=1)}"
