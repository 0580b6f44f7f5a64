"""Adam with a learning rate of its own for each submodel."""

from collections.abc import Mapping
from typing import Any

import keras

from ed_core.submodels import submodel

Tensor = Any


class SubmodelAdam(keras.optimizers.Adam):
    """Adam (Kingma & Ba, 2015), its learning rate multiplied by a factor a submodel.

    Two learning rates balance an adversarial pair (Heusel et al., 2017). Schedule, iterations and
    state are those of one optimizer; weights outside the named submodels have the factor 1.

    Args:
        learning_rate: a number or a schedule.
        net: the model that is trained.
        factors: the path of a submodel to its factor.
        kwargs: of `keras.optimizers.Adam`.

    Raises:
        EdkitError: there is no such submodel.
    """

    def __init__(
        self, learning_rate: Any, net: Any, factors: Mapping[str, float], **kwargs: Any
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        # Keras hands `update_step` its own variable on JAX and torch, and what that holds on
        # TensorFlow; the latter is a new array at every step on JAX, so both are known by identity.
        self._factors = {
            id(handle): factor
            for path, factor in factors.items()
            for variable in submodel(net, path).trainable_variables
            for handle in (variable, variable.value)
        }

    def update_step(self, gradient: Tensor, variable: Any, learning_rate: Tensor) -> None:
        """Move one variable, with its submodel's learning rate."""
        factor = self._factors.get(id(variable), 1.0)
        super().update_step(gradient, variable, learning_rate * factor)
