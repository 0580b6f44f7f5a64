"""Layers that compute otherwise give the numbers of Keras' own, of the gradient too."""

from itertools import product
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers, ops

from ed_core.engine import fast_layers

pytestmark = pytest.mark.backend


def gradient_of(function: Any, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the gradient of the weighted sum of a function, on JAX."""
    jax = pytest.importorskip("jax")

    return np.asarray(jax.jit(jax.grad(lambda x: ops.sum(function(x) * weights)))(x))


@given(st.integers(1, 3), st.integers(1, 4), st.integers(1, 3), st.integers(0, 99))
@settings(max_examples=12, deadline=None)
def test_the_largest_of_pairs_is_that_of_keras(axes: int, half: int, channels: int, seed: int) -> (
    None
):  # fmt: skip
    random = np.random.default_rng(seed)
    shape = (2, *[2 * half] * (axes - 1), 2, channels)
    x = random.integers(-1, 3, shape).astype("float32")  # most of them have an equal neighbour
    x[random.random(shape) < 0.05] = np.nan
    its = getattr(layers, f"MaxPooling{axes}D")(2)
    ours = ops.convert_to_numpy(fast_layers.largest_of_pairs(ops.convert_to_tensor(x)))
    windows = [x[(slice(None), *[slice(one, None, 2) for one in at])]
               for at in product((0, 1), repeat=axes)]  # fmt: skip
    np.testing.assert_array_equal(ours, np.max(windows, axis=0))
    if keras.config.backend() == "jax":
        weights = random.normal(size=ours.shape).astype("float32")
        x = np.nan_to_num(x)
        both = [gradient_of(one, x, weights) for one in (its, fast_layers.largest_of_pairs)]
        np.testing.assert_array_equal(*both)


def conv_net() -> Any:
    """Return a net with poolings at both depths: of even sizes, of odd ones, and of overlaps."""
    inner = keras.Sequential([keras.Input((10, 6, 3)), layers.MaxPooling2D(2, name="even")])
    image = keras.Input((10, 6, 3))
    x = layers.MaxPooling2D(2, name="odd")(inner(image))
    x = layers.MaxPooling2D(2, strides=1, padding="same", name="overlapping")(x)
    return keras.Model(image, x)


def test_only_what_halves_is_replaced_and_only_where_it_is_slow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used: list[tuple[int, ...]] = []

    def largest(x: Any) -> Any:
        used.append(tuple(x.shape))
        return pooling_of_pairs(x)

    pooling_of_pairs = fast_layers.largest_of_pairs
    monkeypatch.setattr(fast_layers, "largest_of_pairs", largest)
    net = conv_net()
    before, config = net(x := np.random.default_rng(0).normal(size=(2, 10, 6, 3))), net.get_config()
    monkeypatch.setattr(fast_layers, "_device", lambda: "jax gpu")
    fast_layers.speed_up_layers(net)
    net(x)
    assert used == []
    monkeypatch.setattr(fast_layers, "_device", lambda: "jax cpu")
    fast_layers.speed_up_layers(net)
    after = net(x)
    assert used == [(2, 10, 6, 3)]
    np.testing.assert_array_equal(*map(ops.convert_to_numpy, (before, after)))
    assert net.get_config() == config
    assert keras.models.clone_model(net)(x).shape == after.shape
    assert used == [(2, 10, 6, 3)]


@given(st.sampled_from([(1, 3), (3, 1), (3, 3)]), st.integers(1, 6), st.integers(0, 99))
@settings(max_examples=8, deadline=None)
def test_a_sum_is_the_convolution_of_one_filter(
    kernel: tuple[int, int], size: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    x = random.normal(size=(2, size, size + 1, 5)).astype("float32")
    weights = random.normal(size=(*kernel, 5, 1)).astype("float32")
    expected = sum(
        np.pad(x @ weights[row, column], ((0, 0), (1, 1), (1, 1), (0, 0)))[
            :,
            1 + row - kernel[0] // 2 : 1 + row - kernel[0] // 2 + size,
            1 + column - kernel[1] // 2 : 2 + column - kernel[1] // 2 + size,
        ]
        for row in range(kernel[0])
        for column in range(kernel[1])
    )
    for ours in (fast_layers.sum_of_channels, fast_layers.sum_of_taps):
        both = ours(ops.convert_to_tensor(x), ops.convert_to_tensor(weights))
        np.testing.assert_allclose(ops.convert_to_numpy(both), expected, rtol=0, atol=2e-5)


def test_a_convolution_of_one_filter_learns_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its layer stays Keras' own, and two steps of training lead where Keras' own lead."""
    x = np.random.default_rng(0).normal(size=(8, 6, 6, 5)).astype("float32")

    def trained(device: str) -> Any:
        keras.utils.set_random_seed(1)
        monkeypatch.setattr(fast_layers, "_device", lambda: device)
        image = keras.Input((6, 6, 5))
        inner = layers.Conv2D(5, 3, padding="same", activation="relu")(image)
        net = keras.Model(image, layers.Conv2D(1, 3, padding="same", activation="relu")(inner))
        fast_layers.speed_up_layers(net)
        assert ("convolution_op" in vars(net.layers[-1])) == (device != "torch")
        assert "convolution_op" not in vars(net.layers[1])
        net.compile("sgd", "mse")
        net.fit(x, x[..., :1], batch_size=4, epochs=1, shuffle=False, verbose=0)
        return net.get_weights()

    for device in ("jax cpu", "tensorflow cpu"):
        for ours, its in zip(trained(device), trained("torch"), strict=True):
            np.testing.assert_allclose(ours, its, rtol=0, atol=1e-5)
