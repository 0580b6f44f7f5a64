"""Metrics that heads log: functions of (target, output) that return one value a sample."""

from typing import Any

from keras import ops

Tensor = Any


def accuracy(target: Tensor, output: Tensor) -> Tensor:
    """1 where the most probable class is the right one; (batch, ...) and (batch, ..., classes)."""
    right = ops.equal(ops.cast(target, "int32"), ops.cast(ops.argmax(output, axis=-1), "int32"))
    return ops.cast(right, "float32")


def absolute_error(target: Tensor, output: Tensor) -> Tensor:
    """The mean absolute difference over the signal, (batch, ...) to (batch,)."""
    difference = ops.abs(target - output)
    return ops.mean(ops.reshape(difference, (ops.shape(difference)[0], -1)), axis=-1)
