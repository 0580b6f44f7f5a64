"""Dense encoders and decoders of images and of rows of numbers."""

from collections.abc import Sequence
from math import prod
from typing import Any

from keras import layers

Tensor = Any


def contract(image: Tensor, units: Sequence[int], activation: str = "relu") -> Tensor:
    """Return the units of the last of `dense_1`, `dense_2`, ... on an image of any shape."""
    return _stack(layers.Flatten(name="flatten")(image), units, activation)


def expand(
    code: Tensor,
    units: Sequence[int],
    shape: tuple[int, ...],
    activation: str = "relu",
    *,
    name: str = "image",
) -> Tensor:
    """Return a sample of `shape` behind `dense_1`, `dense_2`, ...

    Args:
        code: (batch, units).
        units: of the layers.
        shape: of the sample.
        activation: of the layers.
        name: of the field: the pixels of an image are in 0..1, other numbers anywhere.
    """
    x = _stack(code, units, activation)
    if name == "image":
        x = layers.Dense(prod(shape), activation="sigmoid", name="pixels")(x)
    else:
        x = layers.Dense(prod(shape), name="numbers")(x)
    return layers.Reshape(shape, name=name)(x)


def _stack(x: Tensor, units: Sequence[int], activation: str) -> Tensor:
    for number, size in enumerate(units, 1):
        x = layers.Dense(size, activation=activation, name=f"dense_{number}")(x)
    return x
