"""Optimizer with a learning rate for each submodel, and a scaled learning-rate schedule."""

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from ed_core.errors import EdkitError
from ed_core.nn.submodels import submodel

Tensor = Any


@keras.saving.register_keras_serializable("ed_core")
class SubmodelAdam(keras.optimizers.Adam):
    """Adam (Kingma & Ba, 2015), its learning rate multiplied by a factor a submodel.

    Two learning rates balance an adversarial pair (Heusel et al., 2017). Schedule, iterations and
    state are those of one optimizer; weights outside the named submodels have the factor 1.

    Args:
        learning_rate: a number or a schedule.
        net: the model that is trained; None where `bind` names it later.
        factors: the path of a submodel to its factor.
        until: the path of a submodel to the step from which on its weights stay as they are, bit
            for bit.
        kwargs: of `keras.optimizers.Adam`.

    Raises:
        EdkitError: there is no such submodel.
    """

    def __init__(
        self,
        learning_rate: Any,
        net: Any = None,
        factors: Mapping[str, float] | None = None,
        *,
        until: Mapping[str, int] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.factors, self.until = dict(factors or {}), dict(until or {})
        self._factors: dict[int, float] = {}
        self._ends: dict[int, int] = {}
        self._bound = False
        if net is not None:
            self.bind(net)

    def bind(self, net: Any) -> None:
        """Find the variables of the submodels in the model that is trained.

        Raises:
            EdkitError: there is no such submodel.
        """
        self._factors = _by_variable(net, self.factors)
        self._ends = _by_variable(net, self.until)
        self._bound = True

    def update_step(self, gradient: Tensor, variable: Any, learning_rate: Tensor) -> None:
        """Move one variable, with its submodel's learning rate."""
        if (self.factors or self.until) and not self._bound:
            raise EdkitError("SubmodelAdam knows no submodels yet: bind(model) names them.")
        rate = learning_rate * self._factors.get(id(variable), 1.0)
        if (end := self._ends.get(id(variable))) is not None:  # at a rate of 0 Adam subtracts 0
            rate = rate * ops.cast(ops.less(self.iterations, end), "float32")
        super().update_step(gradient, variable, rate)

    def get_config(self) -> dict[str, Any]:
        """Return what `__init__` takes, without the model."""
        return {**super().get_config(), "factors": self.factors, "until": self.until}


def _by_variable(net: Any, numbers: Mapping[str, Any]) -> dict[int, Any]:
    """Return what the submodels at some paths are given, for each of their variables, by identity.

    Keras hands `update_step` its own variable on JAX and torch, and what that holds on TensorFlow;
    the latter is a new array at every step on JAX, so both are known by identity.
    """
    return {
        id(handle): number
        for path, number in numbers.items()
        for variable in submodel(net, path).trainable_variables
        for handle in (variable, variable.value)
    }


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
