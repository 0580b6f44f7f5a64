"""U-Net with two inputs: photograph and elevation."""

from typing import Literal

from keras import Input, Model, layers

from ed_core import (
    Activations,
    CentredBatchNormalization,
    EdkitError,
    Fields,
    Head,
    Predictions,
    losses,
    metrics,
    model,
)
from ed_plugins.models import _unet


@model(
    data="land_use",
    heads=(Head("mask", losses.categorical_crossentropy, metrics=(metrics.accuracy,)),),
    probes=(
        Predictions("mask", samples=8),
        Activations("encoder/relu_1_2", "encoder/relu_1_2_elevation", samples=2, channels=16),
    ),
    augment=_unet.augmented,
)
def fusion_unet(
    fields: Fields,
    *,
    filters: tuple[int, ...] = (16, 32, 64, 128),
    elevation_filters: tuple[int, ...] = (8, 16, 32, 64),
    merge: Literal["middle", "everywhere"] = "everywhere",
    stride: int = 1,
    dropout: float = 0.2,
    augment: _unet.Augment = "none",
) -> Model:
    """U-Net with an encoder for the image and one for the elevation, merged before the decoder.

    Args:
        fields: of the data set; `image`, `elevation` and `mask` are needed.
        filters: of each level of the image's encoder.
        elevation_filters: of the elevation's, as many.
        merge: in the middle, or everywhere, in the skips as well.
        stride: of the first convolutions; 2 takes a quarter of the time and loses thin structures.
        dropout: share of the deepest maps that is dropped while training.
        augment: none, street (mirrored and enlarged) or aerial (turned as well).
    """
    _unet.check_maps(fields, "mask", "elevation")
    if len(filters) != len(elevation_filters):
        raise EdkitError(
            "options 'filters' and 'elevation_filters' must have equally many numbers, received "
            f"{len(filters)} and {len(elevation_filters)}."
        )
    image = Input(fields["image"].shape, name="image")
    elevation = Input(fields["elevation"].shape, name="elevation")
    # Metres or kilometres, above the sea or the valley: brought to mean 0 and deviation 1.
    height = layers.Reshape((*image.shape[1:3], 1), name="one_channel")(elevation)
    height = CentredBatchNormalization(momentum=0.9, name="standardise")(height)
    levels = _unet.contract(image, filters, stride)
    beside = _unet.contract(height, elevation_filters, stride, "_elevation")
    first = 0 if merge == "everywhere" else len(levels) - 1
    for number in range(first, len(levels)):
        merged = layers.Concatenate(name=f"merge_{number + 1}")
        levels[number] = merged([levels[number], beside[number]])
    encoder = _unet.encoder({"image": image, "elevation": elevation}, levels, dropout)
    return _unet.chain(encoder, _unet.decoder(encoder, {"mask": fields["mask"]}, stride))
