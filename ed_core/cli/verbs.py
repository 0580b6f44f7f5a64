"""`edkit encode`, `decode`, `reconstruct`, `predict`, `segment`, `score`, `generate`."""

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ed_core.cli.start import WEIGHTS, early_options, short, startup
from ed_core.cli.train import console, say
from ed_core.errors import EdkitError
from ed_core.plugins.findings import say as say_findings

_SMALLEST_TILE = 8  # pixels
_MOST_REFUSED = 20  # named in the terminal
_PAST = {
    **{"encode": "Encoded", "decode": "Decoded", "reconstruct": "Reconstructed"},
    **{"predict": "Predicted", "segment": "Segmented", "score": "Scored", "generate": "Generated"},
}


class TileSide(click.ParamType):
    """The side of a tile in pixels, `auto` or `none`."""

    name = "tile"

    def convert(self, value: Any, param: Any, ctx: Any) -> int | str:
        """Return a number from 8 up, or the word."""
        if value in ("auto", "none"):
            return str(value)
        if not str(value).isdecimal() or int(value) < _SMALLEST_TILE:
            self.fail(f"{value!r} is no side of a tile: expected auto, none or pixels, from 8 up.")
        return int(value)


_OUTPUT = click.option(
    "--output",
    "-o",
    required=True,
    metavar="PATH",
    help="A folder, or a file that ends in .csv, .parquet, .npz or .h5.",
)
_STRICT = click.option("--strict", is_flag=True, help="Stop at the first file that cannot be used.")
_FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["png", "tiff"]),
    help="Of pictures in a folder. [default: png; tiff of a GeoTIFF's masks, values and videos]",
)
_PROBABILITIES = click.option(
    "--probabilities", is_flag=True, help="Write the probabilities of all classes as well."
)
_AS = click.option(
    "--as",
    "masks",
    type=click.Choice(["ids", "colours"]),
    help="The numbers that classes have in your files, or their colours. [default: ids]",
)
_OVERLAY = click.option(
    "--overlay", is_flag=True, help="Write each picture with its classes over it as well."
)
_MAPS = click.option(
    "--maps", metavar="FOLDER", help="Write heat maps as well, PNG of where each image is odd."
)
_TILES = (
    click.option(
        "--tile",
        type=TileSide(),
        default="auto",
        metavar="auto|N|none",
        help="Large pictures in tiles of N pixels, blended; in one piece or, where the run's own "
        "pictures were brought to a size, as those: none. [default: auto]",
    ),
    click.option(
        "--overlap",
        type=click.IntRange(0),
        metavar="N",
        help="Pixels that neighbouring tiles share. [default: a quarter of a tile]",
    ),
)
_GENERATE = (
    click.option("--count", type=click.IntRange(1), metavar="N", help="How many. [default: 16]"),
    click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N"),
    click.option(
        "--class", "label", metavar="NAME", help="Of a conditional run. [default: all in turn]"
    ),
    click.option(
        "--grid",
        type=click.IntRange(2),
        metavar="N",
        help="N x N of the plane of the first two dimensions of the code, in place of draws; of a "
        "conditional run without --class a row a class, N draws that all rows share.",
    ),
    click.option(
        "--interpolate",
        type=click.IntRange(2),
        metavar="N",
        help="N steps from each of the draws to the next.",
    ),
)


def _command(
    verb: str, summary: str, options: Sequence[Callable[..., Any]], has_input: bool = True
) -> click.Command:
    """Return the command of a verb: its own options, then those that all verbs have."""

    def callback(**given: Any) -> None:
        _work(verb, **given)

    command: Any = callback
    for option in (early_options, _STRICT, WEIGHTS, *reversed(options), _OUTPUT):
        command = option(command)
    if has_input:
        command = click.argument("input")(command)
    return click.command(verb, help=summary)(click.argument("run")(command))


VERBS = (
    _command("encode", "Write the codes of the samples in INPUT, a file or a folder, by RUN.", ()),
    _command(
        "decode", "Write what RUN decodes from the codes in INPUT, which encode wrote.", (_FORMAT,)
    ),
    _command(
        "reconstruct", "Write what RUN makes of the samples in INPUT again.", (*_TILES, _FORMAT)
    ),
    _command(
        "predict",
        "Write the classes, with their probability, and the values that RUN predicts for INPUT.",
        (_PROBABILITIES, *_TILES, _FORMAT),
    ),
    _command(
        "segment",
        "Write the class of every pixel of the pictures in INPUT, at their size, by RUN.",
        (_AS, _OVERLAY, _PROBABILITIES, *_TILES, _FORMAT),
    ),
    _command(
        "score",
        "Write how odd the samples in INPUT are: a score, its probability and the verdict of RUN.",
        (_MAPS, *_TILES),
    ),
    _command(
        "generate",
        "Write new samples of RUN: each by itself, or all as one sheet, --output sheet.png.",
        (*_GENERATE, _FORMAT),
        has_input=False,
    ),
)


def _work(
    verb: Any,
    *,
    run: str,
    output: str,
    weights: Any,
    strict: bool,
    input: str | None = None,  # noqa: A002 the command's name for it
    **given: Any,
) -> None:
    """Do what a verb says, with a progress bar; say how to go on where it is stopped."""
    began = time.monotonic()
    startup.keras(run=run)
    from ed_core.inference.job import begun, words
    from ed_core.inference.stream import Stopped
    from ed_core.inference.verbs import VerbTask
    from ed_core.runs.run import open_run
    from ed_core.runs.tiled import words as words_of_tiles
    from ed_core.training.stop_signal import graceful

    source = Path(input) if input is not None else None
    task = VerbTask(open_run(run, weights=weights), verb, Path(output), source, **_settings(given))
    stream = task.stream(strict=strict)
    say_findings(stream.samples.findings, str(input))
    try:
        with (
            begun(task.output, task.is_folder, task.facts(stream.samples)) as job,
            graceful() as stop,
            _bar() as progress,
        ):
            summary = stream.run(job, progress=progress, stop=lambda: bool(stop.number))
    except Stopped:
        say(f"Stopped; what is finished is kept. Go on with: {_same_command()}")
        raise SystemExit(128 + stop.number) from None
    for refusal in summary.refused[:_MOST_REFUSED]:
        say(f"Refused: {words(refusal)}")
    if len(summary.refused) > _MOST_REFUSED:
        say(f"... and {len(summary.refused) - _MOST_REFUSED:,} more.")
    used = summary.samples - len(summary.refused)
    refused = f", {len(summary.refused):,} refused" if summary.refused else ""
    seconds = time.monotonic() - began
    tiles = words_of_tiles(stream.inference)
    how = f", {tiles}" * bool(tiles)
    say(f"{_PAST[verb]} {used:,} of {summary.samples:,} samples in {seconds:.0f} s{how}{refused}.")
    print(short(task.output))


def _settings(given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of `VerbTask` for the options of a verb."""
    from ed_core.inference.pictures import Style
    from ed_core.runs.prior import Drawing

    options = {name: value for name, value in given.items() if value not in (None, False, "auto")}
    options |= {"overlap": 0} if given.get("overlap") == 0 else {}  # which `in` takes for False
    if "grid" in options and {"count", "interpolate"} & {*options}:
        raise EdkitError("--grid goes without --count and without --interpolate.")
    drawing = Drawing(
        options.get("count", 16),
        options.get("seed", 0),
        options.get("interpolate", 0),
        options.get("grid", 0),
    )
    style = Style(
        options.get("form"), options.get("masks", "ids"), overlay=options.get("overlay", False)
    )
    return {
        "options": options,
        "style": style,
        "drawing": drawing,
        "label": options.get("label"),
        "probabilities": "probabilities" in options,
        "maps": Path(options["maps"]) if "maps" in options else None,
        "tile": options.get("tile", "auto"),
        "overlap": options.get("overlap"),
    }


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal, elsewhere a line now and then.

    Yield what is told how many samples are finished, of how many.
    """
    if not console.is_terminal:
        yield _Lines().tell
        return
    columns = (
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        TextColumn("left"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Lines:
    """Lines on how far it is, of which a log has at most a hundred; the last one is another's."""

    def __init__(self) -> None:
        self._when, self._done = time.monotonic(), 0

    def tell(self, done: int, total: int) -> None:
        """Say it, if a second and a hundredth of the samples have passed since the last line."""
        now = time.monotonic()
        is_due = now - self._when >= 1 and 100 * (done - self._done) >= total
        if is_due and done < total:
            self._when, self._done = now, done
            say(f"{done:,} of {total:,} samples")


def _same_command() -> str:
    return shlex.join(["edkit", *startup.arguments])
