"""Options of every training: `Plan`, whose signature they are, and what else `run.json` keeps."""

import importlib.metadata
import math
import platform
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, asdict, dataclass, replace
from typing import Any, Literal

import keras
import numpy as np

from ed_core.engine import installed_backends, reason_for
from ed_core.errors import EdkitError
from ed_core.plugins.findings import Findings
from ed_core.plugins.options import options_of
from ed_core.plugins.registry import PLUGIN_FILES
from ed_core.plugins.spec import Dataset, ModelSpec
from ed_core.probes.pacing import SHARE
from ed_core.recording.folder import now
from ed_core.runs.rebuilding import check_data_plugin, spec_of

BATCH = 128  # samples a step, of those that are small
_BATCH_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Plan:
    """All that decides how a run goes: kept in `run.json`, so that `resume` goes on the same way.

    It is trained with Adam, or the model's own optimizer, and a cosine decay of the learning rate
    to 0.

    The keyword arguments are the options of every training: the command, its JSON and the window's
    form are made of them and of the words here (`TRAINING_OPTIONS`).

    Args:
        model: the name of a model.
        data: a data set with its options.
        params: the model's options.
        epochs: passes over the data.
        batch_size: samples a step; by default 128, or fewer where they are large: what takes 16 MB.
        learning_rate: at the first step.
        seed: of weights, order and noise.
        weights: the weight lambda of a head.
        labels: the share of its labels that is kept.
        oversample: the share of an epoch for samples that have this head's label.
        validation: the share of the training data kept aside to choose on, 0 for none; by default
            0.1, where the data have no validation split of their own.
        stratified: keep the same share of every class.
        only: train on one class alone.
        class_weights: 'balanced', or a weight a class: 1,2,0.5.
        field_names: take the data's field OTHER for the field that the model calls NAME.
        record: record the probes.
        record_share: the share of the training time that recording may cost.
        every: steps from frame to frame; by default as often as that share allows.
        engine: 'auto' keeps data that fit on the device and computes some layers faster, 'plain'
            leaves both to Keras.

    Raises:
        EdkitError: a value has the wrong type or is out of its range.
    """

    model: str
    data: str
    params: Mapping[str, Any]
    _: KW_ONLY
    epochs: int = 10
    batch_size: int | None = None
    learning_rate: float = 1e-3
    seed: int = 0
    weights: Mapping[str, float] | None = None
    labels: Mapping[str, float] | None = None
    oversample: Mapping[str, float] | None = None
    validation: float | None = None
    stratified: bool = False
    only: Mapping[str, str | int] | None = None
    class_weights: Mapping[str, str] | None = None
    field_names: Mapping[str, str] | None = None
    record: bool = True
    record_share: float = SHARE
    every: int | None = None
    engine: Literal["auto", "plain"] = "auto"

    def __post_init__(self) -> None:
        for name, option in TRAINING_OPTIONS.items():
            object.__setattr__(self, name, option.check(getattr(self, name)))
        for name, least in (
            ("epochs", "at least 1"),
            ("batch_size", "at least 1"),
            ("learning_rate", "above 0"),
        ):
            if getattr(self, name) is not None and getattr(self, name) <= 0:
                raise EdkitError(f"{name} must be {least}, received {getattr(self, name)}.")
        if self.every is not None and self.every < 1:
            raise EdkitError(f"every must be at least 1 step, received {self.every}.")
        if not 0 < self.record_share <= 1:
            raise EdkitError(
                f"record_share must be a share above 0, up to 1, received {self.record_share}: "
                "--no-record records nothing."
            )
        if self.validation is not None and not 0 <= self.validation < 1:
            raise EdkitError(
                f"validation must be a share from 0 to below 1, received {self.validation}."
            )
        if not 0 <= self.seed < 2**31:
            raise EdkitError(f"seed must be from 0 to 2147483647, received {self.seed}.")


TRAINING_OPTIONS = options_of(Plan)
"""The options of every training, by name, in the order in which the command has them."""


def settle_batch(plan: Plan, data: Dataset, inputs: Iterable[str]) -> tuple[Plan, Dataset]:
    """Return the plan with its batch size, and the data with what is said of it.

    What a network computes of an image takes a hundred times its memory, and more.

    Args:
        plan: of the run.
        data: that it trains on.
        inputs: the fields that the model takes.
    """
    if plan.batch_size is not None:
        return plan, data
    sample = sum(4 * math.prod(data.fields[name].shape) for name in inputs)
    fitting = max(1, _BATCH_BYTES // max(sample, 1))
    size = min(BATCH, 2 ** int(math.log2(fitting)))
    plan = replace(plan, batch_size=size)
    if size == BATCH:
        return plan, data
    findings = Findings()
    text = f"{size} samples a step, since one takes {sample / 2**20:.1f} MB"
    findings.infer("batch", text, "--batch-size")
    both = (*data.input.findings, *findings)
    return plan, replace(data, input=replace(data.input, findings=both))


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


def facts(data: Dataset) -> dict[str, Any]:
    """Return what `run.json` says beside the plan."""
    return {
        "created": now(),
        "backend": keras.config.backend(),
        "backend_reason": reason_for(keras.config.backend()),
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
        late = {  # of which earlier runs say nothing
            "validation": None,
            "field_names": None,
            "record_share": SHARE,
            "engine": "plain",
        }
        known = {name: info[name] for name in Plan.__slots__ if name not in late}
        known.update({name: info.get(name, default) for name, default in late.items()})
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
    was, versions = info.get("versions", {}), _versions()
    changed = [
        f"{name} {was.get(name)} -> {versions[name]}"
        for name in versions
        if was.get(name) != versions[name]
    ]
    if changed:
        warnings.warn(f"not bit-identical because: {', '.join(changed)}", stacklevel=3)
