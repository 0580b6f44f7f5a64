"""`edkit list`: what is there, with one line each."""

import click
from rich.console import Console
from rich.table import Table

from ed_core.command.shared import early_options, startup
from ed_core.errors import EdkitError, unknown
from ed_core.plugins import DATASETS, MODELS
from ed_core.registry import BROKEN

_KINDS = ("models", "data", "panels", "backends")


@click.command("list")
@click.argument("kind", required=False)
@click.argument("name", required=False)
@early_options
def list_command(kind: str | None, name: str | None) -> None:
    """List models, data, panels or backends; 'list models NAME' shows its options and heads."""
    if kind is not None and kind not in _KINDS:
        raise unknown("list", kind, _KINDS)
    if name is not None and kind not in ("models", "data"):
        raise EdkitError("a model or a data set has details: edkit list models NAME.")
    console = Console(highlight=False)
    startup.plugin_files()
    if name is not None:
        startup.keras()
        (_model if kind == "models" else _dataset)(console, name)
        return
    for each in [kind] if kind else _KINDS:
        table = Table(title=each, title_justify="left", title_style="bold", box=None)
        table.add_column(style="cyan", no_wrap=True)
        table.add_column()
        for entry, summary in _entries(each).items():
            table.add_row(entry, summary)
        console.print(table)
    for module, error in BROKEN.items():
        console.print(f"[red]broken plugin[/] {module}: {error}", markup=True)


def _entries(kind: str) -> dict[str, str]:
    if kind == "backends":
        from ed_core.engine import installed_backends

        return installed_backends()
    if kind == "panels":
        from importlib.util import find_spec

        if not find_spec("PySide6"):
            return {"none": "the window needs pip install 'edkit[viewer]'"}
        from ed_viewer.panel import PANELS

        return {name: (panel.__doc__ or "").partition("\n")[0] for name, panel in PANELS.items()}
    startup.keras()
    if kind == "models":
        return {name: spec.summary for name, spec in MODELS.items()}
    return {name: spec.summary for name, spec in DATASETS.items()}


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
        table.add_row(f"--{option.name.replace('_', '-')}", str(option.default), option.help)
    console.print(table)
    heads = Table("head", "output", "loss", "weight", box=None, header_style="bold")
    for head in spec.heads:
        weight = f"--{head.weight}" if isinstance(head.weight, str) else f"{head.weight:g}"
        heads.add_row(head.name, head.output, head.loss.__name__, weight)
    console.print(heads)
    console.print("watched: " + ", ".join(probe.name for probe in spec.probes))
