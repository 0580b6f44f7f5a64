"""Where no window can be opened, one line says why: Qt would abort."""

import ctypes
import subprocess
import sys
from pathlib import Path

import pytest
from support import patience

from ed_core.cli import display, main

pytestmark = pytest.mark.viewer

_NAMES = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")


def view(run: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """Return the one line that the command says instead of a window."""
    assert main(["view", str(run)]) == 2
    said = capfd.readouterr().err
    assert said.count("\n") == 1
    return said


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "there is no display; 'edkit figures RUN' draws"),
        ({"QT_QPA_PLATFORM": "xcb"}, "there is no display; "),
        ({"DISPLAY": ":987"}, "no display answers at DISPLAY=:987; "),
        ({"DISPLAY": "nonsense"}, "no display answers at DISPLAY=nonsense; "),
        (
            {"QT_QPA_PLATFORM": "wayland:scale=2", "WAYLAND_DISPLAY": "wayland-987"},
            "no display answers at WAYLAND_DISPLAY=wayland-987; ",
        ),
    ],
)
def test_a_display_that_is_not_there_is_told(
    finished: Path,
    given: dict[str, str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name in _NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert words in view(finished, capfd)
    assert not display.has_display()


def test_the_module_is_the_command(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DISPLAY", ":987")
    command = [sys.executable, "-m", "ed_viewer", str(finished)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience.SECONDS)
    assert done.returncode == 2
    assert done.stderr.startswith("edkit: no display answers at DISPLAY=:987; ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("library", "package"),
    [("libxcb-cursor.so.0", "libxcb-cursor0"), ("libdbus-1.so.3", "libdbus-1-3")],
)
def test_a_library_that_is_missing_is_named_with_its_package(
    finished: Path,
    library: str,
    package: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def load(name: str) -> None:
        raise OSError(f"{library}: cannot open shared object file: No such file or directory")

    monkeypatch.setattr(ctypes, "CDLL", load)
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    assert f"the window needs {library}: apt install {package}; " in view(finished, capfd)
