"""Convolutional variational auto-encoder."""

from math import prod

from keras import Input, Model, layers

from ed_core import (
    Activations,
    Fields,
    Head,
    LatentCodes,
    LatentScan,
    Reconstruction,
    Samples,
    losses,
    model,
)
from ed_plugins.models import _conv
from ed_plugins.models._assemble import join, posterior


@model(
    data="digits",
    heads=(
        Head("image", losses.binary_crossentropy),
        Head("posterior", losses.gaussian_kl, weight="beta", warm_up="anneal"),
    ),
    probes=(
        Reconstruction("image"),
        Activations("encoder"),
        LatentCodes(),
        LatentScan("decoder"),
        Samples(),
    ),
)
def conv_vae(
    fields: Fields,
    *,
    filters: tuple[int, ...] = (16, 32),
    latent: int = 2,
    beta: float = 1.0,
    anneal: float = 0.0,
) -> Model:
    """Convolutional variational auto-encoder for images of any size.

    Args:
        fields: of the data set; `image` is needed.
        filters: of each convolution, all followed by a 2x2 pooling; mirrored in the decoder.
        latent: dimensions of the code.
        beta: weight of the KL divergence of the code's distribution from N(0, 1).
        anneal: epochs over which that weight rises from 0 (Bowman et al., 2016).
    """
    shape = fields["image"].shape
    image = Input(shape, name="image")
    maps = _conv.contract(image, filters)
    outputs = posterior(layers.Flatten(name="flatten")(maps), latent)
    encoder = Model({"image": image}, outputs, name="encoder")

    code = Input((latent,), name="code")
    size = maps.shape[1:]
    x = layers.Dense(prod(size), activation="relu", name="dense_1")(code)
    x = layers.Reshape(size, name="maps")(x)
    decoder = Model(
        {"code": code}, {"image": _conv.expand(x, filters[::-1], shape)}, name="decoder"
    )
    return join(encoder, decoder)
