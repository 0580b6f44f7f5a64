"""Means in single precision, equally exact on all backends."""

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
