"""Batch normalisation far from 0, beside double precision and beside Keras' own layer."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from ed_core import CentredBatchNormalization
from ed_core.testing import check_layer

pytestmark = pytest.mark.backend


def drawn(mean: float, deviation: float, shape: tuple[int, ...] = (16, 32, 32, 16)) -> np.ndarray:
    random = np.random.default_rng(0)
    return (random.normal(size=shape) * deviation + mean).astype("float32")


def exact(x: np.ndarray, epsilon: float = 1e-3) -> np.ndarray:
    axes = tuple(range(x.ndim - 1))
    wide = x.astype("float64")
    return (wide - wide.mean(axes)) / np.sqrt(wide.var(axes) + epsilon)


SMALL, LARGE = (16, 32, 32, 16), (16, 256, 256, 2)


@pytest.mark.parametrize(
    ("mean", "deviation", "shape"),
    [(0, 1, SMALL), (5, 0.1, SMALL), (1500, 50, SMALL), (0, 1, LARGE), (1500, 50, LARGE)],
)
def test_values_far_from_0_are_as_exact_as_single_precision_allows(mean, deviation, shape):
    x = drawn(mean, deviation, shape)
    found = ops.convert_to_numpy(CentredBatchNormalization()(x, training=True))
    assert np.abs(found - exact(x)).max() < 2e-5  # the centre alone may err by 2e-6


def test_the_averages_follow_mean_and_variance():
    x = drawn(5, 0.1)
    layer = CentredBatchNormalization(momentum=0.0)
    layer(x, training=True)
    wide = x.astype("float64")
    mean, variance = (ops.convert_to_numpy(v) for v in layer.non_trainable_variables)
    assert np.allclose(mean, wide.mean((0, 1, 2)), rtol=1e-6, atol=0)
    assert np.allclose(variance, wide.var((0, 1, 2)), rtol=1e-4, atol=0)


@pytest.mark.parametrize("options", [{}, {"scale": False, "center": False}, {"axis": 1}])
@pytest.mark.parametrize("training", [True, False])
def test_near_0_it_is_keras_own_layer(options, training):
    x = drawn(0.2, 1.0, (8, 6, 5, 4))
    own, ours = layers.BatchNormalization(**options), CentredBatchNormalization(**options)
    for layer in (own, ours):
        layer.build(x.shape)
        for number, variable in enumerate(layer.weights):
            random = np.random.default_rng(number)
            variable.assign(random.uniform(0.5, 1.5, variable.shape))
    assert [v.name for v in ours.weights] == [v.name for v in own.weights]
    expected, found = (ops.convert_to_numpy(layer(x, training=training)) for layer in (own, ours))
    assert np.allclose(found, expected, atol=1e-5)
    for mine, other in zip(ours.weights, own.weights, strict=True):
        near = np.allclose(ops.convert_to_numpy(mine), ops.convert_to_numpy(other), atol=1e-5)
        assert near, mine.name


@pytest.mark.parametrize("shape", [(4, 5, 3, 2), (1, 1, 1, 2), (6, 5, 2)])
def test_gradients_are_those_of_keras_own_layer(shape: tuple[int, ...]) -> None:
    x = drawn(0.2, 1.0, shape)
    towards = np.random.default_rng(1).normal(size=shape).astype("float32")

    def trained(layer: layers.Layer) -> list[np.ndarray]:
        image = keras.Input(shape[1:])
        before = layers.Dense(shape[-1])
        net = keras.Model(image, layer(before(image)))
        for number, variable in enumerate(net.trainable_variables):
            random = np.random.default_rng(number)
            variable.assign(random.uniform(0.5, 1.5, variable.shape))
        net.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
        net.fit(x, towards, batch_size=len(x), epochs=2, verbose=0)
        return net.get_weights()

    own, ours = trained(layers.BatchNormalization()), trained(CentredBatchNormalization())
    for mine, other in zip(ours, own, strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)


def test_a_frozen_layer_keeps_its_averages():
    layer = CentredBatchNormalization()
    layer.trainable = False
    x = drawn(5, 0.1, (8, 4))
    found = ops.convert_to_numpy(layer(x, training=True))
    assert np.allclose(found, x / np.sqrt(1 + 1e-3), atol=1e-4)


def test_half_precision_is_computed_in_single():
    x = drawn(5, 1.0).astype("float16")
    found = CentredBatchNormalization(dtype="mixed_float16")(x, training=True)
    assert keras.backend.standardize_dtype(found.dtype) == "float16"
    assert np.abs(ops.convert_to_numpy(found) - exact(x)).max() < 5e-3


def test_the_layer_keeps_the_contract():
    check_layer(CentredBatchNormalization(momentum=0.9), drawn(0, 1, (4, 3)))
