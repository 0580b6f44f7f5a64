"""Metrics that heads log: functions of (target, output) that return one value a sample."""

from typing import Any

from keras import ops

from ed_core.nn.losses import difference, paired

Tensor = Any


def accuracy(target: Tensor, output: Tensor) -> Tensor:
    """1 where the most probable class is the right one; (batch, ...) and (batch, ..., classes)."""
    target, predicted = paired(target, ops.argmax(output, axis=-1))
    right = ops.equal(ops.cast(target, "int32"), ops.cast(predicted, "int32"))
    return ops.cast(right, "float32")


def absolute_error(target: Tensor, output: Tensor) -> Tensor:
    """The mean absolute difference over the signal, (batch, ...) to (batch,)."""
    away = ops.abs(difference(target, output))
    return ops.mean(ops.reshape(away, (ops.shape(away)[0], -1)), axis=-1)
