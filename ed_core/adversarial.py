"""An adversarial pair as heads of one objective: noise to start from, and a network held still.

A generator and a discriminator want opposite things, but each only of its own weights. So every
head is given a graph in which the other's weights are constants: the discriminator's is a score of
`ops.stop_gradient(fake)`, the generator's one of `ConstantWeights(discriminator)`. Their sum is an
ordinary objective (Goodfellow et al., 2014, algorithm 1 with k = 1, both steps taken at once).
"""

from typing import Any

import keras
from keras import layers, ops

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
class ConstantWeights(layers.Layer):
    """Calls a network whose weights are constants: gradients pass to its input, and no further.

    The layer has no weights; the network stays a part of the model that calls it directly, where
    it trains. What the call changes in it (the averages of a batch normalisation) is dropped.

    Args:
        network: a built model, from a dict of tensors to a dict of tensors.
    """

    def __init__(self, network: keras.Model, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Keras tracks every layer that is an attribute, and would count and save its weights twice.
        self._network = lambda: network

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the network's outputs."""
        network = self._network()
        constants = [ops.stop_gradient(weight) for weight in network.trainable_variables]
        state = [variable.value for variable in network.non_trainable_variables]
        outputs, _ = network.stateless_call(constants, state, inputs, training=training)
        return outputs

    def get_config(self) -> dict[str, Any]:
        """Return the network's configuration; in a saved model it is shared, not copied."""
        network = keras.saving.serialize_keras_object(self._network())
        return {**super().get_config(), "network": network}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ConstantWeights":
        """Return the layer that calls the network of this configuration."""
        network = keras.saving.deserialize_keras_object(config["network"])
        return cls(**{**config, "network": network})
