"""Plugins for the tests of figures: models with every kind of head, and one data set for all."""

import numpy as np
from keras import Input, Model, layers, ops

from ed_core import Dataset, Field, Fields, Head, Samples, Sampling, dataset, losses, model

CLASSES = ("one", "two", "three", "four")
COARSE = np.array([1, 0, 1, 0])  # of each class


@dataset
def scenes() -> Dataset:
    """Bright quarters: a class, a coarser one, an angle, a mask, a height; a signal and a video."""
    fields = Fields(
        image=Field((8, 8, 1)),
        label=Field((), "class", CLASSES),
        coarse=Field((), "class", ("even", "odd")),
        angle=Field((), "value", partial=True, unit="°"),
        mask=Field((8, 8), "class", ("ground", "house"), partial=True),
        height=Field((8, 8, 1), "value"),
        signal=Field((12, 1), "signal"),
        video=Field((3, 4, 4, 1), "video"),
    )
    splits = {"train": _draw(0, 64), "validation": _draw(1, 40), "test": _draw(2, 40)}
    return Dataset(fields, splits)


def _draw(seed: int, samples: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    label = np.arange(samples) % 4
    image = 0.3 * rng.random((samples, 8, 8, 1), "float32")
    for row, number in enumerate(label):
        image[row, 4 * (number // 2) :, 4 * (number % 2) :] += 0.6
    mask = (image[..., 0] > 0.5).astype("int64")
    mask[:, 0, :2] = -1
    angle = (30 * label + rng.normal(0, 5, samples)).astype("float32")
    angle[5] = np.nan
    signal = np.sin(np.arange(12) + label[:, None])[..., None].astype("float32")
    video = rng.random((samples, 3, 4, 4, 1), "float32")
    return {
        "image": image,
        "label": label,
        "coarse": COARSE[label],
        "angle": angle,
        "mask": mask,
        "height": 100 * image + 7,
        "signal": signal,
        "video": video,
    }


@model(
    data="scenes",
    heads=(
        Head("fine", losses.categorical_crossentropy, target="label"),
        Head("coarse", losses.categorical_crossentropy),
        Head("code", losses.contrastive, target="label", weight=0.0),
        Head("angle", losses.mean_squared_error, weight=0.001),
        Head("mask", losses.categorical_crossentropy),
        Head("height", losses.mean_squared_error, weight=0.001),
    ),
)
def seer(fields: Fields) -> Model:
    """Every kind of prediction from one image; `code` has four numbers, as many as classes."""
    image = Input((8, 8, 1), name="image")
    flat = layers.Flatten()(image)
    maps = layers.Conv2D(2, 3, padding="same", activation="softmax")(image)
    outputs = {
        "fine": layers.Dense(4, activation="softmax")(flat),
        "coarse": layers.Dense(2, activation="softmax")(flat),
        "code": layers.Dense(4)(flat),
        "angle": layers.Dense(1)(flat),
        "mask": maps,
        "height": 100 * layers.Conv2D(1, 3, padding="same")(image),
    }
    return Model({"image": image}, outputs)


@model(
    data="scenes",
    heads=(
        Head("signal", losses.sum_squared_error),
        Head("video", losses.sum_squared_error),
    ),
)
def player(fields: Fields, *, hidden: int = 6) -> Model:
    """A signal and a video, each given back."""
    signal, video = Input((12, 1), name="signal"), Input((3, 4, 4, 1), name="video")
    x = layers.Dense(hidden)(layers.Flatten()(signal))
    y = layers.Dense(hidden)(layers.Flatten()(video))
    outputs = {
        "signal": layers.Reshape((12, 1))(layers.Dense(12)(x)),
        "video": layers.Reshape((3, 4, 4, 1))(layers.Dense(48, activation="sigmoid")(y)),
    }
    return Model({"signal": signal, "video": video}, outputs)


@model(
    data="scenes",
    heads=(
        Head("image", losses.binary_crossentropy),
        Head("posterior", losses.gaussian_kl),
    ),
    probes=(Samples(samples=20),),
)
def told(fields: Fields, *, latent: int = 5) -> Model:
    """A variational auto-encoder that is told the class."""
    image, label = Input((8, 8, 1), name="image"), Input((), dtype="int32", name="label")
    x = layers.Concatenate()([layers.Flatten()(image), ops.one_hot(label, 4)])
    mean, log_var = layers.Dense(latent)(x), layers.Dense(latent)(x)
    outputs = {
        "code": Sampling()([mean, log_var]),
        "posterior": ops.stack([mean, log_var], axis=1),
    }
    encoder = Model({"image": image, "label": label}, outputs, name="encoder")
    code, wanted = Input((latent,), name="code"), Input((), dtype="int32", name="label")
    y = layers.Concatenate()([code, ops.one_hot(wanted, 4)])
    y = layers.Reshape((8, 8, 1))(layers.Dense(64, activation="sigmoid")(y))
    decoder = Model({"code": code, "label": wanted}, {"image": y}, name="decoder")
    coded = encoder({"image": image, "label": label})
    made = decoder({"code": coded["code"], "label": label})
    return Model({"image": image, "label": label}, {**coded, **made})
