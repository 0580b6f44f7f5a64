"""Submodels and layers of any Keras model: search by name, and calls by field."""

import hashlib
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np
from keras import layers, ops

from ed_core.errors import EdkitError

_BOLD = re.compile("\x1b\\[1m(.*?)\x1b\\[0m", re.DOTALL)
_SHOWN = 200  # characters of what Keras says of a model that cannot be called


def layer_at(net: Any, path: str) -> tuple[Any, Any]:
    """Return (the model that owns it, the layer) at a path such as `encoder/conv_1`."""
    owner, part = net, net
    for name in path.split("/"):
        owner = part
        named_layers = {layer.name: layer for layer in getattr(owner, "layers", ())}
        part = named_layers.get(name, getattr(owner, name, None))
        if not isinstance(part, layers.Layer):
            raise EdkitError(
                f"no layer {path!r}: {owner.name!r} has {', '.join(named_layers) or 'none'}."
            )
    return owner if not isinstance(part, keras.Model) else part, part


def submodel(net: Any, path: str) -> Any:
    """Return the submodel at a path; raises EdkitError if there is none."""
    part = layer_at(net, path)[1]
    if not isinstance(part, keras.Model):
        raise EdkitError(f"{path!r} is a layer, not a model of its own.")
    return part


def encoder_for(net: Any, decoder: Any, path: str = "encoder") -> Any:
    """Return the submodel whose codes a decoder takes, or None where the model has none.

    It is the one at `path`; where there is none of that name, the only other submodel that gives
    what the decoder takes.

    Raises:
        EdkitError: several do.
    """
    try:
        return submodel(net, path)
    except EdkitError:
        shape = code_shape(decoder)
    fits = [
        part
        for part in getattr(net, "layers", ())
        if isinstance(part, keras.Model) and part is not decoder and shape in _output_shapes(part)
    ]
    if len(fits) > 1:
        raise EdkitError(
            f"several submodels give what {decoder.name!r} takes: name one of them as the encoder, "
            f"encoder={fits[0].name!r} or {fits[-1].name!r}."
        )
    return fits[0] if fits else None


def code_name(decoder: Any, others: Sequence[str] = ()) -> str:
    """Return which input of a decoder takes the code: `code`, or the only one that is not known.

    Raises:
        EdkitError: it is ambiguous.
    """
    inputs = list(inputs_of(decoder) or {"code": None})  # unknown for a subclassed model
    left = [name for name in inputs if name not in others] if len(inputs) > 1 else inputs
    if "code" in inputs or len(left) == 1:
        return "code" if "code" in inputs else left[0]
    raise EdkitError(
        f"{decoder.name!r}: its inputs are {inputs}, no code: build it with "
        "keras.Input(shape, name='code')."
    )


def code_shape(decoder: Any, others: Sequence[str] = ()) -> tuple[int, ...]:
    """Return the shape of one code of a decoder; raise EdkitError if it is unknown."""
    inputs = inputs_of(decoder)
    if not inputs:
        raise EdkitError(
            f"{decoder.name!r}: its inputs are [], no code: build it with keras.Input(shape, "
            "name='code')."
        )
    return tuple(inputs[code_name(decoder, others)].shape[1:])


def weighted_layers(model: Any, path: str) -> dict[str, Any]:
    """Return the layers of a functional model that have weights, by their path."""
    return {
        f"{path}/{layer.name}": layer
        for layer in model.layers
        if layer.weights and not isinstance(layer, keras.Model)
    }


def all_layers(model: Any) -> Iterator[Any]:
    """Yield the layers of a model and of its submodels."""
    for layer in getattr(model, "layers", ()):
        yield layer
        if isinstance(layer, keras.Model):
            yield from all_layers(layer)


def channels_first(part: Any) -> bool:
    """Tell whether a layer, or some layer of a model, has the channels first; else Keras does."""
    return "channels_first" in (_formats(part) or {keras.config.image_data_format()})


def channels_first_in(model: Any, output: str) -> bool:
    """Tell whether an output has the channels first: as the layer of its name, else as all layers.

    With layers of both kinds this is unknown; channels last is assumed, as in Keras.
    """
    try:
        formats = _formats(layer_at(model, output)[1])
    except EdkitError:
        formats = set()
    formats = formats or _formats(model) or {keras.config.image_data_format()}
    return formats == {"channels_first"}


def _formats(part: Any) -> set[str]:
    formats = (getattr(layer, "data_format", None) for layer in (part, *all_layers(part)))
    return {form for form in formats if form is not None}


def rescales(model: Any) -> bool:
    """Tell whether a model brings its input to another scale by a layer of its own."""
    kinds = (layers.Rescaling, layers.Normalization)
    return any(isinstance(layer, kinds) for layer in all_layers(model))


def inputs_of(model: Any) -> dict[str, Any] | None:
    """Return the input tensors of a functional model by name; None for any other model."""
    structure = _input(model)
    if structure is None:
        return None
    return structure if isinstance(structure, dict) else {t.name: t for t in model.inputs}


def call(model: Any, batch: Mapping[str, np.ndarray]) -> Any:
    """Return what a model makes of a batch, as numpy.

    A model with named inputs takes the fields of these names. One with a single input takes the
    field of that name, or the first that has its shape. A subclassed model takes what it was built
    with; where it never was called, the first field, or else all of them.

    Raises:
        EdkitError: it cannot be called on these fields.
    """
    arguments = arguments_of(model, batch)
    try:
        if keras.config.backend() == "jax" and _is_in_training(model):
            outputs = model(
                keras.tree.map_structure(ops.convert_to_tensor, arguments), training=False
            )
            return keras.tree.map_structure(ops.convert_to_numpy, outputs)
        return model.predict_on_batch(arguments)
    except Exception as error:  # whatever somebody's own model raises
        raise _cannot(model, batch, error) from error


def outputs_of(model: Any, batch: Mapping[str, np.ndarray], alone: str) -> dict[str, Any]:
    """Return what a model makes of a batch, by the names of its outputs; see `by_name`."""
    return by_name(model, call(model, batch), alone)


def by_name(model: Any, outputs: Any, alone: str) -> dict[str, Any]:
    """Return the outputs of a model by their names.

    Outputs in a list have the names of the layers that give them, or their numbers from 0 where
    the model is not functional. A single output without a name is called `alone`.
    """
    if isinstance(outputs, dict):
        return outputs
    if not isinstance(outputs, list | tuple):
        return {alone: outputs}
    if len(outputs) == 1:
        return {alone: outputs[0]}
    names = list(getattr(model, "output_names", ()))
    if len(set(names)) != len(outputs):
        names = [str(number) for number in range(len(outputs))]
    return dict(zip(names, outputs, strict=True))


def output_among(
    outputs: Mapping[str, Any], name: str, like: np.ndarray | None, asked: str
) -> np.ndarray:
    """Return the output of a name, else the only one whose samples have the shape of a field.

    Args:
        outputs: of a model, by name.
        name: of the output.
        like: the field, (samples, ...), or None.
        asked: what asks for it, as a message names it.

    Raises:
        EdkitError: there is none, or there are several.
    """
    if name in outputs:
        return np.asarray(outputs[name])
    shape = None if like is None else np.shape(like)[1:]
    fits = [output for output in outputs.values() if np.shape(output)[1:] == shape]
    if len(fits) != 1:
        raise EdkitError(f"{asked}: the model's outputs are {sorted(outputs)}; name one of them.")
    return np.asarray(fits[0])


def symbolic_outputs(model: Any, alone: str) -> dict[str, Any]:
    """Return the output tensors of a functional model by name, {} of any other model."""
    if inputs_of(model) is None:
        return {}
    outputs = model.outputs if isinstance(model, keras.Sequential) else model.output
    return by_name(model, outputs, alone)


def takes(model: Any, batch: Mapping[str, np.ndarray]) -> bool:
    """Tell whether a functional model can be given fields: by name, or by shape where it is one."""
    inputs = inputs_of(model) or {}
    if all(name in batch for name in inputs):
        return True
    return len(inputs) == 1 and any(
        _has_shape(array, tensor.shape) for tensor in inputs.values() for array in batch.values()
    )


def model_inputs(model: Any, arrays: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of some arrays that are inputs of a functional model, by name.

    Raises:
        EdkitError: an input is missing.
    """
    return _named(inputs_of(model) or {}, arrays)


def to_numpy(variable: Any) -> np.ndarray:
    """Return a copy of a variable's value, of one replica where it is mirrored on several."""
    return np.array(ops.convert_to_numpy(ops.convert_to_tensor(variable)))


def weights_sum(model: Any) -> str:
    """Return a sum over the weights of the layers, which tells whether one of them changed."""
    total = hashlib.sha256()
    for variable in getattr(model, "layer_weights", model.weights):
        total.update(to_numpy(variable).tobytes())
    return total.hexdigest()


def _named(inputs: Mapping[str, Any], arrays: Mapping[str, Any]) -> dict[str, Any]:
    missing = [repr(name) for name in inputs if name not in arrays]
    if missing:
        raise EdkitError(
            f"the model needs input{'s' * (len(missing) > 1)} {', '.join(missing)}, got "
            f"{', '.join(map(repr, arrays)) or 'none'}: give it {' and '.join(map(repr, inputs))}."
        )
    return {name: arrays[name] for name in inputs}


def _is_in_training(model: Any) -> bool:
    """Tell whether `fit` may be under way with somebody's own model.

    On jax `predict_on_batch` then forgets the state of `fit`, and where a generator ends before its
    time Keras has no weights any more. Our own data do not end so.
    """
    return bool(model.compiled) and not hasattr(model, "head_weights")


def _input(model: Any) -> Any:
    """Return the input structure of a functional model, None of any other."""
    try:
        if isinstance(model, keras.Sequential):  # whose `input` is what its first caller gave it
            return model.inputs[0]
        return model.input if model.inputs else None
    except (AttributeError, ValueError):  # a Sequential without an Input has no graph
        return None


def _output_shapes(model: Any) -> list[tuple[int, ...]]:
    try:
        return [tuple(tensor.shape[1:]) for tensor in model.outputs or ()]
    except AttributeError:
        return []


def arguments_of(model: Any, batch: Mapping[str, np.ndarray]) -> Any:
    """Return what a model is called with, of a batch; see `call`."""
    structure = _input(model)
    if structure is not None:
        inputs = inputs_of(model) or {}
        if len(inputs) > 1 or isinstance(structure, dict):
            return _named(inputs, batch)
        ((name, tensor),) = inputs.items()
        return batch[name] if name in batch else _first_of(batch, tensor.shape)
    arrays = list(batch.values())
    if len(arrays) == 1 and model not in _WAYS:
        return arrays[0]
    built = (model.get_build_config() or {}).get("input_shape") if model.built else None
    if model in _WAYS or not built:
        return _ways(batch)[_way(model, batch)]
    if isinstance(built, dict):
        return _named(built, batch)
    if all(side is None or isinstance(side, int) for side in built):
        return _first_of(batch, built)
    if len(built) > len(arrays):
        raise EdkitError(
            f"model {model.name!r} takes {len(built)} inputs in a list: give the reference as many "
            f"fields, in their order; it has {_shapes(batch)}."
        )
    return arrays[: len(built)]


_WAYS: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
"""Which of the `_ways` a model takes that was never called when it was first looked at."""


def _ways(batch: Mapping[str, np.ndarray]) -> list[Any]:
    arrays = list(batch.values())
    return [*arrays, dict(batch), arrays]


def _way(model: Any, batch: Mapping[str, np.ndarray]) -> int:
    """Return how a model takes a batch: it is tried, on one sample, in the order of `_ways`."""
    if model in _WAYS:
        return _WAYS[model]
    first: Exception | None = None
    for number, arguments in enumerate(_ways({name: array[:1] for name, array in batch.items()})):
        try:
            with warnings.catch_warnings():  # Keras guesses why it cannot be built
                warnings.simplefilter("ignore")
                model(arguments, training=False)
        except Exception as error:  # whatever somebody's own model raises
            first = first or error
        else:
            _WAYS[model] = number
            return number
    assert first is not None
    raise _cannot(model, batch, first) from first


def _cannot(model: Any, batch: Mapping[str, np.ndarray], error: Exception) -> EdkitError:
    text = str(error)
    if bold := _BOLD.search(text):  # what was wrong, among the arguments of every call
        text = bold[1]
    reason = " ".join(text.split())[:_SHOWN]
    return EdkitError(f"model {model.name!r} cannot be called on {_shapes(batch)}: {reason}")


def _first_of(batch: Mapping[str, np.ndarray], shape: Sequence[int | None]) -> np.ndarray:
    """Return the first field whose samples have a shape, else the first.

    Keras takes some other shapes too, such as one without an axis of size 1 at the end.
    """
    fits = (array for array in batch.values() if _has_shape(array, shape))
    return next(fits, next(iter(batch.values())))


def _has_shape(array: np.ndarray, shape: Sequence[int | None]) -> bool:
    """Tell whether samples have the shape of a tensor (batch, ...), whose sides may be None."""
    sides, expected = np.shape(array)[1:], tuple(shape)[1:]
    return len(sides) == len(expected) and all(
        size in (side, None) for side, size in zip(sides, expected, strict=True)
    )


def _shapes(batch: Mapping[str, np.ndarray]) -> str:
    return ", ".join(f"{name!r} {tuple(np.shape(array))}" for name, array in batch.items())
