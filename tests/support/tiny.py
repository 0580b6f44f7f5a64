"""A tiny plugin for the tests: a model with all kinds of heads and noise, and its data set.

A test changes `SPLITS` to see what training does with other data.
"""

from typing import Any

import numpy as np
from keras import Input, Model, layers, ops, optimizers

from ed_core import (
    Dataset,
    Field,
    Fields,
    Head,
    LatentCodes,
    Reconstruction,
    Sampling,
    dataset,
    losses,
    metrics,
    model,
)

BATCHES = 7  # an epoch, of 32 samples


def make_splits() -> dict[str, dict[str, Any]]:
    """Stripes, whose row is their class; a third of the labels is hidden behind -1 and NaN."""
    rng = np.random.default_rng(7)
    splits = {}
    for split, samples in {"train": 32 * BATCHES + 5, "test": 50, "validation": 50}.items():
        label = rng.integers(0, 3, samples)
        image = rng.uniform(0.0, 0.2, (samples, 6, 6, 1))
        image[np.arange(samples), label * 2] += 0.8
        has_label = (rng.random(samples) < 0.67).astype("float32")
        angle = np.where(has_label > 0, label - 1.0, np.nan)
        hidden = np.where(has_label > 0, label, -1)
        splits[split] = {
            "image": image.astype("float32"),
            "label": hidden,
            "angle": angle.astype("float32"),
            "has_label": has_label,
        }
    return splits


SPLITS = make_splits()


@dataset
def stripes() -> Dataset:
    """Stripes of three classes."""
    fields = Fields(
        image=Field((6, 6, 1)),
        label=Field((), "class", ("top", "middle", "bottom")),
        angle=Field((), "value"),
        has_label=Field((), "mask"),
    )
    return Dataset(fields, SPLITS)


def flip(
    batch: dict[str, np.ndarray], random: np.random.Generator, params: dict[str, Any]
) -> dict[str, np.ndarray]:
    """Mirror half of the images: their row, and so their class, stays."""
    mirrored = random.random(len(batch["image"])) < 0.5
    image = np.where(mirrored[:, None, None, None], batch["image"][:, :, ::-1], batch["image"])
    return {**batch, "image": image}


def own_adam(net: Model, rate: Any, params: dict[str, Any]) -> optimizers.Optimizer:
    """Adam with moments of its own."""
    return optimizers.Adam(rate, beta_1=0.8)


@model(
    data="stripes",
    augment=flip,
    optimizer=own_adam,
    heads=(
        Head("image", losses.binary_crossentropy),
        Head("posterior", losses.gaussian_kl, weight="beta", warm_up="anneal"),
        Head(
            "label", losses.categorical_crossentropy, mask="has_label", metrics=(metrics.accuracy,)
        ),
        Head("angle", losses.mean_squared_error, weight=0.5, mask="has_label", over="batch"),
    ),
    probes=(Reconstruction("image", samples=4), LatentCodes(samples=8)),
)
def tiny(fields: Fields, *, latent: int = 2, beta: float = 0.1, anneal: float = 0.5) -> Model:
    """Tiny variational auto-encoder with a class and an angle."""
    image = Input(fields["image"].shape, name="image")
    hidden = layers.GaussianNoise(0.05, seed=1)(layers.Flatten()(image))
    hidden = layers.Dense(16, activation="relu", name="hidden")(hidden)
    hidden = layers.BatchNormalization()(hidden)
    hidden = layers.Dropout(0.1)(hidden)
    mean = layers.Dense(latent, name="mean")(hidden)
    log_var = layers.Dense(latent, name="log_var")(hidden)
    code = Sampling()([mean, log_var])
    posterior = ops.stack([mean, log_var], axis=1)
    encoder = Model({"image": image}, {"code": code, "posterior": posterior}, name="encoder")
    back = Input((latent,), name="code")
    pixels = layers.Dense(36, activation="sigmoid", name="pixels")(back)
    decoder = Model({"code": back}, {"image": layers.Reshape((6, 6, 1))(pixels)}, name="decoder")
    coded = encoder({"image": image})
    heads = {
        "label": layers.Dense(3, activation="softmax", name="label")(coded["code"]),
        "angle": layers.Dense(1, name="angle")(coded["code"])[:, 0],
    }
    return Model({"image": image}, {**decoder({"code": coded["code"]}), **coded, **heads})
