"""Auto-encoder and classifier on one code."""

from keras import Input, Model, layers

from ed_core import (
    Activations,
    Fields,
    Head,
    LatentCodes,
    Predictions,
    Reconstruction,
    losses,
    metrics,
    model,
)
from ed_plugins.models import _dense, _heads
from ed_plugins.models._assemble import join


@model(
    data="digits",
    heads=(
        Head("image", losses.sum_squared_error),
        Head("label", losses.categorical_crossentropy, metrics=(metrics.accuracy,)),
    ),
    probes=(
        Reconstruction("image"),
        Predictions("label"),
        Activations("encoder"),
        LatentCodes(),
    ),
)
def autoencoder_classifier(
    fields: Fields,
    *,
    hidden: tuple[int, ...] = (512, 256),
    latent: int = 64,
    classifier: tuple[int, ...] = (64,),
) -> Model:
    """Auto-encoder and classifier on one code (multi-task learning; Caruana, 1997).

    Outputs `code` (batch, latent), `image` and `label` (batch, classes).

    Args:
        fields: of the data set; `image` and `label` are needed.
        hidden: units of the layers before the code, mirrored in the decoder.
        latent: units of the code.
        classifier: units of the layers between code and classes.
    """
    shape = fields["image"].shape
    image = Input(shape, name="image")
    # A bias of 1 starts every unit above 0; with a bias of 0, a fifth of them stays at 0.
    to_code = layers.Dense(latent, activation="relu", bias_initializer="ones", name="code")
    code = to_code(_dense.contract(image, hidden))
    encoder = Model({"image": image}, {"code": code}, name="encoder")

    units = Input((latent,), name="code")
    decoder = Model(
        {"code": units}, {"image": _dense.expand(units, hidden[::-1], shape)}, name="decoder"
    )
    return join(encoder, decoder, _heads.classify(code, fields, "label", classifier))
