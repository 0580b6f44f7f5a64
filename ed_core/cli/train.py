"""`edkit train`: a sub-command for every registered model, made from its signature."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from ed_core.cli.catalogue import flag_of
from ed_core.cli.display import has_display
from ed_core.cli.start import again, early_options, on_backend, short, startup
from ed_core.data.loading import settle_data
from ed_core.errors import EdkitError
from ed_core.plugins.decorators import MODELS
from ed_core.plugins.options import Option, description
from ed_core.recording import RunFolder

console = Console(stderr=True, highlight=False)

_RESUME = click.option("--resume", metavar="RUN", help="Go on with a run that was stopped.")
_VIEW = click.option("--view", is_flag=True, help="Open the window on it.")
COMMON = [
    click.Option(["--data"], metavar="DATA", help="A data set, as NAME or NAME:OPTION=VALUE,..."),
    click.Option(["--epochs"], type=int, metavar="N", help="Passes over the data. [default: 10]"),
    click.Option(["--batch-size"], type=int, metavar="N", help="Samples a step. [default: 128]"),
    click.Option(
        ["--learning-rate"],
        type=float,
        metavar="X",
        help="At the first step. [default: 0.001]",
    ),
    click.Option(
        ["--seed"], type=int, metavar="N", help="Of weights, order and noise. [default: 0]"
    ),
    click.Option(["--out"], metavar="DIR", help="Where the run folder is made. [default: runs]"),
    click.Option(
        ["--weight"], multiple=True, metavar="HEAD=X", help="The weight lambda of a head."
    ),
    click.Option(
        ["--labels"], multiple=True, metavar="HEAD=X", help="The share of its labels that is kept."
    ),
    click.Option(
        ["--oversample"],
        multiple=True,
        metavar="HEAD=X",
        help="The share of an epoch for samples that have this head's label.",
    ),
    click.Option(
        ["--validation"],
        type=float,
        metavar="SHARE",
        help="The share of the training data kept aside to choose on, 0 for none. [default: 0.1, "
        "where the data have no validation split of their own]",
    ),
    click.Option(["--stratified"], is_flag=True, help="Keep the same share of every class."),
    click.Option(
        ["--only"],
        multiple=True,
        metavar="FIELD=CLASS",
        help="Train on one class alone.",
    ),
    click.Option(
        ["--class-weights"],
        multiple=True,
        metavar="HEAD=X",
        help="'balanced', or a weight a class: 1,2,0.5.",
    ),
    click.Option(
        ["--field"],
        multiple=True,
        metavar="NAME=OTHER",
        help="Take the data's field OTHER for the field that the model calls NAME.",
    ),
    click.Option(["--every"], type=int, metavar="N", help="Steps from frame to frame."),
    click.Option(["--no-record"], is_flag=True, help="Record nothing."),
]


class _OptionType(click.ParamType):
    """A model's option as click sees it."""

    def __init__(self, option: Option) -> None:
        self.option = option
        self.name = option.type_name

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        return self.option.parse(value) if isinstance(value, str) else value


def _click_option(option: Option) -> click.Option:
    """Return a model's option as the command has it; one of yes or no alone stands for yes."""
    switch: dict[str, Any] = {"is_flag": False, "flag_value": "yes"} if option.type is bool else {}
    return click.Option(
        [flag_of(option)],
        type=_OptionType(option),
        help=f"{option.help} [default: {_shown(option.default)}]",
        metavar="VALUE" if not switch else "[yes|no]",
        **switch,
    )


class _Models(click.Group):
    """The models as sub-commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        startup.keras(told=False)
        return list(MODELS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command:
        startup.keras(name)
        spec = MODELS[name]
        own = [_click_option(option) for option in spec.options.values()]

        def callback(**given: Any) -> None:
            _train(name, **given)

        command = click.command(name, help=description(spec.builder), short_help=spec.summary)(
            _RESUME(_VIEW(early_options(callback)))
        )
        command.params = [*own, *COMMON, *command.params]
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
    # An empty tuple is many times nothing; of an option of the model it is a list without numbers.
    given = {
        key: value
        for key, value in given.items()
        if value is not None and (value != () or key in MODELS[name].options)
    }
    if resume:
        others = sorted(key for key in set(given) - {"epochs"} if given[key])
        if others:
            raise EdkitError(f"a resumed run keeps its {', '.join(others)}: leave it out.")
        model = RunFolder.open(resume).read().get("model")
        if model != name:
            raise EdkitError(f"{resume!r} is a run of {model!r}, not of {name!r}.")
        _work(resume, {"epochs": given.get("epochs")}, view)
        return
    if "data" in given:
        settle_data(given["data"])
    given["weights"] = _pairs("--weight HEAD=NUMBER", given.pop("weight", ()), float)
    given["labels"] = _pairs("--labels HEAD=NUMBER", given.pop("labels", ()), float)
    given["oversample"] = _pairs("--oversample HEAD=NUMBER", given.pop("oversample", ()), float)
    given["only"] = _pairs("--only FIELD=CLASS", given.pop("only", ()), str)
    given["class_weights"] = _pairs(
        "--class-weights HEAD=VALUE", given.pop("class_weights", ()), str
    )
    given["field_names"] = _pairs("--field NAME=OTHER", given.pop("field", ()), str)
    given["record"] = not given.pop("no_record")
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


def _pairs(
    form: str, pairs: tuple[str, ...], convert: Callable[[str], Any]
) -> dict[str, Any] | None:
    """Return what an option such as --weight HEAD=NUMBER holds; None where it was not given."""
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if name in found:
            raise EdkitError(f"{form.partition(' ')[0]} gives {name!r} twice: leave one out.")
        try:
            found[name] = convert(value)
        except ValueError:
            equals = ""
        if not equals or not value:
            raise EdkitError(f"expected {form}, received {pair!r}.")
    return found or None


def _shown(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
