"""U-Net."""

from keras import Input, Model

from ed_core import Activations, Fields, Head, Predictions, losses, metrics, model
from ed_plugins.models import _unet


@model(
    data="land_use",
    heads=(Head("mask", losses.categorical_crossentropy, metrics=(metrics.accuracy,)),),
    probes=(
        Predictions("mask", samples=8),
        Activations("encoder/relu_1_2", "encoder/relu_2_2", samples=2, channels=16),
    ),
    augment=_unet.augmented,
)
def unet(
    fields: Fields,
    *,
    filters: tuple[int, ...] = (16, 32, 64, 128),
    stride: int = 1,
    dropout: float = 0.2,
    augment: _unet.Augment = "none",
) -> Model:
    """U-Net: a class for every pixel of images of any size (Ronneberger et al., 2015).

    Args:
        fields: of the data set; `image` and `mask` are needed.
        filters: of each level, at least two, the size halved from one to the next.
        stride: of the first convolution; 2 takes a quarter of the time and loses thin structures.
        dropout: share of the deepest maps that is dropped while training.
        augment: none, street (mirrored and enlarged) or aerial (turned as well).
    """
    _unet.check_maps(fields, "mask")
    image = Input(fields["image"].shape, name="image")
    levels = _unet.contract(image, filters, stride)
    encoder = _unet.encoder({"image": image}, levels, dropout)
    return _unet.chain(encoder, _unet.decoder(encoder, {"mask": fields["mask"]}, stride))
