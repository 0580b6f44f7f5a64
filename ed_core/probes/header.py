"""Header of a recording: facts of its fields and of its probes' arrays."""

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from ed_core.errors import EdkitError
from ed_core.nn.submodels import channels_first, channels_first_in, inputs_of, layer_at, rescales
from ed_core.probes import Probe
from ed_core.probes.base import channels_to_front, sample_axes
from ed_core.recording import ArrayInfo, ProbeInfo

Fields = Mapping[str, Mapping[str, Any]]

_COLOURS = (1, 3, 4)  # channels that pictures have: other sides of an image are longer


def guess_fields(
    reference: Mapping[str, np.ndarray], stated: Fields | None = None
) -> dict[str, dict[str, Any]]:
    """Return what each field seems to be, from its shape and type.

    Args:
        reference: field to (samples, ...).
        stated: facts that are known of some fields, which hold instead.
    """
    stated = stated or {}
    guessed: dict[str, dict[str, Any]] = {}
    for name, array in reference.items():
        shape = list(array.shape[1:])
        kind = {1: "value", 2: "signal", 3: "image"}.get(len(shape), "value")
        if not shape:
            kind = "class" if array.dtype.kind in "iu" else "value"
        guessed[name] = {"kind": kind, "shape": shape, "classes": []}
    return {
        name: {**guessed.get(name, {}), **stated.get(name, {})} for name in {**guessed, **stated}
    }


def field_facts(
    model: Any, fields: Fields, reference: Mapping[str, np.ndarray]
) -> dict[str, dict[str, Any]]:
    """Return the facts of fields, with what the model says of them.

    `input` is whether it takes the field: where its inputs have no known names, it takes all.
    `rescaled` is there and true where nobody can know whether an output is on the scale of the
    field: it is whole numbers, or a layer of the model brings its input to another scale. `axes`
    are there where the channels come first.
    """
    taken = fields.keys() & (inputs_of(model) or {}) or fields.keys()
    targets_known = hasattr(model, "head_weights")  # those of an Objective are what was prepared
    scaled = not targets_known and rescales(model)
    first = channels_first(model)
    facts_by_field: dict[str, dict[str, Any]] = {}
    for name, facts in fields.items():
        facts_by_field[name] = {**facts, "input": name in taken}
        array = reference.get(name)
        if array is None or facts.get("kind") == "class" or array.ndim < 2:
            continue
        if name in taken and (scaled or (not targets_known and array.dtype.kind in "iub")):
            facts_by_field[name]["rescaled"] = True
        if axes := _field_axes(name, array.shape[1:], facts, first):
            facts_by_field[name]["axes"] = axes
    return facts_by_field


def probe_info(
    probe: Probe, arrays: Mapping[str, np.ndarray], fields: Fields, model: Any = None
) -> ProbeInfo:
    """Return what the recording's header says of a probe.

    Args:
        probe: what is recorded.
        arrays: one of its frames.
        fields: facts of each field of the reference.
        model: tells whether channels come first, and what only a model knows; by default nothing.
    """
    infos = {}
    for name, array in arrays.items():
        axes = probe.axes(name, array.ndim)
        if model is not None and _comes_first(model, probe, name, array, fields):
            axes = channels_to_front(axes)
        infos[name] = ArrayInfo(array.shape, array.dtype.str, axes)
    options = probe.options(fields) | ({} if model is None else probe.model_options(model))
    return ProbeInfo(probe.name, probe.kind, infos, options)


def _field_axes(
    name: str, shape: tuple[int, ...], facts: Mapping[str, Any], first: bool
) -> list[str]:
    """Return the axes of a sample whose channels come first, [] for any other."""
    usual = sample_axes(len(shape))
    stated = facts.get("axes")
    if stated is not None:
        if sorted(stated) != sorted(usual):
            raise EdkitError(
                f"field {name!r}: expected its axes {', '.join(usual)} in the order in which they "
                f"lie, received {', '.join(map(str, stated))}."
            )
        return list(stated)
    if "channel" not in usual:
        return []
    if not first and len(shape) == 3 and _looks_first(shape):
        warnings.warn(
            f"field {name!r} of shape {shape} is recorded as channels first: say "
            f"fields={{{name!r}: {{'axes': {list(usual)}}}}} if it is not.",
            stacklevel=2,
        )
        first = True
    return list(channels_to_front(usual)) if first and not _looks_first(shape[::-1]) else []


def _comes_first(model: Any, probe: Probe, name: str, array: np.ndarray, fields: Fields) -> bool:
    """Tell whether the channels of an array come first: as in a field of its shape, or a layer."""
    axes = probe.axes(name, array.ndim)
    front = channels_to_front(axes)
    if front == axes:
        return False
    shape = array.shape[front.index("channel") :]
    for facts in fields.values():
        if tuple(facts.get("shape", ())) == shape:
            return facts.get("axes", ["?"])[0] == "channel"
    try:
        return channels_first(layer_at(model, name)[1])
    except EdkitError:
        output = getattr(probe, "output", getattr(probe, "field", name))
        return channels_first_in(model, output) and not _looks_first(shape[::-1])


def _looks_first(shape: tuple[int, ...]) -> bool:
    """Tell whether only the first side can be the channels of a picture."""
    return shape[0] in _COLOURS and shape[-1] not in _COLOURS
