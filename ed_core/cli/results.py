"""`edkit evaluate` and `edkit figures`: numbers and pictures of a trained run."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ed_core.cli.flags import pairs
from ed_core.cli.start import WEIGHTS, early_options, short, startup
from ed_core.errors import EdkitError, unknown


@click.command()
@click.argument("run")
@click.option("--data", metavar="NAME", help="Another data set with the same fields.")
@click.option(
    "--split",
    metavar="NAME",
    help="[default: test, else validation; all of other data without splits]",
)
@click.option(
    "--field",
    multiple=True,
    metavar="NAME=OTHER",
    help="With --data: take its field OTHER for the field that the model calls NAME.",
)
@WEIGHTS
@click.option(
    "--anomaly",
    is_flag=True,
    help="Measure how well a run trained with --only finds abnormal samples.",
)
@click.option("--rate", type=float, help="With --anomaly: false alarms accepted. [default: 0.05]")
@click.option(
    "--classifier",
    metavar="RUN2",
    help="A run whose classifier judges the samples that RUN generates.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one flat JSON object.")
@early_options
def evaluate(
    run: str, weights: Any, anomaly: bool, rate: float | None, as_json: bool, **options: Any
) -> None:
    """Print the numbers of RUN on the test split, beside their floor."""
    if rate is not None and not anomaly:
        raise EdkitError("--rate goes with --anomaly.")
    if anomaly and options["classifier"]:
        raise EdkitError("--anomaly and --classifier are two measurements: give one of them.")
    names = pairs(options["field"], "--field", "NAME=OTHER")
    if names and not options["data"]:
        raise EdkitError("--field goes with --data.")
    startup.keras(run=run)
    from ed_core.cli.evaluation_table import format_table, words_of
    from ed_core.evaluation import agreement
    from ed_core.evaluation import evaluate as measure
    from ed_core.evaluation.anomaly import detect
    from ed_core.runs.run import open_run

    opened, data = open_run(run, weights=weights), options["data"]
    on = {"split": options["split"], "field_names": names}
    if anomaly:
        result = detect(opened, data, rate=0.05 if rate is None else rate, **on)
    elif options["classifier"]:
        judged = agreement(opened, open_run(options["classifier"], weights=weights))
        result = {**measure(opened, data, **on), **judged}
    else:
        result = measure(opened, data, **on)
    if as_json:
        print(json.dumps(result, allow_nan=False))
    else:
        Console(highlight=False).print(format_table(result, words_of(opened)))


@click.command()
@click.argument("run")
@click.argument("other", metavar="[RUN]", required=False)
@click.option("--out", metavar="DIR", help="Folder of the figures. [default: RUN/figures]")
@click.option("--format", "formats", default="png", show_default=True, help="png, svg, pdf.")
@click.option(
    "--dimensions", metavar="I,J", help="Two dimensions of the code, from 1, for its scatter plot."
)
@click.option("--split", metavar="NAME", help="Split of the data. [default: validation]")
@WEIGHTS
@early_options
def figures(
    run: str,
    other: str | None,
    out: str | None,
    formats: str,
    dimensions: str | None,
    split: str | None,
    weights: Any,
) -> None:
    """Draw the lecture's pictures of RUN, if possible beside those of a second run."""
    chosen = tuple(part.strip() for part in formats.split(","))
    for part in chosen:
        if part not in ("png", "svg", "pdf"):
            raise unknown("format", part, ("png", "svg", "pdf"))
    plane = _plane(dimensions) if dimensions else None
    startup.keras(run=run)
    from ed_core.figures.draw import draw_figures
    from ed_core.runs.run import open_run

    first = open_run(run, weights=weights)
    second = open_run(other, weights=weights) if other else None
    folder = Path(out) if out else None
    for path in draw_figures(
        first, folder, formats=chosen, other=second, dimensions=plane, split=split
    ):
        print(short(path))


def _plane(text: str) -> tuple[int, int]:
    """Return two dimensions, from 0, parsed from `I,J` from 1."""
    try:
        first, last = (int(part) - 1 for part in text.split(","))
    except ValueError as error:
        raise EdkitError(f"--dimensions is two numbers such as 1,4, received {text!r}.") from error
    return first, last
