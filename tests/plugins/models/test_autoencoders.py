"""The auto-encoders: layers, noise, sparsity, and a code without dead units."""

from typing import Any

import numpy as np
import pytest
from keras import layers, ops

from ed_core import MODELS, EdkitError, Field, Fields
from ed_core.runs.rebuilding import build

pytestmark = pytest.mark.backend

IMAGES = np.random.default_rng(0).random((64, 8, 8, 1), "float32")


def auto_encoder(shape: tuple[int, ...] = (8, 8, 1), **params: Any) -> Any:
    return build(MODELS["dense_autoencoder"], Fields({"image": Field(shape)}), params)


def units(net: Any, part: str) -> list[int]:
    found = net.get_layer(part).layers
    return [layer.units for layer in found if isinstance(layer, layers.Dense)]


def code(net: Any, training: bool) -> np.ndarray:
    return ops.convert_to_numpy(net({"image": IMAGES}, training=training)["code"])


def test_three_layers_lead_to_the_code_and_three_back() -> None:
    net = auto_encoder((28, 28, 1))
    assert units(net, "encoder") == [512, 256, 64]
    assert units(net, "decoder") == [256, 512, 784]


def test_options_set_the_layers() -> None:
    net = auto_encoder((3, 5, 2), hidden=(9, 8, 7), latent=4)
    assert units(net, "encoder") == [9, 8, 7, 4]
    assert units(net, "decoder") == [7, 8, 9, 30]
    assert net.output["image"].shape == (None, 3, 5, 2)


def test_options_choose_the_activations() -> None:
    assert code(auto_encoder(), training=False).min() >= 0
    net = auto_encoder(activation="elu", code_activation="linear")
    assert code(net, training=False).min() < 0
    for part in ("encoder", "decoder"):  # 64 numbers go into both
        hidden = net.get_layer(part).get_layer("dense_1")(100 * IMAGES.reshape(64, 64))
        assert -1 <= ops.convert_to_numpy(hidden).min() < 0
    with pytest.raises(EdkitError, match="'relu', 'elu', 'gelu', 'tanh'"):
        auto_encoder(activation="swish")


@pytest.mark.parametrize("name", ["dense_autoencoder", "conv_autoencoder"])
def test_noise_is_added_while_training_only(name: str) -> None:
    fields = Fields({"image": Field((8, 8, 1))})
    plain = build(MODELS[name], fields, {}, seed=3)
    noisy = build(MODELS[name], fields, {"noise": 0.5}, seed=3)
    np.testing.assert_array_equal(code(plain, training=True), code(plain, training=False))
    np.testing.assert_array_equal(code(plain, training=False), code(noisy, training=False))
    first = code(noisy, training=True)
    assert np.abs(first - code(noisy, training=False)).max() > 1e-3
    assert np.abs(first - code(noisy, training=True)).max() > 1e-3


def test_noise_is_not_negative() -> None:
    with pytest.raises(EdkitError, match="dense_autoencoder"):
        auto_encoder(noise=-0.1)


@pytest.mark.parametrize("name", ["dense_autoencoder", "conv_autoencoder"])
def test_sparsity_is_the_weight_of_the_codes_l1_norm(name: str) -> None:
    net = build(MODELS[name], Fields({"image": Field((8, 8, 1))}), {"sparsity": 0.25})
    net.compile()
    logs = net.evaluate({"image": IMAGES}, {"image": IMAGES}, 64, verbose=0, return_dict=True)
    outputs = net.predict_on_batch({"image": IMAGES})
    error = np.square(outputs["image"] - IMAGES).reshape(64, -1).sum(1).mean()
    size = np.abs(outputs["code"]).reshape(64, -1).sum(1).mean()
    assert size > 0
    assert logs["loss"] == pytest.approx(error + 0.25 * size, rel=1e-4)


@pytest.mark.parametrize("name", ["dense_autoencoder", "conv_autoencoder"])
def test_every_unit_of_the_code_starts_alive(name: str) -> None:
    for seed in range(3):
        net = build(MODELS[name], Fields({"image": Field((8, 8, 1))}), {}, seed=seed)
        values = code(net, training=False)
        assert (values.reshape(len(IMAGES), -1).max(axis=0) > 0).all()
