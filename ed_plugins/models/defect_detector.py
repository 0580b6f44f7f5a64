"""Detector of defects, trained on normal images with synthetic defects."""

from collections.abc import Mapping
from math import ceil, log2, prod
from typing import Any, Literal

import numpy as np
from keras import Input, Model, layers, ops

from ed_core import (
    Activations,
    Field,
    Fields,
    Head,
    LatentCodes,
    MirrorAverage,
    Reconstruction,
    augment,
    defects,
    losses,
    model,
)
from ed_core.data.lazy import at_a_time
from ed_plugins.models import _unet
from ed_plugins.models._conv import margins

Tensor = Any
Mirror = Literal["none", "sideways", "both"]

_LARGEST = 64  # pixels a side of what the dense layers see
_SEEN = 1e-3  # by which a number of the image is changed where there is a defect
_LEAST = 1e-3  # deviation of an image, lest one of a single colour be divided by 0
_BYTES = 256 * 2**20  # of the images, with mirrored ones, whose components are computed
_MIRRORS = {
    "none": [(1, 1)],
    "sideways": [(1, 1), (1, -1)],
    "both": [(1, 1), (1, -1), (-1, 1), (-1, -1)],
}  # steps along the height and the width


def defect_loss(image: Tensor, marked: Tensor) -> Tensor:
    """Cross entropy of a map of defects, the sum over the pixels in nats, (batch,).

    A pixel is one of a defect where the image that was seen differs from the normal one.

    Args:
        image: the normal one, (batch, height, width, channels).
        marked: (batch, height, width, 1 + channels), the map in 0..1 and the image that was seen.
    """
    off = ops.max(ops.abs(marked[..., 1:] - image), axis=-1, keepdims=True)
    defect = ops.cast(off > _SEEN, marked.dtype)
    return losses.binary_crossentropy(defect, marked[..., :1])


def with_defects(
    batch: dict[str, np.ndarray], random: np.random.Generator, *, params: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """Return the batch mirrored, and with defects in a part of the images that are seen."""
    if params["mirror"] != "none":
        batch = augment.mirrored(batch, random)
    if params["mirror"] == "both":
        batch = augment.mirrored(batch, random, upside_down=True)
    seen, masks = defects.pasted(batch["image"], random, share=params["defect_share"])
    seen = np.where(masks > 0, seen, batch["image"])  # what cannot be seen is none
    return {**batch, "image": seen, "image_target": batch["image"]}


def with_components(net: Model, train: Mapping[str, Any], params: Mapping[str, Any]) -> None:
    """Set the auto-encoder to the principal components of the training images.

    Mirrored images are added where they are normal. Of large training splits as many images are
    looked at, evenly spaced, as fill 256 MiB. There are at most half as many components as images
    or numbers of an image, since all of them restore defects as well; the code's other numbers are
    0.
    """
    from sklearn.decomposition import PCA  # other models do without its import

    encoder, decoder = net.get_layer("encoder"), net.get_layer("decoder")
    numbers, pixels = encoder.get_layer("numbers"), decoder.get_layer("pixels")
    seen = Model(encoder.input, encoder.get_layer("flatten").output)
    mirrors, images = _MIRRORS[params["mirror"]], train["image"]
    count = min(len(images), max(_BYTES // (4 * seen.output.shape[-1] * len(mirrors)), 2))
    rows = np.unique(np.linspace(0, len(images) - 1, count).astype(int))
    blocks = np.array_split(rows, ceil(count / at_a_time(train, ["image"])))
    flat = np.concatenate(
        [
            seen.predict({"image": block[:, ::up, ::left]}, verbose=0)
            for block in (np.asarray(images[some], "float32") for some in blocks)
            for up, left in mirrors
        ]
    )
    most = min(params["latent"], min(flat.shape) // 2)
    fit = PCA(max(most, 1), svd_solver="randomized", random_state=0).fit(flat)
    kernel = np.zeros((flat.shape[1], params["latent"]), "float32")
    kernel[:, :most] = fit.components_[:most].T
    numbers.set_weights([kernel, -fit.mean_ @ kernel])
    pixels.set_weights([kernel.T, fit.mean_])


@model(
    data="digits",
    heads=(
        Head("image", losses.sum_squared_error),
        Head("marked", defect_loss, target="image", name="defect"),
    ),
    probes=(Reconstruction("image"), LatentCodes(), Activations("marked", samples=8)),
    augment=with_defects,
    initialise=with_components,
)
def defect_detector(
    fields: Fields,
    *,
    latent: int = 100,
    filters: tuple[int, ...] = (16, 32, 64),
    stride: int = 2,
    defect_share: float = 0.7,
    mirror: Mirror = "none",
) -> Model:
    """Detector of defects: a linear auto-encoder, and a U-Net that marks what it cannot restore.

    Both learn from normal images alone. The auto-encoder is the principal components of the images
    standardised one by one, and is not trained further: a thousand steps from chance do not reach
    them. The U-Net learns to mark synthetic defects that are pasted into a part of
    the images (DRAEM, Zavrtanik et al., 2021; CutPaste, Li et al., 2021). The output `defect` is a
    map in 0..1.

    Args:
        fields: of the data set; `image` is needed.
        latent: components, at most half as many as training images or numbers of an image; beside
            them in the code stand the mean and the deviation of the image.
        filters: of each level of the U-Net, at least two, the size halved from one to the next.
        stride: of the U-Net's first convolution; 1 finds thinner defects and takes four times as
            long.
        defect_share: share of the training images that get defects.
        mirror: none, sideways, or both (upside down as well), where a mirrored image is normal: it
            is trained on as well, and the map is the mean over mirror images, which takes as many
            times as long.
    """
    image = Input(fields["image"].shape, name="image")
    encoder = _encoder(fields, latent)
    decoder = _decoder(fields, encoder)
    restored = decoder(encoder({"image": image}))["image"]
    unet = MirrorAverage(_unet_of(fields, filters, stride), _MIRRORS[mirror], name="marker")
    defect = unet({"image": image, "restored": restored})["defect"]
    marked = layers.Concatenate(name="marked")([defect, image])
    return Model({"image": image}, {"image": restored, "defect": defect, "marked": marked})


def _encoder(fields: Fields, latent: int) -> Model:
    """Return the model from `image` to `code`: linear but for the mean and the deviation."""
    shape = fields["image"].shape
    image = Input(shape, name="image")
    halvings = _halvings(shape)
    x = layers.ZeroPadding2D(margins(shape, halvings), name="pad")(image)
    x = layers.AveragePooling2D(2**halvings, name="pool")(x) if halvings else x
    normal, mean, deviation = _standardised(x)
    numbers = layers.Dense(latent, trainable=False, name="numbers")(
        layers.Flatten(name="flatten")(normal)
    )
    code = layers.Concatenate(name="code")([numbers, mean[:, 0, 0], deviation[:, 0, 0]])
    return Model({"image": image}, {"code": code}, name="encoder")


def _decoder(fields: Fields, encoder: Model) -> Model:
    """Return the model from `code` to `image`."""
    shape = fields["image"].shape
    halvings = _halvings(shape)
    around = margins(shape, halvings)
    size = [(n + sum(pad)) // 2**halvings for n, pad in zip(shape[:2], around, strict=True)]
    code = Input(encoder.output["code"].shape[1:], name="code")
    x = layers.Dense(prod(size) * shape[-1], trainable=False, name="pixels")(code[:, :-2])
    x = layers.Reshape((*size, shape[-1]), name="maps")(x)
    x = x * code[:, None, None, -1:] + code[:, None, None, -2:-1]
    if halvings:
        x = layers.UpSampling2D(2**halvings, interpolation="bilinear", name="up")(x)
    return Model(
        {"code": code}, {"image": layers.Cropping2D(around, name="crop")(x)}, name="decoder"
    )


def _unet_of(fields: Fields, filters: tuple[int, ...], stride: int) -> Model:
    """Return the U-Net from `image` and `restored` to `defect`, (batch, height, width, 1)."""
    shape = fields["image"].shape
    inputs = {name: Input(shape, name=name) for name in ("image", "restored")}
    normal, _, deviation = _standardised(inputs["image"])
    left = (inputs["image"] - inputs["restored"]) / deviation
    both = layers.Concatenate(name="image_and_residual")([normal, left])
    contracting = _unet.encoder(inputs, _unet.contract(both, filters, stride), 0.0)
    pixels = {"defect": Field((*shape[:2], 1), "value")}
    expanding = _unet.decoder(contracting, pixels, stride)
    logits = expanding(contracting(inputs))["defect"]
    return Model(inputs, {"defect": layers.Activation("sigmoid", name="map")(logits)}, name="unet")


def _standardised(image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return images less their mean and divided by their deviation, and both, (batch, 1, 1, 1)."""
    axes = (1, 2, 3)
    mean = ops.mean(image, axis=axes, keepdims=True)
    variance = ops.mean(ops.square(image - mean), axis=axes, keepdims=True)
    deviation = ops.sqrt(variance + _LEAST**2)
    return (image - mean) / deviation, mean, deviation


def _halvings(shape: tuple[int, ...]) -> int:
    """Return how often an image is halved until the dense layers may see it."""
    return max(ceil(log2(max(shape[:2]) / _LARGEST)), 0)
