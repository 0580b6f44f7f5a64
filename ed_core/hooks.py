"""The optional functions of a model, `optimizer` and `augment`, and how they are called."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import keras
import numpy as np

from ed_core.errors import EdkitError, one_line
from ed_core.spec import ModelSpec

Batch = dict[str, np.ndarray]

OPTIMIZER = "optimizer(model, learning_rate, params)"
AUGMENT = "augment(batch, random, *, params)"


def make_optimizer(spec: ModelSpec, net: Any, rate: Any, params: Mapping[str, Any]) -> Any:
    """Return the Keras optimizer of a model, by default Adam.

    Args:
        spec: the model.
        net: it, built.
        rate: the learning rate, a number or a schedule.
        params: its options.

    Raises:
        EdkitError: its function takes other arguments, fails, or returns something else.
    """
    if spec.optimizer is None:
        return keras.optimizers.Adam(rate)
    made = _call(spec, spec.optimizer, OPTIMIZER, net, rate, params)
    if not isinstance(made, keras.optimizers.Optimizer):
        raise EdkitError(
            f"model {spec.name!r}: {OPTIMIZER} returns a Keras optimizer, received "
            f"{type(made).__name__}."
        )
    return made


def make_augment(
    spec: ModelSpec, params: Mapping[str, Any], few: Mapping[str, Any]
) -> Callable[[Batch, np.random.Generator], Batch] | None:
    """Return what changes the training batches of a model, tried once; None where nothing does.

    Args:
        spec: the model.
        params: its options.
        few: field to (samples, ...), some samples to try it on.

    Raises:
        EdkitError: it takes other arguments, fails, or returns no batch of as many samples.
    """
    if spec.augment is None:
        return None
    before = {name: np.array(array) for name, array in few.items()}
    given = {name: array.copy() for name, array in before.items()}
    after = _call(spec, spec.augment, AUGMENT, given, np.random.default_rng(0), params=params)
    expected = f"model {spec.name!r}: {AUGMENT} returns the batch, a dict of arrays by field"
    if not isinstance(after, Mapping):
        raise EdkitError(f"{expected}, received {type(after).__name__}.")
    for name, array in before.items():
        if name not in after:
            raise EdkitError(f"{expected}, received one without {name!r}.")
        if np.shape(after[name]) != array.shape:
            raise EdkitError(
                f"{expected} of their shapes, received {name!r} of {np.shape(after[name])} for "
                f"{array.shape}."
            )
    return partial(spec.augment, params=params)


def _call(
    spec: ModelSpec, function: Callable[..., Any], form: str, *args: Any, **kwargs: Any
) -> Any:
    """Return what a function gives; raises EdkitError with the right signature if it cannot."""
    try:
        inspect.signature(function).bind(*args, **kwargs)
    except TypeError as error:
        its = form.partition("(")[0] + str(inspect.signature(function))
        raise EdkitError(
            f"model {spec.name!r}: expected {form}, received {its}: {error}."
        ) from error
    except ValueError:  # something built in, which does not say what it takes
        pass
    try:
        return function(*args, **kwargs)
    except (EdkitError, MemoryError):
        raise
    except Exception as error:  # a foreign function may fail in any way
        raise EdkitError(f"model {spec.name!r}: {form} failed: {one_line(error)}") from error
