"""Dense auto-encoder."""

from typing import Literal

from keras import Input, Model, layers

from ed_core import Activations, Fields, Head, LatentCodes, Reconstruction, losses, model
from ed_plugins.models import _dense
from ed_plugins.models._assemble import input_field, join


@model(
    data="digits",
    heads=(
        Head("image", losses.sum_squared_error, optional=True),
        Head("features", losses.sum_squared_error, optional=True),
        Head("code", losses.l1, weight="sparsity"),
    ),
    probes=(
        Reconstruction("image", optional=True),
        Reconstruction("features", optional=True),
        Activations("encoder"),
        LatentCodes(),
    ),
)
def dense_autoencoder(
    fields: Fields,
    *,
    hidden: tuple[int, ...] = (512, 256),
    latent: int = 64,
    sparsity: float = 0.0,
    noise: float = 0.0,
    activation: Literal["relu", "elu", "gelu", "tanh"] = "relu",
    code_activation: Literal["relu", "linear"] = "relu",
) -> Model:
    """Dense auto-encoder: three layers to the code, mirrored; also sparse and denoising.

    Args:
        fields: of the data set; `image` is needed, or `features`, the rows of a table.
        hidden: units of the layers before the code, mirrored behind it.
        latent: units of the code.
        sparsity: weight of the L1 penalty on the code; 0.1 halves the share of active units on
            Fashion-MNIST.
        noise: standard deviation of noise added to the input; the clean image is the target.
        activation: of the layers before and behind the code; with few units in the code, elu is
            far better than relu.
        code_activation: of the code; linear suits a code of few units, relu a sparse one.
    """
    name = input_field(fields)
    shape = fields[name].shape
    sample = Input(shape, name=name)
    # A bias of 1 starts every unit above 0; with a bias of 0, a fifth of them stays at 0.
    bias = "ones" if code_activation == "relu" else "zeros"
    to_code = layers.Dense(latent, code_activation, bias_initializer=bias, name="code")
    code = to_code(_dense.contract(sample, hidden, activation))
    encoder = Model({name: sample}, {"code": code}, name="encoder")

    units = Input((latent,), name="code")
    restored = _dense.expand(units, hidden[::-1], shape, activation, name=name)
    decoder = Model({"code": units}, {name: restored}, name="decoder")
    return join(encoder, decoder, noise=noise)
