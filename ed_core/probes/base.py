"""Base of the probes, and the precision of recorded outputs."""

from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ed_core.seeds import Seeds

Batch = Mapping[str, np.ndarray]
Bound = Callable[[Batch], dict[str, np.ndarray]]

_LARGEST, _SMALLEST = 65504.0, 3e-5  # of float16: the largest, and with three digits the smallest
_LOST = 1 / 250  # of a field's deviation: what rounding may change
_LOOKED_AT = 2**12  # values of a field, drawn by lot, that tell how far it spreads
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

    def suits(self, net: Any) -> bool:
        """Return whether a model has what is watched; one that need not have it says so here."""
        return True

    @abstractmethod
    def bind(self, net: Any) -> Bound:
        """Return the function that is called at every frame; raises EdkitError if it cannot be."""

    def axes(self, array: str, ndim: int) -> tuple[str, ...]:
        """Return the name of each axis of one of its arrays."""
        return ("sample", *sample_axes(ndim - 1))

    def options(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a panel needs beside the arrays, given the fields of the reference batch."""
        return {}

    def model_options(self, net: Any) -> dict[str, Any]:
        """Return what a panel needs beside the arrays and only the model knows."""
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


def channels_to_front(axes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names of axes with the channel before all that lies in space and time."""
    inside = [axis for axis in axes if axis in ("time", "height", "width")]
    if "channel" not in axes or not inside:
        return axes
    rest = [axis for axis in axes if axis != "channel"]
    rest.insert(rest.index(inside[0]), "channel")
    return tuple(rest)


Recorded = Callable[[np.ndarray, np.ndarray | None], np.ndarray]
"""Outputs (samples, ...) and the field that they stand beside, to what is recorded."""


def keeping_digits() -> Recorded:
    """Return what gives outputs the type that they are recorded in: float16 where that is as good.

    It is where the field that they stand beside would lose less than 1/250 of its deviation to the
    rounding, as pictures in 0..1 and in 0..255 do; else it is float32. A value beyond 65,504 makes
    a frame float32, whatever it stands beside. The field never changes, so it is looked at once.
    Where there is none, the values themselves must keep their digits.
    """
    fits_half: bool | None = None

    def typed(values: np.ndarray, beside: np.ndarray | None) -> np.ndarray:
        nonlocal fits_half
        if beside is not None and fits_half is None:
            fits_half = _keeps_digits(beside)
        keeps = _keeps_digits(values) if fits_half is None else fits_half
        return half(values) if keeps else _single(values)

    return typed


def recorded(values: np.ndarray, beside: np.ndarray | None) -> np.ndarray:
    """Return outputs in the type that they are recorded in, see `keeping_digits`.

    Args:
        values: (samples, ...).
        beside: the field of the reference that they stand beside, (samples, ...), or None.
    """
    return keeping_digits()(values, beside)


def half(values: np.ndarray) -> np.ndarray:
    """Return what is looked at, such as activation maps: float16, or float32 beyond its range.

    Three digits are kept of the largest value: from 0.00003 to 65,504.
    """
    single = _single(values)
    ends = np.array([single.min(initial=0), single.max(initial=0)])
    if not np.isfinite(ends).all():
        finite = np.isfinite(single)
        ends = np.array([single.min(initial=0, where=finite), single.max(initial=0, where=finite)])
    largest = float(np.abs(ends).max())
    fits = largest == 0 or _SMALLEST <= largest <= _LARGEST
    return single.astype("float16") if fits else single


def _single(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.asarray(values).astype("float32", copy=False)


def _keeps_digits(field: np.ndarray) -> bool:
    """Tell whether rounding to float16 changes a field by less than 1/250 of its deviation."""
    flat = field.reshape(-1)
    if flat.size > _LOOKED_AT:
        flat = flat[Seeds(0).generator("digits kept").integers(flat.size, size=_LOOKED_AT)]
    values = _single(flat)
    values = values[np.isfinite(values)]
    if not values.size or np.abs(values).max() > _LARGEST:
        return False
    rounding = np.spacing(np.abs(values).astype("float16")).astype("float64") / 2
    return float(np.sqrt(np.mean(rounding**2))) < _LOST * float(np.std(values, dtype="float64"))
