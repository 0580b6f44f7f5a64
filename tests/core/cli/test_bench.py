"""`edkit bench`: what it measures in processes of its own, keeps, prints and recommends."""

import json
from importlib import import_module

import keras
import pytest

from ed_core import engine
from ed_core.cli import main
from ed_core.engine import backend_table

pytestmark = [pytest.mark.backend, pytest.mark.once]
bench = import_module("ed_core.cli.bench")
ANSWER = "print('samples a second: 5.0', flush=True); "


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """This process's backend alone is installed, and the cache is empty."""
    name = keras.config.backend()
    version = engine.installed_backends()[name]
    for module in (engine, backend_table):
        monkeypatch.setattr(module, "installed_backends", lambda: {name: version})
    monkeypatch.setattr(backend_table, "user_cache_dir", lambda _: str(tmp_path / "cache"))
    return name


def test_a_model_is_measured_and_kept(alone, capfd):
    assert main(["bench", "vae", "--rounds", "1", "--json"]) == 0
    printed = capfd.readouterr()
    table = json.loads(printed.out)
    assert "Measuring vae on" in printed.err.splitlines()[0]
    assert "about" in printed.err.splitlines()[0]
    rates = table["models"]["vae"]["rates"]
    assert [*rates] == [alone]
    assert 0 < rates[alone]["lowest"] <= rates[alone]["median"] <= rates[alone]["highest"]
    assert backend_table.fastest("vae")[0] == alone
    assert main(["bench", "vae", "--kept"]) == 0
    line = capfd.readouterr().out.splitlines()[-2]
    assert line.split()[0] == "vae"
    assert line.split()[-1] == alone


def test_a_damaged_table_is_said_and_begun_anew(alone, capfd, monkeypatch):
    entry = backend_table.entry("digits", {alone: [5.0]}, {})
    monkeypatch.setattr(bench, "_measured", lambda *given: dict(entry))
    assert main(["bench", "vae"]) == 0
    assert main(["bench", "unet"]) == 0
    assert [*backend_table.read_table()["models"]] == ["vae", "unet"]
    backend_table.table_file().write_text("{")
    assert main(["bench", "--kept"]) == 2
    capfd.readouterr()
    assert main(["bench", "vae"]) == 0
    assert "Beginning a new table: " in capfd.readouterr().err
    assert [*backend_table.read_table()["models"]] == ["vae"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import sys; sys.exit('edkit: nothing is here.')", "nothing is here."),
        ("print('of a library'); raise SystemExit(3)", "it ended with status 3"),
        (f"{ANSWER}raise ValueError('no more')", "ValueError: no more"),
        (f"{ANSWER}import time; time.sleep(60)", "no answer in 1 s"),
    ],
)
def test_a_process_that_ends_or_hangs_is_a_problem_of_its_backend(
    alone, capfd, monkeypatch, code, words
):
    monkeypatch.setattr(bench, "_DEADLINE", 1.0 if "sleep" in code else 30.0)
    start = bench.TrainingProcess.__init__

    def begin(training, model, backend):
        start(training, model, backend)
        training.command[1:] = ["-c", code]

    monkeypatch.setattr(bench.TrainingProcess, "__init__", begin)
    assert main(["bench", "vae", "--rounds", "1"]) == 0
    printed = capfd.readouterr()
    assert f"vae: {alone} failed: {words}" in printed.err
    assert printed.out.splitlines()[-2].split()[-1] == "none"
    assert backend_table.fastest("vae") == ("", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["vea"], "vae"),
        (["--backend", "jax"], "--backend"),
        (["vae", "--kept"], "nothing of these was measured yet"),
        (["vae", "--rounds", "0"], "--rounds"),
    ],
)
def test_a_mistake_is_answered_in_a_line(alone, capfd, arguments, words):
    assert main(["bench", *arguments]) == 2
    assert words in capfd.readouterr().err.splitlines()[-1]
