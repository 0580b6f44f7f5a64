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
from typing import Any

import pytest
from support import patience

from ed_core.cli.display import _no_library

pytestmark = [pytest.mark.viewer, pytest.mark.screen, pytest.mark.waits]

ROOT = Path(__file__).parents[2]
SUPPORT = Path(__file__).parents[1] / "support"
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


def need(*programs: str) -> None:
    """Skip a test where programs are missing; fail it in CI."""
    missing = [name for name in programs if not shutil.which(name)]
    if missing:
        give_up(f"{' and '.join(missing)} missing: apt install xvfb openbox xdotool")


def give_up(lack: str) -> None:
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(f"no screen: {lack}")


@pytest.fixture(scope="module")
def display() -> Iterator[str]:
    """The name of a screen with a window manager, which nothing else uses."""
    need("Xvfb", "openbox")
    if lack := _no_library("xcb"):
        give_up(lack)
    # It chooses a number that is free, and says it once it listens.
    with running("Xvfb", "-displayfd", "1", "-screen", "0", "1440x900x24") as server:
        assert server.stdout is not None
        number = server.stdout.readline().strip()
        assert number, "Xvfb started no screen"
        with running("openbox", "--sm-disable", DISPLAY=f":{number}"):
            yield f":{number}"


def shown(display: str, script: str, *words: object, timeout: float) -> list[dict[str, Any]]:
    """Return what a script says, line by line, that has a window of its own on the screen."""
    done = subprocess.run(
        [sys.executable, str(SUPPORT / script), *map(str, words)],
        capture_output=True,
        text=True,
        env={**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "PYTHONPATH": str(ROOT)},
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("theme", SCENES)
def test_every_pixel_is_that_of_a_full_repaint(
    theme: str, display: str, tmp_path: Path, long: bool
) -> None:
    every = dict.fromkeys(name for names in SCENES.values() for name in names)
    scenes, acts = (every, 1000) if long else (SCENES[theme], 100)
    seed = sorted(SCENES).index(theme)
    said = shown(
        *(display, "drive_window.py", tmp_path, theme, acts, seed, *scenes),
        timeout=3000 if long else patience.OF_A_PROCESS,
    )
    assert len(said) >= acts // 10 + 40, "too little was compared"
    wrong = [one for one in said if one["pixels"]]
    assert not wrong, f"see {tmp_path}: {json.dumps(wrong, indent=1)}"


def test_a_file_is_dropped_where_the_mouse_lets_it_go(display: str, tmp_path: Path) -> None:
    need("xdotool")
    said = shown(display, "drop_files.py", tmp_path, timeout=patience.OF_A_PROCESS)
    assert [one["on"] for one in said] == ["panel", "line", "dialog", "results"]
    *inputs, results = said
    for one in inputs:  # the input, and a new folder beside it
        path = Path(one["path"])
        verb = Path(one["fields"][1]).name.removeprefix(f"{path.stem}-")
        assert one["fields"] == [str(path), str(path.with_name(f"{path.stem}-{verb}"))]
        assert verb.isalpha()
    source, folder = results["fields"]  # a new folder beside the file that was dropped there
    assert source == inputs[-1]["path"]
    assert Path(folder).parent == Path(results["path"]).parent
    assert Path(folder).name.startswith(f"{Path(source).stem}-")
