"""Arrays kept on the device, where a batch is gathered from its rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops

Tensor = Any

MOST_BYTES = 2**29  # of a split, as it is stored
_KEPT = ("uint8", "int8", "float16")  # other whole numbers are kept as int32, floats as float32


@dataclass(frozen=True, slots=True)
class RawArray:
    """An array as it is stored, and what makes the numbers of a sample of it.

    Args:
        array: (samples, ...), of numpy or anything that slices like it.
        white: what bytes are divided by on the device; None leaves the numbers as they are.
        floats: whether a batch of it is float32, else int32.
    """

    array: Any
    white: float | None
    floats: bool

    @property
    def dtype(self) -> np.dtype:
        """The type that it is kept in."""
        dtype = np.dtype(self.array.dtype)
        if dtype.name in _KEPT:
            return dtype
        return np.dtype("uint8" if dtype.kind == "b" else "f4" if dtype.kind == "f" else "i4")

    @property
    def nbytes(self) -> int:
        """How many bytes it takes there."""
        return int(np.prod(self.array.shape)) * self.dtype.itemsize


class DeviceArrays:
    """Arrays of a split on the device; what is given to Keras for a batch are its rows.

    On JAX the arrays go with every batch, since what a compiled function finds elsewhere becomes a
    constant of its program; nothing is copied.

    Args:
        name: of the split, by which a batch says whose rows it has.
        arrays: by name.
    """

    def __init__(self, name: str, arrays: Mapping[str, RawArray]) -> None:
        self._key = f"rows of {name}"
        self._stored = {name: (one.white, one.floats) for name, one in arrays.items()}
        self._arrays = {name: on_device(one) for name, one in arrays.items()}
        self._travels = keras.config.backend() == "jax"

    def batch(self, rows: np.ndarray) -> dict[str, Any]:
        """Return what Keras is given for a batch.

        Args:
            rows: (samples,), which samples of the split.
        """
        batch: dict[str, Any] = {self._key: np.asarray(rows, "int32")}
        return {**batch, "arrays": self._arrays} if self._travels else batch

    def holds(self, batch: Any) -> bool:
        """Return whether a batch that Keras hands to a step is one of rows of these arrays."""
        return isinstance(batch, Mapping) and self._key in batch

    def gathered(self, batch: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the samples of a batch, name to (samples, ...) in float32 or int32."""
        rows, arrays = batch[self._key], batch.get("arrays", self._arrays)
        samples = {}
        for name, (white, floats) in self._stored.items():
            values = _taken(arrays[name], rows)
            if white is not None:
                # Of a table: JAX divides by multiplying with the inverse, which takes 255 above 1.
                levels = np.divide(np.arange(256), np.float32(white), dtype="float32")
                values = ops.take(ops.convert_to_tensor(levels), ops.cast(values, "int32"), axis=0)
            samples[name] = ops.cast(values, "float32" if floats else "int32")
        return samples

    def free(self) -> None:
        """Give the memory back, whoever still holds the arrays."""
        if keras.config.backend() == "tensorflow":
            for variable in self._arrays.values():
                variable.assign(np.zeros((0, *variable.shape[1:]), variable.dtype.as_numpy_dtype))
        self._arrays = {}


class GatheringModel(keras.Model):
    """A model whose steps take rows of arrays on the device beside what Keras' own take."""

    sources: Sequence[Any] = ()

    def gather_from(self, sources: Sequence[Any]) -> None:
        """Take batches of these from here on; without any, arrays on the device are let go.

        Args:
            sources: batches with `holds(batch)`, and `arranged(batch)`, which returns the inputs,
                targets and sample weights of a batch of theirs.
        """
        self.sources = tuple(sources)
        # To be made anew: TensorFlow's hold the arrays that they were traced with.
        self.train_function = self.test_function = None

    def train_step(self, *args: Any) -> Any:
        """Take one step as Keras does.

        Args:
            args: the batch, on JAX after the state.
        """
        *state, batch = args
        return super().train_step(*state, self._samples(batch))

    def test_step(self, *args: Any) -> Any:
        """Measure one batch as Keras does; see `train_step`."""
        *state, batch = args
        return super().test_step(*state, self._samples(batch))

    def _samples(self, batch: Any) -> Any:
        for source in self.sources:
            if source.holds(batch):
                return source.arranged(batch)
        return batch


def on_device(stored: RawArray) -> Tensor:
    """Return an array on the device, read a part at a time."""
    whole = np.empty(stored.array.shape, stored.dtype)
    step = max(1, 2**24 // max(whole[:1].nbytes, 1))
    for first in range(0, len(whole), step):
        whole[first : first + step] = stored.array[first : first + step]
    if keras.config.backend() == "tensorflow":
        import tensorflow

        # A variable can be emptied; a constant stays as long as any function that looks at it, and
        # TensorFlow keeps these.
        return tensorflow.Variable(whole, trainable=False, shape=(None, *whole.shape[1:]))
    return ops.convert_to_tensor(whole)


def _taken(array: Tensor, rows: Tensor) -> Tensor:
    """Return some samples of an array on the device."""
    if keras.config.backend() == "tensorflow":
        import tensorflow

        return tensorflow.gather(array, rows)
    return ops.take(array, rows, axis=0)
