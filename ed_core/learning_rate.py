"""A learning rate that follows its schedule in proportion, as far as a hand has moved it."""

from typing import Any

import keras

Tensor = Any


@keras.saving.register_keras_serializable("ed_core")
class ScaledSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule times a factor.

    The factor is a constant of the compiled step: after a change, `make_train_function(force=True)`
    of the model has it compiled again. At 1 the step is that of the schedule alone, bit for bit.

    Args:
        schedule: step to learning rate.
        factor: what it is multiplied by.
        steps: of the training as it was planned at first; 0 where that is not known.
    """

    def __init__(self, schedule: Any, factor: float = 1.0, steps: int = 0) -> None:
        super().__init__()
        self.schedule = schedule
        self.factor = factor
        self.steps = steps

    def __call__(self, step: Tensor) -> Tensor:
        """Return the learning rate of a step, a scalar."""
        rate = self.schedule(step)
        return rate if self.factor == 1.0 else rate * self.factor

    def get_config(self) -> dict[str, Any]:
        """Return what `__init__` takes."""
        schedule = keras.optimizers.schedules.serialize(self.schedule)
        return {"schedule": schedule, "factor": self.factor, "steps": self.steps}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "ScaledSchedule":
        """Return the schedule of a configuration."""
        schedule = keras.optimizers.schedules.deserialize(config["schedule"])
        return cls(schedule, config["factor"], config.get("steps", 0))


def step_at(share: float, steps: int) -> int:
    """Return the step that begins when this share of all steps is done, half a step counted up."""
    return int(share * steps + 0.5)
