"""The backend that is taken: who may name it, in which order, and that it is said."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ed_core.command.shared import Startup
from ed_core.engine import choice
from ed_core.errors import EdkitError
from ed_core.recording import RunFolder

ROOT = Path(__file__).parents[2]
ALL = choice.BACKENDS


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A process that has not imported Keras, with some backends and a `keras.json`."""

    def prepare(installed=ALL, variable=None, kept=None):
        monkeypatch.setattr(choice, "running_backend", lambda: "")
        monkeypatch.setattr(choice, "find_spec", lambda name: name in installed or None)
        monkeypatch.setenv("KERAS_HOME", str(tmp_path))
        monkeypatch.setenv("KERAS_BACKEND", variable or "")
        if kept:
            (tmp_path / "keras.json").write_text(json.dumps({"floatx": "float32", "backend": kept}))

    return prepare


@pytest.mark.parametrize(
    ("installed", "name", "variable", "kept", "suited", "taken"),
    [
        (ALL, "torch", "tensorflow", "jax", "jax", "torch"),
        (ALL, None, "tensorflow", "torch", "jax", "tensorflow"),
        (ALL, None, None, "torch", "tensorflow", "torch"),
        (ALL, None, None, "jax", "tensorflow", "jax"),
        (("torch", "tensorflow"), None, None, "jax", "tensorflow", "tensorflow"),
        (ALL, None, None, "tensorflow", "jax", "jax"),
        (ALL, None, None, "tensorflow", "", "jax"),
        (("torch",), None, None, "tensorflow", "jax", "torch"),
        (("tensorflow",), None, None, None, "jax", "tensorflow"),
        (ALL, None, None, "openvino", "", "jax"),
        (ALL, None, None, None, "", "jax"),
    ],
)
def test_the_order(machine, capsys, installed, name, variable, kept, suited, taken):
    machine(installed, variable, kept)
    assert choice.choose_backend(name, suited=suited, why="the fastest") == taken
    assert os.environ["KERAS_BACKEND"] == taken
    said = capsys.readouterr().err
    assert said.count("\n") == (0 if name or variable else 1)  # what nobody named is said ...
    assert choice.choose_backend() == taken
    assert capsys.readouterr().err == ""  # ... once
    if said:
        assert said.startswith(f"edkit: backend {taken}, ")
        assert ("keras.json" in said) == (kept == taken)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"backend": 3}'])
def test_a_keras_json_that_says_nothing(machine, tmp_path, text):
    machine()
    (tmp_path / "keras.json").write_text(text)
    assert choice.choose_backend() == "jax"


@pytest.mark.parametrize(
    ("model", "taken"),
    [("unet", "tensorflow"), ("conv_vae", "tensorflow"), ("vae", "jax"), ("of_a_plugin", "jax")],
)
def test_the_command_takes_what_suits_the_model(machine, capsys, monkeypatch, model, taken):
    machine()
    monkeypatch.setattr(Startup, "plugin_files", lambda self: None)
    tuning = SimpleNamespace(wake=lambda: None)  # the real one imports Keras
    monkeypatch.setitem(sys.modules, "ed_core.engine.tuning", tuning)
    assert Startup().keras(model) == taken
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert ("fastest" in said) == (model != "of_a_plugin")


@pytest.mark.parametrize(
    ("installed", "option", "taken"),
    [(ALL, None, "torch"), (ALL, "jax", "jax"), (("jax", "tensorflow"), None, "tensorflow")],
)
def test_a_run_keeps_its_backend(machine, capsys, monkeypatch, tmp_path, installed, option, taken):
    run = RunFolder.create(tmp_path, "run")
    run.write({"model": "vae", "backend": "torch"})
    machine(installed, "tensorflow")
    monkeypatch.setattr("ed_core.command.shared.running_backend", lambda: "")
    tuning = SimpleNamespace(wake=lambda: None)  # the real one imports Keras
    monkeypatch.setitem(sys.modules, "ed_core.engine.tuning", tuning)
    startup = Startup()
    startup.settle(option, (), False, str(run.path))
    assert startup.keras() == taken
    assert ("KERAS_BACKEND does not" in capsys.readouterr().err) == (taken == "torch")


@pytest.mark.backend
def test_a_keras_json_that_keras_wrote_is_nobodys_choice(tmp_path):
    """What Keras writes at its first import, whatever it runs on; then one that a user changed."""
    environment = {**os.environ, "KERAS_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    installed = list(choice.installed_backends())
    environment["KERAS_BACKEND"] = installed[-1]
    subprocess.run([sys.executable, "-c", "import keras"], check=True, env=environment)
    file = tmp_path / "keras.json"
    written = json.loads(file.read_text())
    assert written["backend"] == "tensorflow"
    del environment["KERAS_BACKEND"]
    code = "import ed_core, keras; print(keras.config.backend())"  # no name of ours is used
    for kept in (None, "torch"):
        if kept in installed:
            file.write_text(json.dumps({**written, "backend": kept}))
        done = subprocess.run(
            [sys.executable, "-c", code],
            check=True,
            env=environment,
            capture_output=True,
            text=True,
        )
        expected = kept if kept in installed else installed[0]
        assert done.stdout == f"{expected}\n"
        assert sum(line.startswith("edkit: backend") for line in done.stderr.splitlines()) == 1


def test_importing_ed_core_imports_no_keras_and_names_no_backend():
    environment = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    code = "import ed_core, os, sys; print('keras' in sys.modules, 'KERAS_BACKEND' in os.environ)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("False False\n", "")


def test_a_backend_that_keras_does_not_run_on(monkeypatch):
    monkeypatch.setattr(choice, "running_backend", lambda: "torch")
    monkeypatch.setattr(choice, "find_spec", lambda name: True)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    with pytest.raises(EdkitError, match="Keras runs on 'torch' in this process; 'jax' needs"):
        choice.choose_backend("jax")
