"""The lecture's scripts: each says how it is called; with --long each runs for an epoch."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

SCRIPTS = sorted(Path(__file__).parents[1].glob("scripts/lecture_*.py"))

pytestmark = [
    pytest.mark.backend,
    pytest.mark.skipif(keras.config.backend() != "jax", reason="on one backend is enough"),
]


def run(script: Path, *arguments: object) -> str:
    command = [sys.executable, str(script), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(script.parents[1])}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_there_are_five() -> None:
    assert [script.stem[:9] for script in SCRIPTS] == [f"lecture_{n}" for n in range(1, 6)]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_runs(script: Path, long: bool, tmp_path: Path) -> None:
    if not long:
        assert "--epochs" in run(script, "--help")
        return
    said = run(script, "--epochs", 1, "--out", tmp_path)
    assert said.splitlines()[-1].startswith("figures: ")
    assert len([*tmp_path.rglob("*.png")]) > 5
