"""The lecture's scripts: one runs for an epoch, all with --long; the others say their options."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support import patience

SCRIPTS = sorted(Path(__file__).parents[2].glob("scripts/lecture/*.py"))

pytestmark = [pytest.mark.backend, pytest.mark.once]


def run(script: Path, *arguments: object) -> str:
    command = [sys.executable, str(script), *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(script.parents[2])}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=patience.OF_A_PROCESS, env=environment
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_runs(script: Path, long: bool, tmp_path: Path) -> None:
    if not long and not script.stem.startswith("3"):
        assert "--epochs" in run(script, "--help")
        return
    data = () if long else ("--data", "digits")
    said = run(script, "--epochs", 1, *data, "--out", tmp_path)
    assert said.splitlines()[-1].startswith("figures: ")
    assert len([*tmp_path.rglob("*.png")]) > 5
