"""Largest of every two neighbours along each axis, with a gradient that is fast on JAX's CPU."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import keras
from keras import layers, ops

_POOLINGS = (layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D)
Tensor = Any


def speed_up_pooling(model: Any) -> None:
    """Let the poolings of a model that halve every axis compute otherwise on JAX's CPU.

    XLA has one loop for the gradient of any pooling (select-and-scatter), which takes three to six
    times as long there. The numbers are the same, of the gradient too. The layers stay Keras' own,
    so that the model is saved as it was built.

    Args:
        model: with all its submodels.
    """
    if not _is_slow():
        return
    for layer in _layers_of(model):
        halves = set(getattr(layer, "pool_size", ())) == set(getattr(layer, "strides", ())) == {2}
        if type(layer) in _POOLINGS and halves and layer.data_format == "channels_last":
            layer.call = partial(_pooled, type(layer).call.__get__(layer))


def largest_of_pairs(x: Tensor) -> Tensor:
    """Return the maximum of every two, four or eight neighbours.

    Where several are the largest, the first of them gets the gradient, as in Keras' poolings on
    every backend; a NaN is passed on.

    Args:
        x: (batch, ..., channels), of an even size along every axis in between.
    """
    sizes = x.shape[1:-1]
    pairs = [part for size in sizes for part in (size // 2, 2)]
    x = ops.reshape(x, (-1, *pairs, x.shape[-1]))
    for axis in reversed(range(len(sizes))):
        before = (slice(None),) * (2 * axis + 2)
        one, other = x[(*before, 0)], x[(*before, 1)]
        x = ops.where(ops.logical_or(one >= other, one != one), one, other)
    return x


def _pooled(otherwise: Any, inputs: Tensor) -> Tensor:
    if any(size is None or size % 2 for size in inputs.shape[1:-1]):
        return otherwise(inputs)
    return largest_of_pairs(inputs)


def _layers_of(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        yield from _layers_of(layer) if hasattr(layer, "layers") else (layer,)


def _is_slow() -> bool:
    if keras.config.backend() != "jax":
        return False
    import jax

    return jax.default_backend() == "cpu"
