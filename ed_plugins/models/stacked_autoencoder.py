"""Auto-encoder on the code of another auto-encoder."""

from math import prod
from typing import Any

from keras import Input, Model, layers, ops, optimizers

from ed_core import (
    Fields,
    Head,
    LatentCodes,
    LatentScan,
    Reconstruction,
    RunPath,
    SharedNetwork,
    SubmodelAdam,
    losses,
    model,
)
from ed_core.nn.layers import Frozen
from ed_core.nn.optimizers import step_at
from ed_core.nn.submodels import submodel
from ed_plugins.datasets._options import NO_RUN
from ed_plugins.models import _dense
from ed_plugins.models._assemble import Weights, earlier_parts
from ed_plugins.models.dense_autoencoder import dense_autoencoder

OUTER_ALONE = 0.5  # share of the steps that train the outer auto-encoder, without a base


def outer_until(net: Any, learning_rate: Any, params: Any) -> Any:
    """Return Adam; without a base it freezes the outer auto-encoder once that has been trained."""
    steps = getattr(learning_rate, "steps", 0)  # 0 if the number of steps is unknown
    if params["base"] or not steps:
        return optimizers.Adam(learning_rate)
    end = step_at(OUTER_ALONE, steps)
    until = {"encoder/encoder": end, "decoder/decoder": end}
    return SubmodelAdam(learning_rate, net, until=until)


@model(
    data="digits",
    optimizer=outer_until,
    heads=(
        Head("image", losses.sum_squared_error, after="outer_image"),
        Head("difference", losses.sum_of_squares, after="outer_image"),
        Head(
            "outer_image",
            losses.sum_squared_error,
            target="image",
            until=OUTER_ALONE,
            optional=True,
        ),
    ),
    probes=(Reconstruction("image"), LatentCodes(), LatentScan()),
)
def stacked_autoencoder(
    fields: Fields,
    *,
    base: RunPath = NO_RUN,
    base_weights: Weights = "last",
    hidden: tuple[int, ...] = (64,),
    latent: int = 8,
) -> Model:
    """Auto-encoder on the code of another run, decoded end to end (Bengio et al., 2007).

    Outputs `code` (batch, latent), `image`, and `difference`: the base's code as reconstructed,
    minus the code itself. Without a base there is also `outer_image`, the reconstruction by the
    outer auto-encoder alone. The outer one is then trained in the first half of the steps and
    frozen in the second, in which the inner one is trained.

    Args:
        fields: of the data set; `image` is needed.
        base: the run, trained on any backend, whose encoder and decoder are used as they are; it
            must stay where it is. Without it a `dense_autoencoder` is trained first.
        base_weights: of its last step, or of the epoch that was best on its validation split.
        hidden: units of the layers between the two codes, mirrored behind the smaller one.
        latent: units of the smaller code.
    """
    encode, decode = _base(base, fields, base_weights)
    image = Input(encode.input["image"].shape[1:], name="image")
    outer = encode({"image": image})["code"]
    code = layers.Dense(latent, name="code")(_dense.contract(outer, hidden))
    encoder = Model({"image": image}, {"code": code, "outer": outer}, name="encoder")

    shape = outer.shape[1:]
    units = Input((latent,), name="code")
    x = _dense.contract(units, hidden[::-1])
    x = layers.Reshape(shape, name="outer")(layers.Dense(prod(shape), name="dense_outer")(x))
    decoded = {"image": decode({"code": x})["image"], "outer": x}
    decoder = Model({"code": units}, decoded, name="decoder")

    coded = encoder({"image": image})
    back = decoder({"code": coded["code"]})
    difference = back["outer"] - ops.stop_gradient(coded["outer"])
    outputs = {"image": back["image"], "code": coded["code"], "difference": difference}
    if not base:
        alone = SharedNetwork(decode, name="outer_alone")({"code": coded["outer"]})
        outputs["outer_image"] = alone["image"]
    return Model({"image": image}, outputs)


def _base(path: str, fields: Fields, weights: Weights) -> tuple[Any, Any]:
    """Return the encoder and the decoder around the new code."""
    if not path:
        net = dense_autoencoder(fields, hidden=(128,), latent=32)
        return submodel(net, "encoder"), submodel(net, "decoder")
    encode, decode = earlier_parts(path, fields, "base", weights)
    return Frozen(encode), Frozen(decode)
