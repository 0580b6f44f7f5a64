"""One training of `training.py`: a way, a model, epochs and images; prints its speeds as JSON.

`loader` is a PyTorch loop with a `DataLoader`, as most write it; `loop` the best that we know: all
images in memory, fused Adam, channels last, our allocator. `keras` is plain `fit` on arrays,
`edkit` trains as the command does, `unrecorded` so with `--no-record`, `plain` so with
`--engine plain` beside it. dense has layers of 512, 256
and 64 units, mirrored; conv three convolutions of 16, 8 and 4 filters, each with a pooling,
mirrored; vae one layer of 512 and a code of 2, with the cross entropy of the pixels.
"""

import gzip
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from ed_core.engine.tuning import tune_allocator

BATCH = 128
RATE = 1e-3  # at first; a cosine brings it to 0
UNITS = {"dense": (784, 512, 256, 64, 256, 512, 784), "vae": (784, 512, 4, 512, 784)}
CONVOLUTIONS = ((1, 16, 32), (16, 8, 16), (8, 4, 8), (4, 4, 4), (4, 8, 8), (8, 16, 16), (16, 1, 32))
NAMES = {"dense": "dense_autoencoder", "conv": "conv_autoencoder", "vae": "vae"}


def images(count: int) -> np.ndarray:
    """Return images of Fashion-MNIST, (count, 28, 28, 1), in 0..1."""
    path = Path(os.environ.get("EDKIT_DATA", "data")) / "fashion-mnist/train-images-idx3-ubyte.gz"
    with gzip.open(path) as file:
        pixels = np.frombuffer(file.read(), "uint8", offset=16)
    return pixels.reshape(-1, 28, 28, 1)[:count].astype("float32") / 255


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


def with_keras(kind: str, model: str, epochs: int, x: np.ndarray) -> None:
    """Train by `ed_core.train`, or by plain `fit`."""
    import keras

    held_out = len(x) // 10
    clock = Clock((len(x) - held_out) // BATCH * BATCH)

    class Marks(keras.callbacks.Callback):
        """Marks the epochs."""

        loss = 0.0

        def on_train_begin(self, logs: Any = None) -> None:
            clock.mark()

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            clock.mark()
            self.loss = logs["val_loss"]

    marks, options = Marks(), {"epochs": epochs, "batch_size": BATCH}
    if kind == "keras":
        steps = epochs * -(-(len(x) - held_out) // BATCH)
        net = plain(model, keras.optimizers.schedules.CosineDecay(RATE, steps))
        held, x = x[:held_out], x[held_out:]
        net.fit(x, x, verbose=0, validation_data=(held, held), callbacks=[marks], **options)
    else:
        from ed_core import train

        with tempfile.TemporaryDirectory() as out:
            options |= {"learning_rate": RATE, "record": kind == "edkit", "validation": 0.1}
            options |= {"engine": "plain"} if kind == "plain" else {}
            train(NAMES[model], {"image": x}, callbacks=[marks], out=out, **options)
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


def with_torch(kind: str, model: str, epochs: int, x: np.ndarray) -> None:
    """Train by a loop of PyTorch."""
    import torch

    best = kind == "loop"
    if best:
        tune_allocator()
    pixels = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()
    held, pixels = pixels[: len(x) // 10], pixels[len(x) // 10 :]
    net, loss_of = torch_model(model)
    if best and model == "conv":
        net = net.to(memory_format=torch.channels_last)
    steps = len(pixels) // BATCH
    clock = Clock(steps * BATCH)
    optimizer = torch.optim.Adam(net.parameters(), RATE, fused=best)
    cosine = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * steps)
    data = torch.utils.data.TensorDataset(pixels)
    loader = torch.utils.data.DataLoader(data, BATCH, shuffle=True, drop_last=True)
    clock.mark()
    for _ in range(epochs):
        total: Any = 0.0
        for batch in in_memory(pixels) if best else (batch for (batch,) in loader):
            loss = loss_of(batch)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            cosine.step()
            total += loss.detach() if best else loss.item()
        net.eval()
        with torch.no_grad():
            parts = [loss_of(part).item() * len(part) for part in held.split(500)]
        net.train()
        clock.mark()
    clock.report(sum(parts) / len(held))


def in_memory(pixels: Any) -> Iterator[Any]:
    """Yield the batches of an epoch."""
    import torch

    order = torch.randperm(len(pixels))
    for first in range(0, len(pixels) - BATCH + 1, BATCH):
        yield pixels[order[first : first + BATCH]]


def torch_model(model: str) -> tuple[Any, Callable[[Any], Any]]:
    """Return a module, and what gives its loss on a batch."""
    import torch
    from torch import nn

    if model == "conv":
        layers: list[Any] = [nn.ZeroPad2d(2)]
        for number, (inputs, filters, _) in enumerate(CONVOLUTIONS[:-1]):
            layers += [nn.Conv2d(inputs, filters, 3, padding=1), nn.ReLU()]
            layers.append(nn.MaxPool2d(2) if number < 3 else nn.Upsample(scale_factor=2))
        net = nn.Sequential(*layers, nn.Conv2d(16, 1, 3, padding=1), nn.Sigmoid())
        return net, lambda x: ((net(x)[:, :, 2:-2, 2:-2] - x) ** 2).sum((1, 2, 3)).mean()
    if model == "dense":
        layers = [nn.Flatten()]
        for inputs, units in zip(UNITS[model], UNITS[model][1:], strict=False):
            layers += [nn.Linear(inputs, units), nn.ReLU()]
        net = nn.Sequential(*layers[:-1], nn.Sigmoid())
        return net, lambda x: ((net(x) - x.flatten(1)) ** 2).sum(1).mean()
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 4))
    decoder = nn.Sequential(nn.Linear(2, 512), nn.ReLU(), nn.Linear(512, 784), nn.Sigmoid())
    net = nn.Sequential(encoder, decoder)

    def loss_of(x: Any) -> Any:
        mean, log_var = encoder(x).chunk(2, 1)
        noise = torch.exp(0.5 * log_var) * torch.randn_like(mean) if net.training else 0.0
        output = decoder(mean + noise)
        pixels = nn.functional.binary_cross_entropy(output, x.flatten(1), reduction="none")
        divergence = 0.5 * (log_var.exp() + mean**2 - 1 - log_var).sum(1)
        return (pixels.sum(1) + divergence).mean()

    return net, loss_of


def limit(model: str, epochs: int, x: np.ndarray) -> None:
    """Do the products or convolutions of the steps alone, as PyTorch's libraries do them."""
    import torch

    tune_allocator()
    torch.set_grad_enabled(False)
    steps = (len(x) - len(x) // 10) // BATCH
    clock = Clock(steps * BATCH)
    shapes = (
        CONVOLUTIONS if model == "conv" else [*zip(UNITS[model], UNITS[model][1:], strict=False)]
    )
    step = _convolutions if model == "conv" else _products
    tensors = [step(torch, shape) for shape in shapes]
    clock.mark()
    for _ in range(epochs):
        for _ in range(steps):
            for number, compute in enumerate(tensors):
                compute(number > 0)  # the first layer has no gradient of its input
        clock.mark()
    clock.report(None)


def _products(torch: Any, shape: Any) -> Callable[[bool], None]:
    inputs, outputs = shape
    x, w, y = (torch.randn(s) for s in ((BATCH, inputs), (inputs, outputs), (BATCH, outputs)))
    dx, dw = torch.empty_like(x), torch.empty_like(w)

    def compute(to_input: bool) -> None:
        torch.mm(x, w, out=y)
        torch.mm(x.T, y, out=dw)
        if to_input:
            torch.mm(y, w.T, out=dx)

    return compute


def _convolutions(torch: Any, shape: Any) -> Callable[[bool], None]:
    inputs, outputs, size = shape
    x = torch.randn(BATCH, inputs, size, size).to(memory_format=torch.channels_last)
    w = torch.randn(outputs, inputs, 3, 3).to(memory_format=torch.channels_last)

    def compute(to_input: bool) -> None:
        y = torch.conv2d(x, w, padding=1)
        torch.ops.aten.convolution_backward(
            y, x, w, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, [to_input, True, False]
        )

    return compute


if __name__ == "__main__":
    way, network, of_epochs, of_images = sys.argv[1:5]
    loaded = images(int(of_images))
    if way == "limit":
        limit(network, int(of_epochs), loaded)
    elif way in ("loader", "loop"):
        with_torch(way, network, int(of_epochs), loaded)
    else:
        with_keras(way, network, int(of_epochs), loaded)
