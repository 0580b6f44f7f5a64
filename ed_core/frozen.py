"""A trained part of a model that stays as it is."""

from typing import Any

import keras


@keras.saving.register_keras_serializable("ed_core")
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

    def get_config(self) -> dict[str, Any]:
        """Return the configuration of its graph."""
        part = keras.Model(self.input, self.output, name=self.name)
        return {"part": keras.saving.serialize_keras_object(part)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Frozen":
        """Return the part of a configuration, frozen."""
        return cls(keras.saving.deserialize_keras_object(config["part"], custom_objects))
