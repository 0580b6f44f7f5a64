"""Start of every command: early options, plugin files and the backend."""

import os
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from ed_core.engine.choice import running_backend
from ed_core.errors import EdkitError

Command = TypeVar("Command", bound=Callable[..., Any])

WEIGHTS = click.option(
    "--weights",
    type=click.Choice(["last", "best"]),
    default="last",
    show_default=True,
    help="Of the last step, or of the epoch that was best on the validation split.",
)


class Startup:
    """Early options, and the start of backend and plugins on demand.

    Attributes:
        arguments: of the command line, to be given again.
    """

    def __init__(self) -> None:
        self._backend: str | None = None
        self._plugins: Sequence[str] = ()
        self._window = False
        self._resumed: str | None = None
        self.arguments: Sequence[str] = ()

    def settle(
        self, backend: str | None, plugins: Sequence[str], window: bool, resumed: str | None = None
    ) -> None:
        """Store the early options of the command line."""
        self._backend, self._plugins, self._window = backend, plugins, window
        self._resumed = resumed

    def keras(
        self,
        model: str = "",
        *,
        run: str | None = None,
        window: bool = False,
        told: bool = True,
    ) -> str:
        """Start the backend and load the plugin files; return the backend's name.

        Args:
            model: to be trained.
            run: to be opened: its backend is taken if it is installed and KERAS_BACKEND names none.
            window: whether a window will be open at the same time.
            told: whether an automatic choice is printed.
        """
        from ed_core.engine import AUTO, choose_backend, share_processors
        from ed_core.engine.compile_cache import keep_compiled

        if window or self._window:
            share_processors()
        named = None if self._backend == AUTO else self._backend
        if self._resumed and not named:
            chosen = choose_backend(_backend_of(self._resumed), told=told)
        elif run:
            own = None if os.environ.get("KERAS_BACKEND", "").strip() else _backend_of(run)
            chosen = choose_backend(named or own or self._backend, told=told)
        else:
            suited, why = _suited(model)
            chosen = choose_backend(self._backend, suited=suited, why=why, told=told)
        keep_compiled(chosen)
        with _held_stderr():
            from ed_core.engine.tuning import wake

            wake()
        self.plugin_files()
        return chosen

    def backend(self) -> str:
        """Return the backend that is taken where none is started."""
        from ed_core.engine import choose_backend

        return choose_backend(self._backend, told=False)

    def plugin_files(self) -> None:
        """Load the plugin files; they import Keras only if they need it."""
        from ed_core.engine import installed_backends
        from ed_core.plugins.registry import load_plugin_file

        if self._backend or (self._plugins and installed_backends()):
            self.backend()  # a file may import Keras
        for path in self._plugins:
            load_plugin_file(path)

    @property
    def plugins(self) -> list[str]:
        """The command-line options that name the plugin files, for another process."""
        return [part for path in self._plugins for part in ("--plugin", path)]


startup = Startup()


def _suited(model: str) -> tuple[str, str]:
    """Return the backend that suits a model, and why, without importing Keras.

    It is the one that `edkit bench` measured here, else by the kind of the model's layers, as in
    the last table of `docs/backends.md`; "" for a model whose package states nothing about it.
    """
    from ed_core.engine.backend_table import fastest
    from ed_core.plugins.decorators import MODELS
    from ed_core.plugins.registry import is_convolutional

    if not model:
        return "", ""
    unused = ""
    try:
        measured = fastest(model)
    except EdkitError as error:
        unused = f" ({error})"
    else:
        if measured[0]:
            return measured
    convolutional = is_convolutional(MODELS.groups, model)
    if convolutional is None:
        return "", unused
    if convolutional:
        return "tensorflow", f"on a CPU the fastest for convolutions, which {model} has{unused}"
    return "jax", f"on a CPU the fastest for dense layers, as {model} has{unused}"


def _backend_of(run: str) -> str | None:
    """Return the backend of a run, None if it is not installed here.

    It takes precedence over KERAS_BACKEND; a difference is reported.
    """
    from ed_core.engine import installed_backends
    from ed_core.recording import RunFolder

    if running_backend():
        return None  # settled already
    try:
        trained = RunFolder.open(run).read().get("backend")
    except EdkitError:  # reported when the run is opened
        return None
    if trained not in installed_backends():
        return None
    if (named := os.environ.get("KERAS_BACKEND")) and named != trained:
        line = f"backend {trained}, of {run!r}; --backend names another, KERAS_BACKEND does not."
        print(f"edkit: {line}", file=sys.stderr)
    return str(trained)


DEBUG = click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks.")
PLUGIN = click.option(
    "--plugin",
    multiple=True,
    expose_value=False,
    metavar="FILE",
    help="A Python file that registers models or data sets.",
)
_BACKEND = click.option(
    "--backend",
    expose_value=False,
    metavar="NAME",
    help="jax, torch, tensorflow, or auto: the fastest for the model here, by 'edkit bench' or a "
    "rule. By default that of KERAS_BACKEND, of the run, of keras.json, else auto; a resumed run "
    "keeps its own.",
)


def early_options(command: Command) -> Command:
    """Declare, for `--help`, the options that are read before the others."""
    for option in (DEBUG, PLUGIN, _BACKEND):
        command = option(command)
    return command


def short(path: Path) -> str:
    """Return a path as typed from the current folder."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def again(path: Path) -> str:
    """Return the arguments that name a run in another command: its path and plugin files."""
    return shlex.join([short(path), *startup.plugins])


def on_backend() -> str:
    """Return the option for this process's backend, which resuming a run needs."""
    import keras

    return f"--backend {keras.config.backend()}"


@contextmanager
def _held_stderr() -> Iterator[None]:
    """Hide the output of C++ libraries while they load, but show it on failure."""
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(saved, 2)
            held.seek(0)
            os.write(2, held.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
