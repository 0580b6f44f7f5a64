"""Auto-encoder for signals over time, such as audio or an electrocardiogram."""

from keras import Input, Model

from ed_core import Fields, Head, LatentCodes, Reconstruction, losses, model
from ed_plugins.models import _conv
from ed_plugins.models._assemble import join


@model(
    data="signals",
    heads=(
        Head("signal", losses.sum_squared_error),
        Head("code", losses.l1, weight="sparsity"),
    ),
    probes=(Reconstruction("signal"), LatentCodes()),
)
def signal_autoencoder(
    fields: Fields,
    *,
    filters: tuple[int, ...] = (32, 16, 8, 4),
    kernel: int = 9,
    sparsity: float = 0.0,
    noise: float = 0.0,
) -> Model:
    """Auto-encoder with 1-D convolutions for signals of any length and number of channels.

    Outputs `code` (batch, time / 2^n, filters) behind n poolings, and `signal`.

    Args:
        fields: of the data set; `signal` (time, channels) is needed.
        filters: of each convolution, all followed by a pooling of two; mirrored in the decoder.
        kernel: samples that a convolution spans.
        sparsity: weight of the L1 penalty on the code.
        noise: standard deviation of noise added to the input; the clean signal is the target.
    """
    shape = fields["signal"].shape
    signal = Input(shape, name="signal")
    code = _conv.contract(signal, filters, kernel)
    encoder = Model({"signal": signal}, {"code": code}, name="encoder")

    maps = Input(code.shape[1:], name="code")
    decoded = _conv.expand(maps, filters[::-1], shape, kernel, activation="linear")
    decoder = Model({"code": maps}, {"signal": decoded}, name="decoder")
    return join(encoder, decoder, noise=noise)
