"""One training of `training.py`: a way, a model, epochs and images; prints its speeds as JSON.

`loader` is a PyTorch loop with a `DataLoader`, as most write it; `loop` the best that we know: all
images in memory, fused Adam, channels last, our allocator. `keras` is plain `fit` on arrays,
`edkit` trains as the command does, `unrecorded` so with `--no-record`, `plain` so with
`--engine plain` beside it. `limit` is the products or convolutions of a step and nothing else.

On Fashion-MNIST, 128 images a batch: dense has layers of 512, 256 and 64 units, mirrored; conv
three convolutions of 16, 8 and 4 filters, each with a pooling, mirrored; vae one layer of 512 and a
code of 2, with the cross entropy of the pixels. On `land_use`, 16 images a batch: unet has levels
of 16, 32, 64 and 128 filters. All begin with Glorot's weights, as Keras' layers do.
"""

import gzip
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ed_core.engine.tuning import tune_allocator
from ed_plugins.datasets.land_use import land_use

RATE = 1e-3  # at first; a cosine brings it to 0
UNITS = {"dense": (784, 512, 256, 64, 256, 512, 784), "vae": (784, 512, 4, 512, 784)}
CONVOLUTIONS = ((1, 16, 32), (16, 8, 16), (8, 4, 8), (4, 4, 4), (4, 8, 8), (8, 16, 16), (16, 1, 32))
FILTERS = (16, 32, 64, 128)
NAMES = {"dense": "dense_autoencoder", "conv": "conv_autoencoder", "vae": "vae", "unet": "unet"}


def batch_size(model: str) -> int:
    """Return the samples a batch."""
    return 16 if model == "unet" else 128


def arrays(model: str, count: int) -> list[np.ndarray]:
    """Return inputs and targets to train on, then those that are held out, samples first.

    Args:
        model: of `NAMES`.
        count: of the images, a tenth of them held out; of the U-Net's a fiftieth, as `land_use`
            splits them.
    """
    if model == "unet":
        splits = [land_use(samples=count // 50).splits[name] for name in ("train", "validation")]
        return [split[field] for split in splits for field in ("image", "mask")]
    path = Path(os.environ.get("EDKIT_DATA", "data")) / "fashion-mnist/train-images-idx3-ubyte.gz"
    with gzip.open(path) as file:
        pixels = np.frombuffer(file.read(), "uint8", offset=16)
    x = pixels.reshape(-1, 28, 28, 1)[:count].astype("float32") / 255
    held_out = count // 10
    return [x[held_out:], x[held_out:], x[:held_out], x[:held_out]]


class Clock:
    """Speeds of the epochs after the first, each with its validation."""

    def __init__(self, trained: int) -> None:
        self._trained = trained
        self._marks: list[tuple[float, float]] = []

    def mark(self) -> None:
        """Note the beginning of the first epoch, or the end of one."""
        self._marks.append((time.perf_counter(), time.process_time()))

    def report(self, loss: float | None) -> None:
        """Print images a second, processor seconds for 1,000 images, and a loss."""
        passed = np.diff(np.array(self._marks), axis=0)[1:]
        speeds, seconds = self._trained / passed[:, 0], 1000 * passed[:, 1] / self._trained
        print(json.dumps({"speeds": [*speeds], "seconds": [*seconds], "loss": loss}))


def with_keras(kind: str, model: str, epochs: int, count: int) -> None:
    """Train by `ed_core.train`, or by plain `fit`."""
    import keras

    x, y, *held = arrays(model, count)
    batch = batch_size(model)
    clock = Clock(len(x) // batch * batch)

    class Marks(keras.callbacks.Callback):
        """Marks the epochs."""

        loss = 0.0

        def on_train_begin(self, logs: Any = None) -> None:
            clock.mark()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            clock.mark()
            self.loss = logs["val_loss"]

    marks, options = Marks(), {"epochs": epochs, "batch_size": batch}
    if kind == "keras":
        steps = epochs * -(-len(x) // batch)
        net = plain(model, keras.optimizers.schedules.CosineDecay(RATE, steps))
        net.fit(x, y, verbose=0, validation_data=tuple(held), callbacks=[marks], **options)
    else:
        from ed_core import train

        data: Any = f"land_use:samples={count // 50}"
        if model != "unet":
            data = {"image": np.concatenate([held[0], x])}
            options["validation"] = 0.1
        options |= {"engine": "plain"} if kind == "plain" else {}
        with tempfile.TemporaryDirectory() as out:
            options |= {"learning_rate": RATE, "record": kind == "edkit", "out": out}
            train(NAMES[model], data, callbacks=[marks], **options)
    clock.report(marks.loss)


def plain(model: str, rate: Any) -> Any:
    """Return a compiled Keras model as a user writes it."""
    import keras
    from keras import layers, ops

    class Sampling(layers.Layer):
        """Draws the code while training, and adds the divergence to the loss."""

        def __init__(self) -> None:
            super().__init__()
            self.seed = keras.random.SeedGenerator(1)

        def call(self, inputs: Any, training: bool = False) -> Any:
            mean, log_var = inputs
            divergence = ops.sum(ops.exp(log_var) + ops.square(mean) - 1 - log_var, axis=1)
            self.add_loss(0.5 * ops.mean(divergence))
            if not training:
                return mean
            noise = keras.random.normal(ops.shape(mean), seed=self.seed)
            return mean + ops.exp(0.5 * log_var) * noise

    def squares(target: Any, output: Any) -> Any:
        return ops.sum(ops.reshape(ops.square(target - output), (-1, 784)), axis=1)

    def entropy(target: Any, output: Any) -> Any:
        return ops.sum(ops.reshape(ops.binary_crossentropy(target, output), (-1, 784)), axis=1)

    if model == "unet":
        net = plain_unet()
        net.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
        return net
    image = keras.Input((28, 28, 1))
    if model == "conv":
        x = layers.ZeroPadding2D(2)(image)
        for number, (_, filters, _) in enumerate(CONVOLUTIONS[:-1]):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
            x = (layers.MaxPooling2D if number < 3 else layers.UpSampling2D)(2)(x)
        x = layers.Conv2D(1, 3, padding="same", activation="sigmoid")(x)
        output = layers.Cropping2D(2)(x)
    else:
        x = layers.Flatten()(image)
        for units in UNITS[model][1:-1]:
            if units == 4:  # the posterior of a code of 2
                x = Sampling()([layers.Dense(2)(x), layers.Dense(2)(x)])
            else:
                x = layers.Dense(units, "relu")(x)
        output = layers.Reshape((28, 28, 1))(layers.Dense(784, "sigmoid")(x))
    net = keras.Model(image, output)
    net.compile(keras.optimizers.Adam(rate), entropy if model == "vae" else squares)
    return net


def plain_unet() -> Any:
    """Return a U-Net as a user of Keras writes it."""
    import keras
    from keras import layers

    def convolved(x: Any, filters: int) -> Any:
        for _ in range(2):
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
            x = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))
        return x

    image = keras.Input((64, 64, 3))
    x, skips = convolved(image, FILTERS[0]), []
    for filters in FILTERS[1:]:
        skips.append(x)
        x = convolved(layers.MaxPooling2D(2)(x), filters)
    x = layers.Dropout(0.2)(x)
    for filters, skip in zip(FILTERS[-2::-1], reversed(skips), strict=True):
        x = layers.UpSampling2D(2)(layers.Conv2D(filters, 1)(x))
        x = convolved(layers.Concatenate()([skip, x]), filters)
    return keras.Model(image, layers.Conv2D(6, 1, activation="softmax")(x))


def with_torch(kind: str, model: str, epochs: int, count: int) -> None:
    """Train by a loop of PyTorch."""
    import torch

    best = kind == "loop"
    if best:
        tune_allocator()
    x, y, held_x, held_y = (torch.from_numpy(one) for one in arrays(model, count))
    if model == "unet":
        y, held_y = y.long(), held_y.long()
    x, held_x = (one.permute(0, 3, 1, 2).contiguous() for one in (x, held_x))
    net, loss_of = torch_model(model)
    if best and model in ("conv", "unet"):
        net = net.to(memory_format=torch.channels_last)
    batch = batch_size(model)
    steps = len(x) // batch
    clock = Clock(steps * batch)
    optimizer = torch.optim.Adam(net.parameters(), RATE, fused=best)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * steps)
    data = torch.utils.data.TensorDataset(x, y)
    loader = torch.utils.data.DataLoader(data, batch, shuffle=True, drop_last=True)
    clock.mark()
    for _ in range(epochs):
        total: Any = 0.0
        for inputs, targets in in_memory(x, y, batch) if best else loader:
            loss = loss_of(inputs, targets)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            cosine.step()
            total += loss.detach() if best else loss.item()
        net.eval()
        with torch.no_grad():
            pairs = zip(held_x.split(4 * batch), held_y.split(4 * batch), strict=True)
            parts = [loss_of(one, other).item() * len(one) for one, other in pairs]
        net.train()
        clock.mark()
    clock.report(sum(parts) / len(held_x))


def in_memory(x: Any, y: Any, batch: int) -> Iterator[Any]:
    """Yield the batches of an epoch."""
    import torch

    order = torch.randperm(len(x))
    for first in range(0, len(x) - batch + 1, batch):
        rows = order[first : first + batch]
        yield x[rows], y[rows]


def begin_as_keras(net: Any) -> Any:
    """Return a module with Glorot's weights and biases of 0."""
    from torch import nn

    for layer in net.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    return net


def torch_model(model: str) -> tuple[Any, Callable[[Any, Any], Any]]:
    """Return a module, and what gives its loss on inputs and targets."""
    import torch
    from torch import nn

    if model == "unet":
        net = begin_as_keras(torch_unet())
        return net, lambda x, y: nn.functional.cross_entropy(net(x), y)
    if model == "conv":
        layers: list[Any] = [nn.ZeroPad2d(2)]
        for number, (inputs, filters, _) in enumerate(CONVOLUTIONS[:-1]):
            layers += [nn.Conv2d(inputs, filters, 3, padding=1), nn.ReLU()]
            layers.append(nn.MaxPool2d(2) if number < 3 else nn.Upsample(scale_factor=2))
        net = nn.Sequential(*layers, nn.Conv2d(16, 1, 3, padding=1), nn.Sigmoid())
        begin_as_keras(net)
        return net, lambda x, _: ((net(x)[:, :, 2:-2, 2:-2] - x) ** 2).sum((1, 2, 3)).mean()
    if model == "dense":
        layers = [nn.Flatten()]
        for inputs, units in pairwise(UNITS[model]):
            layers += [nn.Linear(inputs, units), nn.ReLU()]
        net = begin_as_keras(nn.Sequential(*layers[:-1], nn.Sigmoid()))
        return net, lambda x, _: ((net(x) - x.flatten(1)) ** 2).sum(1).mean()
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 4))
    decoder = nn.Sequential(nn.Linear(2, 512), nn.ReLU(), nn.Linear(512, 784), nn.Sigmoid())
    net = begin_as_keras(nn.Sequential(encoder, decoder))

    def loss_of(x: Any, _: Any) -> Any:
        mean, log_var = encoder(x).chunk(2, 1)
        noise = torch.exp(0.5 * log_var) * torch.randn_like(mean) if net.training else 0.0
        output = decoder(mean + noise)
        pixels = nn.functional.binary_cross_entropy(output, x.flatten(1), reduction="none")
        divergence = 0.5 * (log_var.exp() + mean**2 - 1 - log_var).sum(1)
        return (pixels.sum(1) + divergence).mean()

    return net, loss_of


def torch_unet() -> Any:
    """Return a U-Net as a user of PyTorch writes it."""
    import torch
    from torch import nn

    def convolutions(inputs: int, filters: int) -> Any:
        parts: list[Any] = []
        for channels in (inputs, filters):
            parts.append(nn.Conv2d(channels, filters, 3, padding=1, bias=False))
            parts += [nn.BatchNorm2d(filters, eps=1e-3), nn.ReLU()]
        return nn.Sequential(*parts)

    class UNet(nn.Module):
        """Levels that are halved by pooling, and joined again."""

        def __init__(self) -> None:
            super().__init__()
            pairs = [*pairwise(FILTERS)]
            self.first = convolutions(3, FILTERS[0])
            self.down = nn.ModuleList(convolutions(one, other) for one, other in pairs)
            self.narrow = nn.ModuleList(nn.Conv2d(other, one, 1) for one, other in pairs[::-1])
            self.up = nn.ModuleList(convolutions(2 * one, one) for one, _ in pairs[::-1])
            self.pool, self.drop = nn.MaxPool2d(2), nn.Dropout(0.2)
            self.enlarge, self.head = nn.Upsample(scale_factor=2), nn.Conv2d(FILTERS[0], 6, 1)

        def forward(self, x: Any) -> Any:
            levels = [self.first(x)]
            for down in self.down:
                levels.append(down(self.pool(levels[-1])))
            x = self.drop(levels.pop())
            for narrow, up in zip(self.narrow, self.up, strict=True):
                x = up(torch.cat([levels.pop(), self.enlarge(narrow(x))], 1))
            return self.head(x)

    return UNet()


def shapes(model: str) -> list[tuple[int, ...]]:
    """Return the products of a step, (inputs, outputs), or its convolutions.

    Of a convolution: (channels, filters, size of the image, size of the kernel).
    """
    if model in UNITS:
        return [*pairwise(UNITS[model])]
    if model == "conv":
        return [(*shape, 3) for shape in CONVOLUTIONS]
    sizes = [64 // 2**level for level in range(len(FILTERS))]
    down = zip((3, *FILTERS), FILTERS, sizes, strict=False)
    parts = [part for i, o, size in down for part in ((i, o, size, 3), (o, o, size, 3))]
    for wide, few, size in zip(FILTERS[:0:-1], FILTERS[-2::-1], sizes[-2::-1], strict=True):
        parts += [(wide, few, size // 2, 1), (2 * few, few, size, 3), (few, few, size, 3)]
    return [*parts, (FILTERS[0], 6, 64, 1)]


def limit(backend: str, model: str, epochs: int, count: int) -> None:
    """Do the products or convolutions of the steps alone, those of the gradients among them."""
    batch = batch_size(model)
    steps = len(arrays(model, count)[0]) // batch
    clock = Clock(steps * batch)
    compute = {"torch": _torch_limit, "jax": _jax_limit, "tensorflow": _tensorflow_limit}[backend](
        shapes(model), batch
    )
    compute()
    clock.mark()
    for _ in range(epochs):
        for _ in range(steps):
            wait = compute()
        wait()
        clock.mark()
    clock.report(None)


def _operands(shape: tuple[int, ...], batch: int) -> list[np.ndarray]:
    """Return input, weights and output of a layer, channels last."""
    random = np.random.default_rng(0)
    if len(shape) == 2:
        sizes: list[tuple[int, ...]] = [(batch, shape[0]), shape, (batch, shape[1])]
    else:
        inputs, filters, size, kernel = shape
        maps = [(batch, size, size, channels) for channels in (inputs, filters)]
        sizes = [maps[0], (kernel, kernel, inputs, filters), maps[1]]
    return [random.normal(size=size).astype("float32") for size in sizes]


def _torch_limit(shapes: list[tuple[int, ...]], batch: int) -> Callable[[], Any]:
    import torch

    tune_allocator()
    torch.set_grad_enabled(False)
    layers = [tuple(map(torch.from_numpy, _operands(shape, batch))) for shape in shapes]
    layers = [
        (x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1).contiguous(), y.permute(0, 3, 1, 2))
        if x.ndim == 4
        else (x, w, y)
        for x, w, y in layers
    ]

    def compute() -> Any:
        for number, (x, w, y) in enumerate(layers):
            inner = number > 0  # the first layer has no gradient of its input
            if x.ndim == 2:
                _ = x @ w, x.T @ y, y @ w.T if inner else None
                continue
            edge = [w.shape[-1] // 2] * 2
            torch.conv2d(x, w, padding=edge)
            torch.ops.aten.convolution_backward(
                y, x, w, None, [1, 1], edge, [1, 1], False, [0, 0], 1, [inner, True, False]
            )
        return lambda: None

    return compute


def _jax_limit(shapes: list[tuple[int, ...]], batch: int) -> Callable[[], Any]:
    import jax
    from jax import lax

    tune_allocator()
    layers = [tuple(map(jax.device_put, _operands(shape, batch))) for shape in shapes]

    def of_layer(x: Any, w: Any) -> Any:
        if x.ndim == 2:
            return x @ w
        axes = ("NHWC", "HWIO", "NHWC")
        return lax.conv_general_dilated(x, w, (1, 1), "SAME", dimension_numbers=axes)

    def step(layers: Any) -> Any:
        results = []
        for number, (x, w, y) in enumerate(layers):
            output, pull = jax.vjp(of_layer, x, w)
            results.append((output, pull(y)[number == 0 :]))
        return results

    compiled = jax.jit(step)

    def compute() -> Any:
        results = compiled(layers)
        return lambda: jax.block_until_ready(results)

    return compute


def _tensorflow_limit(shapes: list[tuple[int, ...]], batch: int) -> Callable[[], Any]:
    import tensorflow as tf

    layers = [tuple(map(tf.constant, _operands(shape, batch))) for shape in shapes]

    @tf.function(jit_compile=False)
    def step() -> Any:
        results = []
        for number, (x, w, y) in enumerate(layers):
            with tf.GradientTape() as tape:
                tape.watch([x, w])
                output = x @ w if x.ndim == 2 else tf.nn.conv2d(x, w, 1, "SAME")
            operands = [x, w][number == 0 :]
            results.append([output, *tape.gradient(output, operands, y)])
        return [tf.reduce_max(part[..., :1]) for some in results for part in some]

    def compute() -> Any:
        results = step()
        return lambda: [one.numpy() for one in results]

    return compute


if __name__ == "__main__":
    way, network, of_epochs, of_images = sys.argv[1:5]
    if way == "limit":
        limit(os.environ["KERAS_BACKEND"], network, int(of_epochs), int(of_images))
    elif way in ("loader", "loop"):
        with_torch(way, network, int(of_epochs), int(of_images))
    else:
        with_keras(way, network, int(of_epochs), int(of_images))
