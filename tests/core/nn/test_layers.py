"""The reparameterised sample: its distribution, its seed, its configuration."""

import keras
import numpy as np
import pytest
from keras import ops

from ed_core import Sampling

pytestmark = pytest.mark.backend


def drawn(layer: Sampling, mean: float, log_var: float, rows: int = 20_000) -> np.ndarray:
    shape = (rows, 3)
    inputs = (ops.full(shape, mean), ops.full(shape, log_var))
    return np.asarray(ops.convert_to_numpy(layer(inputs, training=True)))


@pytest.mark.parametrize(("mean", "log_var"), [(0.0, 0.0), (2.0, -2.0), (-1.0, 1.5)])
def test_samples_have_the_mean_and_the_variance(mean: float, log_var: float) -> None:
    samples = drawn(Sampling(seed=5), mean, log_var)
    deviation = np.exp(log_var / 2)
    assert samples.mean() == pytest.approx(mean, abs=0.02 * deviation)
    assert samples.std() == pytest.approx(deviation, rel=0.02)
    inside = np.abs(samples - mean) < deviation
    assert inside.mean() == pytest.approx(0.6827, abs=0.01)
    assert np.abs(np.corrcoef(samples.T) - np.eye(3)).max() < 0.03


def test_without_training_it_is_the_mean() -> None:
    mean, log_var = np.random.default_rng(0).normal(size=(2, 4, 3)).astype("float32")
    for arguments in ({}, {"training": False}):
        found = Sampling()((mean, log_var), **arguments)
        np.testing.assert_array_equal(ops.convert_to_numpy(found), mean)


def test_same_seed_same_samples() -> None:
    one, same, other = (Sampling(seed=seed) for seed in (1, 1, 2))
    first = drawn(one, 0.0, 0.0, 10)
    np.testing.assert_array_equal(first, drawn(same, 0.0, 0.0, 10))
    assert not np.array_equal(first, drawn(other, 0.0, 0.0, 10))
    assert not np.array_equal(first, drawn(one, 0.0, 0.0, 10)), "the second draw repeats the first"


def test_generator_goes_on_where_its_state_says() -> None:
    layer = Sampling(seed=1)
    drawn(layer, 0.0, 0.0, 10)
    state = np.array(ops.convert_to_numpy(layer.seed_generator.state))
    expected = drawn(layer, 0.0, 0.0, 10)
    again = Sampling(seed=1)
    again.seed_generator.state.assign(state)
    np.testing.assert_array_equal(drawn(again, 0.0, 0.0, 10), expected)


def test_configuration_round_trip() -> None:
    layer = Sampling(seed=7, name="z")
    again = Sampling.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert (again.seed, again.name) == (7, "z")
    np.testing.assert_array_equal(drawn(again, 0.0, 0.0, 5), drawn(layer, 0.0, 0.0, 5))
    wrapped = keras.saving.serialize_keras_object(layer)
    assert keras.saving.deserialize_keras_object(wrapped).seed == 7


def test_in_a_functional_model() -> None:
    inputs = [keras.Input((3,)), keras.Input((3,))]
    model = keras.Model(inputs, Sampling()(inputs))
    assert model.output.shape == (None, 3)
    mean = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(model.predict([mean, mean], verbose=0), mean)
    assert not np.array_equal(ops.convert_to_numpy(model([mean, mean], training=True)), mean)
