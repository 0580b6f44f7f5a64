"""`edkit list`: models, data sets, panels and backends, one a line, or all as JSON."""

import json
import sys
from contextlib import redirect_stdout

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ed_core.cli.catalogue import KINDS, catalogue, entries
from ed_core.cli.flags import flag_of
from ed_core.cli.start import early_options, startup
from ed_core.errors import EdkitError, unknown
from ed_core.plugins.decorators import DATASETS, MODELS
from ed_core.plugins.registry import BROKEN
from ed_core.plugins.spec import Head


@click.command("list")
@click.argument("kind", required=False)
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object with all details.")
@early_options
def list_command(kind: str | None, name: str | None, as_json: bool) -> None:
    """List models, data, panels or backends; 'list models NAME' shows its options and heads."""
    if kind is not None and kind not in KINDS:
        raise unknown("list", kind, KINDS)
    if name is not None and kind not in ("models", "data"):
        raise EdkitError("a model or a data set has details: edkit list models NAME.")
    kinds = (kind,) if kind else KINDS
    if as_json:
        with redirect_stdout(sys.stderr):  # output of plugins during import
            startup.plugin_files()
            listing = catalogue(kinds, name)
        print(json.dumps(listing, allow_nan=False))
        return
    startup.plugin_files()
    console = Console(highlight=False)
    if name is not None:
        if kind == "models":
            startup.keras(told=False)
        (_model if kind == "models" else _dataset)(console, name)
        return
    for each in kinds:
        _table(console, each)
    for module, error in BROKEN.items():
        console.print(f"[red]broken plugin[/] {escape(f'{module}: {error}')}", markup=True)


def _table(console: Console, kind: str) -> None:
    table = Table(title=kind, title_justify="left", title_style="bold", box=None)
    table.add_column(style="cyan", no_wrap=True)
    table.add_column()
    names = entries(kind)
    if kind == "panels" and not names:
        names = {"none": "the window needs pip install 'edkit[viewer]'"}
    for name, summary in names.items():
        table.add_row(name, summary)
    console.print(table)


def _dataset(console: Console, name: str) -> None:
    spec = DATASETS[name]
    console.print(f"[bold]{name}[/]: {spec.summary}  [dim]--data {name}:OPTION=VALUE,...[/]")
    table = Table("option", "default", "", box=None, header_style="bold")
    for option in spec.options.values():
        table.add_row(option.name, str(option.default), option.help)
    console.print(table)


def _model(console: Console, name: str) -> None:
    spec = MODELS[name]
    console.print(f"[bold]{name}[/]: {spec.summary}  [dim](data: {spec.data})[/]")
    table = Table("option", "default", "", box=None, header_style="bold")
    for option in spec.options.values():
        table.add_row(flag_of(option), str(option.default), option.help)
    console.print(table)
    heads = Table("head", "output", "loss", "weight", box=None, header_style="bold")
    for head in spec.heads:
        named = isinstance(head.weight, str)
        weight = flag_of(spec.options[str(head.weight)]) if named else f"{head.weight:g}"
        heads.add_row(head.name, head.output, head.loss.__name__, weight + _when(head))
    console.print(heads)
    console.print("watched: " + ", ".join(probe.name for probe in spec.probes))


def _when(head: Head) -> str:
    """Return the part of training in which a head counts, in words; "" for all of it."""
    until = f", in the first {head.until:.0%} of the steps" if head.until < 1 else ""
    after = f", once {head.after} has ended" if head.after else ""
    return until + after + ", where the model has it" * head.optional
