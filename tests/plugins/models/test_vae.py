"""The variational auto-encoders: what is drawn, and what the objective adds up."""

from typing import Any

import numpy as np
import pytest
from keras import ops

from ed_core import MODELS, Field, Fields
from ed_core.runs.rebuilding import build

pytestmark = [
    pytest.mark.backend,
    pytest.mark.parametrize("name", ["vae", "conv_vae"]),
]
IMAGES = np.random.default_rng(0).random((32, 8, 8, 1), "float32")


def auto_encoder(name: str, **params: Any) -> Any:
    return build(MODELS[name], Fields({"image": Field((8, 8, 1))}), params)


def outputs(net: Any, images: np.ndarray, training: bool = False) -> dict[str, np.ndarray]:
    found = net({"image": images}, training=training)
    return {name: ops.convert_to_numpy(value) for name, value in found.items()}


def test_the_code_is_the_mean_unless_training(name: str) -> None:
    found = outputs(auto_encoder(name, latent=3), IMAGES)
    assert found["posterior"].shape == (32, 2, 3)
    np.testing.assert_array_equal(found["code"], found["posterior"][:, 0])


def test_the_code_is_drawn_from_the_posterior_while_training(name: str) -> None:
    net = auto_encoder(name)
    found = outputs(net, np.repeat(IMAGES[:1], 4000, axis=0), training=True)
    mean, log_var = found["posterior"][0]
    np.testing.assert_allclose(found["code"].mean(0), mean, atol=0.1)
    np.testing.assert_allclose(found["code"].std(0), np.exp(log_var / 2), rtol=0.1)


def test_the_decoder_decodes_the_code(name: str) -> None:
    net = auto_encoder(name)
    found = outputs(net, IMAGES)
    image = net.get_layer("decoder")({"code": found["code"]})["image"]
    np.testing.assert_allclose(ops.convert_to_numpy(image), found["image"], atol=1e-6)


def test_beta_weighs_the_divergence_against_the_likelihood(name: str) -> None:
    net = auto_encoder(name, beta=3.0)
    net.compile()
    logs = net.evaluate({"image": IMAGES}, {"image": IMAGES}, 32, verbose=0, return_dict=True)
    found = outputs(net, IMAGES)
    mean, log_var = found["posterior"][:, 0], found["posterior"][:, 1]
    divergence = 0.5 * (mean**2 + np.exp(log_var) - 1 - log_var).sum(1).mean()
    image = found["image"].astype("float64")
    bits = IMAGES * np.log(image) + (1 - IMAGES) * np.log(1 - image)
    likelihood = -bits.reshape(32, -1).sum(1).mean()
    assert logs["posterior_loss"] == pytest.approx(divergence, rel=1e-4)
    assert logs["image_loss"] == pytest.approx(likelihood, rel=1e-4)
    assert logs["loss"] == pytest.approx(likelihood + 3 * divergence, rel=1e-4)


def test_options_set_the_layers(name: str) -> None:
    params = {"hidden": (7, 6)} if name == "vae" else {"filters": (7, 6)}
    net = auto_encoder(name, latent=5, **params)
    encoder = net.get_layer("encoder")
    first = "dense" if name == "vae" else "conv"
    sizes = [encoder.get_layer(f"{first}_{number}").output.shape[-1] for number in (1, 2)]
    assert sizes == [7, 6]
    assert net.output["code"].shape == (None, 5)
