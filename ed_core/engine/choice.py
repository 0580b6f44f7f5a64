"""The choice of the backend, settled before Keras is imported."""

import logging
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from ed_core.errors import EdkitError, unknown

BACKENDS = ("jax", "torch", "tensorflow")


def installed_backends() -> dict[str, str]:
    """Return the backends that can be imported here, each with its version."""
    return {name: _version(name) for name in BACKENDS if find_spec(name)}


def choose_backend(name: str | None = None) -> str:
    """Set KERAS_BACKEND to `name`, else to what it says already, else to one that is installed.

    Raises:
        EdkitError: the backend is unknown or not installed, none is, or Keras runs on another.
    """
    wanted = name or os.environ.get("KERAS_BACKEND", "").strip()
    installed = installed_backends()
    if wanted and wanted not in BACKENDS:
        raise unknown("backend", wanted, BACKENDS)
    if not installed:
        raise EdkitError("no backend is installed: pip install 'edkit[jax]', or torch, tensorflow.")
    if wanted and wanted not in installed:
        raise EdkitError(
            f"backend {wanted!r} is not installed: pip install 'edkit[{wanted}]', "
            f"or choose one that is: {', '.join(installed)}."
        )
    if "keras" in sys.modules:
        running = sys.modules["keras"].config.backend()
        if wanted and running != wanted:
            raise EdkitError(
                f"Keras runs on {running!r} in this process; {wanted!r} needs another."
            )
        return str(running)
    chosen = wanted or next(iter(installed))
    os.environ["KERAS_BACKEND"] = chosen
    _quiet()
    return chosen


def _quiet() -> None:
    """Keep TensorFlow's start-up messages off the terminal; Keras imports it where it finds it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def _version(name: str) -> str:
    for distribution in (name, f"{name}-cpu"):
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return "unknown"


def settle_backend() -> None:
    pass
