"""`edkit data`: the content of a data set, before training."""

import json
import sys
from contextlib import redirect_stdout
from dataclasses import asdict
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from ed_core.cli.start import early_options, startup
from ed_core.data.loading import load_data, settle_data
from ed_core.plugins.findings import block
from ed_core.plugins.spec import Dataset


@click.command("data")
@click.argument("data")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@early_options
def data_command(data: str, as_json: bool) -> None:
    """Load DATA, as NAME or NAME:OPTION=VALUE,..., and print what was found and left out."""
    with redirect_stdout(sys.stderr):  # output of plugins
        startup.keras(told=False)
        text = settle_data(data)
        loaded = load_data(text)
    if as_json:
        print(json.dumps({"data": text, **described(loaded)}, allow_nan=False))
        return
    console = Console(highlight=False)
    fields = Table("field", "kind", "sample", "classes", box=None, header_style="bold")
    for name, field in loaded.fields.items():
        shape = " x ".join(map(str, field.shape)) or "one"
        fields.add_row(name, field.kind, shape, _listed(field.classes))
    console.print(fields)
    counts = (f"{split} {samples:,}" for split, samples in described(loaded)["splits"].items())
    console.print(f"samples: {', '.join(counts)}", markup=False)
    if findings_text := block(loaded.input.findings):
        print(findings_text)


def described(data: Dataset) -> dict[str, Any]:
    """Return the fields, the samples of each split and the findings as plain data."""
    return {
        "fields": {name: asdict(field) for name, field in data.fields.items()},
        "splits": {
            split: len(next(iter(arrays.values()))) for split, arrays in data.splits.items()
        },
        "findings": [asdict(finding) for finding in data.input.findings],
    }


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:8]) + (f", ... {len(names)} in all" if len(names) > 8 else "")
