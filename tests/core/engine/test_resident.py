"""Arrays on the device: a batch of rows is what Keras is handed otherwise."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops

from ed_core import train
from ed_core.data.batches import Batches
from ed_core.data.lazy import Changed, Rows
from ed_core.engine import resident
from ed_core.nn.losses import categorical_crossentropy, squared_error
from ed_core.nn.objective import Objective
from ed_core.plugins.spec import Head
from ed_plugins.datasets._lazy import LazyView

pytestmark = pytest.mark.backend

IMAGE = Head("output", squared_error, name="image", target="image")
VALUE = Head("number", squared_error, name="value", target="value")
LABEL = Head("class", categorical_crossentropy, name="label", target="label")
MAP = Head("classes", categorical_crossentropy, name="map", target="map", mask="has_map")
SAMPLES = 40


def arrays() -> dict[str, Any]:
    """Return arrays of every kind: bytes, floats of 64 bits and classes with gaps, a mask."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (2 * SAMPLES, 4, 4), "uint8")
    value = random.normal(size=(SAMPLES, 3))
    value[::5, 1] = np.nan
    return {
        "image": Rows(LazyView(pixels, 255.0, channel=True), np.arange(SAMPLES) * 2),
        "value": value,
        "label": random.integers(-1, 3, SAMPLES).astype("int8"),
        "map": random.integers(-1, 3, (SAMPLES, 4, 4)),
        "has_map": (random.random(SAMPLES) < 0.5).astype("float64"),
    }


def both(heads: tuple[Head, ...], seed: int | None, **options: Any) -> tuple[Batches, Batches]:
    """Return the batches of a split that is handed over, and of one that is on the device."""
    plain, kept = (Batches(arrays(), ["image"], heads, 8, seed, **options) for _ in range(2))
    assert kept.keep_on_device("train")
    return plain, kept


def tensors(batch: Any) -> Any:
    """Return a batch as a step of Keras is given it."""
    return keras.tree.map_structure(ops.convert_to_tensor, batch)


@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("weights", [None, {"label": np.array([1.0, 0.25, 2.0])}])
def test_a_batch_of_rows_is_the_batch_itself(seed: int | None, weights: Any) -> None:
    plain, kept = both((IMAGE, VALUE, LABEL, MAP), seed, class_weights=weights)
    for index in range(len(plain)):
        expected, batch = plain[index], tensors(kept[index])
        assert kept.holds(batch)
        assert not plain.holds(batch)
        received = kept.arranged(batch)
        for ours, its in zip(received, expected, strict=True):
            assert list(ours) == list(its)
            for name, values in its.items():
                tensor = ours[name]
                assert keras.backend.standardize_dtype(tensor.dtype) == values.dtype, name
                np.testing.assert_array_equal(ops.convert_to_numpy(tensor), values, name)


def test_what_is_augmented_slow_or_large_is_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    changing = Batches(arrays(), ["image"], (IMAGE,), 8, 3, augment=lambda batch, random: batch)
    assert not changing.keep_on_device("train")
    slow = Changed(np.zeros((9, 4, 4, 1)), lambda x: x, np.dtype("float32"))
    monkeypatch.setattr(Changed, "is_slow", True, raising=False)
    assert not Batches({"image": slow}, ["image"], (IMAGE,), 4, 3).keep_on_device("train")
    monkeypatch.setattr("ed_core.data.batches.MOST_BYTES", 4 * 4 * SAMPLES - 1)
    large = Batches(arrays(), ["image"], (IMAGE,), 8, 3)
    assert not large.keep_on_device("train")  # a byte a pixel, as they are stored
    monkeypatch.setattr("ed_core.data.batches.MOST_BYTES", 4 * 4 * SAMPLES)
    assert large.keep_on_device("train")
    assert len(large[0]) <= 2
    large.let_go()
    assert len(large[0]) == 3
    monkeypatch.setattr(keras.distribution, "distribution", object)
    assert not large.keep_on_device("train")


def test_weights_of_classes_count_as_what_they_take(monkeypatch: pytest.MonkeyPatch) -> None:
    classes = {"map": np.array([1.0, 0.5, 2.0])}
    stored = SAMPLES * 16 * (1 + 4 + 4)  # bytes of the image, whole numbers, weights
    for most in (stored - 1, stored):
        monkeypatch.setattr("ed_core.data.batches.MOST_BYTES", most)
        batches = Batches(arrays(), ["image"], (MAP,), 8, 3, class_weights=classes)
        assert batches.keep_on_device("train") == (most == stored)


@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="keeps what functions look at")
def test_a_training_leaves_nothing_on_the_device(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = []

    def on_device(stored: resident.RawArray) -> Any:
        kept.append(original(stored))
        return kept[-1]

    original = resident.on_device
    monkeypatch.setattr(resident, "on_device", on_device)
    x = np.random.default_rng(0).random((31, 9, 7, 1), "float32")
    train("dense_autoencoder", {"image": x}, out=tmp_path, batch_size=8, epochs=1, record=False)
    assert [len(array.numpy()) for array in kept] == [0, 0]


def test_fit_learns_the_same_and_lets_the_arrays_go() -> None:
    def trained(kept: bool) -> tuple[Any, Any]:
        keras.utils.set_random_seed(1)
        image = keras.Input((4, 4, 1), name="image")
        net = keras.Model(
            {"image": image},
            {
                "output": keras.layers.Dense(1, name="output")(image),
                "classes": keras.layers.Dense(3, name="classes")(image),
            },
        )
        heads = (IMAGE, MAP)
        objective = Objective(net, heads, {"image": 1.0, "map": 0.5})
        objective.compile("adam")
        batches = both(heads, 3)[kept]
        validation = both(heads, None)[kept]
        if kept:
            validation.keep_on_device("validation")
            objective.gather_from([batches, validation])
        history = objective.fit(
            batches, validation_data=validation, epochs=2, shuffle=False, verbose=0
        ).history
        objective.gather_from(())
        assert not objective.sources
        x = np.asarray(arrays()["image"])  # afterwards it is fitted as any model
        y = {"image": x, "map": np.zeros((SAMPLES, 4, 4), int)}
        objective.fit({"image": x}, y, epochs=1, shuffle=False, verbose=0)
        return history, objective.get_weights()

    (expected, its), (received, ours) = trained(kept=False), trained(kept=True)
    assert list(received) == list(expected)
    for name, losses in expected.items():
        np.testing.assert_allclose(received[name], losses, rtol=1e-5)
    for one, other in zip(ours, its, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
