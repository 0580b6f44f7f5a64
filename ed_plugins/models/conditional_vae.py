"""Variational auto-encoder conditioned on the class."""

from math import prod

from keras import Input, Model, ops

from ed_core import Fields, Head, LatentCodes, LatentScan, Reconstruction, Samples, losses, model
from ed_plugins.models import _dense
from ed_plugins.models._assemble import join, posterior
from ed_plugins.models._heads import class_count


@model(
    data="digits",
    heads=(
        Head("image", losses.binary_crossentropy),
        Head("posterior", losses.gaussian_kl, weight="beta", warm_up="anneal"),
    ),
    probes=(Reconstruction("image"), LatentCodes(), LatentScan(), Samples()),
)
def conditional_vae(
    fields: Fields,
    *,
    hidden: tuple[int, ...] = (512,),
    latent: int = 2,
    beta: float = 1.0,
    anneal: float = 0.0,
) -> Model:
    """Variational auto-encoder with the class in encoder and decoder (Sohn et al., 2015).

    The code holds all but the class, such as style. Inputs `image` and `label` (batch,);
    the decoder takes `code` (batch, latent) and `label`.

    Args:
        fields: of the data set; `image` and `label` are needed.
        hidden: units of the layers before the code, mirrored behind it.
        latent: dimensions of the code.
        beta: weight of the KL divergence of the code's distribution from N(0, 1).
        anneal: epochs over which that weight rises from 0 (Bowman et al., 2016).
    """
    shape, classes = fields["image"].shape, class_count(fields, "label")
    image = Input(shape, name="image")
    label = Input((), name="label", dtype="int32")
    pixels = ops.reshape(image, (-1, prod(shape)))
    features = ops.concatenate([pixels, ops.one_hot(label, classes)], axis=-1)
    outputs = posterior(_dense.contract(features, hidden), latent)
    encoder = Model({"image": image, "label": label}, outputs, name="encoder")

    code = Input((latent,), name="code")
    label_input = Input((), name="label", dtype="int32")
    features = ops.concatenate([code, ops.one_hot(label_input, classes)], axis=-1)
    decoded = _dense.expand(features, hidden[::-1], shape)
    decoder = Model({"code": code, "label": label_input}, {"image": decoded}, name="decoder")
    return join(encoder, decoder)
