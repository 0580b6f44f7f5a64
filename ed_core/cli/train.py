"""`edkit train`: a sub-command for every registered model, made from its signature."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ed_core.cli.display import has_display
from ed_core.cli.flags import model_option, training_options
from ed_core.cli.start import again, early_options, on_backend, short, startup
from ed_core.data.loading import settle_data
from ed_core.errors import EdkitError
from ed_core.plugins.decorators import MODELS
from ed_core.plugins.options import description
from ed_core.recording import RunFolder

console = Console(stderr=True, highlight=False)

_RESUME = click.option("--resume", metavar="RUN", help="Go on with a run that was stopped.")
_VIEW = click.option("--view", is_flag=True, help="Open the window on it.")


class _Models(click.Group):
    """The models as sub-commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        startup.keras(told=False)
        return list(MODELS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command:
        startup.keras(name)
        spec = MODELS[name]
        own = [model_option(option) for option in spec.options.values()]

        def callback(**given: Any) -> None:
            _train(name, **given)

        command = click.command(name, help=description(spec.builder), short_help=spec.summary)(
            _RESUME(_VIEW(early_options(callback)))
        )
        command.params = [*own, *training_options(), *command.params]
        return command


@click.group(cls=_Models, invoke_without_command=True, subcommand_metavar="MODEL [OPTIONS]")
@_RESUME
@_VIEW
@click.option("--epochs", type=int, metavar="N", help="With --resume: epochs in all.")
@early_options
@click.pass_context
def train(ctx: click.Context, resume: str | None, view: bool, epochs: int | None) -> None:
    """Train a model into a run folder, or go on with one."""
    if ctx.invoked_subcommand is None:
        if resume is None:
            raise EdkitError("name a model (see 'edkit list models'), or give --resume RUN.")
        startup.keras()
        _work(resume, {"epochs": epochs}, view)
    elif resume or view or epochs:
        raise EdkitError("options come after the model: edkit train MODEL --view.")


def _train(name: str, *, resume: str | None, view: bool, **given: Any) -> None:
    """Train one model with the options that were given."""
    given = {key: value for key, value in given.items() if value is not None}
    if resume:
        others = sorted(set(given) - {"epochs"})
        if others:
            raise EdkitError(f"a resumed run keeps its {', '.join(others)}: leave it out.")
        model = RunFolder.open(resume).read().get("model")
        if model != name:
            raise EdkitError(f"{resume!r} is a run of {model!r}, not of {name!r}.")
        _work(resume, {"epochs": given.get("epochs")}, view)
        return
    if "data" in given:
        settle_data(given["data"])
    _work(None, {"model": name, **given}, view)


def _work(resume: str | None, given: dict[str, Any], view: bool) -> None:
    """Train with a progress bar, and say how to go on if it is stopped."""
    from ed_core.cli.progress import Progress
    from ed_core.training.train import resume as go_on
    from ed_core.training.train import train as begin

    if view and not has_display():
        raise EdkitError("--view needs a display and pip install 'edkit[viewer]'.")
    progress = Progress(console)
    folders: list[RunFolder] = []

    def started(folder: RunFolder) -> None:
        folders.append(folder)
        progress.plan(folder.read())
        progress.keep(folder)
        say(f"Training in {short(folder.path)}")
        if view:
            open_window(folder.path)

    with stoppable(folders), progress:
        more: dict[str, Any] = {
            "callbacks": [progress.callback],
            "started": started,
            "noted": progress.note,
        }
        run = go_on(resume, **given, **more) if resume else begin(**given, **more)
    if spent := RunFolder.open(run.path).read().get("recording"):
        say(
            f"Recording took {100 * spent['share']:.1f} % of the training, "
            f"{spent['seconds']:.1f} s, and {spent['preparation']:.1f} s to prepare."
        )
    say(f"Trained in {progress.seconds:.0f} s. Next: edkit evaluate {again(run.path)}")
    print(short(run.path))


@contextmanager
def stoppable(folders: Sequence[RunFolder]) -> Iterator[None]:
    """Say how to go on with the run in the first folder if it is stopped, and end the command."""
    from ed_core.training.callbacks import Interrupted

    try:
        yield
    except Interrupted as stop:
        say(f"Stopped. Go on with: edkit train --resume {again(folders[0].path)} {on_backend()}")
        raise SystemExit(128 + stop.signal_number if stop.signal_number else 0) from None
    except OSError as error:
        if not folders or not folders[0].path.is_dir():
            raise
        where = f"{error.filename!r}: " if error.filename else ""
        raise EdkitError(
            f"{where}{error.strerror or error}. What was saved before is kept; once it can be "
            f"written, go on with: edkit train --resume {again(folders[0].path)} {on_backend()}"
        ) from error


def say(text: str) -> None:
    """Print a line that may hold a path: never wrapped, so that it can be copied, nor styled."""
    console.print(text, soft_wrap=True, markup=False)


def open_window(path: Path) -> subprocess.Popen[bytes]:
    """Open the window on a run, in a process of its own that a Ctrl-C here does not end."""
    command = [sys.executable, "-m", "ed_core.cli", "view", str(path), *startup.plugins]
    return subprocess.Popen(command, start_new_session=True)
