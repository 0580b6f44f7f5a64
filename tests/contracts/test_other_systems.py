"""Systems that lack what POSIX has: a finished recording opens there, and is drawn and measured."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import patience

from ed_core.recording import RunFolder
from ed_core.recording.control import Request, ask, forget_requests, read_requests

ROOT = Path(__file__).parents[2]
# Read by every process that starts: what Windows lacks is not there for a module of ours.
WITHOUT = """
import builtins, os, signal, sys, types

LACKS = {
    "os": ("pread", "uname", "O_NONBLOCK", "O_DIRECTORY", "mkfifo", "getuid", "fork", "sysconf"),
    "signal": ("SIGHUP", "SIGALRM", "SIGKILL", "setitimer", "ITIMER_REAL", "alarm"),
}

class Less(types.ModuleType):
    def __getattr__(self, name):
        if name in LACKS[self.__name__]:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(sys.modules[self.__name__], name)

less, whole = {name: Less(name) for name in LACKS}, builtins.__import__

def without(name, namespace=None, *rest, **more):
    if not str((namespace or {}).get("__name__")).startswith("ed_"):
        return whole(name, namespace, *rest, **more)
    if name in ("fcntl", "resource"):
        raise ModuleNotFoundError(f"No module named {name!r}")
    return less.get(name) or whole(name, namespace, *rest, **more)

builtins.__import__ = without
print("without POSIX", file=sys.stderr)
"""
READ = """
import sys
from ed_core.recording import Recording
with Recording(sys.argv[1]) as recording:  # tried in a child process first
    assert (recording.state, recording.problem) == ("finished", "")
    assert recording.header
    for probe in recording.header.probes:
        recording.read(probe.name, len(recording) - 1)
    print(len(recording), len(recording.reference()))
"""


@pytest.fixture
def run(tmp_path: Path) -> Path:
    path: Path = shutil.copytree(ROOT / "tests" / "legacy" / "vae", tmp_path / "vae")
    return path


def started(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Start Python where POSIX is missing."""
    site = tmp_path / "site"
    site.mkdir(exist_ok=True)
    (site / "sitecustomize.py").write_text(WITHOUT)
    path = os.pathsep.join([str(site), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path, "QT_QPA_PLATFORM": "offscreen"}
    environment.pop("KERAS_BACKEND", None)
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        timeout=patience.OF_A_PROCESS,
        env=environment,
    )
    assert "without POSIX" in done.stderr
    assert done.returncode == 0, done.stderr[-3000:]
    return done


def test_a_finished_recording_is_read(tmp_path: Path, run: Path) -> None:
    frames, fields = started(tmp_path, "-c", READ, str(run)).stdout.split()
    assert int(frames) > 1
    assert int(fields) > 0


@pytest.mark.viewer
def test_a_finished_recording_is_drawn(tmp_path: Path, run: Path) -> None:
    picture = tmp_path / "run.png"
    started(tmp_path, "-m", "ed_core.cli", "view", str(run), "--export", str(picture))
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.backend
def test_a_finished_run_is_measured_and_another_trained(tmp_path: Path, run: Path) -> None:
    data = ["--data", f"arrays:path={ROOT / 'tests' / 'legacy' / 'pictures.npz'}"]
    done = started(tmp_path, "-m", "ed_core.cli", "evaluate", str(run), *data, "--json")
    assert json.loads(done.stdout)["mse"] > 0
    options = [*data, "--epochs", "1", "--out", str(tmp_path / "runs")]
    done = started(tmp_path, "-m", "ed_core.cli", "train", "vae", *options)
    assert "this system has no locks: do not train a second time in" in done.stderr
    (trained,) = (tmp_path / "runs").iterdir()
    assert RunFolder.open(trained).state() == "finished"


def test_without_locks_a_training_says_what_is_not_guarded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("folder", "control"):
        monkeypatch.setattr(f"ed_core.recording.{module}.HAS_LOCKS", False)
    monkeypatch.setattr("ed_core.recording.system.fcntl", None)
    folder = RunFolder.create(tmp_path, "m")
    folder.write({"status": "training"})
    with pytest.warns(UserWarning, match="this system has no locks: do not train a"):
        folder.hold().__enter__()
    assert folder.state() == "unknown"
    ask(folder.control, Request("pause"))
    assert [one.kind for one in read_requests(folder.control)[0]] == ["pause"]
    forget_requests(folder.control)
    assert not folder.control.exists()
