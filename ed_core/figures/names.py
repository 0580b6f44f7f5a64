"""Names of two runs in one figure."""

from collections.abc import Mapping
from typing import Any

from ed_core.run import Run

_FACTS = ("data", "only", "class_weights", "epochs", "batch_size", "learning_rate", "seed")


def names_of(runs: list[Run]) -> list[str]:
    """Return what tells runs apart: models, options, weights, labels, the rest, or folders.

    A single run needs no name: "".
    """
    if len(runs) == 1:
        return [""]
    infos = [run.info for run in runs]
    models = [info["model"] for info in infos]
    if len(set(models)) > 1:
        return models
    weights = [run.spec.weights(run.info["params"], run.info.get("weights")) for run in runs]
    for facts in (
        [info["params"] for info in infos],
        [{f"λ {name}": value for name, value in own.items()} for own in weights],
        [{"labels": info.get("labels") or "all"} for info in infos],
        [{name: info.get(name) for name in _FACTS} for info in infos],
    ):
        differing = [k for k in facts[0] if any(own.get(k) != facts[0][k] for own in facts)]
        if differing:
            return [", ".join(f"{k} {_text(own.get(k))}" for k in differing) for own in facts]
    return [run.path.name for run in runs]


def _text(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(part)}" for name, part in value.items())
    if isinstance(value, (list, tuple)):
        return ",".join(_text(part) for part in value)
    return str(value)
