"""Steps of every registered model on one backend: weights, gradients, losses and outputs of each.

    KERAS_BACKEND=torch python scripts/benchmarks/backends_steps.py JOB.json

The first job, PyTorch in double precision, trains the models and keeps the weights before each
step. The others are given these, the same batches and the same noise: so a comparison of gradients
says something of gradients alone, and what differs in one step is not carried into the next.
Batches are chosen in which no ReLU and no pooling decides by less than 1e-5 of values about 1: by
less, single precision decides by its rounding, and either side is a right subgradient.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import keras
import numpy as np
from keras import layers, ops

from ed_core.data.targets import arrange
from ed_core.engine import randomness, tuning
from ed_core.nn.submodels import to_numpy
from ed_core.plugins.decorators import MODELS
from ed_core.plugins.spec import Field, Fields
from ed_core.runs.rebuilding import build
from ed_core.testing import tiny_arrays

SAMPLES = 8
CLASSES = tuple("abcd")
# Of one channel PyTorch has no gradient of a convolution in double precision.
PICTURES = Fields(
    image=Field((12, 12, 2)),
    label=Field((), "class", CLASSES),
    coarse=Field((), "class", CLASSES[:2]),
    angle=Field((), "value"),
)
LAND = Fields(
    image=Field((16, 16, 3)),
    elevation=Field((16, 16), "value"),
    mask=Field((16, 16), "class", CLASSES),
)
SIGNALS = Fields(signal=Field((32, 2), "signal"))
VIDEOS = Fields(video=Field((4, 8, 8, 2), "video"))
UNET = {"filters": (4, 6, 8)}
SMALL: dict[str, tuple[Fields, dict[str, Any]]] = {
    "autoencoder_classifier": (PICTURES, {"hidden": (8,), "latent": 4, "classifier": (6,)}),
    "classifier": (PICTURES, {"filters": (4, 6), "hidden": (6,), "dropout": 0.2}),
    "coarse_and_fine": (PICTURES, {"filters": (4, 6), "latent": 6}),
    "conditional_gan": (PICTURES, {"filters": (6, 4), "latent": 4}),
    "conditional_vae": (PICTURES, {"hidden": (8,), "latent": 2}),
    "conv_autoencoder": (PICTURES, {"filters": (4, 2), "sparsity": 0.01, "noise": 0.1}),
    "conv_vae": (PICTURES, {"filters": (4, 6), "latent": 2}),
    "dense_autoencoder": (
        PICTURES,
        {"hidden": (8,), "latent": 4, "sparsity": 0.01, "noise": 0.1},
    ),
    "defect_detector": (PICTURES, {"filters": (4, 6), "latent": 4}),
    "digit_and_angle": (PICTURES, {"filters": (4, 6), "hidden": (6,)}),
    "fusion_unet": (LAND, {**UNET, "elevation_filters": (2, 3, 4)}),
    "gan": (PICTURES, {"filters": (6, 4), "latent": 4}),
    "siamese": (PICTURES, {"filters": (4, 6), "hidden": 6}),
    "signal_autoencoder": (
        SIGNALS,
        {"filters": (6, 4), "kernel": 3, "sparsity": 0.01, "noise": 0.1},
    ),
    "stacked_autoencoder": (PICTURES, {"hidden": (8,), "latent": 4}),
    "unet": (LAND, UNET),
    "unet_land_use_and_elevation": (LAND, UNET),
    "vae": (PICTURES, {"hidden": (8,), "latent": 2}),
    "video_autoencoder": (VIDEOS, {"filters": (3, 2), "sparsity": 0.01}),
}
"""Model to the fields it is built for and its options; one that is not named here is refused."""

LARGE_LAND = Fields(
    {name: replace(field, shape=(32, 32, *field.shape[2:])) for name, field in LAND.items()}
)
LARGE: dict[str, tuple[Fields, dict[str, Any]]] = {
    "fusion_unet": (LARGE_LAND, {"filters": (16, 32), "elevation_filters": (8, 16)}),
    "unet": (LARGE_LAND, {"filters": (16, 32)}),
    "unet_land_use_and_elevation": (LARGE_LAND, {"filters": (16, 32)}),
}
"""The same for nets in which so many ReLUs decide that some do so within the rounding."""

SHARES = (1.0, 0.5, 0.0)  # of the samples that have their targets, step by step
CLEAR = 1e-5  # by which a ReLU or a pooling decides
TRIES = 40  # batches, of which the one that decides most clearly is taken


class Noise:
    """Numbers of numpy in the place of those that a backend draws, by the number of the draw.

    A step begins at the first. What compiles a step draws when it is traced, and keeps the numbers:
    so every step is given the same.
    """

    def __init__(self) -> None:
        self.draws: list[list[int]] = []

    def begin(self) -> None:
        """Start anew."""
        self.draws = []

    def random(self, shape: Any) -> np.random.Generator:
        """Return the generator of the next draw, and keep its shape."""
        self.draws.append([int(size) for size in shape])
        return np.random.default_rng([7, len(self.draws)])

    def normal(self, shape: Any, mean: float = 0.0, stddev: float = 1.0, **_: Any) -> Any:
        """Return N(mean, stddev) as `keras.random.normal` does."""
        drawn = mean + stddev * self.random(shape).normal(size=self.draws[-1])
        return ops.convert_to_tensor(drawn, dtype=keras.config.floatx())

    @contextmanager
    def replacing(self) -> Iterator[None]:
        """Let layers draw from here, once built; Keras' own two do not ask `keras.random`."""

        def add_noise(layer: Any, inputs: Any, training: bool = False) -> Any:
            return inputs + self.normal(inputs.shape, stddev=layer.stddev) if training else inputs

        def drop(layer: Any, inputs: Any, training: bool = False) -> Any:
            if not training or not layer.rate:
                return inputs
            keep = self.random(inputs.shape).random(self.draws[-1]) >= layer.rate
            return ops.where(ops.convert_to_tensor(keep), inputs / (1.0 - layer.rate), 0.0)

        with (
            patch.object(keras.random, "normal", self.normal),
            patch.object(layers.GaussianNoise, "call", add_noise),
            patch.object(layers.Dropout, "call", drop),
        ):
            yield


class Steps:
    """One model with its optimizer, which keeps the gradients that it is given.

    Args:
        name: of the model.
        noise: that its layers draw.
        job: `eager`, compile nothing; `large`, take the large form where there is one; `smooth`,
            softplus in the place of ReLU; `any`, take the first batch, however near it decides.
    """

    def __init__(self, name: str, noise: Noise, job: Mapping[str, Any]) -> None:
        if name not in SMALL:
            sys.exit(f"model {name!r} has no small form: name its fields and options in SMALL.")
        forms = {**SMALL, **LARGE} if job["large"] else SMALL
        self.spec, (self.fields, params) = MODELS[name], forms[name]
        self.noise, self.tries = noise, 1 if job["any"] else TRIES
        units = partial(layers.Activation, "softplus") if job["smooth"] else layers.ReLU
        with patch.object(layers, "ReLU", units):
            self.model = build(self.spec, self.fields, params, seed=1)
        randomness.reseed(self.model, 1)
        rate, make = 1e-3, self.spec.optimizer
        checked = self.spec.check(params)
        optimizer = make(self.model, rate, checked) if make else keras.optimizers.Adam(rate)
        self.gradients = keep_gradients(optimizer, self.model.trainable_variables)
        self.model.compile(optimizer, jit_compile=tuning.jit_compile(), run_eagerly=job["eager"])

    def batch(self, step: int, seed: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Return inputs, targets and sample weights of a step; of the targets some are missing."""
        arrays = tiny_arrays(self.fields, SAMPLES, seed)
        inputs, _, _ = arrange(arrays, self.model.input, ())
        for array in (arrays := {name: _with_gaps(a) for name, a in arrays.items()}).values():
            missing = array[round(SHARES[step % 3] * SAMPLES) :]
            missing[...] = np.nan if array.dtype.kind == "f" else -1
        heads = self.model.heads
        _, targets, weights = arrange(arrays, (), heads, gaps=[head.name for head in heads])
        return inputs, targets, weights

    def clear_seed(self, step: int) -> int:
        """Return the seed of a batch in which every ReLU and pooling decides clearly."""
        weights, best, found = self.weights(), -1.0, 0
        for seed in range(1000 * step, 1000 * step + self.tries):
            self.noise.begin()
            with self.noise.replacing(), Decisions(self.model) as decisions:
                self.model(self.batch(step, seed)[0], training=True)
            self.load(weights)
            if decisions.least > best:
                best, found = decisions.least, seed
            if best > CLEAR:
                break
        return found

    def take(self, step: int, seed: int) -> dict[str, float]:
        """Train one step; return what it logs."""
        inputs, targets, weights = self.batch(step, seed)
        self.model.reset_metrics()
        self.noise.begin()
        with self.noise.replacing():
            logs = self.model.train_on_batch(inputs, targets, weights, return_dict=True)
        return {name: float(value) for name, value in logs.items()}

    def outputs(self, step: int, seed: int) -> dict[str, np.ndarray]:
        """Return what the model makes of the inputs of a step in use."""
        self.noise.begin()
        with self.noise.replacing():
            return self.model.predict_on_batch(self.batch(step, seed)[0])

    def weights(self) -> list[np.ndarray]:
        """Return the weights of all layers, in order."""
        return [to_numpy(variable) for variable in self.model.layer_weights]

    def load(self, arrays: list[np.ndarray]) -> None:
        """Set the weights of all layers."""
        for variable, array in zip(self.model.layer_weights, arrays, strict=True):
            variable.assign(array)


class Decisions:
    """By how much the ReLUs and poolings of a model decide while it is called within the block.

    An input of exactly 0 is no decision: every backend lets no gradient through.

    Args:
        model: that is called.
    """

    def __init__(self, model: Any) -> None:
        self.least = np.inf
        self._undo = ExitStack()
        self._layers = list(_layers(model))

    def __enter__(self) -> "Decisions":
        for kind, look in (
            (layers.ReLU, self._sign),
            (layers.LeakyReLU, self._sign),
            (layers.MaxPooling1D, self._winner),
            (layers.MaxPooling2D, self._winner),
            (layers.MaxPooling3D, self._winner),
        ):
            self._undo.enter_context(patch.object(kind, "call", _after(look, kind.call)))
        for layer in self._layers:
            if getattr(layer, "activation", None) is keras.activations.relu:
                seen = _after(self._sign, lambda _, x: keras.activations.relu(x))
                self._undo.enter_context(patch.object(layer, "activation", partial(seen, layer)))
        return self

    def __exit__(self, *_: Any) -> None:
        self._undo.close()

    def _sign(self, layer: Any, inputs: np.ndarray) -> None:
        self._see(np.abs(inputs[inputs != 0]))

    def _winner(self, layer: Any, inputs: np.ndarray) -> None:
        windows = inputs
        for axis, size in enumerate(layer.pool_size, 1):
            count = windows.shape[axis] // size
            windows = np.take(windows, range(count * size), axis)
            windows = np.stack(np.split(windows, count, axis), 0)  # (count, ..., size, ...)
            windows = np.moveaxis(windows, 0, -1)
        inside = tuple(range(1, 1 + len(layer.pool_size)))
        flat = np.moveaxis(windows, inside, range(len(inside)))
        flat = np.sort(flat.reshape(-1, *flat.shape[len(inside) :]), axis=0)
        self._see((flat[-1] - flat[-2])[flat[-1] > 0])

    def _see(self, margins: np.ndarray) -> None:
        self.least = min(self.least, float(margins.min(initial=np.inf)))


def _after(look: Callable[..., None], call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a layer's function that first shows its inputs."""

    def looking(layer: Any, inputs: Any) -> Any:
        look(layer, to_numpy(ops.stop_gradient(inputs)))
        return call(layer, inputs)

    return looking


def _layers(model: Any) -> Iterator[Any]:
    for layer in model.layers:
        yield from _layers(layer) if isinstance(layer, keras.Model) else [layer]


def _with_gaps(array: np.ndarray) -> np.ndarray:
    """Return a copy that can say that a target is missing."""
    return array.astype("int32" if array.dtype.kind in "iu" else keras.config.floatx())


def keep_gradients(optimizer: Any, variables: list[Any]) -> list[Any]:
    """Let an optimizer keep what it is given, NaN for what is no tensor; return where."""
    optimizer.build(variables)
    kept = [optimizer.add_variable_from_reference(variable, "kept") for variable in variables]
    apply = optimizer.apply

    def apply_kept(gradients: Any, trainable_variables: Any = None) -> Any:
        for slot, gradient in zip(kept, gradients, strict=True):
            whole = type(gradient).__name__ != "IndexedSlices"
            slot.assign(gradient if whole else ops.full(slot.shape, np.nan))
        return apply(gradients, trainable_variables)

    optimizer.apply = apply_kept
    return kept


def run(name: str, noise: Noise, job: dict[str, Any]) -> dict[str, np.ndarray]:
    """Return all that one model did, as arrays by name."""
    steps = Steps(name, noise, job)
    reference = np.load(Path(job["weights"]) / f"{name}.npz") if job["weights"] else None
    found: dict[str, Any] = {"paths": [v.path for v in steps.model.trainable_variables]}
    count = len(steps.model.layer_weights)
    before = [to_numpy(v) for v in randomness.seed_generators(steps.model)]
    for step in range(job["steps"]):
        if reference is None:
            steps.load([array.astype("float32") for array in steps.weights()])
            seed = steps.clear_seed(step)
        else:
            steps.load([reference[f"weight/{step}/{number}"] for number in range(count)])
            seed = int(reference[f"seed/{step}"])
        found[f"seed/{step}"] = seed
        found |= _named(f"weight/{step}", enumerate(steps.weights()))
        found |= _named(f"output/{step}", steps.outputs(step, seed).items())
        found |= _named(f"loss/{step}", steps.take(step, seed).items())
        found |= _named(f"gradient/{step}", enumerate(map(to_numpy, steps.gradients)))
        if step == 0:
            found["draws"] = json.dumps(noise.draws)
    if job["free"]:
        again = Steps(name, noise, job)
        again.load([found[f"weight/0/{number}"] for number in range(count)])
        for step in range(job["free"]):
            found |= _named(f"free/{step}", again.take(0, step).items())
    after = [to_numpy(v) for v in randomness.seed_generators(steps.model)]
    for old, new in zip(before, after, strict=True):
        if not np.array_equal(old, new):
            sys.exit(f"model {name!r} has a layer that draws from its backend: see `Noise`.")
    return found


def _named(path: str, values: Any) -> dict[str, Any]:
    return {f"{path}/{name}": value for name, value in values}


def main(path: str) -> None:
    """Run the job that a JSON file describes; write a file a model into its folder."""
    job = json.loads(Path(path).read_text())
    keras.config.set_floatx(job["floatx"])
    noise = Noise()
    for name in job["models"]:
        found = run(name, noise, job)
        np.savez(Path(job["out"]) / f"{name}.part.npz", **found)
        os.replace(Path(job["out"]) / f"{name}.part.npz", Path(job["out"]) / f"{name}.npz")


if __name__ == "__main__":
    main(sys.argv[1])
