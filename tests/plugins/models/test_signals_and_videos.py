"""The auto-encoders for signals and for videos: shapes of any size, noise, and what they learn."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from keras import ops

from ed_core import MODELS, Field, Fields, Run, evaluate, train
from ed_core.runs.rebuilding import build

pytestmark = pytest.mark.backend

Check = Callable[[Run, str], None]
RNG = np.random.default_rng(0)
SIGNAL = {"signal": RNG.normal(size=(6, 37, 2)).astype("float32")}
VIDEO = {"video": RNG.random((6, 5, 9, 11, 1), "float32")}
SMALL = [("signal_autoencoder", SIGNAL), ("video_autoencoder", VIDEO)]


def network(name: str, batch: dict[str, np.ndarray], **params: Any) -> Any:
    fields = {field: Field(array.shape[1:], field) for field, array in batch.items()}
    return build(MODELS[name], Fields(fields), {"filters": (4, 3), **params}, seed=1)


def outputs(net: Any, batch: dict[str, np.ndarray], training: bool = False) -> Any:
    if not training:
        return net.predict_on_batch(batch)
    return {name: ops.convert_to_numpy(value) for name, value in net(batch, training=True).items()}


def test_a_signal_of_any_length_comes_back_with_any_sign() -> None:
    found = outputs(network("signal_autoencoder", SIGNAL), SIGNAL)
    assert found["code"].shape == (6, 10, 3)  # 37 samples are filled up to 40
    assert found["signal"].shape == (6, 37, 2)
    assert found["signal"].min() < 0 < found["signal"].max()


def test_a_video_of_any_size_comes_back_between_0_and_1() -> None:
    found = outputs(network("video_autoencoder", VIDEO), VIDEO)
    # 5 frames of 9 x 11 are filled up to 8 of 12 x 12.
    assert found["code"].shape == (6, 2, 3, 3, 3)
    assert found["video"].shape == (6, 5, 9, 11, 1)
    assert 0 < found["video"].min() < found["video"].max() < 1


@pytest.mark.parametrize(("name", "batch"), SMALL)
def test_noise_is_added_while_training_only(name: str, batch: dict[str, np.ndarray]) -> None:
    plain, noisy = network(name, batch), network(name, batch, noise=0.5)
    still = outputs(noisy, batch)["code"]
    np.testing.assert_allclose(still, outputs(plain, batch, training=True)["code"], atol=1e-6)
    first, second = (outputs(noisy, batch, training=True)["code"] for _ in range(2))
    assert np.abs(first - still).max() > 1e-3
    assert np.abs(first - second).max() > 1e-3


@pytest.mark.parametrize(("name", "batch"), SMALL)
def test_the_objective_is_error_and_sparsity(name: str, batch: dict[str, np.ndarray]) -> None:
    net = network(name, batch, sparsity=0.25)
    net.compile()
    found = net.test_on_batch(batch, batch, return_dict=True)
    after = outputs(net, batch)
    field = next(iter(batch))
    error = np.square(after[field] - batch[field]).reshape(6, -1).sum(1).mean()
    size = np.abs(after["code"]).reshape(6, -1).sum(1).mean()
    assert size > 0
    assert found["loss"] == pytest.approx(error + 0.25 * size, rel=1e-4)


@pytest.mark.once
def test_signals_are_learnt(tmp_path: Path, check_trained: Check) -> None:
    run = train(
        "signal_autoencoder",
        "signals:window=128",
        out=tmp_path,
        record=False,
        epochs=4,
        batch_size=32,
        learning_rate=2e-3,
        filters=(16, 8),
    )
    check_trained(run, "signal")
    found = evaluate(run)
    test = run.data.splits["test"]["signal"][:]
    assert found["mse"] < 0.25 * test.var()
    assert found["mse"] < 0.25 * found["untrained_mse"]


@pytest.mark.once
def test_videos_are_learnt(tmp_path: Path, check_trained: Check) -> None:
    run = train(
        "video_autoencoder",
        "moving_digits:samples=160,size=16,frames=4",
        out=tmp_path,
        record=False,
        epochs=6,
        batch_size=8,
    )
    check_trained(run, "video")
    found = evaluate(run)
    # One grey for every pixel of every video is wrong by their variance.
    test = run.data.splits["test"]["video"][:]
    assert found["mse"] < 0.8 * test.var() < found["untrained_mse"]
