"""The plan of a run, kept in its `run.json`, and what else stands there."""

import importlib.metadata
import math
import platform
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from numbers import Integral, Real
from typing import Any

import keras
import numpy as np

from ed_core.engine import installed_backends
from ed_core.errors import EdkitError
from ed_core.plugins.registry import PLUGIN_FILES
from ed_core.plugins.spec import Dataset, ModelSpec
from ed_core.runs.run import check_data_plugin, spec_of


@dataclass(frozen=True, slots=True)
class Plan:
    """All that decides how a run goes: kept in `run.json`, so that `resume` goes on the same way.

    It is trained with Adam, or the model's own optimizer, and a cosine decay of the learning rate
    to 0.

    Args:
        model: the name of a model.
        data: a data set with its options.
        params: the model's options.
        epochs: passes over the training split.
        batch_size: samples a step.
        learning_rate: at the first step.
        seed: of the initial weights, the order of the data and all noise.
        weights: the weight of a head, where it is not the model's own.
        record: whether to record the probes.
        every: steps from frame to frame; by default as often as costs at most 2 % of the time.
        labels: head to the share of its training labels that is kept; see `ed_core.data.selection`.
        stratified: keep the same share of every class.
        only: class field to the one class that is trained on, for anomaly detection.
        class_weights: head to `balanced` or to a weight a class, such as "1,2,0.5".
        oversample: head to the share of an epoch that samples with its target get.
        validation: the share of the training split that is kept aside to choose on, 0 for none; by
            default a tenth, where the data have no validation split of their own.

        field_names: what the model calls a field, to what the data call it.

    Raises:
        EdkitError: a value has the wrong type or is out of its range.
    """

    model: str
    data: str
    params: Mapping[str, Any]
    epochs: int = 10
    batch_size: int = 128
    learning_rate: float = 1e-3
    seed: int = 0
    weights: Mapping[str, float] | None = None
    record: bool = True
    every: int | None = None
    labels: Mapping[str, float] | None = None
    stratified: bool = False
    only: Mapping[str, Any] | None = None
    class_weights: Mapping[str, str] | None = None
    oversample: Mapping[str, float] | None = None
    validation: float | None = None
    field_names: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        for name, (kind, what) in _NUMBERS.items():
            if not isinstance(value := getattr(self, name), kind):
                raise EdkitError(f"{name} must be {what}, received {value!r}.")
            # One of numpy is no number for JSON.
            object.__setattr__(self, name, int(value) if kind is Integral else float(value))
        for name, (kind, what) in _MAPPINGS.items():
            given = getattr(self, name)
            if not isinstance(given, Mapping | None) or not all(
                isinstance(value, kind) for value in (given or {}).values()
            ):
                raise EdkitError(f"{name} must be {what} for a name, received {given}.")
            if given is not None and kind is Real:
                object.__setattr__(self, name, {key: float(n) for key, n in given.items()})
        for name, least in (
            ("epochs", "at least 1"),
            ("batch_size", "at least 1"),
            ("learning_rate", "above 0"),
        ):
            if not 0 < getattr(self, name) < math.inf:
                raise EdkitError(f"{name} must be {least}, received {getattr(self, name)}.")
        for name, weight in (self.weights or {}).items():
            if not math.isfinite(weight):
                raise EdkitError(f"the weight of head {name!r} must be finite, received {weight}.")
        if self.every is not None:
            if not isinstance(self.every, Integral) or self.every < 1:
                raise EdkitError(f"every must be at least 1 step, received {self.every!r}.")
            object.__setattr__(self, "every", int(self.every))
        if self.validation is not None:
            if not isinstance(self.validation, Real) or not 0 <= self.validation < 1:
                raise EdkitError(
                    f"validation must be a share from 0 to below 1, received {self.validation!r}."
                )
            object.__setattr__(self, "validation", float(self.validation))
        if not 0 <= self.seed < 2**31:
            raise EdkitError(f"seed must be from 0 to 2147483647, received {self.seed}.")


def check_terms(spec: ModelSpec, plan: Plan, rising: bool = True) -> None:
    """Check the weights of a model's heads, and over how many epochs they rise, for a training.

    Args:
        spec: the model.
        plan: of the run.
        rising: whether a weight must have risen before the last epoch.

    Raises:
        EdkitError: one is below 0, which would turn learning round, or would never be reached; or
            a head is unknown.
    """
    params = spec.check(plan.params)
    weights = spec.weights(params, plan.weights)
    for head in spec.heads:
        own = isinstance(head.weight, str) and head.name not in (plan.weights or {})
        what = f"option {head.weight!r}" if own else f"the weight of head {head.name!r}"
        if weights[head.name] < 0:
            raise EdkitError(f"{what} must be 0 or more, received {weights[head.name]:g}.")
        rise = params[head.warm_up] if isinstance(head.warm_up, str) else head.warm_up
        over = f"option {head.warm_up!r}" if isinstance(head.warm_up, str) else "its warm-up"
        if rise < 0:
            raise EdkitError(f"{over} must be 0 epochs or more, received {rise:g}.")
        if rising and rise >= plan.epochs and weights[head.name]:
            raise EdkitError(
                f"{over} must be fewer epochs than the training has, or the weight of head "
                f"{head.name!r} never reaches {weights[head.name]:g}: received {rise:g} of "
                f"{plan.epochs} epochs."
            )


PLAN_OPTIONS = Plan.__slots__[3:]
"""What may be said of a training beside the model, its options and the data."""

_NUMBERS: dict[str, tuple[Any, str]] = {
    "epochs": (Integral, "a whole number"),
    "batch_size": (Integral, "a whole number"),
    "seed": (Integral, "a whole number"),
    "learning_rate": (Real, "a number"),
}
_MAPPINGS: dict[str, tuple[Any, str]] = {
    "weights": (Real, "a number"),
    "labels": (Real, "a share"),
    "oversample": (Real, "a share"),
    "only": (str | int, "a class"),
    "class_weights": (str, "'balanced' or numbers"),
    "field_names": (str, "the name of a field"),
}


def facts(data: Dataset) -> dict[str, Any]:
    """Return what `run.json` says beside the plan."""
    return {
        "created": now(),
        "backend": keras.config.backend(),
        "versions": _versions(),
        "host": platform.node(),
        "plugins": list(PLUGIN_FILES),
        "fields": {name: asdict(field) for name, field in data.fields.items()},
    }


def _versions() -> dict[str, str]:
    backend = keras.config.backend()
    return {
        "edkit": importlib.metadata.version("edkit"),
        "python": platform.python_version(),
        "keras": keras.__version__,
        "numpy": np.__version__,
        backend: installed_backends()[backend],
    }


def plan_of(info: Mapping[str, Any], where: str) -> Plan:
    """Return the plan that `run.json` holds; raises EdkitError if it is not whole."""
    try:
        spec = spec_of(info)
        check_data_plugin(info)
        late = ("validation", "field_names")  # of which earlier runs say nothing
        known = {name: info[name] for name in Plan.__slots__ if name not in late}
        known.update({name: info.get(name) for name in late})
    except KeyError as error:
        raise EdkitError(f"{where!r} cannot be resumed: its run.json lacks {error}.") from error
    return Plan(**{**known, "params": spec.check(known["params"])})


def compare(info: Mapping[str, Any]) -> None:
    """Refuse another backend; warn where the resume cannot be bit-identical."""
    backend = keras.config.backend()
    if info.get("backend") != backend:
        raise EdkitError(
            f"the run was trained on {info.get('backend')!r}, this is {backend!r}: "
            f"resume it with --backend {info.get('backend')}."
        )
    was, now = info.get("versions", {}), _versions()
    changed = [
        f"{name} {was.get(name)} -> {now[name]}" for name in now if was.get(name) != now[name]
    ]
    if changed:
        warnings.warn(f"not bit-identical because: {', '.join(changed)}", stacklevel=3)


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
