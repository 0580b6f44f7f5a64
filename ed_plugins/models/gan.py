"""Generative adversarial network."""

from keras import Model

from ed_core import Fields, Head, Samples, losses, model
from ed_plugins.models._gan import discriminator, generator, pair, two_rates


@model(
    data="digits",
    heads=(
        Head("real_score", losses.score_as_real, name="real"),
        Head("fake_score", losses.score_as_fake, name="fake"),
        Head("generator_score", losses.score_as_real, name="generator"),
    ),
    probes=(Samples(),),
    optimizer=two_rates,
)
def gan(
    fields: Fields,
    *,
    latent: int = 64,
    filters: tuple[int, ...] = (64, 32),
    generator_rate: float = 1.0,
    discriminator_rate: float = 1.0,
) -> Model:
    """Generative adversarial network with convolutions (Goodfellow, 2014; Radford, 2016).

    Args:
        fields: of the data set; `image` is needed.
        latent: size of the noise vector.
        filters: of the generator, each followed by a doubling of the size; mirrored in the
            discriminator.
        generator_rate: the generator's share of the learning rate.
        discriminator_rate: the discriminator's.
    """
    shape = fields["image"].shape
    return pair(generator(shape, latent, filters), discriminator(shape, filters[::-1]))
