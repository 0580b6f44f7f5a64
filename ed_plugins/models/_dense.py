"""Dense encoders and decoders of images."""

from collections.abc import Sequence
from math import prod
from typing import Any

from keras import layers

Tensor = Any


def contract(image: Tensor, units: Sequence[int], activation: str = "relu") -> Tensor:
    """Return the units of the last of `dense_1`, `dense_2`, ... on an image of any shape."""
    return _stack(layers.Flatten(name="flatten")(image), units, activation)


def expand(
    code: Tensor, units: Sequence[int], shape: tuple[int, ...], activation: str = "relu"
) -> Tensor:
    """Return the image of `shape`, with pixels in 0..1, behind `dense_1`, `dense_2`, ..."""
    x = _stack(code, units, activation)
    x = layers.Dense(prod(shape), activation="sigmoid", name="pixels")(x)
    return layers.Reshape(shape, name="image")(x)


def _stack(x: Tensor, units: Sequence[int], activation: str) -> Tensor:
    for number, size in enumerate(units, 1):
        x = layers.Dense(size, activation=activation, name=f"dense_{number}")(x)
    return x
