"""Siamese network: an embedding that brings samples of one class together."""

from keras import Input, Model, layers

from ed_core import Activations, Fields, Head, LatentCodes, losses, model
from ed_plugins.models import _conv
from ed_plugins.models._assemble import join


@model(
    data="digits",
    heads=(Head("code", losses.contrastive, target="label"),),
    probes=(LatentCodes(), Activations("encoder")),
)
def siamese(
    fields: Fields,
    *,
    filters: tuple[int, ...] = (16, 32),
    hidden: int = 128,
    latent: int = 2,
) -> Model:
    """One encoder for both samples of a pair (Hadsell et al., 2006, "DrLIM").

    All pairs of a batch are compared at once: the encoder sees every sample once and its weights
    are shared by construction. The embedding is the `code` (batch, latent); a sample without a
    label (-1) is embedded but belongs to no pair.

    Args:
        fields: of the data set; `image` and `label` are needed.
        filters: of each convolution, all followed by a 2x2 pooling.
        hidden: units of the dense layer before the embedding.
        latent: dimensions of the embedding.
    """
    image = Input(fields["image"].shape, name="image")
    x = layers.Flatten(name="flatten")(_conv.contract(image, filters))
    x = layers.Dense(hidden, activation="relu", name="dense_1")(x)
    code = layers.Dense(latent, name="code")(x)
    return join(Model({"image": image}, {"code": code}, name="encoder"))
