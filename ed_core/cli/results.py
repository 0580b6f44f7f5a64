"""`edkit evaluate`, `calibrate`, `figures` and `export`: what comes of a trained run."""

import json
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ed_core.cli.flags import pairs
from ed_core.cli.start import WEIGHTS, early_options, short, startup
from ed_core.cli.train import say
from ed_core.errors import EdkitError, unknown

FORMATS = ("keras", "onnx", "openvino", "litert", "saved_model")
"""Of an exported model."""


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
    help="Measure how well a run finds odd samples among normal ones.",
)
@click.option(
    "--rate",
    type=float,
    help="With --anomaly: false alarms accepted. [default: as calibrated, else 0.05]",
)
@click.option(
    "--only",
    multiple=True,
    metavar="FIELD=CLASS",
    help="With --anomaly: the normal class. [default: as trained, else good, normal or ok]",
)
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
    if options["only"] and not anomaly:
        raise EdkitError("--only goes with --anomaly.")
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
        only = pairs(options["only"], "--only", "FIELD=CLASS")
        result = detect(opened, data, rate=rate, only=only, **on)
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
@click.option(
    "--data",
    metavar="NORMAL",
    help="Normal samples that RUN was not trained on. [default: its validation split]",
)
@click.option(
    "--rate", type=float, default=0.01, show_default=True, help="False alarms that are accepted."
)
@click.option(
    "--score",
    default="",
    metavar="NAME",
    help="The score, or two as ONE+OTHER. [default: chosen on synthetic defects]",
)
@click.option(
    "--field",
    multiple=True,
    metavar="NAME=OTHER",
    help="With --data: take its field OTHER for the field that the model calls NAME.",
)
@WEIGHTS
@click.option("--json", "as_json", is_flag=True, help="Print one flat JSON object.")
@early_options
def calibrate(
    run: str, rate: float, score: str, weights: Any, as_json: bool, **options: Any
) -> None:
    """Choose the score of RUN, settle its threshold on normal samples, and keep both in RUN."""
    names = pairs(options["field"], "--field", "NAME=OTHER")
    if names and not options["data"]:
        raise EdkitError("--field goes with --data.")
    startup.keras(run=run)
    from ed_core.cli.evaluation_table import calibration_lines
    from ed_core.evaluation.calibration import calibrate as settle
    from ed_core.runs.run import open_run

    opened = open_run(run, weights=weights)
    result = settle(opened, options["data"], rate=rate, score=score, field_names=names)
    print(json.dumps(result, allow_nan=False) if as_json else calibration_lines(result))


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


@click.command("export")
@click.argument("run")
@click.option(
    "--output",
    "-o",
    metavar="PATH",
    help="Of the ending .keras, .onnx, .xml (OpenVINO) or .tflite, or a folder (SavedModel) "
    "[default: RUN's name, in this folder]",
)
@click.option("--format", "form", help="In place of the ending.", type=click.Choice(FORMATS))
@click.option(
    "--part",
    type=click.Choice(["encoder", "decoder"]),
    help="From samples to codes, or from codes to fields. [default: the whole model]",
)
@WEIGHTS
@early_options
def export_command(
    run: str, output: str | None, form: str | None, part: str | None, weights: Any
) -> None:
    """Write the model of RUN for other programs, with its preparation and its threshold inside."""
    startup.keras(run=run)
    from ed_core.runs.export import export
    from ed_core.runs.run import open_run

    target = None if output is None else Path(output)
    opened = open_run(run, weights=weights)
    result = export(opened, target, part or "", form, opened.detector)
    for sentence in result.left_out:
        say(f"Left out: {sentence}")
    print(short(result.path))


def _plane(text: str) -> tuple[int, int]:
    """Return two dimensions, from 0, parsed from `I,J` from 1."""
    try:
        first, last = (int(part) - 1 for part in text.split(","))
    except ValueError as error:
        raise EdkitError(f"--dimensions is two numbers such as 1,4, received {text!r}.") from error
    return first, last
