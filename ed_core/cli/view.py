"""`edkit view`: the window."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from ed_core.cli.display import missing_window_part
from ed_core.cli.start import early_options, short, startup
from ed_core.errors import EdkitError

_ENDINGS = ".png, .svg, .pdf, .gif, .mp4 or, the arrays, .npz"
_WAYS = (
    "step",
    "epoch",
    "share",
)  # alignments of two runs, as in ed_viewer.session.alignment


@click.command()
@click.argument("runs", nargs=-1)
@click.option("--root", default="runs", show_default=True, help="Folder searched for runs.")
@click.option(
    "--theme", type=click.Choice(["light", "dark"]), help="Light or dark; by default the system's."
)
@click.option("--export", type=Path, metavar="FILE", help=f"No window: draw into {_ENDINGS}.")
@click.option("--step", type=int, metavar="N", help="With --export: the frame at or before it.")
@click.option("--preset", metavar="TAB", help="With --export: which tab. [default: overview]")
@click.option("--size", metavar="WxH", help="With --export: of the stage. [default: 1440x900]")
@click.option("--over-time", is_flag=True, default=None, help="With --export: earlier steps too.")
@click.option("--difference", is_flag=True, default=None, help="With --export of two: B - A.")
@click.option(
    "--align",
    type=click.Choice(_WAYS),
    help="With --export of two: align them by this. [default: step]",
)
@click.option("--compare", is_flag=True, help="The window: the first two RUNS side by side.")
@early_options
def view(runs: tuple[str, ...], root: str, theme: str | None, compare: bool, **export: Any) -> int:
    """Open the window on RUNS, live or finished; by default on all below 'runs'."""
    for package in ("PySide6", "pyqtgraph"):
        if not find_spec(package):
            raise EdkitError(f"the window needs {package}: pip install 'edkit[viewer]'.")
    for run in runs:
        if not Path(run).exists():
            raise EdkitError(f"{run!r} does not exist: give a run folder or a recording.")
    if compare and len({Path(run).resolve() for run in runs[:2]}) < 2:
        count = "the same run twice" if len(runs) > 1 else f"{len(runs)} of them"
        raise EdkitError(f"--compare shows two runs side by side, it was given {count}.")
    if export["export"] is not None:
        return _export(runs, theme, **export)
    if export_only := [
        f"--{name.replace('_', '-')}" for name, value in export.items() if value is not None
    ]:
        raise EdkitError(f"{', '.join(export_only)}: only of use with --export FILE.")
    if missing := missing_window_part():
        raise EdkitError(f"{missing}; 'edkit figures RUN' draws the pictures without a window.")
    startup.plugin_files()
    if len(runs) == 1 and Path(runs[0]).is_dir() and not any(Path(runs[0]).iterdir()):
        root, runs = runs[0], ()  # a folder for runs that are to come
    from ed_viewer.app import main

    return main(runs, root=root, theme=theme, compare=compare)


def _export(
    runs: tuple[str, ...],
    theme: str | None,
    *,
    export: Path,
    step: int | None,
    preset: str | None,
    size: str | None,
    over_time: bool | None,
    difference: bool | None,
    align: str | None,
) -> int:
    """Draw one run, or two side by side, into a file, on no screen."""
    if len(runs) not in (1, 2):
        raise EdkitError(f"--export draws one run, or two side by side, {len(runs)} were given.")
    if difference and len(runs) < 2:
        raise EdkitError("--difference is that of two runs, one was given.")
    if align and len(runs) < 2:
        raise EdkitError("--align says where the second of two runs stands, one was given.")
    os.environ["QT_QPA_PLATFORM"] = "offscreen"  # export needs no screen, whatever the user set
    startup.plugin_files()
    from ed_viewer.export.headless import ExportSpec, export_stage
    from ed_viewer.session.alignment import Alignment

    wish = ExportSpec(
        export,
        step,
        preset or "overview",
        _size(size or "1440x900"),
        theme or "light",
        over_time=bool(over_time),
        difference=bool(difference),
        align=Alignment(align or "step"),
    )
    try:
        export_stage(Path(runs[0]), wish, *map(Path, runs[1:]))
    except OSError as error:
        raise EdkitError(f"{str(export)!r} cannot be written: {error.strerror or error}.") from None
    print(short(export))
    return 0


def _size(text: str) -> tuple[int, int]:
    sides = text.lower().split("x")
    if len(sides) != 2 or not all(s.isdecimal() and 200 <= int(s) <= 8000 for s in sides):
        raise EdkitError(f"expected --size WxH such as 1440x900, 200 to 8000, received {text!r}.")
    return int(sides[0]), int(sides[1])
