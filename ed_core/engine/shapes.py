"""Shape of what a function of tensors returns, found without compiling it where that takes long."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np


def result_shape(function: Callable[..., Any], *arguments: np.ndarray) -> tuple[int, ...]:
    """Return the shape of the tensor that a function gives.

    JAX would compile each operation for its own shape, 20 to 50 ms each, and traces the function
    instead, as it does when a training step is compiled.

    Args:
        function: of tensors, which returns one.
        arguments: the tensors, with values that it may meet.
    """
    if keras.config.backend() == "jax":
        import jax

        return tuple(jax.eval_shape(function, *arguments).shape)
    return tuple(function(*map(keras.ops.convert_to_tensor, arguments)).shape)
