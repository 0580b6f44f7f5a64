"""Generator and discriminator of the GANs, and the model that trains both."""

from collections.abc import Sequence
from typing import Any

from keras import Input, Model, layers, ops

from ed_core import CentredBatchNormalization, ConstantWeights, Noise, SubmodelAdam
from ed_plugins.models._conv import margins

Tensor = Any

EMBEDDING = 16  # size of the class embedding beside the noise


def generator(
    shape: tuple[int, ...], latent: int, filters: Sequence[int], classes: int = 0
) -> Model:
    """Return the model from `code`, and `label` where there are classes, to an `image` in 0..1.

    A dense layer, then one doubling for each of the filters (DCGAN; Radford et al., 2016, section
    3). Other sizes are cropped from the next larger one.
    """
    inputs = {"code": Input((latent,), name="code")}
    x = inputs["code"]
    if classes:
        inputs["label"] = Input((), dtype="int32", name="label")
        embedded = layers.Embedding(classes, EMBEDDING, name="embed")(inputs["label"])
        x = layers.Concatenate(name="join")([x, embedded])
    crop = margins(shape, len(filters))
    rows, columns = [
        (size + sum(lines)) // 2 ** len(filters) for size, lines in zip(shape, crop, strict=False)
    ]
    x = layers.Dense(rows * columns * filters[0], use_bias=False, name="dense")(x)
    x = _normed(layers.Reshape((rows, columns, filters[0]), name="maps")(x), 0)
    for number, count in enumerate(filters[1:], 1):
        x = layers.Conv2DTranspose(
            count, 4, 2, padding="same", use_bias=False, name=f"up_{number}"
        )(x)
        x = _normed(x, number)
    x = layers.Conv2DTranspose(
        shape[-1], 4, 2, padding="same", activation="sigmoid", name="pixels"
    )(x)
    return Model(inputs, {"image": layers.Cropping2D(crop, name="image")(x)}, name="decoder")


def discriminator(shape: tuple[int, ...], filters: Sequence[int], classes: int = 0) -> Model:
    """Return the model from `image`, and `label` where there are classes, to a `score` (batch, 1).

    The score is a logit, above 0 for real. A class is compared with the features as an inner
    product (Miyato & Koyama, 2018, equation 4).
    """
    inputs = {"image": Input(shape, name="image")}
    x = inputs["image"]
    for number, count in enumerate(filters, 1):
        x = layers.Conv2D(count, 4, 2, padding="same", name=f"conv_{number}")(x)
        x = layers.LeakyReLU(0.2, name=f"relu_{number}")(x)
        x = layers.Dropout(0.3, seed=number, name=f"dropout_{number}")(x)
    x = layers.Flatten(name="features")(x)
    score = layers.Dense(1, name="score")(x)
    if classes:
        inputs["label"] = Input((), dtype="int32", name="label")
        embedded = layers.Embedding(classes, x.shape[-1], name="embed")(inputs["label"])
        score = layers.Add(name="total")([score, layers.Dot(1, name="match")([x, embedded])])
    return Model(inputs, {"score": score}, name="discriminator")


def pair(decoder: Model, judge: Model) -> Model:
    """Return the model that trains both: `image` is a fake, and three scores judge real and fake.

    `real_score` and `fake_score` move the discriminator alone, `generator_score` the generator.
    """
    inputs = {name: Input(t.shape[1:], dtype=t.dtype, name=name) for name, t in judge.input.items()}
    conditions = {name: inputs[name] for name in inputs if name != "image"}
    code = Noise(decoder.input["code"].shape[-1], seed=0, name="noise")(inputs["image"])
    fake = decoder({"code": code, **conditions})["image"]
    still = ConstantWeights(judge, name="still")
    outputs = {
        "image": fake,
        "real_score": judge(inputs)["score"],
        "fake_score": judge({"image": ops.stop_gradient(fake), **conditions})["score"],
        "generator_score": still({"image": fake, **conditions})["score"],
    }
    return Model(inputs, outputs)


def two_rates(net: Any, learning_rate: Any, params: Any) -> SubmodelAdam:
    """Return Adam with the options' two learning rates and beta_1 = 0.5 (Radford et al., 2016)."""
    factors = {"decoder": params["generator_rate"], "discriminator": params["discriminator_rate"]}
    return SubmodelAdam(learning_rate, net, factors, beta_1=0.5)


def _normed(x: Tensor, number: int) -> Tensor:
    # An average of 0.9 follows the weights closely enough for runs of a hundred steps.
    x = CentredBatchNormalization(momentum=0.9, name=f"norm_{number}")(x)
    return layers.ReLU(name=f"relu_{number}")(x)
