"""Settings of a backend that follow from the model."""

import keras
import pytest

from ed_core.engine import tuning

pytestmark = pytest.mark.backend


def test_xla_compiles_dense_nets_of_long_trainings_on_tensorflow() -> None:
    if keras.config.backend() != "tensorflow":
        assert tuning.jit_compile() == "auto"
        return
    dense = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    nested = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(2, 3)])
    image = keras.Input((4, 4, 1))
    conv = keras.Model(image, nested(image))
    assert tuning.jit_compile() is False
    assert tuning.jit_compile(dense, 100) is False
    assert tuning.jit_compile(dense, 10_000) is True
    assert tuning.jit_compile(conv, 10_000) is False
