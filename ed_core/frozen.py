"""A trained part of a model that stays as it is."""

from typing import Any

import keras


class Frozen(keras.Model):
    """The graph of a trained model, that never trains: weights and statistics do not move.

    Nor does it drop out, add noise or sample. (In a functional model `part(x, training=False)` does
    not reach that: `fit` calls every layer with its own `training`.)

    Args:
        part: a functional model; its layers are shared and cease to be trainable.
    """

    def __init__(self, part: Any) -> None:
        super().__init__(inputs=part.input, outputs=part.output, name=part.name)
        self.trainable = False

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return what the part infers, whether or not the model around it trains."""
        return super().call(inputs, training=False, mask=mask)
