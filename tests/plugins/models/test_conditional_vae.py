"""The variational auto-encoder that is told the class: what each half takes, and annealing."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from ed_core import MODELS, EdkitError, Run, evaluate, train
from ed_core.evaluation import predict
from ed_core.runs.rebuilding import build
from ed_plugins.datasets.digits import digits
from ed_plugins.datasets.moving_digits import moving_digits

pytestmark = pytest.mark.backend


class Weights(keras.callbacks.Callback):
    """Notes the weight of the divergence in every step."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[float] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        weight = self.model.head_weights["posterior"]
        self.seen.append(float(keras.ops.convert_to_numpy(weight)))


@pytest.fixture(scope="module")
def noted() -> Weights:
    return Weights()


@pytest.fixture(scope="module")
def run(noted: Weights, tmp_path_factory: Any) -> Run:
    """Trained for eight epochs, over the first four of which the divergence gains its weight."""
    return train(
        "conditional_vae",
        "digits",
        out=tmp_path_factory.mktemp("runs"),
        record=False,
        callbacks=[noted],
        epochs=8,
        batch_size=32,
        learning_rate=3e-3,
        hidden=(128,),
        beta=0.5,
        anneal=4.0,
    )


def test_the_divergence_gains_its_weight_over_epochs(run: Run, noted: Weights) -> None:
    steps = len(noted.seen) // 8
    assert steps == len(run.data.splits["train"]["label"]) // 32
    expected = 0.5 * np.minimum(np.arange(8 * steps) / (4 * steps), 1)
    np.testing.assert_allclose(noted.seen, expected, rtol=1e-5, atol=1e-6)


def test_it_learns(run: Run, check_trained: Callable[[Run, str], None]) -> None:
    check_trained(run, "image")
    found = evaluate(run)
    assert found["mse"] < 0.5 * found["untrained_mse"]
    assert found["kl"] > 1
    assert found["active_units"] == 2


def test_the_decoder_draws_the_class_that_it_is_told(run: Run) -> None:
    """The prior's mean with every class looks most like that class's mean image."""
    told = {"code": np.zeros((10, 2), "float32"), "label": np.arange(10, dtype="int32")}
    drawn = predict(run.decoder, told)["image"].reshape(10, -1)
    test = run.data.splits["test"]
    means = np.stack([test["image"][test["label"] == digit].mean(0).ravel() for digit in range(10)])
    nearest = np.linalg.norm(drawn[:, None] - means[None], axis=-1).argmin(axis=1)
    assert np.sum(nearest == np.arange(10)) >= 7


def test_the_encoder_is_told_the_class_as_well(run: Run) -> None:
    image = np.repeat(run.data.splits["test"]["image"][:1], 10, axis=0)
    told = {"image": image, "label": np.arange(10, dtype="int32")}
    assert predict(run.encoder, told)["posterior"].std(axis=0).max() > 0.01


def test_it_needs_one_class_a_sample() -> None:
    fields = digits().fields
    fields["label"] = moving_digits(samples=5).fields["video"]
    with pytest.raises(EdkitError, match="needs one class a sample in field 'label'"):
        build(MODELS["conditional_vae"], fields, {})
