"""Convolutional models: any image size goes in and comes out again, through a small code."""

import numpy as np
import pytest

from ed_core import MODELS, Field, Fields
from ed_core.runs.rebuilding import build
from ed_plugins.models._conv import margins

pytestmark = pytest.mark.backend

# image size, rows and columns of the code after three halvings
SIZES = [((28, 28, 1), (4, 4)), ((32, 32, 1), (4, 4)), ((30, 45, 3), (4, 6)), ((8, 8, 1), (1, 1))]


def auto_encoder(shape: tuple[int, ...], **params: object):
    return build(MODELS["conv_autoencoder"], Fields({"image": Field(shape)}), params)


@pytest.mark.parametrize(
    ("size", "halvings", "expected"),
    [
        ((28, 28), 3, ((2, 2), (2, 2))),
        ((32, 32), 3, ((0, 0), (0, 0))),
        ((30, 45), 3, ((1, 1), (1, 2))),
        ((7, 9), 2, ((0, 1), (1, 2))),
        ((5, 5), 0, ((0, 0), (0, 0))),
    ],
)
def test_margins(size: tuple[int, int], halvings: int, expected: tuple) -> None:
    assert margins((*size, 1), halvings) == expected


@pytest.mark.parametrize("name", ["conv_autoencoder", "conv_vae"])
@pytest.mark.parametrize(("shape", "_"), SIZES)
def test_the_output_has_the_size_of_the_input(
    name: str, shape: tuple[int, ...], _: tuple[int, int]
) -> None:
    net = build(MODELS[name], Fields({"image": Field(shape)}), {})
    image = np.random.default_rng(0).random((2, *shape), "float32")
    output = net.predict_on_batch({"image": image})["image"]
    assert output.shape == image.shape
    assert (output >= 0).all()
    assert (output <= 1).all()
    padding = net.get_layer("encoder").get_layer("pad").padding
    assert net.get_layer("decoder").get_layer("crop").cropping == padding


@pytest.mark.parametrize(("shape", "size"), SIZES)
def test_the_code_is_four_small_maps(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    assert auto_encoder(shape).output["code"].shape == (None, *size, 4)


def test_filters_fall_towards_the_code_and_rise_again() -> None:
    net = auto_encoder((32, 32, 1))
    counts = {
        part: [
            layer.filters for layer in net.get_layer(part).layers if layer.name.startswith("conv_")
        ]
        for part in ("encoder", "decoder")
    }
    assert counts == {"encoder": [16, 8, 4], "decoder": [4, 8, 16]}


def test_filters_set_the_depth() -> None:
    assert auto_encoder((30, 30, 1), filters=(6, 5)).output["code"].shape == (None, 8, 8, 5)


def test_padding_is_what_the_graph_does() -> None:
    """An image padded by hand gives the same, in the same place."""
    image = np.random.default_rng(0).random((2, 30, 45, 1), "float32")
    by_hand = np.pad(image, ((0, 0), (1, 1), (1, 2), (0, 0)))
    padded, whole = [
        auto_encoder(array.shape[1:]).predict_on_batch({"image": array})
        for array in (image, by_hand)
    ]
    assert padded["code"].std() > 0
    np.testing.assert_allclose(padded["code"], whole["code"], atol=1e-6)
    np.testing.assert_allclose(padded["image"], whole["image"][:, 1:31, 1:46], atol=1e-6)
