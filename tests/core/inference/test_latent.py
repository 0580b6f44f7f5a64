"""Walks through the code: a straight line between two samples, and a plane."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ed_core import MODELS, EdkitError, RunFolder
from ed_core.inference.latent import grid, interpolate
from ed_core.probes import LatentScan
from ed_core.recording.run_description import FORMAT
from ed_core.runs.rebuilding import build
from ed_core.runs.run import Run
from ed_plugins.datasets.digits import digits

pytestmark = pytest.mark.backend


def run_of(path: Path, name: str, **params: Any) -> Run:
    """A run whose model is as it was built: a walk asks for no training."""
    data = digits()
    folder = RunFolder.create(path, name)
    info = {"format": FORMAT, "model": name, "data": "digits", "params": params}
    folder.write({**info, "status": "training"})
    return Run(folder, info, build(MODELS[name], data.fields, params, seed=2))


@pytest.fixture(scope="module")
def dense(tmp_path_factory: Any) -> Run:
    return run_of(tmp_path_factory.mktemp("runs"), "dense_autoencoder", hidden=(32,), latent=6)


@pytest.fixture(scope="module")
def conditional(tmp_path_factory: Any) -> Run:
    return run_of(tmp_path_factory.mktemp("runs"), "conditional_vae", hidden=(32,), latent=3)


def sample(run: Run, number: int) -> dict[str, np.ndarray]:
    return {name: values[number] for name, values in run.data.splits["test"].items()}


def decoded(run: Run, codes: np.ndarray, **more: np.ndarray) -> np.ndarray:
    image: np.ndarray = run.decoder.predict({"code": codes, **more}, verbose=0)["image"]
    return image


def test_the_ends_of_a_line_are_the_reconstructions(dense: Run) -> None:
    first, second = sample(dense, 0), sample(dense, 1)
    line = interpolate(dense, first, second, steps=5)
    assert line.shape == (5, 32, 32, 1)
    ends = np.stack([first["image"], second["image"]])
    expected = dense.model.predict({"image": ends}, verbose=0)["image"]
    np.testing.assert_allclose(line[[0, -1]], expected, atol=1e-5)
    assert np.abs(line[0] - line[-1]).max() > 0.01


def test_a_line_is_straight_in_the_code(dense: Run) -> None:
    first, second = sample(dense, 0), sample(dense, 1)
    ends = np.stack([first["image"], second["image"]])
    start, end = dense.encoder.predict({"image": ends}, verbose=0)["code"]
    expected = decoded(dense, np.stack([start, 0.75 * start + 0.25 * end, (start + end) / 2]))
    np.testing.assert_allclose(interpolate(dense, first, second, 5)[:3], expected, atol=1e-5)


def test_a_line_keeps_the_class_of_the_first(conditional: Run) -> None:
    first = sample(conditional, 0)
    second = sample(conditional, 1)
    assert first["label"] != second["label"]
    given = {name: np.stack([first[name], second[name]]) for name in first}
    end = conditional.encoder.predict(given, verbose=0)["code"][1:]
    line = interpolate(conditional, first, second, 3)
    told = [decoded(conditional, end, label=s["label"][None]) for s in (first, second)]
    np.testing.assert_allclose(line[-1:], told[0], atol=1e-5)
    assert np.abs(line[-1:] - told[1]).max() > 0.01


def test_a_line_has_two_ends(dense: Run) -> None:
    with pytest.raises(EdkitError, match="two steps or more, received 1"):
        interpolate(dense, sample(dense, 0), sample(dense, 1), steps=1)


def test_a_line_needs_what_the_encoder_takes(conditional: Run) -> None:
    image = {"image": sample(conditional, 0)["image"]}
    with pytest.raises(EdkitError, match="needs input 'label'"):
        interpolate(conditional, image, sample(conditional, 1))


def test_a_plane_spans_the_codes_of_the_batch(dense: Run) -> None:
    batch = {name: values[:40] for name, values in dense.data.splits["test"].items()}
    found = grid(dense, (4, 1), steps=3, batch=batch)
    assert found["grid"].shape == (3, 3, 32, 32, 1)
    codes = dense.encoder.predict({"image": batch["image"]}, verbose=0)["code"]
    for axis, dimension in (("x", 4), ("y", 1)):
        low, high = np.quantile(codes[:, dimension], (0.05, 0.95))
        np.testing.assert_allclose(found[axis], [low, (low + high) / 2, high], rtol=1e-4, atol=1e-5)
    corner = codes.mean(axis=0, keepdims=True)
    corner[0, [4, 1]] = found["x"][0], found["y"][2]  # the first row is the largest y
    np.testing.assert_allclose(found["grid"][0, :1], decoded(dense, corner), atol=1e-3)


def test_a_plane_of_the_prior_is_told_the_class_of_the_first(conditional: Run) -> None:
    batch = sample(conditional, 0)
    batch = {name: np.asarray(value)[None] for name, value in batch.items()}
    found = grid(conditional, (2, 0), steps=3, batch=batch)
    np.testing.assert_allclose(found["x"], [-1.644854, 0, 1.644854], atol=1e-5)
    middle = decoded(conditional, np.zeros((1, 3), "float32"), label=batch["label"])
    np.testing.assert_allclose(found["grid"][1, 1:2], middle, atol=1e-3)


def test_a_plane_is_by_default_through_held_out_samples(dense: Run) -> None:
    batch = {name: values[:] for name, values in dense.data.splits["validation"].items()}
    expected, found = LatentScan(steps=3).bind(dense.model)(batch), grid(dense, steps=3)
    np.testing.assert_allclose(found["grid"], expected["grid"], atol=2e-3)
    again = grid(dense, steps=3, batch=batch)
    for axis in ("x", "y"):
        np.testing.assert_allclose(found[axis], again[axis], rtol=1e-4, atol=1e-6)


def test_a_plane_lies_in_the_code(dense: Run) -> None:
    with pytest.raises(EdkitError, match="the code has 6 dimensions"):
        grid(dense, (0, 6))


def test_walks_need_a_decoder(tmp_path: Path) -> None:
    run = run_of(tmp_path, "classifier", hidden=(4,), filters=(2,))
    with pytest.raises(EdkitError, match="no layer 'decoder'"):
        interpolate(run, sample(run, 0), sample(run, 1))
    with pytest.raises(EdkitError, match="no layer 'decoder'"):
        grid(run)
