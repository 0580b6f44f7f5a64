"""The reparameterised Gaussian sample."""

from typing import Any

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("ed_core")
class Sampling(layers.Layer):
    """Draws z = mean + exp(log_var / 2) * epsilon while training, and returns the mean otherwise.

    Input (mean, log_var), each (batch, latent); output (batch, latent). epsilon is N(0, 1), from
    a generator of the layer's own. Kingma & Welling, 2014, section 2.4.

    Args:
        seed: of the generator.
    """

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: tuple[Any, Any], training: bool = False) -> Any:
        """Return the sample, or the mean."""
        mean, log_var = inputs
        if not training:
            return mean
        epsilon = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_var) * epsilon

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the mean."""
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        """Return what `__init__` takes."""
        return {**super().get_config(), "seed": self.seed}
