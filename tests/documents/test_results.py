"""The script of the results table: what counts as measured, what is trained again, what it says."""

import importlib
import itertools
import json
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts" / "results"


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script with two experiments, in a folder of its own, whose trainings only make one."""
    monkeypatch.syspath_prepend(SCRIPTS)
    for name in ("run", "plan", "experiment"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    script = importlib.import_module("run")
    kinds = importlib.import_module("experiment")
    base = kinds.Experiment("base", "", "vae", "mse")
    task = kinds.Experiment(
        "task", "a task", "classifier --encoder {base}", "accuracy", ("at least", 0.9),
        seeds=(0, 1), needs=("base",),
    )  # fmt: skip
    monkeypatch.setattr(script, "EXPERIMENTS", {"base": base, "task": task})
    monkeypatch.setattr(script, "GAINS", ())
    monkeypatch.setattr(script, "ROOT", tmp_path)
    monkeypatch.setattr(script, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(script, "PAGE", tmp_path / "results.md")
    script.PAGE.write_text(f"before\n{script.BEGIN}old\n{script.END}after\n")
    script.made, numbers = [], itertools.count(1)

    def edkit(arguments: str, environment: dict[str, str]) -> str:
        if arguments.startswith("evaluate"):
            return json.dumps({"mse": 0.1, "accuracy": 0.85})
        script.made.append(arguments)
        run = f"runs/{next(numbers)}"
        (tmp_path / run).mkdir(parents=True)
        return run

    monkeypatch.setattr(script, "_edkit", edkit)
    return script


def measure(script: Any, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[str]:
    """Run the script; return the models that were trained, with the encoder of each."""
    script.made.clear()
    monkeypatch.setattr(sys, "argv", ["results.py", *arguments])
    assert script.main() == 0
    return [made.split(" --seed")[0].removeprefix("train ") for made in script.made]


def test_it_goes_on_and_says_what_is_not_reached(
    results: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = measure(results, monkeypatch, "task")
    assert made == ["vae", "classifier --encoder runs/1", "classifier --encoder runs/1"]
    assert measure(results, monkeypatch) == []
    text = results.PAGE.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "| a task | 0.85 ± 0.00, not reached | at least 0.90 |" in text
    assert "old" not in text


def test_a_number_says_on_which_machine_it_was_made(
    results: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(results, monkeypatch, "task", "--seeds", "1")
    assert "seed 0, 0.1 min |" in results.PAGE.read_text(), "two cores go without saying"
    measure(results, monkeypatch, "task", "--machine", "a large one")
    assert "seeds 0, 1, 0.1 min each, on a large one |" in results.PAGE.read_text()


def test_a_run_that_is_gone_is_trained_again_only_where_it_is_needed(
    results: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    measure(results, monkeypatch, "task", "--seeds", "1")
    known = json.loads(results.RESULTS.read_text())
    (tmp_path / known["base"]["0"]["run"]).rmdir()
    assert measure(results, monkeypatch, "base") == []
    assert measure(results, monkeypatch, "--table") == []
    (tmp_path / known["task"]["0"]["run"]).rmdir()
    assert measure(results, monkeypatch, "task")[0] == "vae"
    assert len(results.made) == 2, "the first seed counts although its run is gone"


def test_a_number_of_another_command_does_not_count(
    results: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(results, monkeypatch)
    known = json.loads(results.RESULTS.read_text())
    known["task"]["1"]["command"] += " --epochs 3"
    results.RESULTS.write_text(json.dumps(known))
    assert len(measure(results, monkeypatch)) == 1


def test_a_stop_while_writing_loses_nothing(results: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    measure(results, monkeypatch, "base")
    before = [path.read_text() for path in (results.RESULTS, results.PAGE)]
    write = Path.write_text

    def stopped(path: Path, text: str, *rest: Any) -> None:
        write(path, text[: len(text) // 2], *rest)
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", stopped)
    for arguments in (["task"], ["--table"]):
        with pytest.raises(KeyboardInterrupt):
            measure(results, monkeypatch, *arguments)
    assert [path.read_text() for path in (results.RESULTS, results.PAGE)] == before
