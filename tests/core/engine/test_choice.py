"""The backend that is taken: who may name it, in which order, and that it is said."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ed_core.cli.start import Startup
from ed_core.engine import backend_table, choice
from ed_core.errors import EdkitError
from ed_core.recording import RunFolder

ROOT = Path(__file__).parents[3]
ALL = choice.BACKENDS


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A process that has not imported Keras, with some backends and a `keras.json`."""

    def prepare(installed=ALL, variable=None, kept=None):
        monkeypatch.setattr(choice, "running_backend", lambda: "")
        monkeypatch.setattr(choice, "find_spec", lambda name: name in installed or None)
        monkeypatch.setenv("KERAS_HOME", str(tmp_path))
        monkeypatch.setenv("KERAS_BACKEND", variable or "")
        monkeypatch.setattr(choice, "_reasons", {})
        monkeypatch.setattr(backend_table, "user_cache_dir", lambda _: str(tmp_path / "cache"))
        for name in ALL:  # other tests may have imported some
            monkeypatch.delitem(sys.modules, name, raising=False)
        if kept:
            (tmp_path / "keras.json").write_text(json.dumps({"floatx": "float32", "backend": kept}))

    return prepare


@pytest.mark.parametrize(
    ("installed", "name", "variable", "kept", "suited", "taken"),
    [
        (ALL, "torch", "tensorflow", "jax", "jax", "torch"),
        (ALL, "auto", "tensorflow", "torch", "jax", "tensorflow"),
        (ALL, "auto", None, "torch", "tensorflow", "tensorflow"),
        (("torch",), "auto", None, None, "tensorflow", "torch"),
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
    silent = name in ALL or (variable and not name)
    assert said.count("\n") == (0 if silent else 1)  # what nobody named is said ...
    assert choice.choose_backend(name) == choice.choose_backend() == taken
    assert capsys.readouterr().err == ""  # ... once
    if said:
        assert said.startswith(f"edkit: backend {taken}, {choice.reason_for(taken)}")
        assert ("keras.json" in said) == (kept == taken)
    else:
        assert choice.reason_for(taken) == f"named by {'--backend' if name else 'KERAS_BACKEND'}"


@pytest.mark.parametrize(("kept", "taken"), [("openvino", ""), ("torch", "torch"), (None, "jax")])
def test_whoever_imports_keras_has_the_backend_that_keras_json_names(machine, kept, taken):
    """Also one that edkit does not know."""
    machine(kept=kept)
    choice.settle_backend()
    assert os.environ["KERAS_BACKEND"] == taken


@pytest.mark.parametrize(
    ("kept", "imported", "taken"),
    [
        ("torch", ["tensorflow"], "torch"),
        (None, ["torch"], "torch"),
        (None, ["jax", "tensorflow"], "tensorflow"),  # as TensorFlow leaves it
        (None, ["jax", "torch"], "tensorflow"),
    ],
)
def test_what_is_imported_already_is_taken(machine, capsys, monkeypatch, kept, imported, taken):
    machine(kept=kept)
    for name in imported:
        monkeypatch.setitem(sys.modules, name, SimpleNamespace())
    assert choice.choose_backend(suited="tensorflow", why="the fastest") == taken
    said = capsys.readouterr().err
    assert ("imported already" in said) == (not kept and taken in imported)


def test_keras_that_tensorflow_imports_runs_on_it(tmp_path):
    """In whatever order; here are all three, of a line each."""
    for name, code in {
        "jax": "",
        "tensorflow": "import jax, keras",
        "keras": "import os; found = os.environ['KERAS_BACKEND']; from keras import saving",
        "keras/saving": "known = {}; get_custom_objects = lambda: known",
    }.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(code)
    environment = {k: v for k, v in os.environ.items() if k != "KERAS_BACKEND"}
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    code = "import ed_core, tensorflow, keras; print(keras.found, *keras.saving.known)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env={**environment, "PYTHONPATH": path, "KERAS_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    backend, *known = done.stdout.split()
    assert backend == "tensorflow"
    assert "ed_core>Objective" in known  # in the table before anything of ours that needs Keras
    assert "which is imported already" in done.stderr


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


@pytest.mark.parametrize("model", ["unet", "of_a_plugin"])
@pytest.mark.parametrize(
    ("rates", "versions", "taken"),
    [
        ({"jax": [1.0], "torch": [3.0], "tensorflow": [2.0]}, {}, "torch"),
        ({"jax": [3.0], "tensorflow": [2.0]}, {}, "jax"),
        ({"jax": [3.0], "torch": [1.0], "tensorflow": [2.0]}, {"keras": "3.0"}, ""),
        ({}, {}, ""),
        (None, {}, ""),
    ],
)
def test_the_table_of_this_machine_counts_before_the_rule(
    machine, capsys, monkeypatch, model, rates, versions, taken
):
    machine()
    tuning = SimpleNamespace(wake=lambda: None)  # the real one imports Keras
    monkeypatch.setitem(sys.modules, "ed_core.engine.tuning", tuning)
    table = backend_table.new_table()
    table["versions"] |= versions
    if rates is not None:
        table["models"][model] = backend_table.entry("digits", rates, {})
    backend_table.keep_table(table)
    startup = Startup()
    startup.settle("auto", (), False)
    by_rule = "tensorflow" if model == "unet" else "jax"
    assert startup.keras(model) == (taken or by_rule)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert ("by edkit bench of" in said) == bool(taken)
    assert ("of other versions than are installed" in said) == bool(versions)


@pytest.mark.parametrize(
    ("installed", "option", "variable", "resumed", "taken"),
    [
        (ALL, None, "tensorflow", True, "torch"),
        (ALL, "jax", "tensorflow", True, "jax"),
        (ALL, "auto", "tensorflow", True, "torch"),
        (ALL, "auto", None, False, "torch"),
        (("jax", "tensorflow"), None, "tensorflow", True, "tensorflow"),
        (ALL, None, "tensorflow", False, "tensorflow"),
        (ALL, "jax", None, False, "jax"),
        (ALL, None, None, False, "torch"),
        (("jax", "tensorflow"), None, None, False, "jax"),
    ],
)
def test_a_run_keeps_its_backend(
    machine, capsys, monkeypatch, tmp_path, installed, option, variable, resumed, taken
):
    """One that is measured or drawn only where KERAS_BACKEND names no other."""
    run = RunFolder.create(tmp_path, "run")
    run.write({"model": "vae", "backend": "torch"})
    machine(installed, variable)
    monkeypatch.setattr("ed_core.cli.start.running_backend", lambda: "")
    tuning = SimpleNamespace(wake=lambda: None)  # the real one imports Keras
    monkeypatch.setitem(sys.modules, "ed_core.engine.tuning", tuning)
    startup = Startup()
    startup.settle(option, (), False, str(run.path) if resumed else None)
    assert startup.keras(run=None if resumed else str(run.path)) == taken
    overruled = resumed and taken == "torch"
    assert ("KERAS_BACKEND does not" in capsys.readouterr().err) == overruled


@pytest.mark.backend
@pytest.mark.once
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
    code = "import os, sys; before = {*sys.modules}; import ed_core; new = {*sys.modules} - before;"
    code += "print('keras' in new, 'importlib.metadata' in new, 'KERAS_BACKEND' in os.environ)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert (done.stdout, done.stderr) == ("False False False\n", "")


def test_a_backend_that_keras_does_not_run_on(monkeypatch):
    monkeypatch.setattr(choice, "running_backend", lambda: "torch")
    monkeypatch.setattr(choice, "find_spec", lambda name: True)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    with pytest.raises(EdkitError, match="Keras runs on 'torch' in this process; 'jax' needs"):
        choice.choose_backend("jax")
