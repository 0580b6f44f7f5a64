"""The command `edkit`. Errors that a user can cause are one line, with exit status 2."""

import argparse
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import Any

import click

from ed_core.cli.bench import bench
from ed_core.cli.data import data_command
from ed_core.cli.demo import demo
from ed_core.cli.listing import list_command
from ed_core.cli.results import calibrate, evaluate, export_command, figures
from ed_core.cli.start import startup
from ed_core.cli.train import train
from ed_core.cli.verbs import VERBS
from ed_core.cli.view import view
from ed_core.errors import EdkitError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="edkit")
def cli() -> None:
    """Encoder-decoder networks on Keras 3: train them, watch them learn, put them to work."""


for command in (
    demo,
    list_command,
    data_command,
    train,
    view,
    evaluate,
    calibrate,
    figures,
    export_command,
    bench,
    *VERBS,
):
    cli.add_command(command)


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
