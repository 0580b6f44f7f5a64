"""Reading of bound probes: the calls of models that all of them need, joined into one."""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

from ed_core.engine import tuning
from ed_core.engine.inference import compiled
from ed_core.nn.submodels import arguments_of, call, inputs_of
from ed_core.probes.base import Batch, Bound, first

Made = Callable[[Mapping[str, Any], Batch], dict[str, np.ndarray]]


@dataclass(frozen=True)
class ModelCall:
    """A model, and what gives it its inputs by field, which follow from the batch alone."""

    model: Any
    given: Callable[[Batch], Batch]


@dataclass(frozen=True)
class Reading:
    """A bound probe that says beforehand which calls of models it needs.

    It may be called like any function that a probe is bound to. Who reads several can also make
    their calls together.

    Args:
        calls: by a name of their own.
        made: what is recorded, of the outputs of each call by its name, and the batch.
    """

    calls: Mapping[str, ModelCall]
    made: Made

    def __call__(self, batch: Batch) -> dict[str, np.ndarray]:
        """Return the arrays of the probe, its models called one after the other."""
        outputs = {name: call(one.model, one.given(batch)) for name, one in self.calls.items()}
        return self.made(outputs, batch)

    def of_first(self, samples: int) -> "Reading":
        """Return the reading of the first samples of a batch."""
        calls = {
            name: ModelCall(one.model, _of_first(one.given, samples))
            for name, one in self.calls.items()
        }
        return Reading(calls, lambda outputs, batch: self.made(outputs, first(batch, samples)))


def _of_first(given: Callable[[Batch], Batch], samples: int) -> Callable[[Batch], Batch]:
    return lambda batch: given(first(batch, samples))


class JoinedModels(keras.Model):
    """Several models as one, each called on inputs of its own: compiled once, waited for once.

    Args:
        models: built.
    """

    def __init__(self, models: list[Any]) -> None:
        super().__init__(autocast=False)  # each model casts its own inputs
        self.models = models
        self.built = True
        self.compile(optimizer=None, jit_compile=tuning.jit_compile())

    def call(self, inputs: list[Any], training: bool = False) -> list[Any]:
        """Return the outputs of each model for its inputs."""
        pairs = zip(self.models, inputs, strict=True)
        return [model(given, training=training) for model, given in pairs]


class JointReader:
    """Reads bound probes on one batch, the calls of all readings as one.

    The batch stays the same, so what the models are given is brought to the device once. A model
    that has no graph is called by itself, as its probe would.

    Args:
        bound: by the name of the probe.
        batch: field to (samples, ...).
    """

    def __init__(self, bound: Mapping[str, Bound], batch: Batch) -> None:
        self._bound, self._batch = bound, batch
        readings = {name: read for name, read in bound.items() if isinstance(read, Reading)}
        self._joined = {
            (name, key): one
            for name, read in readings.items()
            if all(inputs_of(one.model) is not None for one in read.calls.values())
            for key, one in read.calls.items()
        }
        self._call: Callable[[Any], list[Any]] | None = None
        self._inputs: list[Any] = []

    def read(self) -> dict[str, dict[str, np.ndarray]]:
        """Return the arrays of every probe, by its name.

        Where the joint call fails, each probe makes its own from then on, and a warning says so.
        """
        failure = ""
        try:
            outputs = self._outputs()
        except Exception as error:  # somebody's own model: its probe, alone, may say what is wrong
            outputs = {}
            self._joined, self._call, self._inputs = {}, None, []
            failure = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        arrays = {}
        for name, read in self._bound.items():
            if name in outputs:
                assert isinstance(read, Reading)
                arrays[name] = read.made(outputs[name], self._batch)
            else:
                arrays[name] = read(self._batch)
        if failure:
            warnings.warn(
                "the models of a frame are called one by one, which takes longer: their joint call "
                f"failed ({failure})",
                stacklevel=2,
            )
        return arrays

    def _outputs(self) -> dict[str, dict[str, Any]]:
        """Return the outputs of all joined calls, by the name of the probe and of the call."""
        if not self._joined:
            return {}
        outputs: dict[str, dict[str, Any]] = {name: {} for name, _ in self._joined}
        for (name, key), result in zip(self._joined, self._results(), strict=True):
            outputs[name][key] = result
        return outputs

    def _results(self) -> list[Any]:
        """Return the outputs of all joined calls, in order."""
        if self._call is None:
            self._inputs = [
                keras.tree.map_structure(
                    ops.convert_to_tensor, arguments_of(one.model, one.given(self._batch))
                )
                for one in self._joined.values()
            ]
            self._call = compiled(JoinedModels([one.model for one in self._joined.values()]))
        return self._call(self._inputs)
