"""Finding and calling the parts of a model by name, whatever kind of Keras model it is."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from ed_core.errors import EdkitError


def layer_at(net: Any, path: str) -> tuple[Any, Any]:
    """Return (the model that owns it, the layer) at a path such as `encoder/conv_1`."""
    owner, found = net, net
    for part in path.split("/"):
        owner = found
        known = {layer.name: layer for layer in getattr(owner, "layers", ())}
        found = known.get(part, getattr(owner, part, None))
        if not isinstance(found, layers.Layer):
            raise EdkitError(f"no layer {path!r}: {owner.name!r} has {', '.join(known) or 'none'}.")
    return owner if not isinstance(found, keras.Model) else found, found


def submodel(net: Any, path: str) -> Any:
    """Return the submodel at a path; raises EdkitError if there is none."""
    found = layer_at(net, path)[1]
    if not isinstance(found, keras.Model):
        raise EdkitError(f"{path!r} is a layer, not a model of its own.")
    return found


def weighted_layers(model: Any, path: str) -> dict[str, Any]:
    """Return the layers of a functional model that have weights, by their path."""
    return {
        f"{path}/{layer.name}": layer
        for layer in model.layers
        if layer.weights and not isinstance(layer, keras.Model)
    }


def inputs_of(model: Any) -> dict[str, Any] | None:
    """Return the input tensors of a functional model by name; None for any other model."""
    structure = _input(model)
    if structure is None:
        return None
    return structure if isinstance(structure, dict) else {t.name: t for t in model.inputs}


def with_inputs(model: Any, fields: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the facts of fields, and as `input` whether the model takes them.

    Where its inputs have no known names, it takes all.
    """
    taken = fields.keys() & (inputs_of(model) or {}) or fields.keys()
    return {name: {**facts, "input": name in taken} for name, facts in fields.items()}


def call(model: Any, batch: Mapping[str, np.ndarray]) -> Any:
    """Return what a model makes of a batch, as numpy.

    A model with named inputs takes the fields of these names. One with a single input takes the
    field of that name, or the first; so does a subclassed one, whose inputs nobody can know.
    """
    wanted = inputs_of(model)
    if wanted is None or (len(wanted) == 1 and not isinstance(_input(model), dict)):
        name = next(iter(wanted or ()), "")
        return model.predict_on_batch(batch.get(name, next(iter(batch.values()))))
    return model.predict_on_batch(taken(model, batch))


def taken(model: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of some arrays that are inputs of a functional model, by name.

    Raises:
        EdkitError: an input is missing.
    """
    wanted = inputs_of(model) or {}
    missing = [repr(name) for name in wanted if name not in given]
    if missing:
        raise EdkitError(
            f"the model needs input{'s' * (len(missing) > 1)} {', '.join(missing)}, got "
            f"{', '.join(map(repr, given)) or 'none'}: give it {' and '.join(map(repr, wanted))}."
        )
    return {name: given[name] for name in wanted}


def _input(model: Any) -> Any:
    """Return the input structure of a functional model, None of any other."""
    try:
        return model.input if model.inputs else None
    except (AttributeError, ValueError):  # a Sequential without an Input has no graph
        return None


def as_dict(outputs: Any, name: str) -> dict[str, Any]:
    """Return named outputs as they are, and a single unnamed one, or the first, under `name`."""
    if isinstance(outputs, list | tuple):  # such as [mean, log_var, z]
        outputs = outputs[0]
    return outputs if isinstance(outputs, dict) else {name: outputs}


def to_numpy(variable: Any) -> np.ndarray:
    """Return a copy of a variable's value."""
    return np.array(ops.convert_to_numpy(getattr(variable, "value", variable)))
