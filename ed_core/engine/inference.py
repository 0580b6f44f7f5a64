"""Compiled calls of a model in use, beside its training."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np


def compiled(model: Any) -> Callable[[Any], Any]:
    """Return the function from a model's inputs to its outputs as numpy, compiled if need be.

    Not `predict_on_batch` on JAX: it gives the buffers of the weights away, which a `fit` that is
    under way still holds.

    Args:
        model: built, with `compile` called.
    """
    if keras.config.backend() != "jax":
        predict: Callable[[Any], Any] = model.predict_on_batch
        return predict
    import jax

    weights, others = model.trainable_variables, model.non_trainable_variables

    @jax.jit
    def outputs(weights: list[Any], others: list[Any], inputs: Any) -> Any:
        return model.stateless_call(weights, others, inputs, training=False)[0]

    def call(inputs: Any) -> Any:
        state = ([one.value for one in weights], [one.value for one in others])
        return keras.tree.map_structure(np.array, outputs(*state, inputs))

    return call
