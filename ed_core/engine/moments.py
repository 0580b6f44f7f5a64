"""Means and normalisation in single precision, equally exact on all backends."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

Tensor = Any


def exact_moments() -> bool:
    """Whether Keras' own mean and variance are exact far from 0 on this backend: JAX alone.

    On PyTorch the variance is E[x^2] - E[x]^2, the difference of two large numbers.
    """
    return keras.config.backend() == "jax"


def mean(x: Tensor, axes: Sequence[int]) -> Tensor:
    """Return the mean over some axes, which stay with size 1.

    TensorFlow adds one number after the other on a CPU, and errs the more the more there are: so
    one axis after the other there.
    """
    if keras.config.backend() != "tensorflow":
        return ops.mean(x, tuple(axes), keepdims=True)
    for axis in axes:
        x = ops.mean(x, axis, keepdims=True)
    return x


def normalised(
    x: Tensor, channels: int, epsilon: float, factor: Tensor, offset: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return values normalised in each channel, with the mean and the variance of these.

    The mean is taken away before anything is squared. TensorFlow's fused kernel does the rest of
    images, in a third of the time: it would square values as they are.

    Args:
        x: (..., channels, ...).
        channels: their axis.
        epsilon: what is added to the variance.
        factor: (channels,), of the normalised values.
        offset: (channels,), added to them.

    Returns:
        The values in the shape of `x`, the mean and the variance in the shape (channels,).
    """
    axes = [axis for axis in range(len(x.shape)) if axis != channels]
    centre = mean(x, axes)
    if _has_kernel(x, channels):
        return _fused(x, centre, epsilon, factor, offset)
    centred = x - centre
    variance = mean(ops.square(centred), axes)
    shape = centre.shape
    values = centred * (ops.rsqrt(variance + epsilon) * ops.reshape(factor, shape))
    flat = (ops.reshape(centre, offset.shape), ops.reshape(variance, offset.shape))
    return values + ops.reshape(offset, shape), *flat


def _has_kernel(x: Tensor, channels: int) -> bool:
    images = len(x.shape) == 4 and channels == 3
    single = keras.backend.standardize_dtype(x.dtype) == "float32"
    return keras.config.backend() == "tensorflow" and images and single


def _fused(
    x: Tensor, centre: Tensor, epsilon: float, factor: Tensor, offset: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    import tensorflow

    unused = tensorflow.zeros([0])  # averages, which are of use only in use
    # No gradient through the centre: what is normalised does not depend on it.
    values, rest, variance, *_ = tensorflow.raw_ops.FusedBatchNormV3(
        x=x - tensorflow.stop_gradient(centre),
        scale=factor,
        offset=offset,
        mean=unused,
        variance=unused,
        epsilon=epsilon,
        is_training=True,
    )
    count = tensorflow.cast(tensorflow.size(x) // tensorflow.size(factor), x.dtype)
    biased = variance * (count - 1) / count  # it divides by one less than there are
    return values, tensorflow.reshape(centre, [-1]) + rest, biased
