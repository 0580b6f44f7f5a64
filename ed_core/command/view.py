"""`edkit view`: the window."""

import os
from importlib.util import find_spec
from pathlib import Path

import click

from ed_core.command.shared import early_options, has_display, startup
from ed_core.errors import EdkitError


@click.command()
@click.argument("runs", nargs=-1)
@click.option("--root", default="runs", show_default=True, help="Where runs are looked for.")
@click.option("--theme", type=click.Choice(["light", "dark"]), help="By default the system's.")
@click.option("--compare", is_flag=True, help="Show the first two RUNS side by side.")
@early_options
def view(runs: tuple[str, ...], root: str, theme: str | None, compare: bool) -> int:
    """Open the window on RUNS, live or finished; by default on all below 'runs'."""
    for package in ("PySide6", "pyqtgraph"):
        if not find_spec(package):
            raise EdkitError(f"the window needs {package}: pip install 'edkit[viewer]'.")
    for run in runs:
        if not Path(run).exists():
            raise EdkitError(f"{run!r} does not exist: give a run folder or a recording.")
    if compare and len({Path(run).resolve() for run in runs[:2]}) < 2:
        given = "the same run twice" if len(runs) > 1 else f"{len(runs)} of them"
        raise EdkitError(f"--compare shows two runs side by side, it was given {given}.")
    if not has_display() and not os.environ.get("QT_QPA_PLATFORM"):
        raise EdkitError("there is no display: draw the pictures with 'edkit figures RUN' instead.")
    startup.plugin_files()
    from ed_viewer.app import main

    return main(runs, root=root, theme=theme, compare=compare)
