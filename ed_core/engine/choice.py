"""Choice of the backend, before Keras is imported."""

import json
import os
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from ed_core.errors import EdkitError, unknown

BACKENDS = ("jax", "torch", "tensorflow")
AUTO = "auto"
"""In the place of a backend's name: the one that suits best."""

_reasons: dict[str, str] = {}  # why a backend was chosen in this process


def installed_backends() -> dict[str, str]:
    """Return the backends that can be imported here, each with its version."""
    return {name: _version(name) for name in BACKENDS if find_spec(name)}


def choose_backend(
    name: str | None = None, *, suited: str = "", why: str = "", told: bool = True
) -> str:
    """Set KERAS_BACKEND, and report an automatic choice in a line on stderr.

    It is `name`, else what KERAS_BACKEND says already, else what `keras.json` says if that is
    installed and not TensorFlow, else the one that is imported already, else `suited`, if that is
    installed, else the first that is. Of several that are imported only TensorFlow counts.
    `AUTO` stands for no name, and `keras.json` does not count then.

    Args:
        name: of the backend, as the user gave it.
        suited: the backend that suits what is to be done, or "".
        why: it does, in a few words; without `suited` what stands behind the other reason.
        told: whether the line is written, where the choice makes a difference.

    Raises:
        EdkitError: the backend is unknown or not installed, none is, or Keras runs on another.
    """
    auto = name == AUTO
    named = "" if auto else name or ""
    chosen_name = named or _from_environment()
    installed = installed_backends()
    if chosen_name and chosen_name not in BACKENDS:
        raise unknown("backend", chosen_name, [*BACKENDS, AUTO] if name else BACKENDS)
    if not installed:
        raise EdkitError("no backend is installed: pip install 'edkit[jax]', or torch, tensorflow.")
    if chosen_name and chosen_name not in installed:
        raise EdkitError(
            f"backend {chosen_name!r} is not installed: pip install 'edkit[{chosen_name}]', "
            f"or choose one that is: {', '.join(installed)}."
        )
    if running := running_backend():
        if chosen_name and running != chosen_name:
            raise EdkitError(
                f"Keras runs on {running!r} in this process; {chosen_name!r} needs another."
            )
        return running
    if chosen_name:
        told = told and auto and chosen_name not in _reasons  # those are in KERAS_BACKEND by us
        reason, ways = f"named by {'--backend' if named else 'KERAS_BACKEND'}", "."
    else:
        chosen_name, reason, ways = _choice(installed, suited, why, auto)
    if told and not named:
        print(f"edkit: backend {chosen_name}, {reason}{ways}", file=sys.stderr)
    if named or chosen_name not in _reasons:
        _reasons[chosen_name] = reason
    os.environ["KERAS_BACKEND"] = chosen_name
    _quiet()
    return chosen_name


def reason_for(backend: str) -> str:
    """Return why this process runs on a backend, in a few words."""
    return _reasons.get(backend, "Keras ran on it already")


def running_backend() -> str:
    """Return the backend that Keras runs on, "" where it is not imported, or not yet wholly."""
    config = getattr(sys.modules.get("keras"), "config", None)
    return str(config.backend()) if config is not None else ""


def settle_backend() -> None:
    """Choose an installed backend for an import of Keras, unless one is named.

    Nothing is raised: it may be one that Keras has and edkit has not, such as OpenVINO.
    """
    stored = _stored_in(keras_json())
    foreign = stored and stored not in BACKENDS
    if not _from_environment() and not foreign and installed_backends():
        choose_backend()


def _from_environment() -> str:
    return os.environ.get("KERAS_BACKEND", "").strip()


def _choice(installed: Iterable[str], suited: str, why: str, auto: bool) -> tuple[str, str, str]:
    """Return the backend to take where none is named, why, and how to name another."""
    path = keras_json()
    stored = _stored_in(path)
    # Keras writes "tensorflow" there at its first import, whatever is installed: not a choice.
    if stored != "tensorflow" and stored in installed and not auto:
        return stored, f"which {str(path)!r} names", "."
    ways = "; KERAS_BACKEND, or --backend of the command, names another."
    imported = [name for name in installed if name in sys.modules]
    if "tensorflow" in imported:  # it imports Keras itself, and JAX where that is installed
        imported = ["tensorflow"]
    if len(imported) == 1:
        return imported[0], "which is imported already", ways
    if suited in installed:
        return suited, why, ways
    return next(iter(installed)), f"the first that is installed{'' if suited else why}", ways


def keras_json() -> Path:
    """Return the file in which Keras keeps its settings."""
    return Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras").expanduser() / "keras.json"


def _stored_in(path: Path) -> str:
    """Return the backend named in a file of Keras' settings, "" if there is none."""
    try:
        settings = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):  # Keras passes over these too
        return ""
    stored = settings.get("backend") if isinstance(settings, dict) else ""
    return stored if isinstance(stored, str) else ""


def _quiet() -> None:
    """Keep TensorFlow's start-up messages off the terminal; Keras imports it where it finds it."""
    import logging  # `import ed_core` does without

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.getLogger("tensorflow").setLevel(logging.ERROR)


def _version(name: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # `import ed_core` does without

    for distribution in (name, f"{name}-cpu"):
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return "unknown"
