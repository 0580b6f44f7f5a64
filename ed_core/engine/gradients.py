"""Gradients for optimizers: reset to 0 for every step, and one number a weight."""

from collections.abc import Iterable, Sequence
from typing import Any

import keras


def clear_gradients(variables: Iterable[Any]) -> None:
    """Let the gradients of all given variables begin at 0 on PyTorch; elsewhere there is nothing.

    Keras' own `zero_grad` knows the parameters of a model by their path. Of two variables with one
    path, such as `dense_1/kernel` in encoder and decoder, it reaches one alone, and the gradient of
    the other would be the sum over all batches since the process began.
    """
    if keras.config.backend() == "torch":
        for variable in variables:
            variable.value.grad = None


def make_gradients_dense(optimizer: Any) -> None:
    """Let an optimizer see one gradient a weight on TensorFlow; elsewhere it always does.

    There the gradient of an `Embedding` comes as one row a sample (`tf.IndexedSlices`), and Keras'
    optimizers square each row before those of one class are summed.
    """
    if keras.config.backend() != "tensorflow" or hasattr(optimizer, "_edkit_dense"):
        return
    import tensorflow

    apply = optimizer.apply

    def apply_dense(gradients: Sequence[Any], trainable_variables: Any = None) -> Any:
        summed = [
            tensorflow.convert_to_tensor(gradient)
            if isinstance(gradient, tensorflow.IndexedSlices)
            else gradient
            for gradient in gradients
        ]
        return apply(summed, trainable_variables)

    optimizer.apply = apply_dense
    optimizer._edkit_dense = True


def equal_paths(variables: Iterable[Any]) -> list[str]:
    """Return the paths that two trainable variables or more have, sorted."""
    paths = [variable.path for variable in variables]
    return sorted({path for path in paths if paths.count(path) > 1})
