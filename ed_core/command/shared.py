"""Parts of every command: the early options, the start of the backend, the display."""

import os
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


class Startup:
    """The early options, and the start of what only some commands need."""

    def __init__(self) -> None:
        self._backend: str | None = None
        self._plugins: Sequence[str] = ()
        self._window = False

    def settle(self, backend: str | None, plugins: Sequence[str], window: bool) -> None:
        """Note what the command line says."""
        self._backend, self._plugins, self._window = backend, plugins, window

    def keras(self, window: bool = False) -> str:
        """Start the backend and load the plugin files; return the backend's name.

        Args:
            window: whether one will be open beside what is done.
        """
        from ed_core.engine import choose_backend, share_processors

        if window or self._window:
            share_processors()
        chosen = choose_backend(self._backend)
        with _held_stderr():
            from ed_core.engine.tuning import wake

            wake()
        self.plugin_files()
        return chosen

    def plugin_files(self) -> None:
        """Load the plugin files; they import Keras only where they need it."""
        from ed_core.registry import load_plugin_file

        for path in self._plugins:
            load_plugin_file(path)

    @property
    def plugins(self) -> list[str]:
        """The options that name the plugin files, for another process."""
        return [part for path in self._plugins for part in ("--plugin", path)]


startup = Startup()


def early_options(command: Command) -> Command:
    """Declare, for `--help`, the options that are read before the others."""
    for option in (
        click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks."),
        click.option(
            "--plugin",
            multiple=True,
            expose_value=False,
            metavar="FILE",
            help="A Python file that registers models or data sets.",
        ),
        click.option(
            "--backend",
            expose_value=False,
            metavar="NAME",
            help="jax, torch or tensorflow; by default KERAS_BACKEND, or one that is installed.",
        ),
    ):
        command = option(command)
    return command


def has_display() -> bool:
    """Tell whether a window can be opened here."""
    if not find_spec("PySide6") or not find_spec("pyqtgraph"):
        return False
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def short(path: Path) -> str:
    """Return a path as a user would type it from here."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def again(path: Path) -> str:
    """Return how another command names a run: its path, and the plugin files that it needs."""
    return shlex.join([short(path), *startup.plugins])


def on_backend() -> str:
    """Return the option that names the backend of this process, which a resumed run needs."""
    import keras

    return f"--backend {keras.config.backend()}"


@contextmanager
def _held_stderr() -> Iterator[None]:
    """Keep what C++ libraries print while they load off the terminal, but show it on failure."""
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
