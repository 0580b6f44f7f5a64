"""Layers that compute otherwise, where Keras' own are slow: on the CPU of JAX and TensorFlow."""

from functools import partial
from typing import Any

import keras
from keras import layers, ops

from ed_core.engine.tuning import layers_of

_POOLINGS = (layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D)
_LARGEST_KERNEL = 3  # above it Keras' own gradient is as fast
_FEWEST_CHANNELS = 4
Tensor = Any


def speed_up_layers(model: Any) -> None:
    """Let some layers of a model compute otherwise, where that is faster; elsewhere do nothing.

    Poolings that halve every axis, on JAX's CPU: XLA has one loop for the gradient of any pooling
    (select-and-scatter), which takes three to six times as long there. The numbers are the same, of
    the gradient too.

    Convolutions of one filter, such as the last one of an auto-encoder of grey images, on the CPU
    of JAX and TensorFlow, which take two to three times as long for what is no product of matrices.
    The numbers are sums in another order.

    The layers stay Keras' own, so that the model is saved as it was built.

    Args:
        model: with all its submodels.
    """
    device = _device()
    for layer in layers_of(model):
        if device == "jax cpu" and _halves(layer):
            layer.call = partial(_pooled, type(layer).call.__get__(layer))
        if device in _SUMS and _has_one_filter(layer):
            layer.convolution_op = _SUMS[device]


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


def sum_of_channels(x: Tensor, kernel: Tensor) -> Tensor:
    """Return a convolution of one filter as the sum of convolutions of one channel each.

    Args:
        x: (batch, height, width, channels).
        kernel: (rows, columns, channels, 1), of odd sizes.

    Returns:
        (batch, height, width, 1), padded as by `same`.
    """
    each = ops.depthwise_conv(x, kernel, padding="same", data_format="channels_last")
    return ops.sum(each, axis=-1, keepdims=True)


def sum_of_taps(x: Tensor, kernel: Tensor) -> Tensor:
    """Return a convolution of one filter as the sum of its taps, each a product that is shifted.

    Args:
        x: (batch, height, width, channels).
        kernel: (rows, columns, channels, 1), of odd sizes.

    Returns:
        (batch, height, width, 1), padded as by `same`.
    """
    height, width, channels = x.shape[1:]
    rows, columns = kernel.shape[:2]
    taps = ops.matmul(
        ops.reshape(x, (-1, channels)),
        ops.reshape(ops.transpose(kernel, (2, 0, 1, 3)), (channels, rows * columns)),
    )
    taps = ops.reshape(taps, (-1, height, width, rows * columns))
    taps = ops.pad(taps, ((0, 0), (rows // 2,) * 2, (columns // 2,) * 2, (0, 0)))
    shifted = (
        taps[:, row : row + height, column : column + width, row * columns + column]
        for row in range(rows)
        for column in range(columns)
    )
    return sum(shifted)[..., None]


_SUMS = {"jax cpu": sum_of_taps, "tensorflow cpu": sum_of_channels}


def _halves(layer: Any) -> bool:
    """Return whether a layer pools windows of two that do not overlap, channels last."""
    halves = set(getattr(layer, "pool_size", ())) == set(getattr(layer, "strides", ())) == {2}
    return type(layer) in _POOLINGS and halves and layer.data_format == "channels_last"


def _has_one_filter(layer: Any) -> bool:
    """Return whether a layer is a small convolution of many channels to one, of the same size."""
    if type(layer) is not layers.Conv2D or layer.filters != 1 or not layer.built:
        return False
    sizes = layer.kernel.shape
    plain = {*layer.strides, *layer.dilation_rate, layer.groups} == {1}
    fits = layer.padding == "same" and layer.data_format == "channels_last"
    small = all(size % 2 and size <= _LARGEST_KERNEL for size in sizes[:2]) and max(sizes[:2]) > 1
    return plain and fits and small and sizes[2] >= _FEWEST_CHANNELS


def _device() -> str:
    """Return the backend and the kind of device that it computes on."""
    backend = keras.config.backend()
    if backend == "jax":
        import jax

        return f"jax {jax.default_backend()}"
    if backend == "tensorflow":
        import tensorflow

        return f"tensorflow {'gpu' if tensorflow.config.list_physical_devices('GPU') else 'cpu'}"
    return backend
