"""What a probe is: bound to a model once and then called often."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

Batch = Mapping[str, np.ndarray]
Bound = Callable[[Batch], dict[str, np.ndarray]]

_AXES = {
    2: ("time", "channel"),
    3: ("height", "width", "channel"),
    4: ("time", "height", "width", "channel"),
}


@dataclass(frozen=True)
class Probe:
    """Base of all probes: a frozen dataclass with a `kind`, `bind`, and what a viewer must know."""

    kind: ClassVar[str] = ""

    @property
    def name(self) -> str:
        """What the recording calls it; two probes of one model need two names."""
        return self.kind

    @abstractmethod
    def bind(self, net: Any) -> Bound:
        """Return the function that is called at every frame; raises EdkitError if it cannot be."""

    def axes(self, array: str, ndim: int) -> tuple[str, ...]:
        """Return the name of each axis of one of its arrays."""
        return ("sample", *sample_axes(ndim - 1))

    def options(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a panel needs beside the arrays, given the fields of the reference batch."""
        return {}


def sample_axes(ndim: int) -> tuple[str, ...]:
    """Return the names of the axes of one sample that has so many."""
    return _AXES.get(ndim, ("unit", "axis 2", "axis 3", "axis 4", "axis 5")[:ndim])


def first(batch: Batch, samples: int) -> dict[str, np.ndarray]:
    """Return the first samples of every field."""
    return {name: array[:samples] for name, array in batch.items()}


def flat(values: np.ndarray) -> np.ndarray:
    """Return (samples, everything else) as float32."""
    return values.reshape(len(values), -1).astype("float32")


def half(values: np.ndarray) -> np.ndarray:
    """Return float16, with what it cannot hold brought to its limits."""
    return np.clip(values, -65504, 65504).astype("float16")
