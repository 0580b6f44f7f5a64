"""Make the table of docs/results.md: train, evaluate, write down; can be stopped and goes on.

    EDKIT_DATA=../shared/data python scripts/results/run.py [NAME ...]  what is missing, all or some
    python scripts/results/run.py --table                               the table of what is there

What is measured goes to docs/results.json, a number a seed, with the command and the machine that
made it: `edkit train ...`, then `edkit evaluate RUN --json`. A number counts as long as the plan
has its command and it was made in today's format of runs; its run folder may go, and is made anew,
number and all, when another experiment needs it. A number of an earlier format is kept beside the
new one, as `before`; until there is a new one, the table shows it with a mark.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from experiment import ABOVE_0, Experiment, Gain
from plan import EXPERIMENTS, GAINS
from scipy import stats

from ed_core.recording import written_whole
from ed_core.runs.earlier import FORMAT

ROOT = Path(__file__).parents[2]
RESULTS, PAGE = ROOT / "docs" / "results.json", ROOT / "docs" / "results.md"
MACHINE = "two CPU cores"
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->\n"


@dataclass(frozen=True)
class Job:
    """One training of an experiment: with one seed and, where it goes over classes, one class."""

    experiment: Experiment
    seed: int
    item: str = ""

    @property
    def key(self) -> str:
        """What it is called in docs/results.json."""
        return f"{self.seed}/{self.item}" if self.item else str(self.seed)

    @property
    def command(self) -> str:
        """Return the arguments of `edkit train`, `{name}` standing for a run."""
        train = self.experiment.train.replace("{item}", self.item)
        return f"{train} --seed {self.seed}"


def main() -> int:
    """Measure what is missing and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(EXPERIMENTS))
    parser.add_argument("--runs", default="runs/results", help="where the run folders are made")
    parser.add_argument("--seeds", type=int, help="at most so many seeds each")
    parser.add_argument("--machine", default=MACHINE, help="what the table calls this one")
    parser.add_argument("--table", action="store_true", help="only write the table")
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in EXPERIMENTS:
            parser.error(f"unknown experiment {name!r}; known: {', '.join(EXPERIMENTS)}")
    known = _still_true(json.loads(RESULTS.read_text()) if RESULTS.exists() else {})
    if not arguments.table:
        for job in _jobs(arguments.names or [*EXPERIMENTS], arguments.seeds):
            if not _is_new(known.get(job.experiment.name, {}).get(job.key)):
                _fill_in(job, arguments, known)
    _write_table(known)
    return 0


def _still_true(found: dict[str, Any]) -> dict[str, Any]:
    """Return what was measured with the commands that the plan has today."""
    commands = {
        name: {job.key: f"edkit train {job.command}" for job in _jobs([name])}
        for name in EXPERIMENTS
    }
    return {
        name: {key: one for key, one in some.items() if one["command"] == commands[name].get(key)}
        for name, some in found.items()
        if name in commands
    }


def _jobs(names: list[str], seeds: int | None = None) -> Iterator[Job]:
    """Yield the trainings of some experiments."""
    for name in names:
        experiment = EXPERIMENTS[name]
        for seed in experiment.seeds[:seeds]:
            for item in experiment.items or ("",):
                yield Job(experiment, seed, item)


def _fill_in(job: Job, chosen: argparse.Namespace, known: dict[str, Any]) -> None:
    """Measure one and write it down; first the runs that it needs and that are not there."""
    places = {"item": job.item}
    for name in job.experiment.needs:
        first = next(_jobs([name]))
        entry = known.get(name, {}).get(first.key)
        if not _is_new(entry) or not (ROOT / entry["run"]).is_dir():
            _fill_in(first, chosen, known)
        places[name] = known[name][first.key]["run"]
    found = known.setdefault(job.experiment.name, {})
    old = found.get(job.key)
    found[job.key] = _measure(job, chosen, places)
    if old is not None:
        found[job.key]["before"] = old.get("before", old["value"])
    _write(RESULTS, json.dumps(known, indent=1) + "\n")
    _write_table(known)


def _is_new(entry: dict[str, Any] | None) -> bool:
    """Tell whether a number was made in today's format of runs."""
    return entry is not None and entry.get("format", 1) >= FORMAT


def _measure(job: Job, chosen: argparse.Namespace, places: dict[str, str]) -> dict[str, Any]:
    """Train and evaluate; return the numbers, the seconds and the command."""
    experiment = job.experiment
    train = job.command.format(**places)
    print(f"edkit train {train}", flush=True)
    environment = {**os.environ, "KERAS_BACKEND": experiment.backend}
    start = time.monotonic()
    run = _edkit(f"train {train} --no-record --out {chosen.runs}", environment)
    seconds = time.monotonic() - start
    numbers = json.loads(
        _edkit(f"evaluate {run} --json {experiment.evaluate}".format(**places), environment)
    )
    value = numbers[experiment.figure]
    print(f"    {experiment.figure} {value:.5g} in {seconds:.0f} s: {run}", flush=True)
    others = {key: numbers[key] for key in experiment.beside if key in numbers}
    return {
        "value": value, "beside": others, "seconds": round(seconds),
        "machine": chosen.machine, "command": f"edkit train {job.command}", "run": run,
        "format": FORMAT,
    }  # fmt: skip


def _edkit(arguments: str, environment: dict[str, str]) -> str:
    command = [sys.executable, "-m", "ed_core.cli", *shlex.split(arguments)]
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    )
    return done.stdout.strip().splitlines()[-1]


def _write_table(known: dict[str, Any]) -> None:
    """Put the table between its marks in the page."""
    rows = ["| task | measured | goal | floor or mark | how |", "|---|---|---|---|---|"]
    rows += [
        _row(experiment, known[experiment.name])
        for experiment in EXPERIMENTS.values()
        if experiment.task and _by_seed(experiment, known.get(experiment.name, {}))
    ]
    rows += [row for gain in GAINS if (row := _gain_row(gain, known))]
    text = PAGE.read_text()
    head, rest = text.split(BEGIN)
    _write(PAGE, f"{head}{BEGIN}{chr(10).join(rows)}\n{END}{rest.split(END)[1]}")


def _write(path: Path, text: str) -> None:
    """Write a file whole: it holds the work of days, and the script is stopped at any moment."""
    with written_whole(path) as part:
        part.write_text(text)


def _row(experiment: Experiment, found: dict[str, Any]) -> str:
    """Return an experiment's line: the mean over seeds, of the means over items."""
    values = _by_seed(experiment, found)
    mean = np.mean(list(values.values()))
    shown = experiment.shown(float(mean))
    if len(values) > 1:
        shown += f" ± {experiment.shown(float(np.std(list(values.values()), ddof=1)))}"
    if not experiment.reached(float(mean)):
        shown += ", not reached"
    shown += _before(experiment, found)
    if experiment.also:
        numbers = [one["beside"] for one in found.values()]
        means = {key: np.mean([some[key] for some in numbers]) for key in experiment.beside}
        shown += f"; {experiment.also.format(**means)}".replace("%", " %")
    if experiment.items:
        shown += f"; by class {', '.join(_by_item(experiment, found))}"
    how = f"`edkit train {experiment.train}`, {experiment.backend}, {_took(values, found)}"
    return f"| {experiment.task} | {shown} | {experiment.aim} | {experiment.floor} | {how} |"


def _before(experiment: Experiment, found: dict[str, Any]) -> str:
    """Return the mark of numbers of an earlier format, or what they were before."""
    if not all(map(_is_new, found.values())):
        return " †"
    before = [one["before"] for one in found.values() if "before" in one]
    return f" (88a7842: {experiment.shown(float(np.mean(before)))})" if before else ""


def _took(values: dict[int, float], found: dict[str, Any]) -> str:
    """Return the seeds, the minutes of a training, and on what, if not on two cores."""
    minutes = np.mean([one["seconds"] for one in found.values()]) / 60
    seeds = f"seed{'s' if len(values) > 1 else ''} {', '.join(map(str, sorted(values)))}"
    took = f"{seeds}, {max(minutes, 0.1):.2g} min{' each' if len(found) > 1 else ''}"
    machines = sorted({one["machine"] for one in found.values()} - {MACHINE})
    return ", ".join([took, *(f"on {machine}" for machine in machines)])


def _gain_row(gain: Gain, known: dict[str, Any]) -> str:
    """Return the line of a paired gain: its mean and the 95 % interval of Student's t."""
    if gain.new not in known or gain.old not in known:
        return ""
    new = _by_seed(EXPERIMENTS[gain.new], known[gain.new])
    old = _by_seed(EXPERIMENTS[gain.old], known[gain.old])
    seeds = sorted(set(new) & set(old))
    if len(seeds) < 2:
        return ""
    differences = np.array([new[seed] - old[seed] for seed in seeds]) * gain.scale
    half = stats.t.ppf(0.975, len(seeds) - 1) * stats.sem(differences)
    mean = differences.mean()
    shown = f"{mean:+.2f} ({mean - half:+.2f} to {mean + half:+.2f})"
    if gain.goal == ABOVE_0 and mean - half <= 0:
        shown += ", not reached"
    if not all(_is_new(one) for name in (gain.new, gain.old) for one in known[name].values()):
        shown += " †"
    how = f"`{gain.new}` minus `{gain.old}` of the same seed, {len(seeds)} seeds"
    return f"| {gain.task} | {shown} | {gain.goal} |  | {how} |"


def _by_seed(experiment: Experiment, found: dict[str, Any]) -> dict[int, float]:
    """Return seed to value, of seeds for which every item is there."""
    values: dict[int, list[float]] = {}
    for key, one in found.items():
        values.setdefault(int(key.partition("/")[0]), []).append(one["value"])
    count = len(experiment.items or ("",))
    return {seed: float(np.mean(some)) for seed, some in values.items() if len(some) == count}


def _by_item(experiment: Experiment, found: dict[str, Any]) -> list[str]:
    """Return the mean over seeds of each item, as it is shown."""
    values: dict[str, list[float]] = {}
    for key, one in found.items():
        values.setdefault(key.partition("/")[2], []).append(one["value"])
    return [experiment.shown(float(np.mean(values[item]))) for item in experiment.items]


if __name__ == "__main__":
    sys.exit(main())
