"""The models of images alone: their weights move, and they beat the model before training."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ed_core import Run, evaluate, train
from ed_core.evaluation.baselines import untrained

# Every backend has the gradients of JAX (tests/contracts/test_backends.py).
pytestmark = [pytest.mark.backend, pytest.mark.once]

SMALL: dict[str, dict[str, Any]] = {
    "dense_autoencoder": {"hidden": (64,), "latent": 16},
    "conv_autoencoder": {"filters": (8, 4), "learning_rate": 5e-3, "epochs": 2},
    "vae": {"hidden": (64,)},
    "conv_vae": {"filters": (8, 4), "learning_rate": 5e-3, "epochs": 3},
}


@pytest.mark.parametrize("name", SMALL)
def test_an_autoencoder_learns(
    name: str, tmp_path: Path, check_trained: Callable[[Run, str], None]
) -> None:
    plan = {"epochs": 4, "batch_size": 32, "learning_rate": 2e-3, "record": False}
    run = train(name, "digits", out=tmp_path, **{**plan, **SMALL[name]})
    check_trained(run, "image")
    check_trained(run, "code")
    found = evaluate(run)
    assert found["mse"] < 0.6 * found["untrained_mse"]


def nearest(run: Run, net: Any) -> float:
    """Return the mean distance of what is drawn from the nearest real image."""
    real = run.data.splits["train"]["image"][:500].reshape(500, -1)
    code = np.random.default_rng(0).standard_normal((64, run.info["params"]["latent"]), "float32")
    drawn = net.get_layer("decoder").predict_on_batch({"code": code})["image"]
    apart = np.linalg.norm(drawn.reshape(64, 1, -1) - real[None], axis=-1)
    return float(apart.min(axis=1).mean())


def test_a_gan_learns_to_draw(tmp_path: Path) -> None:
    options: dict[str, Any] = {"latent": 8, "filters": (16, 8), "batch_size": 32, "epochs": 3}
    run = train("gan", "digits", out=tmp_path, learning_rate=3e-3, record=False, **options)
    before, after = nearest(run, untrained(run)), nearest(run, run.model)
    assert after < 0.8 * before, (before, after)
    code = np.random.default_rng(1).standard_normal((16, 8), "float32")
    drawn = run.model.get_layer("decoder").predict_on_batch({"code": code})["image"]
    assert drawn.std(axis=0).max() > 0.05, "all that is drawn is the same"
