"""Coarse classes, fine classes and the image from one code (semi-supervised)."""

from keras import Input, Model, layers

from ed_core import (
    Activations,
    CentredBatchNormalization,
    EdkitError,
    Fields,
    Head,
    LatentCodes,
    Predictions,
    Reconstruction,
    losses,
    metrics,
    model,
)
from ed_plugins.datasets._augment import moved
from ed_plugins.models import _conv, _dense, _heads
from ed_plugins.models._assemble import join


@model(
    data="fashion_mnist",
    augment=moved,
    heads=(
        Head("coarse", losses.categorical_crossentropy, metrics=(metrics.accuracy,)),
        Head("fine", losses.categorical_crossentropy, target="label", metrics=(metrics.accuracy,)),
        Head("image", losses.sum_squared_error, weight="reconstruction"),
    ),
    probes=(
        Reconstruction("image"),
        Predictions("coarse"),
        Predictions("fine", target="label"),
        Activations("encoder"),
        LatentCodes(),
    ),
)
def coarse_and_fine(
    fields: Fields,
    *,
    filters: tuple[int, ...] = (32, 64, 128),
    latent: int = 128,
    reconstruction: float = 0.01,
    dropout: float = 0.5,
    shift: int = 2,
    flip: bool = True,
) -> Model:
    """Few coarse and many fine classes; the image helps where labels are missing (semi-supervised).

    `--labels fine=0.05` leaves 5 % of the fine labels; the other samples still train the coarse
    classes and the image. Outputs `code` (batch, latent), `coarse` and `fine` (batch, classes), and
    `image`.

    Args:
        fields: of the data set; `image`, `coarse` and `label`, the fine classes, are needed.
        filters: of each convolution, all normalised and followed by a 2x2 pooling.
        latent: units of the code.
        reconstruction: weight of the squared error summed over the image.
        dropout: share of the code dropped before the classes during training.
        shift: largest shift of training images, in pixels.
        flip: mirror half of the training images, left and right.
    """
    if shift < 0:
        raise EdkitError(f"option 'shift' is 0 pixels or more, received {shift}.")
    shape = fields["image"].shape
    image = Input(shape, name="image")
    maps = layers.Flatten(name="flatten")(_conv.contract(image, filters, norm=True))
    # Normalised like the maps before it: without, four of five units are soon 0 for every image.
    x = layers.Dense(latent, use_bias=False, name="units")(maps)
    x = CentredBatchNormalization(momentum=0.9, name="norm_code")(x)
    code = layers.ReLU(name="code")(x)
    encoder = Model({"image": image}, {"code": code}, name="encoder")

    units = Input((latent,), name="code")
    decoder = Model(
        {"code": units}, {"image": _dense.expand(units, (latent,), shape)}, name="decoder"
    )
    return join(
        encoder,
        decoder,
        _heads.classify(code, fields, "coarse", dropout=dropout),
        _heads.classify(code, fields, "label", dropout=dropout, name="fine"),
    )
