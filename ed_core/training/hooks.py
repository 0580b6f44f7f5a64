"""Checked calls of the functions of plugins: optimizer, augmentation and initial weights."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import keras
import numpy as np

from ed_core.data.targets import KEPT
from ed_core.errors import EdkitError, one_line
from ed_core.plugins.spec import ModelSpec
from ed_core.seeds import Seeds

Batch = dict[str, np.ndarray]

OPTIMIZER = "optimizer(model, learning_rate, params)"
AUGMENT = "augment(batch, random, *, params)"
INITIALISE = "initialise(model, train, params)"


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
    optimizer = called_as(f"model {spec.name!r}", OPTIMIZER, spec.optimizer, net, rate, params)
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise EdkitError(
            f"model {spec.name!r}: {OPTIMIZER} returns a Keras optimizer, received "
            f"{type(optimizer).__name__}."
        )
    return optimizer


def initialise(
    spec: ModelSpec, net: Any, train: Mapping[str, Any], params: Mapping[str, Any]
) -> None:
    """Set the initial weights that the training split settles, where a model has such.

    Args:
        spec: the model.
        net: it, built.
        train: field to (samples, ...), what is trained on.
        params: its options.

    Raises:
        EdkitError: its function takes other arguments, or fails.
    """
    if spec.initialise is not None:
        called_as(f"model {spec.name!r}", INITIALISE, spec.initialise, net, train, params)


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
    batch = {name: array.copy() for name, array in before.items()}
    random = Seeds(0).generator("hooks")
    after = called_as(f"model {spec.name!r}", AUGMENT, spec.augment, batch, random, params=params)
    expected = f"model {spec.name!r}: {AUGMENT} returns the batch, a dict of arrays by field"
    if not isinstance(after, Mapping):
        raise EdkitError(f"{expected}, received {type(after).__name__}.")
    for name, array in before.items():
        if name not in after:
            raise EdkitError(f"{expected}, received one without {name!r}.")
        for key in (name, name + KEPT):
            if key in after and np.shape(after[key]) != array.shape:
                raise EdkitError(
                    f"{expected} of their shapes, received {key!r} of {np.shape(after[key])} for "
                    f"{array.shape}."
                )
    return partial(spec.augment, params=params)


def called_as(what: str, form: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return what a function of a plugin gives.

    Args:
        what: it belongs to, such as "model 'vae'".
        form: its right signature, such as `OPTIMIZER`.
        function: it.
        args: what it is given.
        kwargs: the same, by name.

    Raises:
        EdkitError: it takes other arguments, with the right signature, or it fails.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # something built in, which does not say what it takes
        signature = None
    if signature is not None:
        try:
            signature.bind(*args, **kwargs)
        except TypeError as error:
            its = form.partition("(")[0] + str(signature)
            raise EdkitError(f"{what}: expected {form}, received {its}: {error}.") from error
    try:
        return function(*args, **kwargs)
    except (EdkitError, MemoryError):
        raise
    except Exception as error:  # a foreign function may fail in any way
        raise EdkitError(f"{what}: {form} failed: {one_line(error)}") from error
