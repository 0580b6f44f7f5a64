"""Models on parts of earlier runs: what is frozen does not move, and what does not fit is said."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from ed_core import MODELS, EdkitError, Fields, Run, evaluate, open_run, train
from ed_core.evaluation import predict
from ed_core.nn.layers import Frozen
from ed_core.nn.submodels import submodel, to_numpy
from ed_core.runs.rebuilding import build
from ed_plugins.datasets.digits import digits
from ed_plugins.datasets.signals.loader import signals

pytestmark = pytest.mark.backend

Check = Callable[[Run, str], None]
FAST: dict[str, Any] = {"record": False, "batch_size": 32}


def weights(net: Any) -> list[np.ndarray]:
    return [to_numpy(variable) for variable in net.weights]


def same(first: list[np.ndarray], second: list[np.ndarray]) -> list[bool]:
    return [np.array_equal(a, b) for a, b in zip(first, second, strict=True)]


@pytest.fixture(scope="module")
def base(tmp_path_factory: Any) -> Run:
    """A trained auto-encoder."""
    out = tmp_path_factory.mktemp("base")
    return train("dense_autoencoder", "digits", out=out, epochs=6, hidden=(64,), latent=24, **FAST)


@pytest.fixture(scope="module")
def frozen(base: Run, tmp_path_factory: Any) -> Run:
    """A classifier on its encoder, which stays as it is."""
    out, path = tmp_path_factory.mktemp("frozen"), str(base.path)
    return train("classifier", "digits", out=out, epochs=8, encoder=path, freeze=True, **FAST)


def test_a_frozen_encoder_stays_as_it_is(base: Run, frozen: Run) -> None:
    assert all(same(weights(frozen.encoder), weights(base.encoder)))
    assert frozen.encoder.trainable_weights == []
    image = {"image": base.data.splits["test"]["image"][:50]}
    code = predict(frozen.model, image)["code"]
    np.testing.assert_allclose(code, predict(base.encoder, image)["code"], atol=1e-5)


def test_the_head_on_a_frozen_encoder_learns(frozen: Run, check_trained: Check) -> None:
    check_trained(frozen, "label")
    found = evaluate(frozen)
    assert found["label_accuracy"] > 0.4 > found["label_majority"] + 0.25


def test_a_run_on_another_is_opened_with_its_own_weights(frozen: Run) -> None:
    again = open_run(frozen.path)
    assert all(same(weights(again.model), weights(frozen.model)))


def test_an_encoder_that_is_not_frozen_trains_on(base: Run, tmp_path: Path) -> None:
    path = str(base.path)
    start = build(MODELS["classifier"], digits().fields, {"encoder": path})
    assert all(same(weights(submodel(start, "encoder")), weights(base.encoder)))
    run = train("classifier", "digits", out=tmp_path, epochs=1, encoder=path, **FAST)
    assert not any(same(weights(run.encoder), weights(base.encoder)))
    assert run.encoder.trainable_weights


def test_a_random_start_has_the_architecture_and_other_weights(base: Run) -> None:
    params = {"encoder": str(base.path), "start": "random"}
    first, again, other = (
        submodel(build(MODELS["classifier"], digits().fields, params, seed=seed), "encoder")
        for seed in (5, 5, 6)
    )
    of_base = weights(base.encoder)
    assert [w.shape for w in weights(first)] == [w.shape for w in of_base]
    kernels = [number for number, weight in enumerate(of_base) if weight.ndim > 1]
    assert len(kernels) == 2
    for number in kernels:  # biases start as constants
        assert not np.array_equal(weights(first)[number], of_base[number])
        assert not np.array_equal(weights(first)[number], weights(other)[number])
    assert all(same(weights(first), weights(again)))


@pytest.mark.once
def test_a_classifier_without_a_run_trains_convolutions(
    tmp_path: Path, check_trained: Check
) -> None:
    run = train("classifier", "digits", out=tmp_path, epochs=6, filters=(8, 16), **FAST)
    check_trained(run, "label")
    found = evaluate(run)
    assert found["label_accuracy"] > 0.7 > found["label_majority"] + 0.5


def test_dropout_is_of_training_only() -> None:
    net = build(MODELS["classifier"], digits().fields, {"dropout": 0.5, "filters": (2,)})
    image = {"image": digits().splits["test"]["image"][:8]}
    still, again, first, second = (
        ops.convert_to_numpy(net(image, training=training)["label"])
        for training in (False, False, True, True)
    )
    np.testing.assert_array_equal(still, again)
    assert np.abs(first - still).max() > 1e-3
    assert np.abs(first - second).max() > 1e-3


def test_frozen_statistics_and_noise_do_not_move() -> None:
    """Of layers that behave otherwise while training, all infer, inside `fit` as well."""
    given = keras.Input((6,), name="x")
    x = layers.BatchNormalization(name="norm")(layers.Dense(4, name="dense")(given))
    x = layers.GaussianNoise(1.0, seed=0)(layers.Dropout(0.5, seed=0)(x))
    part = Frozen(keras.Model({"x": given}, {"code": x}, name="encoder"))
    top = layers.Dense(1, name="top")
    around = keras.Model({"x": given}, {"y": top(part({"x": given})["code"])})
    around.compile(optimizer="sgd", loss={"y": "mse"})
    rng = np.random.default_rng(0)
    inputs = {"x": rng.normal(3.0, 2.0, (64, 6)).astype("float32")}
    before, head = weights(part), weights(top)
    expected = ops.convert_to_numpy(part(inputs, training=False)["code"])
    found = ops.convert_to_numpy(part(inputs, training=True)["code"])
    around.fit(inputs, {"y": np.ones((64, 1), "float32")}, epochs=2, verbose=0)
    np.testing.assert_array_equal(found, expected)
    assert all(same(weights(part), before))
    assert not any(same(weights(top), head))


@pytest.mark.once
def test_a_code_on_a_code(base: Run, tmp_path: Path, check_trained: Check) -> None:
    path = str(base.path)
    run = train(
        "stacked_autoencoder",
        "digits",
        out=tmp_path,
        epochs=6,
        base=path,
        latent=12,
        **FAST,
    )
    check_trained(run, "image")
    inner = [run.encoder.get_layer("encoder"), run.decoder.get_layer("decoder")]
    for part, whole in zip(inner, (base.encoder, base.decoder), strict=True):
        assert all(same(weights(part), weights(whole)))
    image = {"image": base.data.splits["test"]["image"][:50]}
    found, outer = predict(run.model, image), predict(base.encoder, image)["code"]
    back = {"code": outer + found["difference"]}
    np.testing.assert_allclose(found["image"], predict(base.decoder, back)["image"], atol=1e-4)
    numbers = evaluate(run)
    assert numbers["code_size"] == 12
    assert numbers["mse"] < 0.7 * numbers["untrained_mse"]


def test_without_a_base_all_is_trained() -> None:
    net = build(MODELS["stacked_autoencoder"], digits().fields, {"latent": 3})
    assert net.output["code"].shape == (None, 3)
    assert net.output["difference"].shape == (None, 32)
    assert len(net.trainable_weights) == len(net.layer_weights) == 16


@pytest.mark.parametrize(
    ("model", "option"), [("classifier", "encoder"), ("stacked_autoencoder", "base")]
)
def test_a_run_that_is_not_there_is_named(model: str, option: str, tmp_path: Path) -> None:
    missing = str(tmp_path / "gone")
    with pytest.raises(EdkitError, match=f"option '{option}'.*gone") as found:
        train(model, "digits", out=tmp_path / "runs", record=False, **{option: missing})
    assert "\n" not in str(found.value)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("model", "option"), [("classifier", "encoder"), ("stacked_autoencoder", "base")]
)
def test_a_run_of_other_fields_is_named(model: str, option: str, base: Run) -> None:
    fields = Fields({**digits().fields, "image": signals().fields["signal"]})
    with pytest.raises(EdkitError, match="takes 'image'") as found:
        build(MODELS[model], fields, {option: str(base.path)})
    said = str(found.value)
    assert "\n" not in said
    assert all(part in said for part in (str(base.path), "(32, 32, 1)", "(256, 1)"))


def test_a_base_that_is_no_auto_encoder_is_named(frozen: Run) -> None:
    with pytest.raises(EdkitError, match=r"option 'base'.*no decoder") as found:
        build(MODELS["stacked_autoencoder"], digits().fields, {"base": str(frozen.path)})
    assert "\n" not in str(found.value)
    assert str(frozen.path) in str(found.value)
