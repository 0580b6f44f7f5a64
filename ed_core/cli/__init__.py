"""The command `edkit`. Errors that a user can cause are one line, with exit status 2."""

import argparse
import sys
import traceback
import warnings
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from ed_core.cli.start import startup
from ed_core.errors import EdkitError

_COMMANDS = {
    "bench": ("bench", "Measure how fast each installed backend trains here."),
    "calibrate": ("results", "Settle the threshold of a run as a detector."),
    "data": ("data", "Look at a data set, a file or a folder."),
    "decode": ("verbs", "Bring codes back to pictures or signals by a run."),
    "demo": ("demo", "Train on handwritten digits and watch it learn."),
    "encode": ("verbs", "Write the codes of files by a run."),
    "evaluate": ("results", "Print the numbers of a run beside their floor."),
    "export": ("results", "Write the model of a run for other programs."),
    "figures": ("results", "Draw the lecture's pictures of one run or two."),
    "generate": ("verbs", "Write new samples of a run."),
    "list": ("listing", "List models, data sets, panels and backends."),
    "predict": ("verbs", "Write the classes and values of files by a run."),
    "reconstruct": ("verbs", "Write what a run makes of files again."),
    "score": ("verbs", "Write how odd files are by a calibrated run."),
    "segment": ("verbs", "Write the class of every pixel of pictures by a run."),
    "train": ("train", "Train a model into a run folder, or go on with one."),
    "view": ("view", "Open the window on runs, live or finished."),
}
"""The commands: the module of each, which is imported once it is wanted, and a line about it."""


class _Commands(click.Group):
    """The commands, each imported when it is called: `--help` is there at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*_COMMANDS]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module = vars(import_module(f"ed_core.cli.{_COMMANDS[name][0]}"))
        commands = [*module.get("VERBS", ()), *module.values()]
        return next(c for c in commands if isinstance(c, click.Command) and c.name == name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in _COMMANDS.items()])


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="edkit")
def cli() -> None:
    """Encoder-decoder networks on Keras 3: train them, watch them learn, put them to work."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    early = _early(arguments)
    startup.arguments = arguments
    if not early.debug:
        warnings.showwarning = _show_warning  # type: ignore[assignment]
    try:
        startup.settle(early.backend, early.plugin, early.view, early.resume)
        return int(cli.main(arguments, prog_name="edkit", standalone_mode=False) or 0)
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else ""
        help_hint = f" Try '{where} --help'." if where else ""
        return _fail(f"{error.format_message()}{help_hint}", 2)
    except EdkitError as error:
        if early.debug:
            traceback.print_exc()
        return _fail(str(error), error.status)
    except KeyboardInterrupt:
        return _fail("stopped.", 130)
    except BrokenPipeError:  # the reader of our output has closed the pipe: no failure
        sys.stderr.close()
        return 0
    except OSError as error:  # a full disk, a folder that may not be written to
        if early.debug:
            traceback.print_exc()
        where = f"{error.filename!r}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}.", 2)


def _early(arguments: list[str]) -> Any:
    """Parse the options needed before plugins and Keras are imported, wherever they stand."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--backend")
    parser.add_argument("--plugin", action="append", default=[])
    parser.add_argument("--debug", action="store_true")
    parser.add_argument("--view", action="store_true")
    parser.add_argument("--resume")
    try:
        return parser.parse_known_args(arguments)[0]
    except argparse.ArgumentError:  # click's message is clearer
        return argparse.Namespace(backend=None, plugin=[], debug=False, view=False, resume=None)


def _show_warning(message: Any, category: type[Warning], filename: str, *rest: Any) -> None:
    """Print our own warnings as one line; show those of libraries only with `--debug`."""
    if category is UserWarning and "/ed_" in filename.replace("\\", "/"):
        print(f"edkit: warning: {message}", file=sys.stderr)


def _fail(message: str, status: int) -> int:
    print(f"edkit: {' '.join(message.split())}", file=sys.stderr)
    return status
