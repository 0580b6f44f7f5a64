"""What a model infers, of layers of Keras' own: the same numbers, for every kind of model."""

import keras
import numpy as np
import pytest

from ed_core import CentredBatchNormalization, EdkitError
from ed_core.nn.inference_model import inference_model

pytestmark = pytest.mark.backend

X = np.random.default_rng(0).random((2, 4), dtype="f4")


def sequential():
    """Return a sequential model with a layer of ours, every weight a number of its own."""
    parts = [keras.Input((4,)), keras.layers.Dense(3), CentredBatchNormalization()]
    net = keras.Sequential(parts, name="parts")
    net.set_weights([np.random.default_rng(1).random(v.shape) for v in net.weights])
    return net


def nested():
    """Return a functional model that calls a sequential one twice."""
    inputs, inner = keras.Input((4,), name="x"), sequential()
    second = inner(keras.layers.Dense(4)(inputs))
    return keras.Model({"x": inputs}, {"first": inner(inputs), "second": second})


def deep():
    """Return a sequential model within another."""
    return keras.Sequential([keras.Input((4,)), sequential(), keras.layers.Dense(2)])


def parts_of(model):
    below = model.layers if isinstance(model, keras.Model) else []
    return [model, *(part for layer in below for part in parts_of(layer))]


@pytest.mark.parametrize("make", [sequential, nested, deep])
def test_the_same_numbers(make):
    model = make()
    given = {"x": X} if make is nested else X
    made = inference_model(model)
    first, second = (keras.tree.flatten(m.predict_on_batch(given)) for m in (model, made))
    for expected, found in zip(first, second, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert all(type(part).__module__.startswith("keras.") for part in parts_of(made))


class Own(keras.Model):
    def call(self, x):
        return x


@pytest.mark.parametrize("make", [Own, lambda: keras.Sequential([keras.layers.Dense(2)])])
def test_a_model_without_a_graph(make):
    with pytest.raises(EdkitError, match="without a graph"):
        inference_model(make())
