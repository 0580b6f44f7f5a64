"""Inference models: copies of a model in Keras' own layers."""

from typing import Any

import keras
from keras import layers

from ed_core.errors import EdkitError
from ed_core.nn.layers import (
    CentredBatchNormalization,
    MirrorAverage,
    Sampling,
    SharedNetwork,
    mirrored,
)


def inference_model(model: Any) -> Any:
    """Return a copy of a functional or sequential model that Keras can load without edkit.

    In use it gives the same numbers: where the model samples a code, it has the mean. It is not
    meant to be trained.

    Args:
        model: such as the encoder of a run.

    Raises:
        EdkitError: a layer has no counterpart in Keras, with its name, or a model has no graph.
    """
    copies: dict[int, tuple[Any, Any]] = {}
    copied = _copy(model, copies)
    for layer, copy in copies.values():
        if not isinstance(layer, keras.Model) and getattr(layer, "weights", None):
            copy.set_weights(layer.get_weights())
    return copied


def _copy(layer: Any, copies: dict[int, tuple[Any, Any]]) -> Any:
    """Return the copy of a layer or a model, the same one for each of its calls."""
    if isinstance(layer, Sampling):
        return layer  # only `_call` sees it
    if id(layer) not in copies:
        copies[id(layer)] = layer, _new(layer, copies)
    return copies[id(layer)][1]


def _new(layer: Any, copies: dict[int, tuple[Any, Any]]) -> Any:
    if isinstance(layer, SharedNetwork):  # a copy of its own: Keras' files do not share so deep
        network = layer.called()
        return inference_model(keras.Model(network.input, network.output, name=layer.name))
    if isinstance(layer, MirrorAverage):
        return _average(layer, copies)
    if isinstance(layer, keras.Model):
        graph = keras.Model(*_ends(layer), name=layer.name)
        return keras.models.clone_model(
            graph, clone_function=lambda part: _copy(part, copies), call_function=_call
        )
    kind = type(layer)
    if isinstance(layer, CentredBatchNormalization):
        kind = layers.BatchNormalization
    elif not kind.__module__.startswith("keras."):
        raise EdkitError(
            f"layer {layer.name!r} is a {kind.__name__}, which Keras does not have: save the model "
            f"itself, and import {kind.__module__.partition('.')[0]} where it is loaded."
        )
    return kind.from_config(layer.get_config())


def _average(layer: MirrorAverage, copies: dict[int, tuple[Any, Any]]) -> Any:
    """Return the mean over mirror images as a model of Keras' own operations."""
    given = {
        name: keras.Input(tensor.shape[1:], name=name) for name, tensor in layer.layer.input.items()
    }
    one = _copy(layer.layer, copies)
    seen = []
    for steps in layer.mirrors:
        maps = one({name: mirrored(x, steps) for name, x in given.items()})
        seen.append({name: mirrored(x, steps) for name, x in maps.items()})
    means = {name: sum(maps[name] for maps in seen) / len(seen) for name in seen[0]}
    return keras.Model(given, means, name=layer.name)


def _ends(model: Any) -> tuple[Any, Any]:
    """Return the inputs and the outputs of a model's graph, as they are named."""
    if not getattr(model, "inputs", None):  # only a graph, once it is built, has some
        raise EdkitError(
            f"model {model.name!r} is a {type(model).__name__} without a graph: make it with "
            "keras.Model(inputs, outputs), or a Sequential that begins with keras.Input."
        )
    if isinstance(model, keras.Sequential):  # its `input` fails where it is called twice
        return model.inputs[0], model.outputs[0]
    return model.input, model.output


def _call(layer: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a copy; of what is to be sampled from, return the mean."""
    return args[0][0] if isinstance(layer, Sampling) else layer(*args, **kwargs)
