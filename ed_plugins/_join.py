"""An encoder, a decoder and what else looks at the code as one model."""

from typing import Any

from keras import Input, Model, layers, ops

from ed_core import Sampling

Tensor = Any


def join(encoder: Model, *parts: Model, noise: float = 0.0) -> Model:
    """Return the model from the encoder's inputs to the outputs of all.

    Args:
        encoder: from the inputs to `code`, and perhaps more.
        parts: decoder, classifier, ...: each takes by name outputs of those before it, such as
            `code`, or inputs.
        noise: standard deviation of what is added to the inputs of the encoder while training.
    """
    inputs = {
        name: Input(tensor.shape[1:], name=name, dtype=tensor.dtype)
        for name, tensor in encoder.input.items()
    }
    noisy = dict(inputs)
    if noise:
        noisy = {
            name: layers.GaussianNoise(noise, seed=number, name=f"noise_{name}")(tensor)
            for number, (name, tensor) in enumerate(inputs.items())
        }
    outputs = encoder(noisy)
    for part in parts:
        known = {**inputs, **outputs}
        outputs = {**outputs, **part({name: known[name] for name in part.input})}
    return Model(inputs, outputs)


def posterior(x: Tensor, latent: int) -> dict[str, Tensor]:
    """Return a Gaussian `posterior` (batch, 2, latent) and a `code` (batch, latent) drawn from it.

    The posterior holds the mean before the logarithm of the variance; while not training, the code
    is the mean.
    """
    mean = layers.Dense(latent, name="mean")(x)
    log_var = layers.Dense(latent, name="log_var")(x)
    code = Sampling(seed=0, name="sampling")((mean, log_var))
    return {"code": code, "posterior": ops.stack([mean, log_var], axis=1)}
