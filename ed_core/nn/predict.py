"""Batched predictions of a model, and per-sample values of a loss."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from keras import ops

from ed_core.data.lazy import at_a_time
from ed_core.nn.submodels import model_inputs

Arrays = Mapping[str, Any]
Piece = tuple[dict[str, np.ndarray], slice, dict[str, np.ndarray]]


def pieces(model: Any, arrays: Arrays) -> Iterator[Piece]:
    """Yield the inputs of some samples, their rows, and every output of the model for them.

    Args:
        model: functional, with named inputs and outputs.
        arrays: field to (samples, ...), or anything that slices like it.

    Raises:
        EdkitError: an input of the model is missing.
    """
    inputs = model_inputs(model, arrays)
    step = at_a_time(inputs, inputs)
    for first in range(0, len(next(iter(inputs.values()))), step):
        rows = slice(first, first + step)
        batch = {name: ready(array[rows]) for name, array in inputs.items()}
        yield batch, rows, model.predict_on_batch(batch)


def predict(
    model: Any, arrays: Arrays, names: Iterable[str] | None = None
) -> dict[str, np.ndarray]:
    """Return the outputs of a functional model with named inputs, (samples, ...) each.

    Args:
        model: the model.
        arrays: field to (samples, ...).
        names: the outputs that are kept; by default all.

    Raises:
        EdkitError: an input of the model is missing.
    """
    selected = list(model.output if names is None else names)
    parts = [[output[name] for name in selected] for _, _, output in pieces(model, arrays)]
    return {name: np.concatenate(column) for name, *column in zip(selected, *parts, strict=True)}


def values_of(function: Callable[..., Any], *arrays: np.ndarray, **more: np.ndarray) -> np.ndarray:
    """Return what a loss or a metric gives for each sample, (samples, ...).

    Args:
        function: the loss or metric. One that returns a single number says it of every sample.
        arrays: what it takes, (samples, ...) each.
        more: the same, by name.
    """
    named = {name: ops.convert_to_tensor(_single(array)) for name, array in more.items()}
    result = function(*(ops.convert_to_tensor(_single(array)) for array in arrays), **named)
    values = np.asarray(ops.convert_to_numpy(result))
    return values if values.ndim else np.full(len(arrays[0]), values)


def _single(array: np.ndarray) -> np.ndarray:
    """Return half precision as float32, as training computes its losses."""
    return array.astype("float32") if array.dtype.name in ("bfloat16", "float16") else array


def mean(values: np.ndarray) -> float:
    """Return the mean, summed in float64."""
    return float(np.mean(values, dtype=np.float64))


def total(values: np.ndarray) -> float:
    """Return the sum, in float64."""
    return float(np.sum(values, dtype=np.float64))


def ready(array: Any) -> np.ndarray:
    """Return the type that a model takes, and an array that torch may look at without a copy."""
    array = np.asarray(array)
    kind = "float32" if array.dtype.kind == "f" else "int32"
    return array.astype(kind, copy=not array.flags.writeable)
