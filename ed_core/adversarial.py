"""An adversarial pair as heads of one objective: noise to start from, and a network held still.

A generator and a discriminator want opposite things, but each only of its own weights. So every
head is given a graph in which the other's weights are constants: the discriminator's is a score of
`ops.stop_gradient(fake)`, the generator's one of `ConstantWeights(discriminator)`. Their sum is an
ordinary objective (Goodfellow et al., 2014, algorithm 1 with k = 1, both steps taken at once).
"""

from typing import Any

import keras
from keras import layers, ops

from ed_core.shared_network import SharedNetwork

Tensor = Any


@keras.saving.register_keras_serializable("ed_core")
class Noise(layers.Layer):
    """Draws a code from N(0, 1) for each sample of its input, (batch, ...) to (batch, latent).

    The draws come from a generator of the layer's own while training; otherwise a batch is given
    the same ones each time.

    Args:
        latent: numbers a code.
        seed: of the generator.

    Raises:
        ValueError: `latent` is below 1.
    """

    def __init__(self, latent: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if latent < 1:
            raise ValueError(f"latent is at least 1, received {latent}")
        self.latent = latent
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Return the codes; of the input, only the number of samples matters."""
        shape = (ops.shape(inputs)[0], self.latent)
        return keras.random.normal(shape, seed=self.seed_generator if training else self.seed)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return (batch, latent)."""
        return (input_shape[0], self.latent)

    def get_config(self) -> dict[str, Any]:
        """Return what `__init__` takes."""
        return {**super().get_config(), "latent": self.latent, "seed": self.seed}


@keras.saving.register_keras_serializable("ed_core")
class ConstantWeights(SharedNetwork):
    """Calls a network whose weights are constants: gradients pass to its input, and no further.

    The layer has no weights; the network stays a part of the model that calls it directly, where
    it trains. What the call changes in it (the averages of a batch normalisation) is dropped, and
    so its random layers (dropout) draw from streams that the direct calls never come to.

    Args:
        network: a built model, from a dict of tensors to a dict of tensors.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the network's outputs."""
        network = self._network()
        constants = [ops.stop_gradient(weight) for weight in network.trainable_variables]
        state = [_moved(variable) for variable in network.non_trainable_variables]
        outputs, _ = network.stateless_call(constants, state, inputs, training=training)
        return outputs


def _moved(variable: Any) -> Tensor:
    """Return what a variable holds, of a seed generator with its counter 2^30 draws further.

    The state is (seed, counter). A training never draws so often; 2^31 would not fit into int32 on
    PyTorch, and Keras takes counters modulo 2^31 - 2 on TensorFlow.
    """
    if variable.path.rsplit("/", 1)[-1] != "seed_generator_state":
        return variable.value
    return ops.add(variable.value, ops.convert_to_tensor([0, 2**30], dtype=variable.dtype))
