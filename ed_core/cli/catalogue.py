"""The catalogue of `edkit list --json`: models, data sets and options as plain data."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from ed_core.cli.flags import TrainingOption, flag_of, training_options
from ed_core.cli.start import startup
from ed_core.data.loading import given_options
from ed_core.errors import EdkitError
from ed_core.plugins.decorators import DATASETS, MODELS
from ed_core.plugins.options import FilePath, Option, RunPath
from ed_core.plugins.registry import BROKEN
from ed_core.plugins.spec import DatasetSpec, ModelSpec

KINDS = ("models", "data", "panels", "backends")
_TYPES: dict[Any, str] = {
    **{int: "int", float: "float", bool: "bool"},
    **{FilePath: "path", str | Path: "path", RunPath: "run"},
}


def entries(kind: str) -> dict[str, str]:
    """Return the models, data sets, panels or backends, each with a line about it."""
    if kind == "backends":
        from ed_core.engine import installed_backends

        return installed_backends()
    if kind == "panels":
        if not find_spec("PySide6"):
            return {}
        from ed_viewer.panels.base import PANELS

        return {name: (panel.__doc__ or "").partition("\n")[0] for name, panel in PANELS.items()}
    if kind == "models":
        startup.keras(told=False)
    specs: Mapping[str, ModelSpec | DatasetSpec] = MODELS if kind == "models" else DATASETS
    return {name: spec.summary for name, spec in specs.items()}


def catalogue(kinds: tuple[str, ...] = KINDS, name: str | None = None) -> dict[str, Any]:
    """Return what there is; docs/file-format.md says what stands under each key.

    Args:
        kinds: of `KINDS`, those that are wanted.
        name: of the only model or data set that is wanted.
    """
    found: dict[str, Any] = {}
    if "models" in kinds:
        found["backend"] = startup.keras(told=False)
        found["models"] = {n: _model(MODELS[n]) for n in ([name] if name else MODELS)}
        found["training"] = [_training_option(option) for option in training_options()]
    if "data" in kinds:
        found.setdefault("backend", startup.backend())
        found["data"] = {n: _dataset(DATASETS[n]) for n in ([name] if name else DATASETS)}
    for kind in ("panels", "backends"):
        if kind in kinds:
            found[kind] = entries(kind)
    return {**found, "broken": dict(BROKEN)}


def _model(spec: ModelSpec) -> dict[str, Any]:
    heads = [
        {
            "name": head.name,
            "output": head.output,
            "loss": head.loss.__name__,
            "weight": head.weight,
            "target": head.target or None,
            "until": head.until,
            "after": head.after or None,
            "optional": head.optional,
        }
        for head in spec.heads
    ]
    name, given = _data_of(spec)
    return {
        "summary": spec.summary,
        "data": name,
        "data_options": given,
        "options": [{**_option(o), "flag": flag_of(o)} for o in spec.options.values()],
        "heads": heads,
        "probes": [probe.name for probe in spec.probes],
    }


def _data_of(spec: ModelSpec) -> tuple[str, dict[str, Any]]:
    """Return the data set that a model is trained on by default, which may be one not there."""
    try:
        return given_options(spec.data)
    except EdkitError:
        return spec.data.partition(":")[0], {}


def _dataset(spec: DatasetSpec) -> dict[str, Any]:
    options = [_option(option) for option in spec.options.values()]
    return {"summary": spec.summary, "options": options}


def _option(option: Option) -> dict[str, Any]:
    kind = option.present_type
    choices = list(get_args(kind)) if get_origin(kind) is Literal else []
    many = get_origin(kind) is tuple
    return {
        "name": option.name,
        "type": "choice" if choices else "ints" if many else _TYPES.get(kind, "str"),
        "default": option.default,
        "choices": choices,
        "help": option.help,
    }


def _training_option(parameter: TrainingOption) -> dict[str, Any]:
    facts = _option(parameter.option)
    flag = parameter.opts[0]
    return {
        "name": flag.removeprefix("--").replace("-", "_"),
        "flag": flag,
        "type": parameter.kind or facts["type"],
        "default": {"flag": False, "pairs": []}.get(parameter.kind, facts["default"]),
        "choices": facts["choices"],
        "help": parameter.summary,
        "metavar": parameter.metavar,
    }
