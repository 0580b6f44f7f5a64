"""Auto-encoder for videos."""

from keras import Input, Model

from ed_core import Fields, Head, LatentCodes, Reconstruction, losses, model
from ed_plugins.models import _conv
from ed_plugins.models._assemble import join

# Most of a video is dark. From grey, the first steps do nothing but darken it, and three of four
# small runs stayed black, with leaky units four of four; from 0.12, none of four did.
_START = -2.0


@model(
    data="moving_digits",
    heads=(
        Head("video", losses.sum_squared_error),
        Head("code", losses.l1, weight="sparsity"),
    ),
    probes=(Reconstruction("video", samples=4), LatentCodes()),
)
def video_autoencoder(
    fields: Fields,
    *,
    filters: tuple[int, ...] = (16, 16, 8),
    sparsity: float = 0.0,
    noise: float = 0.0,
) -> Model:
    """Auto-encoder with 3-D convolutions, over time as over rows and columns (Tran et al., 2015).

    Outputs `code` (batch, time / 2^n, height / 2^n, width / 2^n, filters) behind n poolings, and
    `video`.

    Args:
        fields: of the data set; `video` (time, height, width, channels) is needed.
        filters: of each convolution, all followed by a 2x2x2 pooling; mirrored in the decoder.
        sparsity: weight of the L1 penalty on the code.
        noise: standard deviation of noise added to the input; the clean video is the target.
    """
    shape = fields["video"].shape
    video = Input(shape, name="video")
    code = _conv.contract(video, filters)
    encoder = Model({"video": video}, {"code": code}, name="encoder")

    maps = Input(code.shape[1:], name="code")
    decoded = _conv.expand(maps, filters[::-1], shape, start=_START)
    decoder = Model({"code": maps}, {"video": decoded}, name="decoder")
    return join(encoder, decoder, noise=noise)
