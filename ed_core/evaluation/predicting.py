"""What a model makes of a split, a piece at a time, and what a loss makes of that."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from keras import ops

from ed_core.arrange import at_a_time
from ed_core.submodels import taken

Arrays = Mapping[str, Any]


def pieces(model: Any, arrays: Arrays) -> Iterator[tuple[slice, dict[str, np.ndarray]]]:
    """Yield the rows of some samples and every output of the model for them.

    Args:
        model: functional, with named inputs and outputs.
        arrays: field to (samples, ...), or anything that slices like it.

    Raises:
        EdkitError: an input of the model is missing.
    """
    wanted = taken(model, arrays)
    step = at_a_time(wanted, wanted)
    for first in range(0, len(next(iter(wanted.values()))), step):
        rows = slice(first, first + step)
        yield (
            rows,
            model.predict_on_batch({name: ready(array[rows]) for name, array in wanted.items()}),
        )


def predict(
    model: Any, arrays: Arrays, names: Iterable[str] | None = None
) -> dict[str, np.ndarray]:
    """Return the outputs of a functional model with named inputs, (samples, ...) each.

    Args:
        model: the model.
        arrays: field to (samples, ...).
        names: the outputs that are kept; by default all.

    Raises:
        EdkitError: an input of the model is missing.
    """
    kept = list(model.output if names is None else names)
    parts = [[output[name] for name in kept] for _, output in pieces(model, arrays)]
    return {name: np.concatenate(column) for name, *column in zip(kept, *parts, strict=True)}


def values_of(function: Callable[..., Any], *arrays: np.ndarray) -> np.ndarray:
    """Return what a loss or a metric gives for each sample, (samples, ...), piece by piece."""
    named = {str(number): array for number, array in enumerate(arrays)}
    step = at_a_time(named, named)
    parts = [
        function(*(ops.convert_to_tensor(a[first : first + step]) for a in arrays))
        for first in range(0, len(arrays[0]), step)
    ]
    return np.concatenate([ops.convert_to_numpy(part) for part in parts])


def mean_of(function: Callable[..., Any], *arrays: np.ndarray) -> float:
    """Return the mean of a loss or a metric over all samples."""
    return mean(values_of(function, *arrays))


def mean(values: np.ndarray) -> float:
    """Return the mean, summed in float64."""
    return float(np.mean(values, dtype=np.float64))


def mean_square(target: np.ndarray, output: np.ndarray) -> float:
    """Return the mean of the squared differences."""
    return mean(np.square(target - output))


def ready(array: Any) -> np.ndarray:
    """Return the type that a model takes, and an array that torch may look at without a copy."""
    array = np.asarray(array)
    kind = "float32" if array.dtype.kind == "f" else "int32"
    return array.astype(kind, copy=not array.flags.writeable)
