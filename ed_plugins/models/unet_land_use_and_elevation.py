"""U-Net with two outputs: land use and elevation."""

from keras import Input, Model

from ed_core import Activations, Fields, Head, Predictions, losses, metrics, model
from ed_plugins.models import _unet


@model(
    data="land_use",
    heads=(
        Head("mask", losses.categorical_crossentropy, metrics=(metrics.accuracy,)),
        Head("elevation", losses.squared_error, weight="elevation_weight"),
    ),
    probes=(
        Predictions("mask", samples=8),
        Predictions("elevation", samples=8),
        Activations("encoder/relu_1_2", "encoder/relu_2_2", samples=2, channels=16),
    ),
    augment=_unet.augmented,
)
def unet_land_use_and_elevation(
    fields: Fields,
    *,
    filters: tuple[int, ...] = (16, 32, 64, 128),
    elevation_weight: float = 1.0,
    stride: int = 1,
    dropout: float = 0.2,
    augment: _unet.Augment = "none",
) -> Model:
    """U-Net from one image to land use and elevation (multiple outputs).

    Args:
        fields: of the data set; `image`, `mask` and `elevation` are needed.
        filters: of each level, at least two, the size halved from one to the next.
        elevation_weight: weight of the elevation's squared error, in the square of its unit.
        stride: of the first convolution; 2 takes a quarter of the time and loses thin structures.
        dropout: share of the deepest maps that is dropped while training.
        augment: none, street (mirrored and enlarged) or aerial (turned as well).
    """
    _unet.check_maps(fields, "mask", "elevation")
    image = Input(fields["image"].shape, name="image")
    levels = _unet.contract(image, filters, stride)
    encoder = _unet.encoder({"image": image}, levels, dropout)
    maps = {name: fields[name] for name in ("mask", "elevation")}
    return _unet.chain(encoder, _unet.decoder(encoder, maps, stride))
