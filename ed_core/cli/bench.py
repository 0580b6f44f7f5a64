"""`edkit bench`: the samples a second of each installed backend on this machine."""

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, redirect_stdout
from typing import Any

import click

from ed_core.cli.start import DEBUG, PLUGIN, startup
from ed_core.errors import EdkitError, one_line

_START_UP = 8.0  # seconds of a backend, with compiling and the warm-up
_DEADLINE = 300.0  # seconds for whatever is waited for
_RATE = "samples a second: "


@click.command()
@click.argument("models", nargs=-1, metavar="[MODEL ...]")
@click.option(
    "--rounds",
    default=3,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="Of each backend, in turn with the others.",
)
@click.option("--kept", is_flag=True, help="Print what was measured before; measure nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--answer", is_flag=True, hidden=True)
@DEBUG
@PLUGIN
def bench(models: Sequence[str], rounds: int, kept: bool, as_json: bool, answer: bool) -> None:
    """Measure how fast each installed backend trains here, and keep it for `--backend auto`.

    Without a name, all models are measured: each on its own data, one process a backend.
    """
    if answer:
        _answer(models[0])
        return
    from ed_core.engine.backend_table import read_table

    names = _names(models)
    table = read_table() if kept else _measured_table(names, rounds)
    shown = {name: table["models"][name] for name in names if name in table["models"]}
    if as_json:
        print(json.dumps({**table, "models": shown}, allow_nan=False))
    else:
        _print(shown, table["versions"])


def _names(models: Sequence[str]) -> list[str]:
    """Return the models that are asked for, all where none is, each once."""
    from ed_core.plugins.decorators import MODELS

    startup.keras(told=False)
    return [MODELS[name].name for name in dict.fromkeys(models)] or [*MODELS]


def _measured_table(names: Sequence[str], rounds: int) -> dict[str, Any]:
    """Measure some models, and keep the table after each."""
    from ed_core.engine import backend_table, installed_backends

    backends = [*installed_backends()]
    table = _table_before()
    seconds = sum(
        table["models"].get(name, {}).get("seconds") or _expected(len(backends), rounds)
        for name in names
    )
    many = f"{len(names)} models" if len(names) > 1 else names[0]
    _say(f"Measuring {many} on {', '.join(backends)}: about {seconds:,.0f} s.")
    _say_if_busy()
    backend_table.keep_table(table)  # before minutes are spent on what cannot be written
    for name in names:
        began = time.monotonic()
        entry = _measured(name, backends, rounds)
        entry["seconds"] = round(time.monotonic() - began, 1)
        table = _table_before()  # another `edkit bench` may have added to it
        table["models"][name] = entry
        path = backend_table.keep_table(table)
        _say(f"{name}: {_words(entry)}")
    _say(f"Kept in {path}")
    return table


def _table_before() -> dict[str, Any]:
    """Return the table so far; what cannot be used is said, and begun anew."""
    from ed_core.engine.backend_table import new_table, read_table

    try:
        return read_table()
    except EdkitError as error:
        _say(f"Beginning a new table: {str(error).rpartition(';')[0]}.")
        return new_table()


def _say_if_busy() -> None:
    """Say where other programs take so much of the processors that they decide what is measured."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    many = os.cpu_count() or 1
    if load > many / 2:
        _say(f"Other programs keep {load:.1f} of {many} processors busy: better wait for them.")


def _expected(backends: int, rounds: int) -> float:
    from ed_core.engine.backend_table import ROUND

    return backends * (_START_UP + rounds * ROUND)


def _measured(model: str, backends: Sequence[str], rounds: int) -> dict[str, Any]:
    """Return what the table holds of a model: every backend has its turn in each round."""
    from ed_core.engine.backend_table import entry
    from ed_core.plugins.decorators import MODELS

    rates: dict[str, list[float]] = {}
    problems: dict[str, str] = {}
    with ExitStack() as stack:
        trainings = {name: stack.enter_context(TrainingProcess(model, name)) for name in backends}
        for number in range(rounds + 1):
            shift = number % len(backends)
            for name in [*backends[shift:], *backends[:shift]]:
                if name in problems:
                    continue
                try:
                    rate = trainings[name].rate()
                except EdkitError as error:
                    problems[name] = str(error)
                    continue
                if number:  # the first is the warm-up
                    rates.setdefault(name, []).append(rate)
    whole = {name: rates[name] for name in backends if name not in problems}
    return entry(MODELS[model].data, whole, problems)


class TrainingProcess:
    """A training of one model on one backend in a process of its own, which goes on when asked.

    Use as a context manager: the process ends with the block.

    Args:
        model: the name of a model.
        backend: that it runs on.
    """

    def __init__(self, model: str, backend: str) -> None:
        self.command = [sys.executable, "-m", "ed_core.cli", "bench", "--answer", model]
        self.command += startup.plugins
        self._environment = {
            **os.environ,
            "KERAS_BACKEND": backend,
            # Of a GPU each takes what it needs: the processes of all backends live at once.
            "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
            "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        }
        self._warm = False

    def __enter__(self) -> "TrainingProcess":
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self.command,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.kill()
        self._process.communicate()
        self._errors.close()

    def rate(self) -> float:
        """Return the samples a second of one more round, the first time of the warm-up.

        Raises:
            EdkitError: the process has ended, or takes too long.
        """
        late = threading.Timer(_DEADLINE, self._process.kill)
        late.start()
        try:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            if self._warm:
                self._process.stdin.write("\n")
                self._process.stdin.flush()
            self._warm = True
            lines = iter(self._process.stdout.readline, "")  # libraries may print as well
            line = next((line for line in lines if line.startswith(_RATE)), "")
        except OSError:  # it has ended
            line = ""
        finally:
            in_time = late.is_alive()
            late.cancel()
        if not in_time:
            raise EdkitError(f"no answer in {_DEADLINE:.0f} s")
        if not line:
            raise EdkitError(self._last_words())
        return float(line.removeprefix(_RATE))

    def _last_words(self) -> str:
        """Return the last line that the process wrote before it ended."""
        status = self._process.wait(_DEADLINE)
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").split("\n")
        words = [line for line in lines if line.strip()]
        text = words[-1].removeprefix("edkit: ") if words else f"it ended with status {status}"
        return one_line(RuntimeError(text)).removeprefix("RuntimeError: ")


def _answer(model: str) -> None:
    """Train a model in this process: a line of the input asks for a round, one answers it."""
    answers = sys.stdout
    with redirect_stdout(sys.stderr):  # output of plugins
        startup.keras(model)
        from ed_core.training.rate import train_in_rounds

        def tell(rate: float) -> None:
            print(f"{_RATE}{rate}", file=answers, flush=True)

        train_in_rounds(model, lambda: bool(sys.stdin.readline()), tell)


def _words(entry: Mapping[str, Any]) -> str:
    """Return what was measured of a model in one line."""
    rates = [f"{name} {rate['median']:,.0f}" for name, rate in entry["rates"].items()]
    parts = [f"{', '.join(rates)} samples/s"] if rates else []
    failed: dict[str, list[str]] = {}
    for name, problem in entry["problems"].items():
        failed.setdefault(problem, []).append(name)
    parts += [f"{', '.join(names)} failed: {problem}" for problem, names in failed.items()]
    return "; ".join(parts)


def _print(models: Mapping[str, Any], versions: Mapping[str, str]) -> None:
    """Print the rates, and which backend is taken for each model."""
    from rich.console import Console
    from rich.table import Table

    if not models:
        raise EdkitError("nothing of these was measured yet: edkit bench MODEL measures.")
    backends = [name for name in versions if any(name in m["rates"] for m in models.values())]
    table = Table(title="samples a second", title_justify="left", box=None, header_style="bold")
    table.add_column("model", style="cyan", no_wrap=True)
    for name in backends:
        table.add_column(f"{name} {versions[name]}", justify="right")
    table.add_column("recommended", style="bold")
    for model, entry in models.items():
        rates = [_cell(entry["rates"].get(name)) for name in backends]
        table.add_row(model, *rates, entry["recommended"] or "none")
    console = Console(highlight=False)
    console.print(table)
    console.print(
        "edkit train takes the recommended one where neither --backend nor KERAS_BACKEND names "
        "another.",
        soft_wrap=True,
    )


def _cell(rate: Mapping[str, float] | None) -> str:
    """Return a rate with half of what lies between the lowest and the highest round."""
    if rate is None:
        return "-"
    spread = (rate["highest"] - rate["lowest"]) / 2 / max(rate["median"], 1e-9)
    return f"{rate['median']:,.0f} ± {spread:.0%}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
