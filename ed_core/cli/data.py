"""`edkit data`: the content of a data set, before training."""

import json
import sys
from contextlib import redirect_stdout
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from ed_core.cli.start import early_options, startup
from ed_core.data.loading import data_of, described, load_data, settle_data
from ed_core.errors import EdkitError
from ed_core.plugins.findings import block
from ed_core.plugins.spec import Dataset


@click.command("data")
@click.argument("data")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--write", is_flag=True, help="Write the file that describes a folder, into it.")
@early_options
def data_command(data: str, as_json: bool, write: bool) -> None:
    """Load DATA, and print what was found and left out.

    DATA is NAME, NAME:OPTION=VALUE,..., or the path of a file or a folder as it is.
    """
    with redirect_stdout(sys.stderr):  # output of plugins
        startup.plugin_files()
        own, why = data_of(data)
        text = settle_data(own or data)
        loaded = load_data(text)
        findings = (*why, *loaded.input.findings)
        loaded = replace(loaded, input=replace(loaded.input, findings=findings))
        stated = described(text)
    if write:
        written = _write(text, stated)
    if as_json:
        facts = {"data": text, **contents(loaded), "description": stated and stated[1]}
        print(json.dumps(facts, allow_nan=False))
        return
    console = Console(highlight=False)
    console.print(f"--data {text}", markup=False, soft_wrap=True)
    fields = Table("field", "kind", "sample", "classes", box=None, header_style="bold")
    for name, field in loaded.fields.items():
        shape = " x ".join(map(str, field.shape)) or "one"
        fields.add_row(name, field.kind, shape, _listed(field.classes))
    console.print(fields)
    counts = (f"{split} {samples:,}" for split, samples in contents(loaded)["splits"].items())
    console.print(f"samples: {', '.join(counts)}", markup=False)
    if findings_text := block(loaded.input.findings):
        print(findings_text)
    if write:
        print(f"written: {written}")
    elif stated and not stated[0].exists():
        print(f"\nas {stated[0].name} (--write writes it):\n\n{stated[1]}", end="")


def _write(text: str, stated: tuple[Path, str] | None) -> Path:
    """Write the file that describes the data; raise EdkitError where there is one, or none can."""
    if stated is None:
        raise EdkitError(f"data {text!r}: only a folder of images has a file that describes it.")
    path, content = stated
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(content)
    except FileExistsError:
        raise EdkitError(
            f"{str(path)!r} exists already, and is not written over: move it away first."
        ) from None
    except OSError as error:
        raise EdkitError(f"{str(path)!r} cannot be written: {error.strerror or error}.") from error
    return path


def contents(data: Dataset) -> dict[str, Any]:
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
