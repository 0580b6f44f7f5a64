"""Convolutional auto-encoder."""

from keras import Input, Model

from ed_core import Activations, Fields, Head, LatentCodes, Reconstruction, losses, model
from ed_plugins.models import _conv
from ed_plugins.models._assemble import join


@model(
    data="digits",
    heads=(
        Head("image", losses.sum_squared_error),
        Head("code", losses.l1, weight="sparsity"),
    ),
    probes=(Reconstruction("image"), Activations("encoder", "decoder"), LatentCodes()),
)
def conv_autoencoder(
    fields: Fields,
    *,
    filters: tuple[int, ...] = (16, 8, 4),
    sparsity: float = 0.0,
    noise: float = 0.0,
) -> Model:
    """Convolutional auto-encoder for images of any size; also sparse and denoising.

    Args:
        fields: of the data set; `image` is needed.
        filters: of each convolution, all followed by a 2x2 pooling; mirrored in the decoder.
        sparsity: weight of the L1 penalty on the code.
        noise: standard deviation of noise added to the input; the clean image is the target.
    """
    shape = fields["image"].shape
    image = Input(shape, name="image")
    code = _conv.contract(image, filters)
    encoder = Model({"image": image}, {"code": code}, name="encoder")

    maps = Input(code.shape[1:], name="code")
    decoder = Model(
        {"code": maps}, {"image": _conv.expand(maps, filters[::-1], shape)}, name="decoder"
    )
    return join(encoder, decoder, noise=noise)
