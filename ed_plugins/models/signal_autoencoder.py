"""Auto-encoder for signals over time, such as audio or an electrocardiogram."""

from keras import Input, Model, layers

from ed_core import Fields, Head, LatentCodes, Reconstruction, losses, model
from ed_plugins.models import _conv
from ed_plugins.models._assemble import join

CALENDAR = "calendar"
HOURS = 64  # units of each dense layer on the time of a step


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

    Outputs `code` (batch, time / 2^n, filters) behind n poolings, and `signal`. Where the data have
    a `calendar` (calendar=yes of `signals`), encoder and decoder take it as well: then the code
    need not say what the hour says, and a large `noise` leaves to it what differs from the usual.

    Args:
        fields: of the data set; `signal` (time, channels) is needed, `calendar` (time, numbers)
            taken.
        filters: of each convolution, all followed by a pooling of two; mirrored in the decoder.
        kernel: samples that a convolution spans.
        sparsity: weight of the L1 penalty on the code.
        noise: standard deviation of noise added to the input; the clean signal is the target.
    """
    shape = fields["signal"].shape
    inputs = {"signal": Input(shape, name="signal")}
    if CALENDAR in fields:
        inputs[CALENDAR] = Input(fields[CALENDAR].shape, name=CALENDAR)
    x = (
        layers.Concatenate(name="beside")([*inputs.values()])
        if len(inputs) > 1
        else inputs["signal"]
    )
    code = _conv.contract(x, filters, kernel)
    encoder = Model(inputs, {"code": code}, name="encoder")

    maps = Input(code.shape[1:], name="code")
    if CALENDAR not in fields:
        decoded = _conv.expand(maps, filters[::-1], shape, kernel, activation="linear")
        decoder = Model({"code": maps}, {"signal": decoded}, name="decoder")
        return join(encoder, decoder, noise=noise)
    times = Input(fields[CALENDAR].shape, name=CALENDAR)
    by_code = _conv.expand(maps, filters[::-1], (shape[0], filters[0]), kernel, activation="relu")
    by_time = times
    for number in (1, 2):
        by_time = layers.Dense(HOURS, "relu", name=f"hours_{number}")(by_time)
    both = layers.Concatenate(name="both")([by_code, by_time])
    both = layers.Dense(HOURS, "relu", name="mixed")(both)
    decoded = layers.Dense(shape[-1], name="signal")(both)
    decoder = Model({"code": maps, CALENDAR: times}, {"signal": decoded}, name="decoder")
    return join(encoder, decoder, noise=noise, clean=(CALENDAR,))
