"""Pooling that is fast on JAX's CPU gives the numbers of Keras' own, ties and NaN included."""

from itertools import product
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers, ops

from ed_core.engine import pooling

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
    ours = ops.convert_to_numpy(pooling.largest_of_pairs(ops.convert_to_tensor(x)))
    windows = [x[(slice(None), *[slice(one, None, 2) for one in at])]
               for at in product((0, 1), repeat=axes)]  # fmt: skip
    np.testing.assert_array_equal(ours, np.max(windows, axis=0))
    if keras.config.backend() == "jax":
        weights = random.normal(size=ours.shape).astype("float32")
        x = np.nan_to_num(x)
        both = [gradient_of(one, x, weights) for one in (its, pooling.largest_of_pairs)]
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

    pooling_of_pairs = pooling.largest_of_pairs
    monkeypatch.setattr(pooling, "largest_of_pairs", largest)
    net = conv_net()
    before, config = net(x := np.random.default_rng(0).normal(size=(2, 10, 6, 3))), net.get_config()
    monkeypatch.setattr(pooling, "_is_slow", lambda: False)
    pooling.speed_up_pooling(net)
    net(x)
    assert used == []
    monkeypatch.setattr(pooling, "_is_slow", lambda: True)
    pooling.speed_up_pooling(net)
    after = net(x)
    assert used == [(2, 10, 6, 3)]
    np.testing.assert_array_equal(*map(ops.convert_to_numpy, (before, after)))
    assert net.get_config() == config
    assert keras.models.clone_model(net)(x).shape == after.shape
    assert used == [(2, 10, 6, 3)]
