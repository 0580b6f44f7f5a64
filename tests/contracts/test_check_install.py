"""The script that tries the wheel: nothing reaches the environment that it is called from."""

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "check_install"


@pytest.mark.parametrize("there", [False, True])
def test_only_its_own_environment_is_used(there, tmp_path, monkeypatch):
    """Where there is no such Python, nothing else is run; else all by its path."""
    loader = SourceFileLoader("check_install", str(SCRIPT))
    script = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(script)
    called = []

    def run(words, work, environment):
        called.append(words)
        assert "PIP_TARGET" not in environment
        return "", "ok" if there else "FileNotFoundError"

    monkeypatch.setattr(script, "_run", run)
    monkeypatch.setenv("PIP_TARGET", str(tmp_path / "elsewhere"))
    rows = script.check(tmp_path, Path("edkit.whl"), "python", "jax", "pinned", True)
    assert called[0][:3] == ("python", "-m", "venv")
    assert len(called) == len(rows)
    assert (len(rows) > 5) == there
    for program, *_ in called[1:]:
        assert Path(program).parent == Path(called[0][3]) / "bin"
